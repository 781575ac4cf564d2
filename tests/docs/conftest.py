"""What the tests of the documents need beside the tests' own environment."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def made(stamp: str) -> None:
    """Let `make` bring an environment of its own, once."""
    subprocess.run(["make", "--silent", f".venv/.stamp-{stamp}"], cwd=ROOT, check=True, timeout=900)


@pytest.fixture(scope="session")
def supply() -> Path:
    """The Python of the environment that makes the parts list."""
    made("supply")
    return ROOT / ".venv" / "supply" / "bin" / "python"
