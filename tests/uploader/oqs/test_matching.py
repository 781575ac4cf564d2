"""Whose a result is: by identifiers, never by time; whatever is not certain is nobody's."""

from dataclasses import replace

import pytest

from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.uploader.oqs.matching import Matcher, Matches, RecordedVisit, identities, identity
from kiosk.uploader.oqs.messages import SearchInfo, Unit
from kiosk.uploader.oqs.results import QualificationResult

ONE, TWO = "01a20000-0000-7000-8000-000000000001", "01a20000-0000-7000-8000-000000000002"
TARO, HANAKO = PERSONS[0], PERSONS[1]


def unit(person: QualificationResult | None = None, *names: str, asked: str | None = None) -> Unit:
    search = None if asked is None else SearchInfo(ArbitraryIdentifier=asked)
    return Unit(
        ReferenceNumber=names,
        ProcessingResultStatus="1",
        QualificationValidity="1",
        QualificationConfirmSearchInfo=search,
        ResultList=() if person is None else (person,),
    )


def recorded(visit: str, *persons: QualificationResult) -> RecordedVisit:
    return RecordedVisit(visit, identities(persons))


def matched(visits: list[RecordedVisit], *units: Unit) -> Matches:
    matcher = Matcher(visits)
    for each in units:
        matcher.take(each)
    return matcher.matches()


@pytest.mark.parametrize(
    "one",
    [
        unit(result(TARO), ONE),
        unit(result(TARO), "4711", ONE.upper() + " "),
        unit(result(TARO, reference=ONE)),
        unit(result(TARO), asked=ONE),
        unit(None, ONE),
    ],
)
def test_a_visits_own_id_names_it_wherever_it_stands(one: Unit) -> None:
    assert matched([recorded(ONE), recorded(TWO)], one) == Matches({ONE: one}, frozenset(), 0)


def test_the_person_of_an_answer_in_memory_names_the_visit() -> None:
    one = unit(replace(result(TARO), InsurerNumber="99999901", InsuredIdentificationNumber="１０００００１"))
    visits = [recorded(ONE, result(TARO)), recorded(TWO, result(HANAKO))]
    assert matched(visits, one, unit(result(PERSONS[2]))) == Matches({ONE: one}, frozenset(), 1)


def test_a_name_alone_or_a_time_alone_is_nothing() -> None:
    stranger = replace(result(TARO), InsuredIdentificationNumber="999")
    assert matched([recorded(ONE, result(TARO)), recorded(TWO)], unit(stranger)).others == 1


def test_a_single_waiting_visit_does_not_get_the_single_result() -> None:
    """The next patient is not the one who happens to come next."""
    assert matched([recorded(ONE)], unit(result(TARO))) == Matches({}, frozenset(), 1)


def test_a_receipt_number_is_no_identifier() -> None:
    """A 照会番号 of four digits is the clinic's own patient number."""
    assert matched([recorded(ONE)], unit(result(TARO), "1234")).others == 1


def test_without_insurer_number_and_birth_date_nobody_is_known() -> None:
    whole = result(TARO)
    assert identity(whole) is not None
    for missing in (None, " "):
        assert identity(replace(whole, InsurerNumber=missing)) is None
        assert identity(replace(whole, InsuredIdentificationNumber=missing)) is None
        assert identity(replace(whole, Birthdate=missing)) is None


def test_a_child_without_a_branch_number_is_not_its_parent() -> None:
    parent = result(TARO)
    child = replace(parent, Birthdate="20190415")
    assert identity(parent) != identity(child)


UNCERTAIN = {
    "two results for one visit": (
        [recorded(ONE)],
        [unit(result(TARO), ONE), unit(result(HANAKO), ONE)],
        {ONE},
    ),
    "the same person twice that day": (
        [recorded(ONE, result(TARO)), recorded(TWO, result(TARO))],
        [unit(result(TARO))],
        {ONE, TWO},
    ),
    "the id says one and the person another": (
        [recorded(ONE, result(TARO)), recorded(TWO, result(HANAKO))],
        [unit(result(HANAKO), ONE)],
        {ONE, TWO},
    ),
    "the id says one who was somebody else": (
        [recorded(ONE, result(TARO))],
        [unit(result(HANAKO), ONE)],
        {ONE},
    ),
    "two ids": ([recorded(ONE), recorded(TWO)], [unit(result(TARO), ONE, TWO)], {ONE, TWO}),
}


@pytest.mark.parametrize("case", UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_is_not_certain_goes_to_staff(case: tuple[list[RecordedVisit], list[Unit], set[str]]) -> None:
    visits, units, uncertain = case
    for order in (units, units[::-1]):
        assert matched(visits, *order) == Matches({}, frozenset(uncertain), 0)


def test_an_uncertain_visit_does_not_spoil_a_certain_one() -> None:
    good = unit(result(PERSONS[2]), TWO)
    got = matched([recorded(ONE), recorded(TWO)], unit(result(TARO), ONE), good, unit(result(HANAKO), ONE))
    assert got == Matches({TWO: good}, frozenset({ONE}), 0)
