"""Whoever's certificate ends within three months reads so at the end of the visit, and nobody else."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from kiosk.channel import Evidence
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Mode, Outcome
from kiosk.screens.conductor.case_file import CaseFile, WallTime
from kiosk.screens.kit.look import Look
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.visit.events import AnswerArrived, RecordCommitted, TokenAuthenticated, TokenRecognised
from kiosk.visit.machine import reduce
from kiosk.visit.states import Verified, visit_of
from tests.screens.proof.scan import texts_of, words


def ends_soon(now: str, not_after: str, trusted: bool = True) -> bool:
    clock = WallTime(lambda: datetime.fromisoformat(now).astimezone(UTC), lambda: trusted)
    case = CaseFile("T1", "1312345670", "service", clock)
    return case.ends_soon(
        Evidence(
            visit="v", token=Device.CARD, certificate=b"", signature=None, algorithm=None, not_after=not_after
        )
    )


@pytest.mark.parametrize(
    ("now", "not_after", "soon"),
    [
        ("2026-11-25T09:00:00+09:00", "2027-02-24T14:59:59Z", True),
        ("2026-11-25T09:00:00+09:00", "2027-02-25T14:59:59Z", False),
        ("2026-11-30T09:00:00+09:00", "2027-02-28T00:00:00Z", True),  # there is no 30 February
        ("2026-11-30T09:00:00+09:00", "2027-03-01T14:59:59Z", False),
        ("2026-11-25T09:00:00+09:00", "2031-05-05T14:59:59Z", False),
        ("2026-11-25T09:00:00+09:00", "2026-11-26T00:00:00Z", True),
    ],
)
def test_three_months_are_counted_by_the_calendar(now: str, not_after: str, soon: bool) -> None:
    assert ends_soon(now, not_after) == soon


def test_a_clock_that_is_not_trusted_tells_nobody() -> None:
    assert not ends_soon("2026-11-25T09:00:00+09:00", "2026-12-01T00:00:00Z", trusted=False)


@pytest.mark.parametrize("soon", [True, False])
def test_the_holder_is_told_when_the_visit_is_verified(soon: bool, make_look: Callable[..., Look]) -> None:
    kiosk = next(each.kiosk for each in examples(Mode.HOME_CONSENT) if each.name == "reading_presented")
    visit = visit_of(kiosk.screen)
    assert visit is not None
    for event in (
        TokenRecognised(visit.id),
        TokenAuthenticated(visit.id, soon),
        RecordCommitted(visit.id, "A-1"),
        AnswerArrived(visit.id, Outcome.VERIFIED),
    ):
        kiosk, _ = reduce(kiosk, event)
    assert isinstance(kiosk.screen, Verified)
    shown = " ".join(
        words(text) for widget in lay_out(kiosk, make_look()).widgets for text in texts_of(widget)
    )
    assert ("3か月以内" in shown) == soon
