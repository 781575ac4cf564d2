"""Parts `full`, `worn`, `destroyed`: an SD card that is full, that gives errors, whose data are gone."""

import re
import subprocess
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kiosk.commands.first_boot import notice_of
from kiosk.config.settings import ConfigError, load_card
from kiosk.provisioning.first_boot_steps import Faulty
from tests.image.counter import READY_S, Counter
from tests.image.failing import add_notices
from tests.image.lived import listed
from tests.image.machine import Disk, Machine, MachineError
from tests.image.replay import Part, partition
from tests.image.report import Report

DATA = 4  #: the data partition's number
OUTBOX = "/var/lib/kiosk-uploader/outbox.sqlite"
BLOCK = 4096  #: of the data partition's file system
SUPERBLOCK_AT = 1024
PROCESSES = ("reader", "uploader", "screen")


@dataclass
class BadCard:
    """What befalls one card that has had its first start and a visit; each part begins with a copy of it."""

    records: set[str] = field(default_factory=set)
    places: list[int] = field(default_factory=list)  #: bytes of the data partition where the outbox lies
    _lived: Path | None = None

    def card(self, counter: Counter, name: str) -> Path:
        """A card of its own for a part."""
        if self._lived is None or not self._lived.exists():
            self._lived = counter.fresh_disk("lived.img")
            counter.write_card(self._lived)
            before = set(counter.service.records())
            with counter.machine(self._lived) as machine:
                counter.plug(machine)
                counter.see(machine, "start", limit_s=READY_S)
                counter.visit(machine, "card")
                machine.shell("sync")
                self.places = extents(machine)
            self.records = set(counter.service.records()) - before
        return counter.copy(self._lived, counter.folder / name)

    def full(self, counter: Counter, report: Report) -> None:
        """/var is filled to the last block during a visit, and given room after it."""
        card = self.card(counter, "full.img")
        before = set(counter.service.records())
        with counter.machine(card) as machine:
            counter.plug(machine)
            counter.see(machine, "start", limit_s=READY_S)
            end = counter.visit(
                machine,
                "card",
                ends=("staff_called_not_recorded",),
                asked=partial(fill, machine),  # earlier, and it might be noticed before the visit
                back="out_of_service_uploader",
            )
            report.figure("full card: a visit", end, True)
            sent = set(counter.service.records()) - before
            report.figure("  sent although it could not be kept", str(len(sent)), not sent)
            report.figure("  processes that run", *running(machine))
            said = reason(machine)
            report.figure("  the log says", said, "full" in said)
            machine.shell("rm -f /var/filler*; sync")
            counter.see(machine, "start")
            end = counter.visit(machine, "card")
            report.figure("  given room, a visit", end, end == "verified")

    def worn(self, counter: Counter, report: Report) -> None:
        """Read errors beneath the outbox, write errors, an unreadable file system: nothing is lost."""
        add_notices(counter)
        card = self.card(counter, "worn.img")
        data = partition(card, DATA)
        bad = tuple(("read", data.begin + place) for place in self.places)
        with with_errors(counter, card, bad) as machine:
            counter.plug(machine)
            counter.see(machine, "out_of_service_uploader", limit_s=READY_S)
            report.figure(f"outbox unreadable ({len(bad)} blocks)", "its page is shown", True)
            report.figure("  processes that run", *running(machine))
            said = reason(machine)
            report.figure("  the log says", said, "card" in said or "disk" in said)
        worn_out(counter, report, card, (("write", None),), "card that takes no writes")
        worn_out(counter, report, card, (("read", data.begin + SUPERBLOCK_AT),), "file system unreadable")
        with counter.machine(card) as machine:
            counter.plug(machine)
            counter.see(machine, "start", limit_s=READY_S)
            kept = {line["visit"] for line in listed(machine)}
            report.figure("  without the errors: records", str(len(kept)), self.records <= kept)

    def destroyed(self, counter: Counter, report: Report) -> None:
        """The data partition is overwritten; it is made anew, and the loss is told until it is dealt with."""
        card = self.card(counter, "destroyed.img")
        overwrite(card, partition(card, DATA))
        add_loss(counter, card)
        for start in ("first", "second"):
            with counter.machine(card) as machine:
                counter.see(machine, "notice_loss", limit_s=READY_S)
                report.figure(f"data destroyed, {start} start", "the notice tells of the loss", True)
        counter.write_card(card)
        with counter.machine(card) as machine:
            counter.plug(machine)
            counter.see(machine, "start", limit_s=READY_S)
            kept = listed(machine)
            report.figure("  with a new code: records that it pretends to have", str(len(kept)), not kept)
            end = counter.visit(machine, "card")
            report.figure("  a visit", end, end == "verified")


def fill(machine: Machine) -> None:
    """Everything but what no file can have, without writing it; then the rest by writing."""
    free = machine.shell("df -B1 --output=avail /var | tail -1").strip()
    machine.shell(f"fallocate -l $(({free} - (8 << 20))) /var/filler")
    machine.shell("dd if=/dev/zero of=/var/filler2 bs=64k; dd if=/dev/zero of=/var/filler3 bs=512; sync", 300)
    left = machine.shell("df -B1 --output=avail /var | tail -1").strip()
    if int(left) >= BLOCK:
        raise MachineError(f"/var was not filled: {left} bytes are left")


def running(machine: Machine) -> tuple[str, bool]:
    """Which of the three processes run, for a row of the report."""
    up = [name for name in PROCESSES if machine.shell(f"systemctl is-active kiosk-{name}") == "active"]
    return " ".join(up) or "none", len(up) == len(PROCESSES)


def reason(machine: Machine) -> str:
    """Why the outbox cannot be used, in the log's last word about it."""
    lines = machine.shell("journalctl -b -o cat -u kiosk-uploader | grep 'outbox cannot be used' | tail -1")
    return lines.rpartition("cannot be used: ")[2].strip() or "nothing"


def worn_out(
    counter: Counter, report: Report, card: Path, errors: tuple[tuple[str, int | None], ...], what: str
) -> None:
    """A start that ends in the notice about the card."""
    with with_errors(counter, card, errors) as machine:
        counter.see(machine, "notice_card", limit_s=READY_S)
        report.figure(what, "the notice asks for a new card", True)
        told = machine.shell("journalctl -b -o cat -u kiosk-data -u var.mount | tail -40")
        report.say(f"{what}: {' / '.join(told.splitlines()[-6:])}")


def with_errors(counter: Counter, card: Path, errors: tuple[tuple[str, int | None], ...]) -> Machine:
    """A start of a card that gives errors."""
    machine = counter.machine(card)
    machine.disk = Disk(card, worn=errors)
    return machine


def extents(machine: Machine) -> list[int]:
    """The bytes of the partition at which blocks of the outbox begin."""
    told = machine.shell(f"filefrag -v -b{BLOCK} {OUTBOX}")
    if not (found := places_told(told)):
        raise MachineError(f"where {OUTBOX} lies is not known: {told[-300:]}")
    return found


def places_told(text: str) -> list[int]:
    """What `filefrag -v` printed, block by block."""
    spans = re.findall(r"^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):", text, re.MULTILINE)
    return [block * BLOCK for first, last in spans for block in range(int(first), int(last) + 1)]


def overwrite(card: Path, data: Part) -> None:
    """Nothing of the partition is left: zeros, and noise where a file system begins."""
    size = str(card.stat().st_size - data.begin)
    command = ["fallocate", "--punch-hole", "--offset", str(data.begin), "--length", size, str(card)]
    subprocess.run(command, check=True)
    with card.open("r+b") as file:
        file.seek(data.begin)
        file.write(bytes(range(256)) * 4096)


def add_loss(counter: Counter, card: Path) -> None:
    """What the screen must say of the card's wiped settings, after the loss."""
    judged = counter.folder / "judged.toml"
    judged.write_text(counter.read_card(card), encoding="utf-8")
    try:
        load_card(judged)
    except ConfigError as fault:
        counter.golden.add_notice("notice_loss", notice_of(Faulty(fault), data_lost=True))
    else:
        raise MachineError("the card still has its activation code")
