"""Part `plugs`: QEMU ends by kill -9 again and again, in the start, at rest, in a visit.

The next start of the same card must come to the start screen with every record.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tests.image import lived
from tests.image.counter import Counter
from tests.image.machine import Machine, MachineError
from tests.image.report import Report, Sizes

SEED = 25
PATIENCE_S = 30.0
START_S, REST_S, VISIT_S = 90.0, 5.0, 40.0  #: a kill comes at some moment of the first so many seconds


class Moment(StrEnum):
    """What the kiosk is doing when its plug is pulled."""

    START = "in the start"
    REST = "at the start screen"
    VISIT = "in a visit"
    WAITING = "in a visit that nobody answers"


@dataclass(frozen=True)
class Pull:
    """One pulled plug: what happens before it, and after how many seconds of that."""

    moment: Moment
    after_s: float
    whole_visit: bool  #: one more visit goes to its end before


def pulls(count: int, seed: int) -> list[Pull]:
    """Every kind of moment equally often; a whole visit before every fifth."""
    chance = random.Random(seed)
    kinds = [list(Moment)[number % len(Moment)] for number in range(count)]
    chance.shuffle(kinds)
    spans = {Moment.START: START_S, Moment.REST: REST_S, Moment.VISIT: VISIT_S, Moment.WAITING: VISIT_S}
    return [Pull(kind, chance.uniform(1, spans[kind]), number % 5 == 1) for number, kind in enumerate(kinds)]


@dataclass
class Books:
    """What the kiosk owes: records by their id, and those whose id only its own list tells."""

    known: set[str] = field(default_factory=set)
    unnamed: int = 0  #: acknowledged to a patient while the service did not answer
    others: frozenset[str] = frozenset()  #: what the service has from other cards

    def sent(self, records: set[str]) -> None:
        """What the service has of this card: it has sent it, so it has kept it."""
        self.known |= records - self.others

    def settle(self, found: set[str]) -> list[str]:
        """Compare with what a started kiosk holds; from then on it owes all of that."""
        faults = [f"record {each} is missing" for each in sorted(self.known - found)]
        if len(found - self.known) < self.unnamed:
            faults.append(
                f"{self.unnamed} acknowledged while nobody answered, {len(found - self.known)} found"
            )
        self.known |= found
        self.unnamed = 0
        return faults


def part(counter: Counter, report: Report, sizes: Sizes) -> None:
    """One card, `sizes.kills` pulled plugs."""
    card = counter.fresh_disk("plugs.img")
    counter.write_card(card)
    books = Books(others=frozenset(counter.service.records()))
    good = 0
    with counter.machine(card) as machine:
        report.say(f"first start: {lived.ready(counter, machine):.0f} s")
        for number, each in enumerate(pulls(sizes.kills, SEED), 1):
            pull(counter, machine, each, books)
            machine.start()
            faults, took = again(counter, machine, books)
            good += not faults
            told = f"start screen after {took:.0f} s, {len(books.known)} records"
            report.say(f"kill {number} {each.moment}, {each.after_s:.0f} s: {told} {'; '.join(faults)}")
            report.failed.extend(f"after kill {number} ({each.moment}): {fault}" for fault in faults)
    kept = f"{good} of {sizes.kills}"
    report.figure("kill -9, then started to ready with all records", kept, good == sizes.kills)
    report.figure("  records at the end", str(len(books.known)), bool(books.known))


def again(counter: Counter, machine: Machine, books: Books) -> tuple[list[str], float]:
    """Wait for the start screen of a started card; what is wrong with its records, and the seconds."""
    try:
        took = lived.ready(counter, machine)
        found = {line["visit"] for line in lived.delivered(counter, machine)}
    except MachineError as fault:
        return [str(fault)], time.monotonic() - machine.started
    faults = books.settle(found)
    twice = [each for each in sorted(found) if counter.service.effects(each) != 1]
    return [*faults, *(f"record {each} did not take effect once" for each in twice)], took


def pull(counter: Counter, machine: Machine, each: Pull, books: Books) -> None:
    """Bring a kiosk that shows its start screen to the moment, and kill its machine then."""
    if each.whole_visit:
        counter.visit(machine, "card")
    if each.moment is Moment.START:
        machine.kill()
        machine.start()
    silent = each.moment is Moment.WAITING
    if silent:
        counter.service.close()
        counter.banner = True
    try:
        with killed_after(machine, each.after_s):
            if each.moment in (Moment.VISIT, Moment.WAITING):
                visit_until_dark(counter, machine, books, "recorded" if silent else "verified")
    finally:
        machine.kill()
        if silent:  # not earlier: what is delivered meanwhile would be counted twice
            counter.banner = False
            counter.service.open()
    books.sent(set(counter.service.records()))


def visit_until_dark(counter: Counter, machine: Machine, books: Books, end: str) -> None:
    """A visit in which the plug is pulled, unless it is over before."""

    def acknowledged() -> None:
        books.unnamed += end == "recorded"

    try:
        counter.visit(machine, "card", ends=(end,), acknowledged=acknowledged)
    except (MachineError, OSError) as fault:
        if machine.process is not None and machine.process.poll() is None:
            raise MachineError(f"the visit failed before its plug was pulled: {fault}") from fault
    finally:
        counter.hand.remove()


@contextlib.contextmanager
def killed_after(machine: Machine, seconds: float) -> Iterator[None]:
    """The machine's process is killed so many seconds after now; on return that has happened."""
    process = machine.process
    assert process is not None, "not started"

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield
        process.wait(seconds + PATIENCE_S)
    finally:
        timer.cancel()
