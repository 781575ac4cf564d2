"""Serves the desk's messages: fallback, what waits and came late, the drill, the daily check."""

from typing import assert_never

from kiosk.channel import (
    AnswerSeen,
    AskCheck,
    AskDesk,
    AuditNote,
    FromDesk,
    FromUploader,
    RunDrill,
    SetFallback,
)
from kiosk.uploader.board import board, mark_seen
from kiosk.uploader.clock import Moment
from kiosk.uploader.fallback import Fallback
from kiosk.uploader.ledger import Ledger
from kiosk.uploader.outbox import Outbox

LOOK_S = 60.0  #: a page that asks again and again within this is one look for the audit


class DeskWork:
    """One for the process. `fallback` is also told as part of LineState."""

    def __init__(self, fallback: Fallback) -> None:
        self.fallback = fallback
        self._looked: dict[str, float] = {}  # staff -> when last asked

    def serve(self, message: FromDesk, outbox: Outbox, now: Moment) -> FromUploader | None:
        """Do it; returns what is answered to who asked."""
        match message:
            case SetFallback(staff=staff, reason=reason):
                self.fallback.set_by_staff(staff, reason, outbox.database, now)
                return None
            case AskDesk(staff=staff):
                self._note_look(staff, outbox, now)
                return board(outbox)
            case AnswerSeen(staff=staff, visit=visit):
                if mark_seen(outbox.database, visit):
                    Ledger(outbox.database).note(
                        AuditNote(event="answer_seen", staff=staff, visit=visit), now
                    )
                return board(outbox)
            case RunDrill() | AskCheck():
                return None
            case _:
                assert_never(message)

    def _note_look(self, staff: str, outbox: Outbox, now: Moment) -> None:
        seconds = now.mono_ms / 1000
        if seconds - self._looked.get(staff, float("-inf")) >= LOOK_S:
            Ledger(outbox.database).note(AuditNote(event="desk_opened", staff=staff), now)
        self._looked[staff] = seconds
