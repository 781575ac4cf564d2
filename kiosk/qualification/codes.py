"""Result codes of the public interface (別紙5-1 業務コード仕様) and what they mean for a visit."""

from dataclasses import dataclass
from enum import Enum
from typing import Self

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


@dataclass(frozen=True)
class ResultCodes:
    """The part of an answer that names nobody."""

    segment: SegmentOfResult
    status: ProcessingResultStatus | None = None
    validity: QualificationValidity | None = None


def outcome_of(codes: ResultCodes) -> Outcome:
    """What the patient is told: only 1 is verified, 2–6 need the desk, anything else calls staff."""
    if codes.segment is not SegmentOfResult.NORMAL or codes.status is not ProcessingResultStatus.NORMAL:
        return Outcome.STAFF_CALLED
    match codes.validity:
        case QualificationValidity.VALID:
            return Outcome.VERIFIED
        case None:
            return Outcome.STAFF_CALLED
        case _:
            return Outcome.NOT_CONFIRMED
