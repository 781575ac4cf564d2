"""Result codes of the public interface (別紙5-1 業務コード仕様) and what they mean for a visit."""

from dataclasses import dataclass
from enum import Enum

from kiosk.qualification.terms import Outcome


class SegmentOfResult(Enum):
    """OQSCD003 処理結果区分."""

    NORMAL = "1"
    IN_PROGRESS = "2"
    ABNORMAL = "9"


class ProcessingResultStatus(Enum):
    """OQSCD004 処理結果状況."""

    NORMAL = "1"
    ERROR = "2"


class QualificationValidity(Enum):
    """OQSCD006 資格有効性."""

    VALID = "1"  #: 有効
    INVALID = "2"  #: 無効
    INVALID_NEW_EXISTS = "3"  #: 無効（新しい資格あり）
    NOT_FOUND = "4"  #: 該当資格なし
    SEVERAL = "5"  #: 複数該当（医療保険のみ）
    VALID_NOT_REGISTERED = "6"  #: 有効（未登録）（医療扶助のみ）


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
