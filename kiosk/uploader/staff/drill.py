"""The drill: a marked dummy record goes the way of a real one, over a line that is refused, and is erased.

What is honest about it: sealing, commit, TLS client and decision are those of a real record; the line is a
port of this machine that is bound and never listens, so the kernel refuses whoever knocks, and nobody else
can listen there. The dummy has a negative row number, by which it is never claimed, counted or listed, and by
which the next start erases it if this process dies.
"""

import json
import logging
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.box.clock import Moment
from kiosk.channel import DrillProgress
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, seal
from kiosk.uploader.delivery.lanes import Deliver, Lane, ServiceReply
from kiosk.uploader.delivery.retry import Dice, LineDown, RetryRules, decide
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.record_list import sealed_record
from kiosk.uploader.outbox.records import Entry
from kiosk.uploader.service.wire import Challenge, Enrolled, FaultKind, RequestFault, ServiceKeys
from kiosk.uploader.staff.late_answers import rfc3339
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.named_values import NamedValues, ValueName
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.views.staff_views import DrillStep

log = logging.getLogger(__name__)

MARK = "drill"  #: in the dummy's plaintext and as its mode


@dataclass
class _Running:
    """One drill under way."""

    staff: str
    record: str
    lane: Lane
    door: "ClosedDoor"


class ClosedDoor:
    """A port of the loopback interface that refuses every connection for as long as this is open."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class Drill:
    """At most one at a time; `tell` reaches the screen, `make_lane` gives a started lane to an address.
    `rules` and `dice` are those of real deliveries.
    """

    def __init__(
        self,
        terminal: str,
        institution: str,
        make_lane: Callable[[str], Lane],
        tell: Callable[[DrillProgress], None],
        rules: RetryRules,
        dice: Dice,
    ) -> None:
        self._terminal, self._institution = terminal, institution
        self._make_lane, self._tell = make_lane, tell
        self._rules, self._dice = rules, dice
        self._running: _Running | None = None

    def begin(self, staff: str, key: SealingKey | None, outbox: Outbox, now: Moment) -> None:
        """Go as far as the attempt; its result comes through `result`."""
        if self._running is not None:
            return
        self._tell(DrillProgress(step=DrillStep.SEAL))
        if key is None:
            self._end(
                staff,
                DrillStep.SEAL,
                "the service's key is not known yet: nothing can be sealed",
                outbox,
                now,
            )
            return
        entry = self._sealed(key, now)
        self._tell(DrillProgress(step=DrillStep.COMMIT))
        leased = outbox.commit_drill(entry, now)
        if sealed_record(outbox.database, entry.id) != entry:
            self._end(
                staff, DrillStep.COMMIT, "the disk did not keep the record: see the daily check", outbox, now
            )
            return
        self._tell(DrillProgress(step=DrillStep.REFUSE))
        door = ClosedDoor()
        self._tell(DrillProgress(step=DrillStep.DELIVER))
        lane = self._make_lane(door.url)
        self._running = _Running(staff, entry.id, lane, door)
        lane.give(Deliver(leased, ask_first=False))

    def _sealed(self, key: SealingKey, now: Moment) -> Entry:
        record = str(uuid.uuid4())
        label = SealingInfo(Purpose.REQUEST, record, self._terminal, self._institution, key.key_id, key.suite)
        plain = json.dumps({MARK: True, "id": record}).encode()
        return Entry(
            id=record,
            suite=key.suite.value,
            key_id=key.key_id,
            sealed=seal(plain, key, label),
            mode=MARK,
            taken_at=rfc3339(now.best_ms),
            clock_trusted=now.trusted,
            challenged=False,
        )

    def owns(self, lane: Lane) -> bool:
        """Whether a result from this lane is the drill's."""
        return self._running is not None and self._running.lane is lane

    def result(self, reply: ServiceReply, outbox: Outbox, now: Moment) -> None:
        """The attempt has come back. All is well when the line was refused and the record is still there."""
        running = self._running
        assert running is not None, "owns() comes first"
        self.stop()
        if isinstance(reply, Challenge | ServiceKeys | Enrolled):
            raise TypeError("an answer was asked for")
        refused = isinstance(reply, RequestFault) and reply.kind is FaultKind.CONNECT
        waits = decide(reply, running.record, 1, self._rules, self._dice, asked_status=False)
        if not refused or not isinstance(waits, LineDown):
            reason = (
                reply.reason
                if isinstance(reply, RequestFault)
                else "something answered where nothing may listen"
            )
            self._end(running.staff, DrillStep.DELIVER, reason, outbox, now)
        elif sealed_record(outbox.database, running.record) is None:
            self._end(running.staff, DrillStep.DELIVER, "the record was lost after the refusal", outbox, now)
        else:
            self._tell(DrillProgress(step=DrillStep.ERASE))
            self._end(running.staff, None, "", outbox, now)

    def _end(self, staff: str, failed: DrillStep | None, reason: str, outbox: Outbox, now: Moment) -> None:
        outbox.erase_drill()
        if failed is None:
            NamedValues(outbox.database).put(ValueName.DRILL_PASSED, rfc3339(now.best_ms))
        event = AuditEvent.DRILL_PASSED if failed is None else AuditEvent.DRILL_FAILED
        Ledger(outbox.database).note(event, staff, now, word=failed)
        self._tell(DrillProgress(step=failed or DrillStep.ERASE, passed=failed is None, reason=reason))

    def outbox_lost(self) -> None:
        """The disk failed in the middle; the dummy is erased when the outbox opens again."""
        if self._running is not None:
            self.stop()
            self._tell(DrillProgress(step=DrillStep.COMMIT, passed=False, reason="the outbox cannot be used"))

    def stop(self) -> None:
        """Let go of lane and port."""
        if self._running is not None:
            self._running.lane.stop(timeout_s=1.0)
            self._running.door.close()
            self._running = None
