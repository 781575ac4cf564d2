"""The hidden door and what lies behind it, over every reachable state."""

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import msgspec
import pytest

from kiosk.qualification.guidance import RecordFinding
from kiosk.qualification.terms import FallbackReason, Mode
from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit import staff_requests as ask
from kiosk.visit.machine import reduce
from kiosk.visit.rules import Rules
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPad,
    DoorPasscode,
    StaffCase,
    StaffChanged,
    StaffCheck,
    StaffDrill,
    StaffFallback,
    StaffMenu,
    StaffPage,
    StaffReading,
    StaffSettings,
    StaffTest,
    StaffUpdate,
    StaffWaiting,
)
from kiosk.visit.states import (
    EnterPasscode,
    EnterStaffNumber,
    Idle,
    Kiosk,
    LineStatus,
    OutboxCondition,
    OutOfService,
    ReaderCondition,
    StaffCalled,
    TooEarly,
    Visit,
    visit_of,
)
from kiosk.visit.timing import dwell
from kiosk.visit.views.staff_views import OPEN_DOOR, DoorTries, DrillStep
from kiosk.visit.views.update_view import UpdateOffer, UpdatePhase, UpdateSource, UpdateStatus
from kiosk.visit.views.waiting_view import WaitingCase, case_of
from tests.flows.search import LATE, OFFERS, STAFF, VISIT, WAITING, Transition, late_answer, listed
from tests.flows.test_visit_search import check

READY = Kiosk(Rules(Mode.HOME_CONSENT), "ja", Idle(), ReaderCondition.READY, OutboxCondition.READY)
STAFF_EFFECTS = (
    ask.AskWaitingList
    | ask.AnswerSeen
    | ask.SetFallback
    | ask.RunDrill
    | do.TryReader
    | ask.SetPreferences
    | ask.StartUpdate
    | ask.StopUpdate
    | ask.RestartKiosk
    | ask.TakeSettings
    | ask.LeaveSettings
)


def press(kiosk: Kiosk, *events: ev.Event | ev.Action) -> Kiosk:
    for event in events:
        kiosk, _ = reduce(kiosk, ev.Pressed(event) if isinstance(event, ev.Action) else event)
    return kiosk


def typed(number: str = "1001") -> list[ev.Event]:
    """Number and passcode, handed over for comparison."""
    keys: list[ev.Event] = [ev.NumberTyped(digit) for digit in number]
    return [*keys, ev.Pressed(ev.Action.OK), *[ev.DigitTyped()] * 6, ev.Pressed(ev.Action.OK)]


def inside(kiosk: Kiosk = READY) -> Kiosk:
    """The staff menu, as staff come to it."""
    return press(
        kiosk, ev.Knocked(), *typed(), ev.StaffAccepted(None, "1001"), ev.WaitingViewChanged(WAITING)
    )


def test_a_staff_page_is_reached_only_through_the_door(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        if not isinstance(t.after.screen, StaffPage) or isinstance(t.before.screen, StaffPage):
            return True
        if not isinstance(t.before.screen, DoorPasscode):
            return False
        if isinstance(t.after.screen, StaffChanged) and t.event == ev.Pressed(ev.Action.BACK):
            return t.before.screen.takes is not None  # it was asked for from that page, in that session
        let_in = isinstance(t.event, ev.StaffAccepted) and t.event.visit is None
        return let_in and t.before.screen.checking

    check(transitions, holds)


def test_the_door_is_knocked_at_from_rest_or_when_staff_were_called(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        if not isinstance(t.after.screen, DoorPad) or isinstance(t.before.screen, DoorPad):
            return True
        if isinstance(t.after.screen, DoorPasscode) and t.after.screen.takes is not None:
            return isinstance(t.before.screen, StaffChanged)  # staff are in, and asked once more
        return t.event == ev.Knocked() and isinstance(t.before.screen, Idle | OutOfService | StaffCalled)

    check(transitions, holds)


def test_door_and_pages_hold_no_visit_and_begin_none(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        if not isinstance(t.before.screen, DoorPad | StaffPage):
            return True
        patient = do.BeginVisit | do.Arm | do.SendPin | do.FreezeTranscript | do.SealAndCommit | do.EndVisit
        return (
            visit_of(t.before.screen) is None
            and visit_of(t.after.screen) is None
            and not any(isinstance(effect, patient) for effect in t.effects)
        )

    check(transitions, holds)


def test_no_open_visit_is_left_for_the_door(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not isinstance(t.after.screen, DoorPad | StaffPage)
            or visit_of(t.before.screen) is None
            or isinstance(t.before.screen, StaffCalled)  # that visit ended when staff were called
        ),
    )


def test_what_staff_do_is_asked_for_by_staff_alone_and_under_their_number(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        asked = [effect for effect in t.effects if isinstance(effect, STAFF_EFFECTS)]
        pages = StaffMenu | StaffChanged
        let_in = isinstance(t.after.screen, pages) and isinstance(t.before.screen, DoorPasscode)
        page = t.before.screen if isinstance(t.before.screen, StaffPage) else t.after.screen
        return not asked or (
            (isinstance(t.before.screen, StaffPage) or let_in)
            and isinstance(page, StaffPage)
            and all(effect.staff == page.staff == STAFF for effect in asked)
        )

    check(transitions, holds)


def test_a_session_never_changes_hands(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not (isinstance(t.before.screen, StaffPage) and isinstance(t.after.screen, StaffPage))
            or t.before.screen.staff == t.after.screen.staff
        ),
    )


def test_what_the_desk_was_told_is_gone_when_staff_have_left(transitions: list[Transition]) -> None:
    check(transitions, lambda t: t.after.desk is None or isinstance(t.after.screen, StaffPage))


def test_leaving_the_passcode_pad_forgets_its_digits(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: (
            not isinstance(t.before.screen, DoorPasscode | EnterPasscode)
            or type(t.after.screen) is type(t.before.screen)
            or any(isinstance(effect, do.ForgetDigits) for effect in t.effects)
        ),
    )


def test_door_and_pages_end_by_one_wait(kiosks: set[Kiosk]) -> None:
    behind = [kiosk for kiosk in kiosks if isinstance(kiosk.screen, DoorPad | StaffPage)]
    assert {type(kiosk.screen) for kiosk in behind} == {*get_args(DoorPad), *get_args(StaffPage)}
    for kiosk in behind:
        assert dwell(kiosk) == kiosk.rules.timing.menu_s
        assert isinstance(press(kiosk, ev.TimeUp()).screen, Idle | OutOfService)


def test_every_staff_page_can_be_left_by_finish(kiosks: set[Kiosk]) -> None:
    for kiosk in kiosks:
        if isinstance(kiosk.screen, StaffPage):
            assert isinstance(press(kiosk, ev.Action.FINISH).screen, Idle | OutOfService)


def test_the_door_is_no_matter_of_a_patient(transitions: list[Transition]) -> None:
    """Whatever passcodes were tried, a visit goes on the same; only where passcodes are typed it matters."""
    shut = DoorTries(2, locked=True)
    of_the_door = ev.StaffAccepted | ev.StaffRefused | ev.DoorUnlocked
    for t in transitions:
        covered = getattr(t.before.screen, "back", t.before.screen)
        typing = isinstance(covered, EnterStaffNumber | EnterPasscode | DoorPad)
        if typing or t.before.door != OPEN_DOOR or t.after == t.before or isinstance(t.event, of_the_door):
            continue
        after, effects = reduce(replace(t.before, door=shut), t.event)
        assert (after, effects) == (replace(t.after, door=shut), t.effects)


def test_the_reading_test_begins_on_its_page_alone_and_ends_whenever_the_page_is_left(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        begun = any(isinstance(effect, do.TryReader) for effect in t.effects)
        ended = any(isinstance(effect, do.EndReaderTest) for effect in t.effects)
        left = isinstance(t.before.screen, StaffReading) and not isinstance(t.after.screen, StaffReading)
        return ended == left and (not begun or isinstance(t.after.screen, StaffReading))

    check(transitions, holds)


def test_only_staff_change_what_is_kept_of_volume_and_languages(transitions: list[Transition]) -> None:
    def holds(t: Transition) -> bool:
        kept = [effect for effect in t.effects if isinstance(effect, ask.SetPreferences)]
        return not kept or (
            isinstance(t.before.screen, StaffSettings)
            and all(each.languages[0] == t.before.rules.languages[0] for each in kept)
        )

    check(transitions, holds)


def test_hearing_a_page_again_changes_nothing(transitions: list[Transition]) -> None:
    for t in transitions:
        if t.event == ev.Pressed(ev.Action.SPEAK):
            assert t.after == t.before
            assert t.effects[0] == do.Speak()


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


def offering(*offers: UpdateOffer) -> UpdateStatus:
    return UpdateStatus(running="1", phase=UpdatePhase.IDLE, offers=offers)


def test_updates_begin_and_end_on_their_page_alone_and_what_is_not_due_is_not_installed(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        asked = any(
            isinstance(effect, ask.StartUpdate | ask.StopUpdate | ask.RestartKiosk) for effect in t.effects
        )
        closed = any(isinstance(effect, ask.CloseUpdate) for effect in t.effects)
        left = isinstance(t.before.screen, StaffUpdate) and not isinstance(t.after.screen, StaffUpdate)
        return closed == left and (not asked or isinstance(t.before.screen, StaffUpdate))

    check(transitions, holds)
    hour = "2026-12-01T10:00:00+09:00"
    later = msgspec.structs.replace(OFFERS[0], by_hand=False, by_hand_from=hour)
    page = press(inside(), ev.Action.OPEN_UPDATE, ev.UpdateChanged(offering(later)))
    assert reduce(page, ev.Pressed(ev.Action.RUN))[0] == page


def test_the_offer_that_is_shown_is_the_one_that_is_installed() -> None:
    from_channel = msgspec.structs.replace(OFFERS[0], source=UpdateSource.CHANNEL)
    two = offering(from_channel, OFFERS[1])
    page = press(inside(), ev.Action.OPEN_UPDATE, ev.UpdateChanged(two), ev.Action.MORE)
    _, effects = reduce(page, ev.Pressed(ev.Action.RUN))
    assert ask.StartUpdate(staff="1001", version="3", source=UpdateSource.STICK) in effects
    fewer = press(page, ev.UpdateChanged(offering(from_channel)))
    assert fewer.screen == StaffUpdate("1001")


def wrong(kiosk: Kiosk, times: int) -> Iterator[tuple[Kiosk, tuple[do.Effect, ...]]]:
    """So many wrong passcodes in a row at the door; each outcome."""
    for _ in range(times):
        kiosk = press(kiosk, *typed())
        kiosk, effects = reduce(kiosk, ev.StaffRefused(None))
        yield kiosk, effects


def test_the_fifth_wrong_passcode_in_a_row_locks_the_door_for_five_minutes() -> None:
    *four, (locked, effects) = wrong(press(READY, ev.Knocked()), 5)
    assert all(not any(isinstance(e, do.LockDoor) for e in each) for _, each in four)
    assert [e for e in effects if isinstance(e, do.LockDoor)] == [do.LockDoor("1001", 300.0)]
    assert press(locked, *typed()).screen == locked.screen
    assert press(locked, ev.Action.BACK).screen == Idle()
    opened = press(locked, ev.DoorUnlocked())
    assert isinstance(inside(press(opened, ev.Action.BACK)).screen, StaffMenu)


def test_a_right_passcode_in_between_begins_the_count_anew() -> None:
    *_, (kiosk, _) = wrong(press(READY, ev.Knocked()), 4)
    kiosk = press(kiosk, *typed(), ev.StaffAccepted(None, "1001"))
    assert kiosk.door == OPEN_DOOR


def test_the_visual_check_s_passcode_counts_too() -> None:
    *_, (kiosk, _) = wrong(press(READY, ev.Knocked()), 4)
    visit = Visit(VISIT, Mode.HOME_CONSENT)
    kiosk = press(replace(kiosk, screen=EnterStaffNumber(visit)), *typed())
    kiosk, effects = reduce(kiosk, ev.StaffRefused(VISIT))
    assert any(isinstance(effect, do.LockDoor) for effect in effects)
    assert kiosk.door.locked
    assert visit_of(kiosk.screen) == visit, "the patient's visit goes on"
    assert press(kiosk, *typed()).screen == kiosk.screen
    assert press(kiosk, ev.Action.BACK).screen.name == "visual_check"


def test_leaving_before_the_comparison_is_done_still_costs_a_try() -> None:
    kiosk = READY
    for _ in range(5):
        kiosk = press(kiosk, ev.Knocked(), *typed(), ev.Action.HELP, ev.StaffRefused(None))
        assert isinstance(kiosk.screen, StaffCalled)
    kiosk = press(kiosk, ev.Knocked(), *typed()[:-1])
    kiosk, effects = reduce(kiosk, ev.Pressed(ev.Action.OK))
    assert kiosk.door.locked
    assert not any(isinstance(effect, do.CheckStaff) for effect in effects)


def test_an_acceptance_at_the_door_never_vouches_for_a_patient() -> None:
    visit = Visit(VISIT, Mode.HOME_CONSENT)
    asking = press(replace(READY, screen=EnterStaffNumber(visit)), *typed())
    assert press(asking, ev.StaffAccepted(None, "1001")).screen == asking.screen
    assert press(asking, ev.StaffRefused(None)).screen == asking.screen


def test_a_forgotten_token_does_not_open_the_door() -> None:
    assert press(replace(READY, screen=TooEarly(Idle())), ev.Knocked()).screen == TooEarly(Idle())


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


def test_a_check_is_not_begun_in_the_middle_of_a_visit(transitions: list[Transition]) -> None:
    check(
        transitions,
        lambda t: do.RunCheck() not in t.effects or visit_of(t.before.screen) is None,
    )


def test_a_locked_door_says_so_and_lets_go(kiosks: set[Kiosk]) -> None:
    shut = [k for k in kiosks if k.door.locked and isinstance(k.screen, DoorNumber | EnterStaffNumber)]
    assert shut
    for kiosk in shut:
        for event in (ev.NumberTyped("1"), ev.Pressed(ev.Action.OK), ev.Pressed(ev.Action.ERASE)):
            assert press(kiosk, event).screen == kiosk.screen
        assert press(kiosk, ev.Action.BACK).screen != kiosk.screen
