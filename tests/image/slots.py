"""Parts of the test about the two slots: U-Boot's own count, a whole update, an update that fails."""

import time
from pathlib import Path

from tests.image import update
from tests.image.counter import FAT_AT, READY_S, Counter
from tests.image.report import Report
from tests.image.uboot import LOADED, starts, take_out


def slots(counter: Counter, report: Report) -> None:
    """U-Boot itself: it hands over to the kernel; its own count, power cut in every start."""
    fresh = counter.fresh_disk("loaded.img", "4G")
    take_out(counter.build, fresh, counter.folder / "raspi3b", FAT_AT)
    begun = time.monotonic()
    found = starts(counter.build, fresh, counter.folder / "raspi3b", update.LOAD_S, LOADED)
    took = f"slot {found.slot}, {time.monotonic() - begun:.0f} s"
    report.figure(
        "U-Boot loads kernel and RAM disk, and starts them", took, (found.left_a, found.slot) == (2, "A")
    )
    tried = update.counts_down(counter, counter.fresh_disk("slots.img", "4G"))
    told = " ".join(f"{each.slot}({each.left_a},{each.left_b})" for each in tried)
    report.figure("slots tried when no start gets through", told, [e.slot for e in tried] == list("AAAB"))


REFUSED = {
    "product.raucb": "compatible",
    "key.raucb": "signature|verif|certificate",
    "torn.raucb": "signature|bundle",
}


def updates(counter: Counter, report: Report, keys: Path) -> None:
    """Slot B written while A serves; B started; B broken, and A again. Settings and records stay."""
    card = counter.fresh_disk("update.img")
    counter.write_card(card)
    before = set(counter.service.records())
    take_out(counter.build, card, counter.folder / "raspi3b", FAT_AT)
    update.attempt(counter, card)  # U-Boot makes its variables
    image = update.stick(counter, update.bundles(counter, keys))
    with update.running(counter, card, "A", image) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        counter.visit(machine, "card")
        records = set(counter.service.records()) - before
        update.good(machine)
        for name, why in REFUSED.items():
            report.figure(f"bundle {name} refused", update.refused(machine, name, why)[:60], True)
        counter.see(machine, "start")
        begun = time.monotonic()
        told = update.install(machine, "good.raucb")
        took = f"{time.monotonic() - begun:.0f} s"
        report.figure("slot B written while A serves", took, update.installed(told))
        counter.see(machine, "start")
    chosen = update.attempt(counter, card)
    report.figure("U-Boot starts the new slot", chosen.slot, chosen.slot == "B")
    with update.running(counter, card, "B") as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        update.good(machine)
        kept = machine.shell("/opt/kiosk/bin/kiosk outbox list --all --json --config /etc/kiosk/kiosk.toml")
        report.figure(
            "records known after the update", str(len(records)), all(each in kept for each in records)
        )
    tried = [update.attempt(counter, card) for _ in range(4)]
    told = " ".join(f"{each.slot}({each.left_a},{each.left_b})" for each in tried)
    report.figure(
        "new slot that never gets through, old one again", told, [e.slot for e in tried] == list("BBBA")
    )
