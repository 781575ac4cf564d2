"""The hidden door: passcodes that fit and do not fit."""

from collections.abc import Iterator
from dataclasses import replace

from kiosk.qualification.terms import Mode
from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import (
    StaffMenu,
)
from kiosk.visit.states import (
    EnterStaffNumber,
    Idle,
    Kiosk,
    StaffCalled,
    TooEarly,
    Visit,
    visit_of,
)
from kiosk.visit.views.staff_views import OPEN_DOOR
from tests.flows.search import VISIT
from tests.flows.staff_steps import READY, inside, press, typed


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
