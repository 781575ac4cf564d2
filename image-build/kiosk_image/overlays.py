"""Device-tree overlays of `firmware/`: compiled, and laid over the boards that they are for."""

from collections.abc import Callable, Sequence
from pathlib import Path

#: Trees of Debian's kernel package that an overlay must fit: the Pi's firmware does not say when it does not.
BOARDS = {
    "vc4-kms-dsi-7inch": ("bcm2711-rpi-4-b.dtb",),
    "kiosk-dsi-7inch-pi3": ("bcm2837-rpi-3-b.dtb", "bcm2837-rpi-3-b-plus.dtb"),
}


def make(boot: Path, repository: Path, run: Callable[[Sequence[str]], object]) -> None:
    """Fill `boot/overlays`; `run` raises when a tool fails. The boards' trees lie in `boot` already."""
    (boot / "overlays").mkdir()
    for source in sorted((repository / "firmware/overlays").glob("*.dts")):
        goal = boot / "overlays" / f"{source.stem}.dtbo"
        run(["dtc", "-@", "-q", "-I", "dts", "-O", "dtb", "-o", str(goal), str(source)])
        for board in BOARDS[source.stem]:
            laid = boot / f"laid-{board}"
            run(["fdtoverlay", "-i", str(boot / board), "-o", str(laid), str(goal)])
            laid.unlink()
