"""The uploader process against the simulated service, over TLS on loopback: how fast, and how soon."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kiosk.box.clock import Clock
from kiosk.channel import AskStatus, CommitRecord, LineState, SealingKeys, ServiceAnswered, Status
from kiosk.simulator.service.service_pki import make_client
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import Entry, KeptRecord
from kiosk.uploader.store.database import PRAGMAS
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_least, at_most, percentile, row, spread
from tests.simulator.service.running import RunningService, running_service
from tests.uploader.world import (
    INSTITUTION,
    TERMINAL,
    Screen,
    Token,
    new_visit,
    running_uploader,
    sealed_request,
    write_config,
)

RECORDS = 10_000
VISITS = 60
FIRST_SEQ = 1000
DRAIN_S = 300.0  #: by then it is not measured any more
QUICK_PRAGMAS: dict[str, str | int] = {**PRAGMAS, "synchronous": 0}  #: to fill a file; never to deliver from


@dataclass(frozen=True)
class Counter:
    """A service, and a kiosk's settings for it."""

    service: RunningService
    config: Path
    token: Token


def counter(lab: Lab) -> Counter:
    """Start the service; it runs until the bench ends."""
    folder = lab.subfolder("delivery")
    service = lab.enter(running_service(folder / "service"))
    client = make_client(service.files, folder / "client", INSTITUTION, TERMINAL)
    config = write_config(
        folder, service.url, service.files.ca, client.certificate, client.key, max_records=2 * RECORDS
    )
    return Counter(service, config, Token.make())


def _entry(message: CommitRecord) -> Entry:
    return Entry(
        id=message.visit,
        suite=message.suite,
        key_id=message.key_id,
        sealed=message.sealed,
        mode=message.mode.value,
        taken_at=message.taken_at,
        clock_trusted=message.clock_trusted,
        challenged=message.challenged,
    )


def _fill(path: Path, token: Token, keys: SealingKeys) -> None:
    """What an outage leaves, without waiting for its disk."""
    now = Clock().now()
    outbox = Outbox(path, max_records=2 * RECORDS, now=now, first_seq=FIRST_SEQ, pragmas=QUICK_PRAGMAS)
    with closing(outbox):
        for _ in range(RECORDS):
            entry = _entry(sealed_request(token, keys, new_visit()))
            if not isinstance(outbox.commit(entry, now, send_now=False), KeptRecord):
                raise Unmeasured("the outbox did not take a record")


def _drained(screen: Screen) -> float:
    """Seconds from the first records that are gone to the last."""
    end = time.monotonic() + DRAIN_S
    began: tuple[float, int] | None = None
    while time.monotonic() < end:
        screen.poll(0.5)
        for line in (each for each in screen.heard if isinstance(each, LineState)):
            if began is None and 0 < line.waiting < RECORDS:
                began = (time.monotonic(), line.waiting)
            if began is not None and line.waiting == 0:
                return (time.monotonic() - began[0]) * RECORDS / began[1]
        screen.forget()
    raise Unmeasured(f"the backlog was not drained in {DRAIN_S:.0f} s")


@row("outbox_drain_per_s", "records/s", goal=at_least(200))
def outbox_drain_per_s(lab: Lab) -> Measured:
    """A backlog of 10,000 records, pacing off."""
    place = lab.once(counter)
    with running_uploader(place.config, place.token) as uploader, uploader.screen() as screen:
        keys = screen.keys()
        uploader.stop()
    _fill(uploader.outbox, place.token, keys)
    before = place.service.control.effect_totals()
    with running_uploader(place.config, place.token) as uploader, uploader.screen() as screen:
        seconds = _drained(screen)
        status = screen.ask(AskStatus(), Status)
    after = place.service.control.effect_totals()
    effects, records = (now - then for now, then in zip(after, before, strict=True))
    if (effects, records, status.answered) != (RECORDS, RECORDS, RECORDS):
        raise Unmeasured(f"{effects} effects of {records} records, {status.answered} answered")
    return Measured(
        RECORDS / seconds,
        f"{RECORDS} sealed and signed requests, TLS 1.3 on loopback, one connection, every answer committed; "
        "the service checks and stores every one on this machine; each took effect once",
    )


@row("answer_to_screen_ms", "ms", goal=at_most(50))
def answer_to_screen_ms(lab: Lab) -> Measured:
    """The service hands its answer to the connection → Answered is in the hands of the screen's side."""
    place = lab.once(counter)
    control = place.service.control
    took: list[float] = []
    with running_uploader(place.config, place.token) as uploader, uploader.screen() as screen:
        for _ in range(VISITS):
            visit = screen.visit()
            screen.wait_for(ServiceAnswered, visit)
            heard = time.monotonic()
            sent = control.answered_at(visit)
            if sent is None:
                raise Unmeasured("the service did not answer a record that was answered")
            took.append((heard - sent) * 1000)
    return Measured(
        percentile(took, 95),
        f"95 % of {VISITS} visits, TLS, commit of the answer with its syncs, channel; {spread(took, 1)}",
    )
