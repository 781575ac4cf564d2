"""Part `settings_change`: kiosk.toml changed on the card; told, taken with the passcode, in force."""

import time
from pathlib import Path

from kiosk.simulator.demo.demo_folder import STAFF_NUMBER, STAFF_PASSCODE
from kiosk.visit.staff_states import DoorNumber, DoorPasscode, StaffChanged
from kiosk.visit.views.changed_settings_view import CardSettings, ChangedFile, SettingChange
from tests.image.counter import CLINIC, FAT_AT, READY_S, Counter
from tests.image.golden import Golden
from tests.image.machine import Machine, MachineError
from tests.image.report import Report

NEW_NAME = "すみれ通りクリニック"
KNOCK_S = 3.0  #: the header is held for two
KEY_S = 1.5
NAME = SettingChange(section="clinic", key="name", old=CLINIC, new=NEW_NAME)
OFFERED = CardSettings(file=ChangedFile(offer="of the machine", changes=(NAME,)))


def part(counter: Counter, report: Report) -> None:
    """One card: its first start, the change at a computer, the next start."""
    card = counter.fresh_disk("settings.img")
    counter.write_card(card)
    with counter.machine(card) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        machine.shell("sync")
    before = counter.read_card(card)
    rename(counter, card, before)
    counter.golden.add_like("number_asked", "door_number", screen=DoorNumber())
    counter.golden.add_like("passcode_asked", "door_passcode", screen=DoorPasscode(STAFF_NUMBER))
    counter.golden.add_like("passcode_takes", "door_passcode", screen=DoorPasscode(STAFF_NUMBER, takes="it"))
    counter.golden.add_like("changed_menu", "staff_menu", changed=OFFERED)
    counter.golden.add_like("changed_overleaf", "staff_menu_more", changed=OFFERED)
    counter.golden.add_like("changed_page", "staff_menu", screen=StaffChanged(STAFF_NUMBER), changed=OFFERED)
    with counter.machine(card) as machine:
        counter.plug(machine)
        counter.see(machine, "start_to_mend", limit_s=READY_S)
        report.figure("start with changed settings on the card", f"as {in_force(machine)}", True)
        enter(counter, machine)
        page(counter, machine, report)
        begun = time.monotonic()
        type_passcode(counter, machine, "passcode_takes")
        old, counter.golden = counter.golden, Golden(NEW_NAME)
        try:
            counter.see(machine, "start", limit_s=READY_S)
            took = f"{time.monotonic() - begun:.0f} s"
            report.figure("passcode to start screen with the new name", took, in_force(machine) == NEW_NAME)
            counter.visit(machine, "card")
            told = machine.shell("/opt/kiosk/bin/kiosk audit export --config /etc/kiosk/kiosk.toml")
            report.figure("  noted in the audit table", "yes", "settings_taken" in told)
            left = machine.shell("ls /run/kiosk-update /run/kiosk-update/wanted /var/lib/kiosk")
            clean = not any(name in left for name in ("changed.json", "offered", "settings", "taking"))
            report.figure("  wish, offer and mark", "gone" if clean else left, clean)
        finally:
            counter.golden = old


def rename(counter: Counter, card: Path, text: str) -> None:
    """At a computer: the clinic's name, and nothing else."""
    if text.count(f'"{CLINIC}"') != 1:
        raise MachineError("the clinic's name does not stand once in the card's file")
    staged = counter.folder / "kiosk.toml"
    staged.write_text(text.replace(f'"{CLINIC}"', f'"{NEW_NAME}"'), encoding="utf-8")
    counter.tool(["mcopy", "-o", "-i", f"{card}@@{FAT_AT}", str(staged), "::/kiosk.toml"], card.parent)


def in_force(machine: Machine) -> str:
    """The clinic's name by the settings in force."""
    return machine.shell("grep -m1 '^name = ' /var/lib/kiosk/kiosk.toml | cut -d '\"' -f 2").strip()


def enter(counter: Counter, machine: Machine) -> None:
    """The header held, number and passcode."""
    machine.touch(0.5, 0.04, seconds=KNOCK_S)
    counter.see(machine, "number_asked")
    for digit in STAFF_NUMBER:
        counter.press(machine, "number_asked", f"digit_{digit}")
        time.sleep(KEY_S)
    counter.press(machine, "number_asked", "ok")
    counter.see(machine, "passcode_asked")
    type_passcode(counter, machine, "passcode_asked")


def page(counter: Counter, machine: Machine, report: Report) -> None:
    """From the menu to the page with the difference, and to the passcode."""
    counter.see(machine, "changed_menu")
    counter.press(machine, "changed_menu", "more")
    counter.see(machine, "changed_overleaf")
    counter.press(machine, "changed_overleaf", "changed")
    counter.see(machine, "changed_page")
    report.figure("difference on the staff page", "shown", in_force(machine) == CLINIC)
    counter.press(machine, "changed_page", "take")
    counter.see(machine, "passcode_takes")


def type_passcode(counter: Counter, machine: Machine, picture: str) -> None:
    for digit in STAFF_PASSCODE:
        counter.press(machine, picture, f"digit_{digit}")
        time.sleep(KEY_S)
    counter.press(machine, picture, "ok")
