"""What the tests of the documents need beside the tests' own environment."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: The environment in which this test runs is not to be made anew beneath it.
KEEP = ("--old-file=.venv/.stamp-venv", "--old-file=.venv/.stamp-dev")


def make(goal: str) -> None:
    """Let `make` make it."""
    subprocess.run(["make", "--silent", *KEEP, goal], cwd=ROOT, check=True, timeout=900)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Workers make the same files in the same folders: one waits for the other."""
    with (ROOT / ".venv" / ".lock").open("a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def handbook(testrun_uid: str) -> Path:
    """The handbook as `make handbook` builds it, once for all workers of this run."""
    run = ROOT / ".venv" / ".handbook-run"
    with one_at_a_time():
        if not run.exists() or run.read_text(encoding="utf-8") != testrun_uid:
            make(".venv/.stamp-handbook")
            make("handbook")
            run.write_text(testrun_uid, encoding="utf-8")
    return ROOT / "build" / "handbook" / "html"


@pytest.fixture(scope="session")
def supply() -> Path:
    """The Python of the environment that makes the parts list."""
    with one_at_a_time():
        make(".venv/.stamp-supply")
    return ROOT / ".venv" / "supply" / "bin" / "python"
