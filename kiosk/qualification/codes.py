"""Result codes of the public interface (別紙5-1 業務コード仕様) and what they mean for a visit."""

from dataclasses import dataclass
from enum import Enum
from typing import Self, assert_never

from kiosk.qualification.terms import Outcome


class Code(Enum):
    """One table of 別紙5-1: `value` is the code as it is written, `ja` what it means in the table's words."""

    ja: str

    def __new__(cls, code: str, ja: str = "") -> Self:
        member = object.__new__(cls)
        member._value_ = code
        member.ja = ja
        return member


class SegmentOfResult(Code):
    """OQSCD003 処理結果区分."""

    NORMAL = "1", "正常終了"
    IN_PROGRESS = "2", "処理中"
    ABNORMAL = "9", "異常終了"


class ProcessingResultStatus(Code):
    """OQSCD004 処理結果状況."""

    NORMAL = "1", "正常終了"
    ERROR = "2", "エラー"


class QualificationValidity(Code):
    """OQSCD006 資格有効性; 5 in 医療保険 only, 6 in 医療扶助 only."""

    VALID = "1", "有効"
    INVALID = "2", "無効"
    INVALID_NEW_EXISTS = "3", "無効（新しい資格あり）"
    NOT_FOUND = "4", "該当資格なし"
    SEVERAL = "5", "複数該当"
    VALID_NOT_REGISTERED = "6", "有効（未登録）"


def validity_of(code: str | None) -> QualificationValidity | None:
    """The value of a written code; None for none, and for what the table does not hold."""
    return next((value for value in QualificationValidity if value.value == code), None)


@dataclass(frozen=True)
class ResultCodes:
    """The part of an answer that names nobody."""

    segment: SegmentOfResult
    status: ProcessingResultStatus | None = None
    validity: QualificationValidity | None = None


def outcome_of(codes: ResultCodes) -> Outcome:
    """What the patient is told: only 1 is verified, 2 to 6 are a matter for staff, anything else calls them.

    The answer speaks of a person only when it ended normally and was processed normally.
    """
    match codes.segment:
        case SegmentOfResult.NORMAL:
            return _processed(codes.status, codes.validity)
        case SegmentOfResult.IN_PROGRESS | SegmentOfResult.ABNORMAL:
            return Outcome.STAFF_CALLED
        case _:
            assert_never(codes.segment)


def _processed(status: ProcessingResultStatus | None, validity: QualificationValidity | None) -> Outcome:
    match status:
        case ProcessingResultStatus.NORMAL:
            return _qualified(validity)
        case ProcessingResultStatus.ERROR | None:
            return Outcome.STAFF_CALLED
        case _:
            assert_never(status)


def _qualified(validity: QualificationValidity | None) -> Outcome:
    match validity:
        case QualificationValidity.VALID:
            return Outcome.VERIFIED
        case (
            QualificationValidity.INVALID
            | QualificationValidity.INVALID_NEW_EXISTS
            | QualificationValidity.NOT_FOUND
            | QualificationValidity.SEVERAL
            | QualificationValidity.VALID_NOT_REGISTERED
        ):
            return Outcome.NOT_CONFIRMED
        case None:
            return Outcome.STAFF_CALLED
        case _:
            assert_never(validity)
