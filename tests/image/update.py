"""Updates by slots: written while the kiosk runs, chosen by U-Boot, given up when they fail."""

import random
import re
import shutil
from pathlib import Path

from kiosk_image.sign import make_bundle, make_throw_away
from tests.image.counter import FAT_AT, READY_S, Counter
from tests.image.machine import Machine, MachineError
from tests.image.uboot import Attempt, starts, take_out

UBOOT_S = 240.0
LOAD_S = 600.0  #: U-Boot reads kernel and RAM disk through an emulated SD controller
INSTALL_S = 1800.0
STICK_MIB = 1024


def attempt(counter: Counter, card: Path) -> Attempt:
    """Power on as far as U-Boot's choice, on the tier that has U-Boot."""
    return starts(counter.build, card, counter.folder / "raspi3b", UBOOT_S)


def counts_down(counter: Counter, card: Path) -> list[Attempt]:
    """Power cut in every start before anything can be good: three attempts of A, then B's turn."""
    take_out(counter.build, card, counter.folder / "raspi3b", FAT_AT)
    return [attempt(counter, card) for _ in range(4)]


def stick(counter: Counter, bundles: dict[str, Path]) -> Path:
    """A FAT stick with bundles on it."""
    path = counter.folder / "stick.img"
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(STICK_MIB * 1024 * 1024)
    folders = [bundle.parent for bundle in bundles.values()]
    counter.tool(["mformat", "-F", "-i", str(path), "::"], *folders)
    for name, bundle in bundles.items():
        counter.tool(["mcopy", "-i", str(path), str(bundle), f"::/{name}"], *folders)
    return path


def made(
    counter: Counter,
    name: str,
    signed: Path,
    content: Path,
    compatible: str = "maina-kiosk",
    version: str = "9.9.9",
) -> Path:
    """A bundle of the root in `content`, signed with these keys."""
    out = counter.folder / "bundles" / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return make_bundle(out, signed, content, counter.build.tools, name, version, compatible)


def good_bundle(counter: Counter, keys: Path) -> Path:
    """The image's own root, as it must be for an update."""
    return made(counter, "good", keys, counter.build.disk)


def bundles(counter: Counter, keys: Path) -> dict[str, Path]:
    """A good bundle, and three that must be refused."""
    work = counter.folder / "bundles"
    small = work / "small"
    small.mkdir(parents=True, exist_ok=True)
    # Never installed, and nothing that squashfs could make too small for a bundle.
    (small / "root.ext4").write_bytes(random.Random(1).randbytes(1024 * 1024))
    others = work / "other-keys"
    make_throw_away(others, counter.build.tools)
    found = {
        "good.raucb": good_bundle(counter, keys),
        "product.raucb": made(counter, "product", keys, small, "another-product"),
        "key.raucb": made(counter, "key", others, small),
    }
    torn = work / "torn.raucb"
    torn.write_bytes(found["product.raucb"].read_bytes()[:-600])
    return {**found, "torn.raucb": torn}


def running(
    counter: Counter, card: Path, slot: str, stick_image: Path | None = None, log: Path | None = None
) -> Machine:
    """The machine that U-Boot would have started from this slot."""
    extra: tuple[str, ...] = ()
    if stick_image is not None:
        drive = f"if=none,id=stick,format=raw,readonly=on,file={stick_image}"
        extra = ("-drive", drive, "-device", "virtio-blk-pci,drive=stick")
    machine = counter.machine(card, log, extra=extra)
    machine.slot = slot
    return machine


def install(machine: Machine, name: str) -> str:
    """`rauc install` of a bundle on the stick; returns what it said, with its exit code at the end."""
    machine.shell("mkdir -p /run/stick; mountpoint -q /run/stick || mount -t vfat -o ro /dev/vdb /run/stick")
    return machine.shell(f"rauc install /run/stick/{name}; echo exit $?", INSTALL_S)


def installed(told: str) -> bool:
    return re.search(r"exit 0\s*$", told) is not None


def good(machine: Machine) -> None:
    """Wait until the system has told U-Boot that this slot works."""
    machine.wait(
        "mark-good",
        lambda: "this slot is good" in machine.shell("journalctl -b -o cat -u kiosk-mark-good | tail -20"),
        READY_S,
        every_s=10,
    )


def refused(machine: Machine, name: str, why: str) -> str:
    """Install what must not be taken; returns the reason. Raises MachineError if it was taken."""
    told = install(machine, name)
    if installed(told) or not re.search(why, told, re.IGNORECASE):
        raise MachineError(f"{name} was not refused for {why!r}: {told[-600:]}")
    last = [line.partition("LastError: ")[2] for line in told.splitlines() if "LastError: " in line]
    return last[-1] if last else ""
