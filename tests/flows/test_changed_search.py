"""Changed settings on the card, over every reachable state: read, taken with a passcode, or left."""

from dataclasses import replace

import pytest

from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import DoorNumber, DoorPad, DoorPasscode, StaffChanged, StaffMenu
from kiosk.visit.states import Kiosk
from kiosk.visit.views.changed_settings_view import Change, ChangedView
from tests.flows.search import Transition
from tests.flows.test_staff_search import inside, press
from tests.flows.test_visit_search import check

CHANGED = ChangedView("an offer", tuple(Change("clinic", f"key{n}", "old", "new") for n in range(4)))


def test_changed_settings_are_taken_by_a_passcode_given_for_them_and_by_nothing_else(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        taken = [effect for effect in t.effects if isinstance(effect, do.TakeSettings)]
        if not taken:
            return True
        pad = t.before.screen
        accepted = isinstance(t.event, ev.StaffAccepted) and t.event.visit is None
        return isinstance(pad, DoorPasscode) and pad.checking and accepted and taken[0].offer == pad.takes

    check(transitions, holds)
    assert any(isinstance(effect, do.TakeSettings) for t in transitions for effect in t.effects)

    def asked(t: Transition) -> bool:
        pad = t.after.screen
        if not isinstance(pad, DoorPasscode) or pad.takes is None or isinstance(t.before.screen, DoorPad):
            return True
        view = t.before.changed
        return (
            isinstance(t.before.screen, StaffChanged)
            and view is not None
            and view.may_be_taken
            and pad.number == t.before.screen.staff
            and pad.takes == view.offer
        )

    check(transitions, asked)


def offered(view: ChangedView = CHANGED) -> Kiosk:
    return press(inside(), ev.CardSettingsChanged(view), ev.Action.OPEN_CHANGED)


def test_changed_settings_are_read_to_the_end_and_taken_with_the_passcode_once_more() -> None:
    page = offered()
    assert press(page, ev.Action.RUN).screen == page.screen, "there is a second page"
    last = press(page, ev.Action.MORE)
    assert last.screen == StaffChanged("1001", 1)
    assert press(last, ev.Action.MORE).screen == last.screen
    pad = press(last, ev.Action.RUN)
    assert pad.screen == DoorPasscode("1001", takes="an offer")
    typed_in = press(pad, *[ev.DigitTyped()] * 6, ev.Action.OK)
    after, effects = reduce(typed_in, ev.StaffAccepted(None, "1001"))
    assert after.screen == StaffChanged("1001")
    assert do.TakeSettings("1001", "an offer") in effects


def test_a_wrong_passcode_for_changed_settings_ends_the_session_and_counts() -> None:
    pad = press(offered(), ev.Action.MORE, ev.Action.RUN, *[ev.DigitTyped()] * 6, ev.Action.OK)
    refused, effects = reduce(pad, ev.StaffRefused(None))
    assert refused.screen == DoorNumber(refused=True)
    assert not any(isinstance(effect, do.TakeSettings) for effect in effects)
    assert refused.door.misses == 1
    back = press(offered(), ev.Action.MORE, ev.Action.RUN, ev.Action.BACK)
    assert back.screen == StaffChanged("1001")


@pytest.mark.parametrize(
    "view",
    [
        replace(CHANGED, changes=(Change("clinic", "terminal", "K001", "K002", fixed=True),)),
        replace(CHANGED, changes=(), faults=(("直す", "mend"),)),
        replace(CHANGED, changes=CHANGED.changes[:1], taking=True),
    ],
    ids=["fixed", "faults", "taking"],
)
def test_what_cannot_be_taken_asks_for_no_passcode(view: ChangedView) -> None:
    page = offered(view)
    assert press(page, ev.Action.RUN).screen == page.screen


def test_changed_settings_may_be_left_and_are_told_of_no_more() -> None:
    after, effects = reduce(offered(), ev.Pressed(ev.Action.LEAVE))
    assert isinstance(after.screen, StaffMenu)
    assert do.LeaveSettings("1001") in effects
    left = press(after, ev.CardSettingsChanged(replace(CHANGED, left=True)), ev.Action.OPEN_SETTINGS)
    again = press(left, ev.Action.OPEN_CHANGED)
    assert again.screen == StaffChanged("1001")
    assert do.LeaveSettings("1001") not in reduce(again, ev.Pressed(ev.Action.LEAVE))[1]
    assert press(inside(), ev.Action.OPEN_CHANGED).screen == inside().screen, "nothing was changed"
