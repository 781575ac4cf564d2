"""`make fresh`: README's two commands on a bare Debian, as somebody new would run them. Needs root.

What is committed is cloned into a new root and tried there; the demo's pictures and the tests' report are
left in `--out`. In the cache an empty file says which commit's files passed: .ci/run does not try them again.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kiosk_image.steps import BuildError, Workshop, fail
from tests.fresh.bare_root import SUITES, bare_root, run, tell_of_this_machine
from tests.fresh.verdict import judge

REPOSITORY = Path(__file__).resolve().parents[2]
OUT = "/srv/out"
CLONE = "cd /root && git clone --quiet /srv/kiosk.git kiosk"
DEMO = f'cd /root/kiosk && make demo DEMO_ARGS="--headless --out {OUT}/demo"'
TEST = "cd /root/kiosk && make test"
REPORT = "tests.xml"


def try_out(root: Path, out: Path, test_args: str) -> list[str]:
    """Clone, demo, tests; returns what went wrong."""
    source = [
        "git",
        "clone",
        "--quiet",
        "--bare",
        "--no-hardlinks",
        str(REPOSITORY),
        str(root / "srv/kiosk.git"),
    ]
    subprocess.run(source, check=True)
    (root / OUT.strip("/")).mkdir()
    seen = tell_of_this_machine(root)
    wrong: list[str] = []
    for name, command in (("git clone", CLONE), ("make demo", DEMO), ("make test", TEST)):
        begun = time.monotonic()
        code = run(root, command, seen, PYTEST_ADDOPTS=f"--junitxml={OUT}/{REPORT}", TEST_ARGS=test_args)
        print(f"{name}: {time.monotonic() - begun:.0f} s, exit code {code}", flush=True)
        if code:
            wrong.append(f"{name} ended with {code}")
    shutil.copytree(root / OUT.strip("/"), out, dirs_exist_ok=True)
    return wrong


def committed() -> str:
    """Git's name of the files that are committed: the same for the same files."""
    asked = ["git", "-C", str(REPOSITORY), "rev-parse", "HEAD^{tree}"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Parse the command line; one line for each thing that is not as it should be."""
    parser = argparse.ArgumentParser(prog="make fresh", description=__doc__)
    parser.add_argument("--root", choices=SUITES, required=True, help="the Debian to try it on")
    parser.add_argument("--cache", type=Path, required=True, help="where the bare root is kept")
    parser.add_argument("--out", type=Path, required=True, help="where pictures and report go")
    parser.add_argument("--test-args", default="", help="TEST_ARGS of make test")
    chosen = parser.parse_args()
    if os.geteuid() != 0:
        fail("a Debian root is made as root")
    step = bare_root(chosen.root)
    try:
        made = Workshop(chosen.cache.absolute()).run(step)[step.name]
    except BuildError as fault:
        fail(str(fault))
    shutil.rmtree(chosen.out, ignore_errors=True)
    # Whoever stops this after a time does not want the root to stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    passed = chosen.cache / f"passed-fresh-{chosen.root}-{committed()}"
    with tempfile.TemporaryDirectory(prefix=f"fresh-{chosen.root}-", dir=chosen.cache) as folder:
        root = Path(folder) / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(made / "root"), str(root)], check=True)
        wrong = try_out(root.absolute(), chosen.out, chosen.test_args)
    report = chosen.out / REPORT
    if report.exists():
        verdict = judge(report.read_text(encoding="utf-8"))
        wrong += verdict.wrong
        print(f"On a bare Debian root ({chosen.root}):", *verdict.lines(), sep="\n  ", flush=True)
    else:
        wrong.append("make test left no report")
    if wrong:
        sys.exit("\n".join(wrong))
    if not chosen.test_args:
        for old in chosen.cache.glob(f"passed-fresh-{chosen.root}-*"):
            old.unlink()
        passed.touch()


if __name__ == "__main__":
    main()
