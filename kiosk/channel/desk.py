"""Between the staff pages of the screen and the uploader."""

import msgspec

from kiosk.channel.base import Message
from kiosk.qualification.terms import FallbackReason, Outcome

# ---- screen -> uploader ----------------------------------------------------------------------------------


class SetFallback(Message, frozen=True, tag="set_fallback"):
    """Staff begin fallback operation for a reason, or end it (None). Persisted; told as LineState."""

    staff: str
    reason: FallbackReason | None


class AskDesk(Message, frozen=True, tag="ask_desk"):
    """Staff look at what waits and what was answered late; answered with DeskBoard."""

    staff: str


class AnswerSeen(Message, frozen=True, tag="answer_seen"):
    """Staff have dealt with a late answer; it leaves the list. Answered with DeskBoard."""

    staff: str
    visit: str


class RunDrill(Message, frozen=True, tag="run_drill"):
    """Take a marked dummy record through sealing, commit, a refused line, a delivery attempt and erasure."""

    staff: str


class AskCheck(Message, frozen=True, tag="ask_check"):
    """What the uploader can check of 「本日の点検」: line, clock, certificate, outbox, disk."""


# ---- uploader -> screen ----------------------------------------------------------------------------------


class LateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that came after the patient had been told "recorded". Codes only."""

    visit: str
    receipt: str
    taken_at: str  #: RFC 3339, UTC
    answered_at: str
    outcome: Outcome
    validity: str | None = None


class DeskBoard(Message, frozen=True, tag="desk_board"):
    """What staff see: counts, the oldest wait, late answers (oldest first, at most 50), the last drill."""

    waiting: int
    oldest_at: str | None
    expired: int
    quarantined: int
    late: tuple[LateAnswer, ...]
    drill_passed_at: str | None = None


class DrillTold(Message, frozen=True, tag="drill"):
    """The drill's progress: a step that began, or the end (`passed` is not None)."""

    step: str  #: "seal", "commit", "refuse", "deliver", "erase"
    passed: bool | None = None
    say: str = ""


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the daily check. `fault` is a stable word, None when all is well."""

    part: str  #: "line", "clock", "certificate", "outbox", "disk"; the screen adds its own
    fault: str | None = None
    value: float | None = None  #: days, megabytes, records: what the sentence about it shows


class CheckTold(Message, frozen=True, tag="check"):
    parts: tuple[CheckItem, ...]


FromDesk = SetFallback | AskDesk | AnswerSeen | RunDrill | AskCheck
ForDesk = DeskBoard | DrillTold | CheckTold
