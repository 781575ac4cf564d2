"""What the tests of the documents need beside the tests' own environment."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: The environment in which this test runs is not to be made anew beneath it.
KEEP = ("--old-file=.venv/.stamp-venv", "--old-file=.venv/.stamp-dev")


def made(stamp: str) -> None:
    """Let `make` bring an environment of its own, once."""
    command = ["make", "--silent", *KEEP, f".venv/.stamp-{stamp}"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)


@pytest.fixture(scope="session")
def supply() -> Path:
    """The Python of the environment that makes the parts list."""
    made("supply")
    return ROOT / ".venv" / "supply" / "bin" / "python"
