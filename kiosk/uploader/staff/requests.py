"""Serves the messages of the staff pages: fallback, what waits and came late, the drill, the daily check."""

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.channel import (
    AnswerSeen,
    AskCheck,
    AskDay,
    AskWaitingList,
    CheckItem,
    CheckResult,
    DrillProgress,
    FromStaffPages,
    FromUploader,
    RunDrill,
    SetFallback,
    SetPreferences,
)
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.staff.check import check
from kiosk.uploader.staff.drill import Drill
from kiosk.uploader.staff.fallback import Fallback
from kiosk.uploader.staff.late_answers import waiting_list
from kiosk.uploader.staff.preferences import Preferences
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.day_counts import day_counts
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.audit_events import AuditEvent

LOOK_S = 60.0  #: a page that asks again and again within this is one look for the audit


class StaffRequests:
    """One for the process. `fallback` is also told as part of LineState; `path` and `most` are the outbox's
    file and count cap; `tell_all` reaches every screen; `folders` knows of the clinic's folders.
    """

    def __init__(
        self,
        fallback: Fallback,
        drill: Drill,
        delivery: Delivery,
        credentials: Credentials,
        path: Path,
        most: int,
        tell_all: Callable[[FromUploader], None],
        folders: Callable[[Outbox | None, Moment], tuple[CheckItem, ...]],
    ) -> None:
        self.fallback, self.drill = fallback, drill
        self._delivery, self._credentials = delivery, credentials
        self._path, self._most, self._tell_all = path, most, tell_all
        self._folders = folders
        self.preferences = Preferences()
        self._looked: dict[str, float] = {}  # staff -> when last asked

    def load(self, database: Database) -> None:
        """Read what stood when the last process ended, and tell the screens."""
        self.fallback.load(database)
        self.preferences.load(database)
        self._tell_all(self.preferences.chosen)

    def serve(self, message: FromStaffPages, outbox: Outbox, now: Moment) -> FromUploader | None:
        """Do it; returns what is answered to who asked."""
        match message:
            case SetFallback(staff=staff, reason=reason):
                self.fallback.set_by_staff(staff, reason, outbox.database, now)
                return None
            case AskWaitingList(staff=staff):
                self._note_look(staff, outbox, now)
                return waiting_list(outbox)
            case AnswerSeen(staff=staff, visit=visit):
                if outbox.mark_seen(visit):
                    Ledger(outbox.database).note(AuditEvent.ANSWER_SEEN, staff, now, visit=visit)
                return waiting_list(outbox)
            case RunDrill(staff=staff):
                keys = self._delivery.keys
                self.drill.begin(staff, None if keys is None else keys.keys[0], outbox, now)
                return None
            case SetPreferences():
                self.preferences.keep(message, outbox.database, now)
                self._tell_all(self.preferences.chosen)
                return None
            case AskCheck():
                return self._check(outbox, now)
            case AskDay(day=day):
                return day_counts(outbox.database, day or now.hour[:10])
            case _:
                assert_never(message)

    def without_outbox(self, message: FromStaffPages, reason: str, now: Moment) -> FromUploader | None:
        """The same while the outbox is lost: what needs it is not done."""
        match message:
            case AskCheck():
                return self._check(None, now)
            case RunDrill():
                return DrillProgress(step="commit", passed=False, reason=reason)
            case SetFallback() | SetPreferences() | AskWaitingList() | AnswerSeen() | AskDay():
                return None
            case _:
                assert_never(message)

    def _check(self, outbox: Outbox | None, now: Moment) -> FromUploader:
        checked = check(outbox, self._path, self._most, self._delivery.line.view, self._credentials, now)
        return CheckResult(parts=checked.parts + self._folders(outbox, now))

    def _note_look(self, staff: str, outbox: Outbox, now: Moment) -> None:
        seconds = now.mono_ms / 1000
        if seconds - self._looked.get(staff, float("-inf")) >= LOOK_S:
            Ledger(outbox.database).note(AuditEvent.DESK_OPENED, staff, now)
        self._looked[staff] = seconds
