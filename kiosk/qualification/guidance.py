"""What staff do next: for each answer, and for each reason of fallback operation. PURE.

Rules that change by date stand here as data with the day they begin or end; today's date is a parameter.
Marks of the sources: [P] official text, [S] quoted by others, [I] our inference; see `Rule.source`. Nothing
here names a person; the words for each value are the catalogues'.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never

from kiosk.qualification.codes import QualificationValidity, validity_of
from kiosk.qualification.terms import FallbackReason, Mode, Outcome


class RecordFinding(StrEnum):
    """What staff know of one visit: the six values of QualificationValidity, or why there is none."""

    VALID = "valid"
    INVALID = "invalid"
    INVALID_NEW_EXISTS = "invalid_new_exists"
    NOT_FOUND = "not_found"
    SEVERAL = "several"
    VALID_NOT_REGISTERED = "valid_not_registered"
    RECORDED = "recorded"  #: no answer yet
    REJECTED = "rejected"  #: the service refused the record, or its answer was an error
    EXPIRED = "expired"  #: no answer within the age cap; no longer sent


class StaffStep(StrEnum):
    """One thing that staff do."""

    COMPARE_FOUR = "compare_four"  #: does the answer belong to the person whose four items were noted
    FETCH = "fetch"  #: 同意済資格情報取得 at the 資格確認端末 or レセコン
    ASK_CHANGE = "ask_change"  #: has the insurance changed
    LOOK_UP_NEW = "look_up_new"
    ASK_WHICH = "ask_which"  #: which of several is in force; look up by its numbers
    WELFARE_OFFICE = "welfare_office"  #: ask for the 医療券
    NOTE_FOUR = "note_four"  #: 氏名・生年月日・性別・住所 from the card, beside the receipt number
    CHECK_IN_AGAIN = "check_in_again"
    LOOK_UP_LATER = "look_up_later"  #: 資格情報照会（システム障害時）with the four items
    SHOW_WAYS = "show_ways"  #: the official order, `ways`
    DECLARED_SHARE = "declared_share"  #: never the whole cost


class Way(StrEnum):
    """How the qualification is shown when it cannot be looked up online."""

    PORTAL_AND_CARD = "portal_and_card"  #: マイナポータル 資格情報画面, or its saved PDF, with the card
    NOTICE_AND_CARD = "notice_and_card"  #: 資格情報のお知らせ with the card
    LAST_VISIT = "last_visit"  #: a returning patient: as last time, and "nothing has changed"
    DECLARATION_AND_CARD = "declaration_and_card"  #: 被保険者資格申立書 with the card; first visit
    CERTIFICATE = "certificate"  #: 資格確認書
    CERTIFICATE_ALL_ELDERLY = "certificate_all_elderly"  #: … which everybody in 後期高齢者医療 was sent
    OLD_CARD = "old_card"  #: expired 保険証, or the お知らせ alone, with an online look-up (暫定措置)


@dataclass(frozen=True)
class Rule:
    """A way, the first and last day on which it holds (None: not limited), and who says so."""

    way: Way
    source: str
    begins: date | None = None
    ends: date | None = None

    def holds(self, today: date | None) -> bool:
        """Whether it holds; on an unknown day (None) only what never ends."""
        if today is None:
            return self.ends is None
        return (self.begins is None or self.begins <= today) and (self.ends is None or today <= self.ends)


_ORDER = "[P] 日本歯科医師会 jda.or.jp/dentist/mynumber-online; [S] 富士フイルム健保 2025-10-03"
_ELDERLY_LAST_DAY = date(2026, 7, 31)

#: In the official order. After `ends` a rule is left out by itself; to add one: a line in its place.
RULES: tuple[Rule, ...] = (
    Rule(Way.PORTAL_AND_CARD, _ORDER),
    Rule(Way.NOTICE_AND_CARD, _ORDER),
    Rule(Way.LAST_VISIT, _ORDER),
    Rule(Way.DECLARATION_AND_CARD, _ORDER),
    Rule(
        Way.CERTIFICATE_ALL_ELDERLY,
        "[S] 後期高齢者医療の資格確認書、2026-07-31 まで全員に交付: 米子市; 保団連 27171",
        ends=_ELDERLY_LAST_DAY,
    ),
    Rule(Way.CERTIFICATE, _ORDER, begins=date(2026, 8, 1)),
    Rule(
        Way.OLD_CARD,
        "[S] 暫定措置、2026-03-31 まで: 唐津市 40137; 保団連 2025-06-30. An extension was not found",
        ends=date(2026, 3, 31),
    ),
)


def ways(today: date | None) -> tuple[Way, ...]:
    """The ways that hold today, in the official order; None: the clock is not to be believed."""
    return tuple(rule.way for rule in RULES if rule.holds(today))


def next_change(today: date) -> date | None:
    """The first day after `today` on which another list holds."""
    days = [rule.begins for rule in RULES if rule.begins is not None and rule.begins > today]
    days += [
        date.fromordinal(r.ends.toordinal() + 1) for r in RULES if r.ends is not None and r.ends >= today
    ]
    return min(days, default=None)


def finding_of(outcome: Outcome, validity: str | None) -> RecordFinding:
    """What an answer means to staff. Without a code: RECORDED as outcome says that none came in time."""
    known = validity_of(validity)
    return _without_code(outcome) if known is None else _by_code(known)


def _by_code(validity: QualificationValidity) -> RecordFinding:
    match validity:
        case QualificationValidity.VALID:
            return RecordFinding.VALID
        case QualificationValidity.INVALID:
            return RecordFinding.INVALID
        case QualificationValidity.INVALID_NEW_EXISTS:
            return RecordFinding.INVALID_NEW_EXISTS
        case QualificationValidity.NOT_FOUND:
            return RecordFinding.NOT_FOUND
        case QualificationValidity.SEVERAL:
            return RecordFinding.SEVERAL
        case QualificationValidity.VALID_NOT_REGISTERED:
            return RecordFinding.VALID_NOT_REGISTERED
        case _:
            assert_never(validity)


def _without_code(outcome: Outcome) -> RecordFinding:
    match outcome:
        case Outcome.VERIFIED:
            return RecordFinding.VALID
        case Outcome.RECORDED:
            return RecordFinding.EXPIRED
        case Outcome.NOT_CONFIRMED | Outcome.STAFF_CALLED | Outcome.ABANDONED:
            return RecordFinding.REJECTED
        case _:
            assert_never(outcome)


def all_steps(found: RecordFinding) -> tuple[StaffStep, ...]:
    """[P] 保発0710第1号 別添2, 別添3 (order of fallback, no 10割); [P] 運用マニュアル #26 (four items);
    VALID_NOT_REGISTERED: [S] 長崎市 2025-12-01 (ask the welfare office for the 医療券); the rest [I].
    """
    match found:
        case RecordFinding.VALID:
            return StaffStep.COMPARE_FOUR, StaffStep.FETCH
        case RecordFinding.INVALID | RecordFinding.NOT_FOUND:
            return StaffStep.ASK_CHANGE, StaffStep.SHOW_WAYS, StaffStep.DECLARED_SHARE
        case RecordFinding.INVALID_NEW_EXISTS:
            return StaffStep.LOOK_UP_NEW, StaffStep.SHOW_WAYS, StaffStep.DECLARED_SHARE
        case RecordFinding.SEVERAL:
            return StaffStep.ASK_WHICH, StaffStep.SHOW_WAYS, StaffStep.DECLARED_SHARE
        case RecordFinding.VALID_NOT_REGISTERED:
            return StaffStep.COMPARE_FOUR, StaffStep.WELFARE_OFFICE
        case RecordFinding.RECORDED:
            return StaffStep.NOTE_FOUR, StaffStep.SHOW_WAYS, StaffStep.DECLARED_SHARE
        case RecordFinding.REJECTED | RecordFinding.EXPIRED:
            return StaffStep.CHECK_IN_AGAIN, StaffStep.LOOK_UP_LATER, StaffStep.SHOW_WAYS
        case _:
            assert_never(found)


def steps(found: RecordFinding, mode: Mode) -> tuple[StaffStep, ...]:
    """What staff do, first things first; nothing is fetched where no consent is asked."""
    return tuple(
        step for step in all_steps(found) if step is not StaffStep.FETCH or mode is Mode.HOME_CONSENT
    )


def ways_apply(found: RecordFinding) -> bool:
    """Whether the order of `ways` is wanted for this finding."""
    return StaffStep.SHOW_WAYS in all_steps(found)


#: Reasons whose official next step is more than going on; its words are the catalogues' `fallback.do.*`.
#: CENTRAL: [P] 保発0710 別添2: call the centre (0800-080-4583), they open the mode; LINE: the same list;
#: DISASTER: [P] ポータル 865e4149: 災害時モード is opened by the ministry for the area;
#: FACE_READER: [P] 医療保険部会 2025-04-03 資料1 p.13: 居宅同意取得型 may be used.
REASONS: tuple[FallbackReason, ...] = (
    FallbackReason.FACE_READER,
    FallbackReason.LINE,
    FallbackReason.CENTRAL,
    FallbackReason.DISASTER,
)
