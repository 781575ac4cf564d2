"""What the desk does next: complete for every answer, in the official order, changing on the named days."""

from datetime import date

import pytest

from kiosk.qualification.codes import QualificationValidity
from kiosk.qualification.guidance import (
    REASONS,
    RULES,
    RecordFinding,
    StaffStep,
    Way,
    finding_of,
    next_change,
    steps,
    ways,
    ways_apply,
)
from kiosk.qualification.terms import FallbackReason, Mode, Outcome

OFFICIAL_ORDER = (Way.PORTAL_AND_CARD, Way.NOTICE_AND_CARD, Way.LAST_VISIT, Way.DECLARATION_AND_CARD)


@pytest.mark.parametrize(
    ("today", "after_the_four"),
    [
        (date(2026, 3, 31), (Way.CERTIFICATE_ALL_ELDERLY, Way.OLD_CARD)),
        (date(2026, 4, 1), (Way.CERTIFICATE_ALL_ELDERLY,)),
        (date(2026, 7, 31), (Way.CERTIFICATE_ALL_ELDERLY,)),
        (date(2026, 8, 1), (Way.CERTIFICATE,)),
        (date(2056, 1, 1), (Way.CERTIFICATE,)),
    ],
)
def test_the_ways_change_on_the_days_that_the_rules_name(
    today: date, after_the_four: tuple[Way, ...]
) -> None:
    assert ways(today) == OFFICIAL_ORDER + after_the_four


def test_on_an_unknown_day_nothing_is_offered_that_may_have_ended() -> None:
    assert ways(None) == (*OFFICIAL_ORDER, Way.CERTIFICATE)


def test_the_next_change_is_the_next_day_with_another_list() -> None:
    day = date(2026, 1, 1)
    seen = []
    while (changed := next_change(day)) is not None:
        assert ways(changed) != ways(date.fromordinal(changed.toordinal() - 1))
        seen.append(changed)
        day = changed
    assert seen == [date(2026, 4, 1), date(2026, 8, 1)]


def test_every_rule_names_its_source_and_every_way_has_a_rule() -> None:
    assert {rule.way for rule in RULES} == set(Way)
    assert all(rule.source.startswith("[") for rule in RULES)


@pytest.mark.parametrize("validity", list(QualificationValidity))
def test_each_of_the_six_values_is_its_own_finding(validity: QualificationValidity) -> None:
    assert finding_of(Outcome.NOT_CONFIRMED, validity.value).name == validity.name


@pytest.mark.parametrize(
    ("outcome", "validity", "found"),
    [
        (Outcome.STAFF_CALLED, None, RecordFinding.REJECTED),
        (Outcome.RECORDED, None, RecordFinding.EXPIRED),
        (Outcome.VERIFIED, None, RecordFinding.VALID),
        (Outcome.NOT_CONFIRMED, None, RecordFinding.REJECTED),
        (Outcome.STAFF_CALLED, "7", RecordFinding.REJECTED),
    ],
)
def test_an_answer_without_a_known_code_is_never_taken_for_a_valid_one(
    outcome: Outcome, validity: str | None, found: RecordFinding
) -> None:
    assert finding_of(outcome, validity) is found


@pytest.mark.parametrize("found", list(RecordFinding))
@pytest.mark.parametrize("mode", list(Mode))
def test_every_finding_has_a_first_step(found: RecordFinding, mode: Mode) -> None:
    assert steps(found, mode)
    assert ways_apply(found) == (StaffStep.SHOW_WAYS in steps(found, mode))


def test_what_was_consented_to_is_fetched_only_where_consent_is_asked() -> None:
    assert StaffStep.FETCH in steps(RecordFinding.VALID, Mode.HOME_CONSENT)
    assert StaffStep.FETCH not in steps(RecordFinding.VALID, Mode.QUALIFICATION_ONLY)


def test_nobody_is_sent_away_with_the_whole_cost() -> None:
    for found in (
        RecordFinding.INVALID,
        RecordFinding.NOT_FOUND,
        RecordFinding.SEVERAL,
        RecordFinding.RECORDED,
    ):
        assert all(StaffStep.DECLARED_SHARE in steps(found, mode) for mode in Mode)


def test_staff_can_name_every_reason_but_the_one_that_the_kiosk_finds_itself() -> None:
    assert set(REASONS) == set(FallbackReason) - {FallbackReason.OFFLINE}
