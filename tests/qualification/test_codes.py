"""What a patient is told for each code of the public interface, and for what is none of them."""

from collections.abc import Callable

import pytest

from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
    outcome_of,
    validity_of,
)
from kiosk.qualification.terms import Outcome

NORMAL, PROCESSED = SegmentOfResult.NORMAL, ProcessingResultStatus.NORMAL
#: 別紙5-1, OQSCD006: every code that there is, and what it is to a patient.
OUTCOMES = {
    "1": Outcome.VERIFIED,
    "2": Outcome.NOT_CONFIRMED,
    "3": Outcome.NOT_CONFIRMED,
    "4": Outcome.NOT_CONFIRMED,
    "5": Outcome.NOT_CONFIRMED,
    "6": Outcome.NOT_CONFIRMED,
}
JUNK = ("", "0", "7", "１", " 1", "1 ", "01", "1.0", "+1", "-1", "Ⅰ", "one", "1\n", "None", None)


@pytest.mark.parametrize(("code", "outcome"), OUTCOMES.items())
def test_one_is_verified_and_two_to_six_are_not(code: str, outcome: Outcome) -> None:
    assert outcome_of(ResultCodes(NORMAL, PROCESSED, QualificationValidity(code))) is outcome


def test_the_table_holds_every_code() -> None:
    assert set(OUTCOMES) == {validity.value for validity in QualificationValidity}


@pytest.mark.parametrize("code", JUNK)
def test_what_is_no_code_is_no_validity_and_calls_staff(code: str | None) -> None:
    assert validity_of(code) is None
    assert outcome_of(ResultCodes(NORMAL, PROCESSED, validity_of(code))) is Outcome.STAFF_CALLED


@pytest.mark.parametrize("code", [code for code in JUNK if code is not None])
@pytest.mark.parametrize("table", [SegmentOfResult, ProcessingResultStatus, QualificationValidity])
def test_junk_is_in_no_table(table: Callable[[str], object], code: str) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        table(code)


@pytest.mark.parametrize("validity", [*QualificationValidity, None])
@pytest.mark.parametrize("status", [*ProcessingResultStatus, None])
@pytest.mark.parametrize("segment", SegmentOfResult)
def test_nothing_but_a_normal_end_of_a_normal_processing_says_anything_of_a_person(
    segment: SegmentOfResult,
    status: ProcessingResultStatus | None,
    validity: QualificationValidity | None,
) -> None:
    expected = Outcome.STAFF_CALLED
    if (segment, status) == (NORMAL, PROCESSED) and validity is not None:
        expected = OUTCOMES[validity.value]
    assert outcome_of(ResultCodes(segment, status, validity)) is expected


@pytest.mark.parametrize("validity", QualificationValidity)
def test_a_written_code_is_found_again(validity: QualificationValidity) -> None:
    assert validity_of(validity.value) is validity
