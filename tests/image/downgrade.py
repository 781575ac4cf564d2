"""Part `downgrade`: a bundle that is older than what runs, by both ways in; and that a stick gets in."""

import random
from pathlib import Path

from tests.image import update
from tests.image.counter import READY_S, Counter
from tests.image.machine import DEBUG_SHELL, Machine, MachineError
from tests.image.report import Report

OLDER, NEWER = "0.0.9", "9.9.9"
ASK = "/opt/kiosk/bin/kiosk update show --config /etc/kiosk/kiosk.toml"


def part(counter: Counter, report: Report, keys: Path) -> None:
    """A USB stick with it: `kiosk update` as the page asks, then `rauc install` past the page."""
    card = counter.fresh_disk("downgrade.img")
    counter.write_card(card)
    older, newer = (stick(counter, keys, version) for version in (OLDER, NEWER))
    with with_sticks(counter, card, older, newer) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        seen = machine.shell("ls /dev/disk/by-path 2>/dev/null | grep -c usb")
        report.figure("USB storage while nobody asks for it", seen, seen == "0")
        told = asked(machine)
        report.figure("older bundle, update page", told[-60:], "older than" in told)
        said = update.refused(machine, f"{OLDER}.raucb", "version mismatch")
        report.figure("older bundle, rauc install", said[-60:], True)
        machine.qmp.ask("device_del", id="stick")
        machine.qmp.ask("device_add", driver="usb-storage", id="other", bus="xhci.0", drive="newer")
        told = asked(machine, NEWER)
        report.figure("the next stick, a newer bundle", told[-60:], NEWER in told)
        counter.see(machine, "start")


def stick(counter: Counter, keys: Path, version: str) -> Path:
    """A stick with one bundle of a small root, which nobody will install."""
    small = counter.folder / "bundles/small"
    small.mkdir(parents=True, exist_ok=True)
    (small / "root.ext4").write_bytes(random.Random(1).randbytes(1024 * 1024))
    bundle = update.made(counter, f"version-{version}", keys, small, version=version)
    image = update.stick(counter, {f"{version}.raucb": bundle})
    return image.rename(image.with_name(f"stick-{version}.img"))


def with_sticks(counter: Counter, card: Path, older: Path, newer: Path) -> Machine:
    """The older one in a USB socket, and as a disk for the shell; the newer one in somebody's hand."""
    extra: list[str] = []
    for name, path in (("older", older), ("shell", older), ("newer", newer)):
        extra += ["-drive", f"if=none,id={name},format=raw,readonly=on,file={path}"]
    extra += ["-device", "usb-storage,id=stick,bus=xhci.0,drive=older"]
    extra += ["-device", "virtio-blk-pci,drive=shell"]
    return counter.machine(card, append=DEBUG_SHELL, extra=tuple(extra))


def asked(machine: Machine, word: str = "older") -> str:
    """What `kiosk update` says of the stick, once it has been let in and read."""
    said = lines = ""

    def read() -> bool:
        nonlocal said, lines
        lines = machine.shell(ASK)
        said = next((line for line in lines.splitlines() if line.startswith("stick")), "")
        return word in said

    try:
        machine.wait(f"the stick with {word!r}", read, 240, every_s=3)
    except MachineError as fault:
        raise MachineError(f"{fault}; last: {lines}") from None
    return said
