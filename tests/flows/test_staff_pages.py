"""What the staff's pages do, one by one; what holds for all of them: test_staff_search.py."""

from dataclasses import replace

import msgspec
import pytest

from kiosk.qualification.guidance import RecordFinding
from kiosk.qualification.terms import FallbackReason
from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit import staff_requests as ask
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import (
    StaffCase,
    StaffCheck,
    StaffDrill,
    StaffFallback,
    StaffMenu,
    StaffReading,
    StaffTest,
    StaffUpdate,
    StaffWaiting,
)
from kiosk.visit.states import (
    Idle,
    LineStatus,
    OutOfService,
    ReaderCondition,
)
from kiosk.visit.views.staff_views import DrillStep
from kiosk.visit.views.update_view import UpdateSource
from kiosk.visit.views.waiting_view import WaitingCase, case_of
from tests.flows.search import LATE, OFFERS, late_answer, listed
from tests.flows.staff_steps import READY, inside, offering, press


def test_what_is_kept_holds_and_nonsense_is_passed_over() -> None:
    told = press(READY, ev.PreferencesChanged(2, ("en", "xx")))
    assert (told.volume, told.rules.languages) == (2, ("ja", "en"))
    none = press(told, ev.PreferencesChanged(99, None))
    assert none == told
    alone = press(replace(told, language="en"), ev.PreferencesChanged(None, ("ja",)))
    assert (alone.rules.languages, alone.language) == (("ja",), "ja")


def test_the_reader_that_comes_back_is_tested_at_once() -> None:
    page = press(inside(), ev.Action.OPEN_READING)
    lost = press(page, ev.ReaderChanged(ReaderCondition.LOST))
    after, effects = reduce(lost, ev.ReaderChanged(ReaderCondition.READY))
    assert after.screen == StaffReading("1001")
    assert do.TryReader("1001") in effects


def test_the_places_of_the_touch_test_are_touched_in_their_order() -> None:
    kiosk = press(inside(), ev.Action.OPEN_TEST, ev.SpotTouched(1), ev.SpotTouched(0), ev.SpotTouched(0))
    assert kiosk.screen == StaffTest("1001", touched=1)


def test_the_offer_that_is_shown_is_the_one_that_is_installed() -> None:
    from_channel = msgspec.structs.replace(OFFERS[0], source=UpdateSource.CHANNEL)
    two = offering(from_channel, OFFERS[1])
    page = press(inside(), ev.Action.OPEN_UPDATE, ev.UpdateChanged(two), ev.Action.MORE)
    _, effects = reduce(page, ev.Pressed(ev.Action.RUN))
    assert ask.StartUpdate(staff="1001", version="3", source=UpdateSource.STICK) in effects
    fewer = press(page, ev.UpdateChanged(offering(from_channel)))
    assert fewer.screen == StaffUpdate("1001")


def test_offline_is_neither_chosen_nor_ended_by_staff() -> None:
    page = press(inside(), ev.Action.OPEN_FALLBACK)
    assert reduce(page, ev.FallbackChosen(FallbackReason.OFFLINE))[1][:-1] == ()
    offline = press(page, ev.LineChanged(LineStatus(False, 0, FallbackReason.OFFLINE)))
    assert reduce(offline, ev.FallbackChosen(None))[1][:-1] == ()
    _, effects = reduce(offline, ev.FallbackChosen(FallbackReason.DISASTER))
    assert ask.SetFallback(staff="1001", reason=FallbackReason.DISASTER) in effects


def test_fallback_set_by_staff_is_ended_by_staff() -> None:
    on = press(
        inside(), ev.Action.OPEN_FALLBACK, ev.LineChanged(LineStatus(True, 0, FallbackReason.FACE_READER))
    )
    assert isinstance(on.screen, StaffFallback)
    assert ask.SetFallback(staff="1001", reason=None) in reduce(on, ev.FallbackChosen(None))[1]


def test_a_late_answer_is_opened_ticked_off_and_leaves_the_list() -> None:
    waiting = press(inside(), ev.Action.OPEN_WAITING)
    assert isinstance(waiting.screen, StaffWaiting)
    case = press(waiting, ev.CaseOpened("r2"))
    assert case.screen == StaffCase("1001", case_of(LATE[1]))
    assert press(case, ev.Action.MORE).screen == StaffCase("1001", case_of(LATE[1]), ways=True)
    after, effects = reduce(case, ev.Pressed(ev.Action.SEEN))
    assert ask.AnswerSeen(staff="1001", visit="r2") in effects
    assert isinstance(after.screen, StaffWaiting)


def test_the_last_recorded_visit_leads_to_its_reminder_and_cannot_be_ticked_off() -> None:
    case = press(inside(), ev.CaseOpened(None))
    assert case.screen == StaffCase("1001", WaitingCase(None, "0007", RecordFinding.RECORDED))
    assert press(case, ev.Action.SEEN).screen == case.screen
    assert isinstance(press(case, ev.Action.BACK).screen, StaffMenu)


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (6, 1), (7, 2), (50, 9)])
def test_a_long_list_is_paged_and_begins_anew_after_its_end(count: int, pages: int) -> None:
    late = tuple(late_answer(f"r{i}", f"{i:04}", "1") for i in range(count))
    kiosk = press(inside(), ev.Action.OPEN_WAITING, ev.WaitingViewChanged(listed(*late)))
    positions = []
    for _ in range(pages):
        assert isinstance(kiosk.screen, StaffWaiting)
        positions.append(kiosk.screen.position)
        kiosk = press(kiosk, ev.Action.MORE)
    assert positions == [6 * i for i in range(pages)]
    assert kiosk.screen == StaffWaiting("1001")


def test_a_list_that_has_grown_shorter_is_shown_from_its_beginning() -> None:
    late = tuple(late_answer(f"r{i}", f"{i:04}", "1") for i in range(7))
    kiosk = press(inside(), ev.Action.OPEN_WAITING, ev.WaitingViewChanged(listed(*late)), ev.Action.MORE)
    assert press(kiosk, ev.WaitingViewChanged(listed(*late[:6]))).screen == StaffWaiting("1001")


def test_a_drill_shows_its_steps_and_is_not_begun_twice() -> None:
    page = press(inside(), ev.Action.OPEN_DRILL)
    running, effects = reduce(page, ev.Pressed(ev.Action.RUN))
    assert ask.RunDrill(staff="1001") in effects
    assert ask.RunDrill(staff="1001") not in reduce(running, ev.Pressed(ev.Action.RUN))[1]
    step, effects = reduce(running, ev.DrillAdvanced(DrillStep.REFUSE))
    assert step.screen == StaffDrill("1001", DrillStep.REFUSE)
    assert effects == (do.StartTimer(60.0),), "a drill at work keeps the page"
    done = press(step, ev.DrillAdvanced(DrillStep.ERASE, True))
    assert ask.RunDrill(staff="1001") in reduce(done, ev.Pressed(ev.Action.RUN))[1]


def test_the_check_runs_by_itself_at_rest_and_again_when_staff_ask() -> None:
    for screen in (Idle(), OutOfService):
        if isinstance(screen, Idle):
            assert do.RunCheck() in reduce(READY, ev.CheckDue())[1]
    lost = press(READY, ev.ReaderChanged(ReaderCondition.LOST))
    assert isinstance(lost.screen, OutOfService)
    assert do.RunCheck() in reduce(lost, ev.CheckDue())[1]
    page, effects = reduce(inside(), ev.Pressed(ev.Action.OPEN_CHECK))
    assert isinstance(page.screen, StaffCheck), "never checked: the page asks by itself"
    assert do.RunCheck() in effects
