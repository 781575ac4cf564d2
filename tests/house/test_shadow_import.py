"""`nfc` is nfcpy and `kiosk.nfc` is ours, from wherever a kiosk process is started."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kiosk"

#: Runs where a command would run: `kiosk.cli.main` has mended the search path and calls the group.
PROBE = """
import sys, runpy
import kiosk.cli
def probe(**_):
    import nfc, nfc.clf, kiosk.nfc
    print(nfc.__file__); print(kiosk.nfc.__file__)
kiosk.cli.cli = probe
sys.argv = ["kiosk"]
runpy.run_module("kiosk", run_name="__main__")
"""


def where(cwd: Path, path: str) -> tuple[Path, Path]:
    """Return the files of `nfc` and `kiosk.nfc` in a kiosk process started in `cwd`."""
    program = f"import sys; sys.path.insert(0, {path!r})\n{PROBE}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    theirs, ours = done.stdout.split()
    return Path(theirs), Path(ours)


@pytest.mark.parametrize("cwd", [ROOT, PACKAGE, Path("/")], ids=["repository", "package", "root"])
@pytest.mark.parametrize("how", ["-m", "PYTHONPATH"])
def test_nfc_is_nfcpy_and_kiosk_nfc_is_ours(cwd: Path, how: str) -> None:
    theirs, ours = where(cwd, str(cwd) if how == "-m" else str(PACKAGE))
    assert "site-packages" in theirs.parts
    assert ours == PACKAGE / "nfc" / "__init__.py"


def test_the_trap_is_real_without_the_guard() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import nfc; print(nfc.__file__)"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert Path(done.stdout.strip()) == PACKAGE / "nfc" / "__init__.py"


def test_the_module_starts_from_inside_its_own_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "--version"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
