"""The hidden door and what lies behind it, over every reachable state."""

from dataclasses import replace
from typing import get_args

import msgspec

from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit import staff_requests as ask
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPad,
    DoorPasscode,
    StaffChanged,
    StaffMenu,
    StaffPage,
    StaffReading,
    StaffSettings,
    StaffUpdate,
)
from kiosk.visit.states import (
    EnterPasscode,
    EnterStaffNumber,
    Idle,
    Kiosk,
    OutOfService,
    StaffCalled,
    visit_of,
)
from kiosk.visit.timing import dwell
from kiosk.visit.views.staff_views import OPEN_DOOR, DoorTries
from tests.flows.search import OFFERS, STAFF, Transition
from tests.flows.staff_steps import inside, offering, press
from tests.flows.test_visit_search import check

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
    check(transitions, lambda t: t.after.waiting is None or isinstance(t.after.screen, StaffPage))


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
