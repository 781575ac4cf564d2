"""The overlays of `firmware/`, laid over the boards' own trees: only there a wrong label or pin shows."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from kiosk_image import overlays

ROOT = Path(__file__).resolve().parents[2]
PINS = ["SDA0", "SCL0"]  #: what the board calls the two lines that lead to its DSI socket
I2C = "/soc/i2c@7e205000"
MUX = "/i2c-mux0"
TREES = "usr/lib/linux-image-*/broadcom"

needs_dtc = pytest.mark.skipif(shutil.which("fdtoverlay") is None, reason="no device tree compiler here")


def run(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def trees() -> Path | None:
    """The device trees of Debian's kernel package, where an image was built on this machine."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "maina-kiosk-image"
    cache = Path(os.environ.get("IMAGE_CACHE") or usual)
    return next(cache.glob(f"debian-*/root/{TREES}"), None)


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    """The FAT partition's folder with the boards' trees in it."""
    found = trees()
    if found is None:
        pytest.skip("no device trees of Debian's kernel package here: `make image` brings them")
    for boards in overlays.BOARDS.values():
        for board in boards:
            shutil.copyfile(found / board, tmp_path / board)
    return tmp_path


def get(tree: Path, node: str, name: str, kind: str = "x") -> list[str]:
    """A property: numbers in hexadecimal, or the words of a list of strings."""
    said = run(["fdtget", "-t", kind, str(tree), node, name])
    return said.split()


def node_of(tree: Path, handle: str) -> str:
    """The path of the node with a phandle, among those that have a label."""
    for label in run(["fdtget", "-p", str(tree), "/__symbols__"]).split():
        [path] = get(tree, "/__symbols__", label, "s")
        if run(["fdtget", "-t", "x", "-d", "none", str(tree), path, "phandle"]).split() == [handle]:
            return path
    raise AssertionError(f"nothing has the phandle {handle}")


def lines(tree: Path, pins: str) -> list[str]:
    """What the board calls the lines of a group of pins."""
    names = (
        run(["fdtget", "-t", "s", str(tree), "/soc/gpio@7e200000", "gpio-line-names"]).rstrip("\n").split(" ")
    )
    return [names[int(number, 16)] for number in get(tree, pins, "brcm,pins")]


@needs_dtc
def test_every_overlay_says_which_boards_it_is_for() -> None:
    assert {each.stem for each in (ROOT / "firmware/overlays").glob("*.dts")} == set(overlays.BOARDS)


@needs_dtc
def test_every_overlay_fits_its_boards(boot: Path) -> None:
    overlays.make(boot, ROOT, run)
    made = sorted(path.name for path in (boot / "overlays").iterdir())
    assert made == sorted(f"{name}.dtbo" for name in overlays.BOARDS)
    assert not list(boot.glob("laid-*"))


@needs_dtc
def test_the_panel_hangs_on_the_lines_that_lead_to_its_socket(boot: Path) -> None:
    overlays.make(boot, ROOT, run)
    for name, boards in overlays.BOARDS.items():
        for board in boards:
            laid = boot / "laid.dtb"
            run(["fdtoverlay", "-i", str(boot / board), "-o", str(laid), str(boot / f"overlays/{name}.dtbo")])
            if "bcm2711" in board:
                [handle] = get(laid, MUX, "pinctrl-1")
                bus = f"{MUX}/i2c@1"
            else:
                [handle] = get(laid, I2C, "pinctrl-0")
                bus = I2C
            assert lines(laid, node_of(laid, handle)) == PINS, board
            assert get(laid, I2C, "status", "s") == ["okay"]
            assert get(laid, f"{bus}/panel@45", "compatible", "s") == ["raspberrypi,7inch-touchscreen-panel"]
            assert get(laid, "/soc/dsi@7e700000", "status", "s") == ["okay"]
            ends = [
                get(laid, f"{bus}/panel@45/port/endpoint", "remote-endpoint"),
                get(laid, "/soc/dsi@7e700000/port/endpoint", "phandle"),
            ]
            assert ends[0] == ends[1]


@needs_dtc
def test_a_label_that_a_board_has_not_ends_the_build(tmp_path: Path) -> None:
    bare = tmp_path / "bare.dts"
    bare.write_text("/dts-v1/; / { dsi1: dsi { }; i2c0: i2c { }; };", encoding="utf-8")
    for boards in overlays.BOARDS.values():
        for board in boards:
            run(["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", str(tmp_path / board), str(bare)])
    with pytest.raises(subprocess.CalledProcessError, match="fdtoverlay"):
        overlays.make(tmp_path, ROOT, run)
