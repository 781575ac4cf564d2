"""How long it takes until something is there: each process until READY=1, the demo until its first picture.

Files are in the page cache and byte code is compiled: these are second starts. The demo's own processes are
stopped here, so this module is measured last.
"""

import json
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kiosk.simulator.demo.demo_folder import kiosk_argv
from tests.benchmarks.demo import DUMMY, PROCESSES, open_demo
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, row, spread

STARTS = 3
READY_S = 20.0
STORY_S = 300.0
PICTURE_S = 60.0
SHORT = "reader-unplugged"  #: the scenario that a start is followed by; the quickest
#: The clinic's own screen process needs pins; these are gpiozero's.
MOCK_PINS = {"GPIOZERO_PIN_FACTORY": "mock", "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin"}


@contextmanager
def _notified(path: Path) -> Iterator[socket.socket]:
    """A service manager's end of sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(READY_S)
        try:
            yield listener
        finally:
            path.unlink()


def _start_ms(name: str, config: Path, folder: Path, environ: Mapping[str, str]) -> float:
    """Spawn → READY=1 of one process, which is then stopped."""
    notify = folder / "notify.sock"
    with _notified(notify) as listener, (folder / f"start-{name}.log").open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            kiosk_argv(name, "--config", str(config)),
            env={**os.environ, **environ, "NOTIFY_SOCKET": str(notify)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            while "READY=1" not in listener.recv(4096).decode().splitlines():
                pass
            return (time.monotonic() - began) * 1000
        except TimeoutError:
            raise Unmeasured(f"kiosk {name} was not ready within {READY_S:g} s") from None
        finally:
            process.terminate()
            process.wait(READY_S)


def own_processes_stopped(lab: Lab) -> Path:
    """The demo's field and service go on, its three processes do not; returns the settings."""
    open_ = lab.once(open_demo)
    for name in PROCESSES:
        open_.demo.household.stop(name)
    return open_.demo.place.settings(open_.hand.mode)


def _start(lab: Lab, name: str) -> Measured:
    config = lab.once(own_processes_stopped)
    times = [_start_ms(name, config, lab.folder, {**DUMMY, **MOCK_PINS}) for _ in range(STARTS)]
    return Measured(statistics.median(times), f"spawn → READY=1, files cached; {spread(times, 0)}")


@row("start_ms_reader", "ms")
def start_reader(lab: Lab) -> Measured:
    """`kiosk reader`."""
    return _start(lab, "reader")


@row("start_ms_uploader", "ms")
def start_uploader(lab: Lab) -> Measured:
    """`kiosk uploader`."""
    return _start(lab, "uploader")


@row("start_ms_screen", "ms")
def start_screen(lab: Lab) -> Measured:
    """`kiosk screen`, with its first picture drawn."""
    return _start(lab, "screen")


def _first_picture_ms(out: Path) -> float:
    with (out.parent / f"{out.name}.log").open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            kiosk_argv("demo", "--headless", "--out", str(out), "--only", SHORT),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        while not (written := [path for path in out.glob("*/*.png") if path.stat().st_size]):
            if process.poll() is not None or time.monotonic() - began > PICTURE_S:
                break
            time.sleep(0.002)
        took = (time.monotonic() - began) * 1000
        process.wait(STORY_S)
    if not written:
        raise Unmeasured("kiosk demo --headless wrote no picture")
    return took


@row("demo_first_picture_ms", "ms", goal=at_most(3000))
def demo_first_picture(lab: Lab) -> Measured:
    """A second start of the demo."""
    times = [_first_picture_ms(lab.folder / f"demo-{turn}") for turn in range(STARTS + 1)][1:]
    return Measured(
        statistics.median(times),
        "spawn of `kiosk demo --headless` → first PNG on the disk: keys in the cache, demo folder made anew, "
        f"field, service, enrolment, three processes; {spread(times, 0)}",
    )


@row("story_s", "s", goal=at_most(60), full=True)
def story(lab: Lab) -> Measured:
    """The whole headless story."""
    out = lab.folder / "story"
    began = time.monotonic()
    done = subprocess.run(
        kiosk_argv("demo", "--headless", "--out", str(out)),
        capture_output=True,
        text=True,
        check=False,
        timeout=STORY_S,
    )
    took = time.monotonic() - began
    if done.returncode != 0:
        told = (done.stdout + done.stderr).strip().splitlines()
        wrong = [line for line in told if "FAILED" in line] or told[-1:]
        raise Unmeasured(f"the story did not end as it should after {took:.0f} s: {'; '.join(wrong)}")
    chapters = json.loads((out / "story.json").read_text(encoding="utf-8"))
    return Measured(took, f"{len(chapters)} chapters, every one as it should be, pictures written")
