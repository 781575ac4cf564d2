"""What a card goes through while its writes are recorded: the first boot, visits, visits that wait."""

import json
import time
from pathlib import Path

from tests.image.counter import PAGE_S, READY_S, Counter
from tests.image.machine import Machine, MachineError
from tests.image.recording import DELIVERY, FIRST_BOOT, VISITS, Recording, Watch
from tests.image.report import Report

LIST = "/opt/kiosk/bin/kiosk outbox list --all --json --config /etc/kiosk/kiosk.toml"
RETRY = "/opt/kiosk/bin/kiosk outbox retry --config /etc/kiosk/kiosk.toml"
WAITING = {"pending", "sending"}


def new_recording(counter: Counter, name: str) -> tuple[Path, Recording]:
    """A written card, and the record that its first start begins."""
    card, before = counter.fresh_disk(f"{name}.img"), counter.folder / f"{name}-before.img"
    counter.write_card(card)
    return card, begun(counter, card, before, name)


def begun(counter: Counter, card: Path, before: Path, name: str) -> Recording:
    """The record of a card as it is now."""
    counter.copy(card, before)
    log = counter.folder / f"{name}-writes.log"
    log.unlink(missing_ok=True)
    return Recording(before, log)


def first_boot(counter: Counter, machine: Machine, recording: Recording) -> float:
    """From power on to the start screen; returns the seconds."""
    asked = counter.service.requests_by_operation().get("enrolment", 0)

    def asks() -> bool:
        return counter.service.requests_by_operation().get("enrolment", 0) > asked

    with Watch(asks, recording) as watch:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
    took = time.monotonic() - machine.started
    recording.asked_at = watch.size
    recording.end(FIRST_BOOT)
    return took


def visit(counter: Counter, machine: Machine, recording: Recording, token: str) -> str:
    """A visit that the service answers, with what is promised by it."""
    known = set(counter.service.records())
    sizes: list[int] = []
    end = counter.visit(machine, token, acknowledged=lambda: sizes.append(recording.size()))
    [record] = set(counter.service.records()) - known
    recording.promise(record, sizes[0])
    recording.end(VISITS)
    return end


def later_delivery(
    counter: Counter, machine: Machine, recording: Recording, report: Report, tokens: tuple[str, ...]
) -> None:
    """The service does not answer; visits are kept; it comes back, and each is delivered exactly once."""
    counter.service.close()
    counter.banner = True
    try:
        waiting = [kept_visit(counter, machine, recording, token) for token in tokens]
        lines = {line["visit"]: line["state"] for line in listed(machine)}
        waits = all(lines.get(record) in WAITING for record in waiting)
        report.figure("visits kept while the service does not answer", str(len(waiting)), waits)
    finally:
        counter.service.open()
    begun_at = time.monotonic()
    delivered(counter, machine)
    report.figure("  delivered after it is back", f"{time.monotonic() - begun_at:.0f} s")
    effects = [counter.service.effects(record) for record in waiting]
    report.figure("  times that each took effect", str(effects), set(effects) == {1})
    counter.see(machine, "start")
    counter.banner = False
    recording.end(DELIVERY)


def kept_visit(counter: Counter, machine: Machine, recording: Recording, token: str) -> str:
    """A visit that ends with a receipt number, for nobody answers; returns the record's id."""
    known = {line["visit"] for line in listed(machine)}
    sizes: list[int] = []
    counter.visit(machine, token, ends=("recorded",), acknowledged=lambda: sizes.append(recording.size()))
    [record] = {line["visit"] for line in listed(machine)} - known
    recording.promise(record, sizes[0])
    return record


def listed(machine: Machine) -> list[dict[str, str]]:
    """Every record of the kiosk's outbox, as the kiosk itself tells."""
    return records_told(machine.shell(LIST, PAGE_S))


def records_told(text: str) -> list[dict[str, str]]:
    """What `kiosk outbox list --json` printed; raises MachineError for a complaint."""
    lines = text.splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    if any(not line.startswith("{") for line in lines):
        raise MachineError(f"the outbox was not listed: {lines[-1]}")
    return found


def delivered(counter: Counter, machine: Machine, limit_s: float = 300) -> list[dict[str, str]]:
    """Wait until nothing waits any more; returns all records."""
    found: list[dict[str, str]] = []

    def empty() -> bool:
        found[:] = listed(machine)
        if not any(line["state"] in WAITING for line in found):
            return True
        machine.shell(RETRY, PAGE_S)
        return False

    machine.wait("delivery of all that waits", empty, limit_s, every_s=2.0)
    return found


def ready(counter: Counter, machine: Machine) -> float:
    """From power on to the start screen of a kiosk that is set up, or becomes it; returns the seconds."""
    counter.plug(machine)
    counter.banner = True  # it may start before it has heard from the service
    counter.see(machine, "start", limit_s=READY_S, every_s=2.0)
    counter.banner = False
    return time.monotonic() - machine.started


def holds(counter: Counter, machine: Machine, owed: set[str]) -> list[str]:
    """What a started kiosk owes and does not hold, or the service did not take up exactly once."""
    found = {line["visit"] for line in delivered(counter, machine)}
    missing = [f"record {each} is missing" for each in sorted(owed - found)]
    return missing + [
        f"record {each} took effect {times} times"
        for each in sorted(found)
        if (times := counter.service.effects(each)) != 1
    ]
