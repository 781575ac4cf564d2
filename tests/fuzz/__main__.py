"""`make fuzz`: runs the fuzzer from the committed seeds and tells executions, coverage and findings.

Inputs that reach something new stay in `--folder`, from where the next run goes on; `--distil` writes the
least set of them into the repository. Exit code 1: a promise was broken; the input's path is printed.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import lines, seeds
from tests.fuzz.harness import Harness

SHARE = {"token": 0.8, "parsers": 0.1, "channel": 0.1}  #: of the time
LONGEST_INPUT = 2048
LONGEST_KEPT = 256  #: of the seeds in the repository; no certificate fits
LONGEST_S = 10  #: libFuzzer calls an execution a hang after that; a contact's computing is held to less
MOST_RSS_MB = 512


@dataclass(frozen=True)
class Run:
    """What one fuzzing process told."""

    target: str
    code: int
    executions: int
    seconds: float
    edges: int
    rss_before_mb: int
    rss_after_mb: int
    findings: tuple[Path, ...]


def _numbers(pattern: str, text: str) -> list[int]:
    return [int(found) for found in re.findall(pattern, text)]


def start(target: str, seconds: int, corpus: Path, found: Path) -> "subprocess.Popen[str]":
    """Start one fuzzing process; its report goes to a file beside what it finds."""
    found.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.child", target, f"-max_total_time={seconds}"]
    command += ["-print_final_stats=1", f"-timeout={LONGEST_S}", f"-max_len={LONGEST_INPUT}", "-reload=30"]
    command += [f"-rss_limit_mb={MOST_RSS_MB}", f"-artifact_prefix={found}/", str(corpus)]
    with (found / "report.txt").open("w", encoding="utf-8") as report:
        return subprocess.Popen(command, stdout=report, stderr=subprocess.STDOUT, text=True)


def read(target: str, code: int, found: Path) -> Run:
    """Read the report of a process that has ended."""
    text = (found / "report.txt").read_text(encoding="utf-8", errors="replace")
    rss = _numbers(r"INITED.*rss: (\d+)Mb", text) + _numbers(r"rss: (\d+)Mb", text)
    executions = (_numbers(r"number_of_executed_units: (\d+)", text) or [0])[-1]
    rate = (_numbers(r"average_exec_per_sec: +(\d+)", text) or [0])[-1]
    return Run(
        target,
        code,
        executions,
        executions / rate if rate else 0.0,
        max(_numbers(r"cov: (\d+)", text), default=0),
        rss[0] if rss else 0,
        rss[-1] if rss else 0,
        tuple(path for path in sorted(found.iterdir()) if path.name != "report.txt"),
    )


def lay_out(harness: Harness, target: str, corpus: Path) -> None:
    """Put the seeds into the folder that the fuzzer reads and adds to."""
    corpus.mkdir(parents=True, exist_ok=True)
    for data in (
        *seeds.kept("seeds", target),
        *seeds.kept("cases", target),
        *seeds.made(target, harness.world),
    ):
        (corpus / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def distil(harness: Harness, target: str, corpus: Path) -> int:
    """Write the short inputs that reach what the made seeds do not; how many they are."""
    inputs = [path.read_bytes() for path in corpus.iterdir() if 0 < path.stat().st_size <= LONGEST_KEPT]
    made = seeds.made(target, harness.world)
    kept = lines.least(harness.targets[target], inputs, lines.FILES[target], made)
    text = "".join(f"{data.hex()}\n" for data in kept)
    (seeds.HERE / "seeds" / f"{target}.hex").write_text(text, encoding="ascii")
    return len(kept)


def tell(runs: list[Run], harness: Harness, folder: Path) -> None:
    """Print the table, the lines reached and the findings."""
    print(f"{'target':9}{'executions':>12}{'per s':>8}{'edges':>7}{'rss MB':>12}  findings")
    for run in runs:
        rate = run.executions / run.seconds if run.seconds else 0
        growth = f"{run.rss_before_mb} to {run.rss_after_mb}"
        print(
            f"{run.target:9}{run.executions:>12,}{rate:>8,.0f}{run.edges:>7}{growth:>12}  {len(run.findings)}"
        )
    print(f"executions in all: {sum(run.executions for run in runs):,}")
    for target, names in lines.FILES.items():
        inputs = [path.read_bytes() for path in sorted((folder / "corpus" / target).iterdir())]
        reached = lines.measure(harness.targets[target], inputs, names)
        told = ", ".join(f"{name} {part:.0%}" for name, part in reached.items())
        print(f"lines of kiosk/nfc reached by {len(inputs)} inputs of {target}: {told}")
    for run in runs:
        for path in run.findings:
            print(f"FOUND by {run.target}: {path}")
        if run.code != 0:
            print(f"{run.target} ended with {run.code}; see report.txt beside its findings in {folder}")


def main() -> int:
    """Fuzz each target for its share of the time, `--jobs` processes at once for the token."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=max(1, len(os.sched_getaffinity(0)) // 2))
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"))
    parser.add_argument("--distil", action="store_true", help="write the seeds anew afterwards")
    options = parser.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed: its wheels are for x86_64 and Python up to 3.13", file=sys.stderr)
        return 1
    warnings.simplefilter("ignore")  # see tests.fuzz.child
    harness = Harness()
    runs: list[Run] = []
    for target in SHARE:
        corpus = options.folder / "corpus" / target
        lay_out(harness, target, corpus)
        seconds = max(1, round(options.seconds * SHARE[target]))
        jobs = options.jobs if target == "token" else 1
        room = Path(tempfile.mkdtemp(dir=options.folder, prefix=f"{target}-"))
        places = [room / str(number) for number in range(jobs)]
        processes = [start(target, seconds, corpus, place) for place in places]
        runs += [
            read(target, process.wait(), place) for process, place in zip(processes, places, strict=True)
        ]
        if options.distil:
            print(f"{target}: {distil(harness, target, corpus)} inputs kept")
    tell(runs, harness, options.folder)
    return 1 if any(run.code or run.findings for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
