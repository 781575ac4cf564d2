"""What the command line needs: `kiosk status`, `kiosk doctor` and `kiosk report`, from spawn to end.

The demo's reader and uploader are asked, with all they have seen so far; the report is that of another
uploader, which has counted 100,000 visits in a month.
"""

import resource
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from kiosk.simulator.demo.demo_folder import kiosk_argv
from kiosk.uploader.store.database import PRAGMAS, Database
from tests.benchmarks.demo import open_demo
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, row, spread
from tests.report.month import a_month, fill
from tests.uploader.world import Token, running_uploader, write_config

RUNS = 7
VISITS, MONTH = 100_000, "2026-10"
PATIENCE_S = 60.0


def _run_ms(*words: str, codes: tuple[int, ...] = (0,)) -> float:
    began = time.monotonic()
    done = subprocess.run(kiosk_argv(*words), capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    took = (time.monotonic() - began) * 1000
    if done.returncode not in codes:
        raise Unmeasured(f"kiosk {words[0]} ended with {done.returncode}: {done.stderr.strip()[:100]}")
    return took


def _children_ms() -> float:
    """The processor time of all that has been run and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


@row("status_ms", "ms", goal=at_most(200))
def status(lab: Lab) -> Measured:
    """`kiosk status --json`, spawn to end."""
    open_ = lab.once(open_demo)
    config = str(open_.demo.place.settings(open_.hand.mode))
    before = _children_ms()
    times = [_run_ms("status", "--json", "--config", config) for _ in range(RUNS)]
    own = (_children_ms() - before) / RUNS
    note = f"spawn to end, files cached; {spread(times, 0)}; of its own it needs {own:.0f} ms of processor"
    return Measured(statistics.median(times), note)


@dataclass(frozen=True)
class Report:
    """One report of the month."""

    seconds: float
    kilobytes: float


def _report(lab: Lab) -> Report:
    folder = lab.subfolder("report")
    nobody = folder / "none"
    config = write_config(folder, "https://127.0.0.1:9", nobody, nobody, nobody)
    database = Database(folder / "outbox.sqlite", PRAGMAS)
    fill(database, a_month(MONTH, VISITS))
    database.close()
    out = folder / "report.html"
    with running_uploader(config, Token.make()) as running:
        _wait_for(running.folder / "run" / "uploader.sock")
        took = _run_ms("report", "--config", str(config), "--month", MONTH, "--out", str(out))
    return Report(took / 1000, out.stat().st_size / 1000)


def _wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while not path.exists():
        if time.monotonic() > end:
            raise Unmeasured(f"{path.name} did not appear")
        time.sleep(0.02)


@row("report_s", "s", goal=at_most(10))
def report_s(lab: Lab) -> Measured:
    """`kiosk report --month`."""
    return Measured(lab.once(_report).seconds, f"{VISITS:,} visits of one month, spawn to end")


@row("report_kb", "kB", goal=at_most(2000))
def report_kb(lab: Lab) -> Measured:
    """The size of its file."""
    return Measured(lab.once(_report).kilobytes, f"{VISITS:,} visits of one month, HTML with its drawings")


@row("doctor_ms", "ms", goal=at_most(3000))
def doctor(lab: Lab) -> Measured:
    """`kiosk doctor --json`: every part; what this machine lacks is a finding, not a failure."""
    open_ = lab.once(open_demo)
    config = str(open_.demo.place.settings(open_.hand.mode))
    times = [_run_ms("doctor", "--json", "--config", config, codes=(0, 1)) for _ in range(RUNS)]
    return Measured(statistics.median(times), f"spawn to end, both processes asked; {spread(times, 0)}")
