"""Fallback operation: a persisted label with a reason. Sending goes on whenever it can, whatever it says.

Staff begin and end it for a reason of theirs. OFFLINE is entered by itself when the service has not been
worth trying for a while, and left by itself when it answers. A reason of staff goes before it.
"""

import logging

from kiosk.box.clock import Moment
from kiosk.qualification.terms import FallbackReason
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.named_values import NamedValues, ValueName
from kiosk.visit.audit_events import KIOSK, AuditEvent

log = logging.getLogger(__name__)


class Fallback:
    """Whether and why. `after_s`: how long the line is down before OFFLINE is entered."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._staff: FallbackReason | None = None
        self._offline = False

    @property
    def reason(self) -> FallbackReason | None:
        """What the screen shows; None: normal operation."""
        return self._staff or (FallbackReason.OFFLINE if self._offline else None)

    def load(self, database: Database) -> None:
        """Read what stood when the last process ended."""
        values = NamedValues(database)
        kept = values.get(ValueName.STAFF_FALLBACK)
        self._staff = next((each for each in FallbackReason if each.value == kept), None)
        self._offline = values.get(ValueName.OFFLINE_FALLBACK) is not None

    def set_by_staff(
        self, staff: str, reason: FallbackReason | None, database: Database, now: Moment
    ) -> None:
        """Begin for `reason`, or end what staff began. OFFLINE is not theirs to set."""
        if reason is FallbackReason.OFFLINE or reason is self._staff:
            return
        ended = self._staff
        NamedValues(database).put(ValueName.STAFF_FALLBACK, None if reason is None else reason.value)
        self._staff = reason
        if ended is not None:
            Ledger(database).note(AuditEvent.FALLBACK_OFF, staff, now, word=ended)
        if reason is not None:
            Ledger(database).note(AuditEvent.FALLBACK_ON, staff, now, word=reason)

    def look(self, offline_s: float | None, *, heard: bool, database: Database, now: Moment) -> None:
        """Enter or leave OFFLINE. `offline_s`: how long the line has been down, None while it is up or
        unknown; `heard`: the service has answered in this life.
        """
        if not self._offline and offline_s is not None and offline_s >= self._after_s:
            self._put_offline(True, AuditEvent.FALLBACK_ON, database, now)
        elif self._offline and offline_s is None and heard:
            self._put_offline(False, AuditEvent.FALLBACK_OFF, database, now)

    def _put_offline(self, entered: bool, event: AuditEvent, database: Database, now: Moment) -> None:
        NamedValues(database).put(ValueName.OFFLINE_FALLBACK, "1" if entered else None)
        self._offline = entered
        log.info("fallback operation: %s", self.reason or "left")
        Ledger(database).note(event, KIOSK, now, word=FallbackReason.OFFLINE)
