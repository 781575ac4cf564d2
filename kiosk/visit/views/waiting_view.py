"""What staff see of the records: what waits, and late answers. Counts and codes, no person. PURE."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from kiosk.qualification.guidance import RecordFinding, finding_of
from kiosk.qualification.terms import Outcome
from kiosk.visit.views.message import Message


class LateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a record after the patient had been told "recorded". Codes only.

    `outcome` is VERIFIED or NOT_CONFIRMED for an answer, STAFF_CALLED where the service refused the record or
    it was damaged on the disk, RECORDED where it waited for too long and is no longer sent.
    """

    visit: str
    receipt: str
    taken_at: str  #: RFC 3339, UTC; mended once the time was known
    answered_at: str  #: or refused, or given up
    outcome: Outcome
    validity: str | None = None

    @property
    def finding(self) -> RecordFinding:
        """What the codes mean to staff."""
        return finding_of(self.outcome, self.validity)


class WaitingList(Message, frozen=True, tag="desk_board"):
    """Counts, the oldest wait, late answers (oldest first, at most 50), the last drill.

    The uploader tells times in UTC; what the page holds is local (RFC 3339, both).
    """

    waiting: int
    oldest_at: str | None
    expired: int
    quarantined: int
    late: tuple[LateAnswer, ...]
    drill_passed_at: str | None = None
    held: int = 0  #: of those waiting, what the service cannot open (its key is gone): call support

    @property
    def oldest(self) -> datetime | None:
        return None if self.oldest_at is None else datetime.fromisoformat(self.oldest_at)

    @property
    def drill_passed(self) -> datetime | None:
        return None if self.drill_passed_at is None else datetime.fromisoformat(self.drill_passed_at)


@dataclass(frozen=True)
class WaitingView:
    """What the uploader sent, in local time, and what the screen knows besides."""

    records: WaitingList
    last_recorded: str | None = None  #: receipt number of the last patient who was told "recorded"
    today: date | None = None  #: local; None: the clock is not to be believed


@dataclass(frozen=True)
class WaitingCase:
    """One visit that staff have to deal with."""

    record: str | None  #: what the outbox calls it; None: nothing there to tick off
    receipt: str
    finding: RecordFinding


def case_of(answer: LateAnswer) -> WaitingCase:
    """The case that a late answer makes."""
    return WaitingCase(answer.visit, answer.receipt, answer.finding)
