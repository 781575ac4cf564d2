"""The outbox as the loop has it: open, or lost and opened again until it works.

A disk that fails does not end the process: whoever meets `OutboxLost` calls `lose`, everybody is told why,
and the file is opened again later.
"""

import logging
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from kiosk.box.clock import Clock, Moment
from kiosk.channel import FromUploader, OutboxState
from kiosk.config.uploader_settings import OutboxSettings
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.salvage import open_or_salvage
from kiosk.uploader.store.database import OutboxDamaged, OutboxLost
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.timekeeper import Timekeeper
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.states import OutboxCondition

log = logging.getLogger(__name__)

REOPEN_S = 2.0  #: between attempts to open a lost outbox
_EXPIRE_EVERY_S = 10.0
_RECEIPT_CYCLE = 9000


class OutboxHolder:
    """Belongs to the main loop. `opened` and `lost` are called for those who must know; what `opened` raises
    as OutboxLost counts as not opened. `tell` reaches everybody connected.
    """

    def __init__(
        self,
        settings: OutboxSettings,
        clock: Clock,
        timekeeper: Timekeeper,
        tell: Callable[[FromUploader], None],
        opened: Callable[[Outbox], None],
        lost: Callable[[], None],
    ) -> None:
        self._settings, self._clock, self._timekeeper = settings, clock, timekeeper
        self._tell, self._opened, self._lost = tell, opened, lost
        self.outbox: Outbox | None = None
        self.reason = "the outbox is being opened"  #: why there is none, one line for people; "" while open
        self.state: OutboxState | None = None  #: as it was told last
        self._reopen_s = 0.0
        self._expire_s = 0.0

    @property
    def condition(self) -> OutboxCondition:
        """What the screen must know of it."""
        if self.outbox is None:
            return OutboxCondition.LOST
        full = self.outbox.waiting() >= self._settings.max_records
        return OutboxCondition.FULL if full else OutboxCondition.READY

    def open_if_due(self, now: Moment) -> None:
        """Open it, if it is not open and was not tried a moment ago."""
        seconds = now.mono_ms / 1000
        if self.outbox is not None or seconds < self._reopen_s:
            return
        try:
            outbox = self._open(now)
        except OutboxLost as lost:
            self._reopen_s = seconds + REOPEN_S
            self._unusable(str(lost))
            return
        self.outbox, self.reason = outbox, ""
        log.info("the outbox is open: %d records wait", outbox.waiting())
        self.tell_state()

    def _open(self, now: Moment) -> Outbox:
        def make(path: Path, first_seq: int | None) -> Outbox:
            start = secrets.randbelow(_RECEIPT_CYCLE) if first_seq is None else first_seq
            return Outbox(path, max_records=self._settings.max_records, now=now, first_seq=start)

        outbox = open_or_salvage(self._settings.path, make)
        try:
            self._opened(outbox)
        except OutboxLost:
            outbox.close()
            raise
        return outbox

    def lose(self, lost: OutboxLost, now: Moment) -> None:
        """The disk failed: close, tell why, try again later."""
        self._close()
        self._lost()
        self._reopen_s = now.mono_ms / 1000 + (0.0 if isinstance(lost, OutboxDamaged) else REOPEN_S)
        self._unusable(str(lost))

    def close(self) -> None:
        """At the end of the process."""
        if self.outbox is not None:
            self.outbox.close()

    def _close(self) -> None:
        outbox, self.outbox = self.outbox, None
        if outbox is not None:
            try:
                outbox.close()
            except sqlite3.Error as fault:
                log.warning("the outbox did not close cleanly: %s", type(fault).__name__)

    def _unusable(self, reason: str) -> None:
        if reason != self.reason:
            log.error("the outbox cannot be used: %s", reason)
            self.reason = reason
        self.tell_state()

    def tell_state(self) -> None:
        """Tell everybody, if it has changed. Raises OutboxLost."""
        state = OutboxState(condition=self.condition, reason=self.reason)
        if state != self.state:
            self.state = state
            self._tell(state)

    def step(self, now: Moment) -> None:
        """Mend the times of records, give up those that are too old. Raises OutboxLost."""
        if self.outbox is None:
            return
        if self._timekeeper.step(self.outbox.database, now):
            self.outbox.mend_times(now)
        seconds = now.mono_ms / 1000
        if seconds >= self._expire_s:
            self._expire_s = seconds + _EXPIRE_EVERY_S
            for receipt in self.outbox.expire(now, self._settings.max_age_h * 3600):
                log.error(
                    "record %s waited for too long and is no longer sent; see `kiosk outbox list`", receipt
                )

    def note(self, event: AuditEvent, staff: str) -> None:
        """Write into the audit table; while the outbox is lost there is none to write into."""
        if self.outbox is None:
            return
        now = self._clock.now()
        try:
            Ledger(self.outbox.database).note(event, staff, now)
        except OutboxLost as lost:
            self.lose(lost, now)
