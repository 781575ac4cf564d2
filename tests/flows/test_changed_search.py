"""Changed settings on the card, over every reachable state: read, taken with a passcode, or left."""

import pytest

from kiosk.visit import events as ev
from kiosk.visit import staff_requests as ask
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import DoorNumber, DoorPad, DoorPasscode, StaffChanged, StaffMenu
from kiosk.visit.states import Kiosk
from kiosk.visit.views.changed_settings_view import CardSettings, ChangedFile, SettingChange, SettingFault
from tests.flows.search import TERMINAL, Transition
from tests.flows.staff_steps import inside, press
from tests.flows.test_visit_search import check

CHANGES = tuple(SettingChange(section="clinic", key=f"key{n}", old="old", new="new") for n in range(4))
CHANGED = CardSettings(file=ChangedFile(offer="an offer", changes=CHANGES))


def test_changed_settings_are_taken_by_a_passcode_given_for_them_and_by_nothing_else(
    transitions: list[Transition],
) -> None:
    def holds(t: Transition) -> bool:
        taken = [effect for effect in t.effects if isinstance(effect, ask.TakeSettings)]
        if not taken:
            return True
        pad = t.before.screen
        accepted = isinstance(t.event, ev.StaffAccepted) and t.event.visit is None
        return isinstance(pad, DoorPasscode) and pad.checking and accepted and taken[0].offer == pad.takes

    check(transitions, holds)
    assert any(isinstance(effect, ask.TakeSettings) for t in transitions for effect in t.effects)

    def asked(t: Transition) -> bool:
        pad = t.after.screen
        if not isinstance(pad, DoorPasscode) or pad.takes is None or isinstance(t.before.screen, DoorPad):
            return True
        card = t.before.changed
        return (
            isinstance(t.before.screen, StaffChanged)
            and card.file is not None
            and card.may_be_taken
            and pad.number == t.before.screen.staff
            and pad.takes == card.file.offer
        )

    check(transitions, asked)


def offered(card: CardSettings = CHANGED) -> Kiosk:
    return press(inside(), ev.CardSettingsChanged(card), ev.Action.OPEN_CHANGED)


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
    assert ask.TakeSettings(staff="1001", offer="an offer") in effects


def test_a_wrong_passcode_for_changed_settings_ends_the_session_and_counts() -> None:
    pad = press(offered(), ev.Action.MORE, ev.Action.RUN, *[ev.DigitTyped()] * 6, ev.Action.OK)
    refused, effects = reduce(pad, ev.StaffRefused(None))
    assert refused.screen == DoorNumber(refused=True)
    assert not any(isinstance(effect, ask.TakeSettings) for effect in effects)
    assert refused.door.misses == 1
    back = press(offered(), ev.Action.MORE, ev.Action.RUN, ev.Action.BACK)
    assert back.screen == StaffChanged("1001")


@pytest.mark.parametrize(
    "card",
    [
        CardSettings(file=ChangedFile(offer="an offer", changes=(TERMINAL,))),
        CardSettings(file=ChangedFile(offer="an offer", faults=(SettingFault(ja="直す", en="mend"),))),
        CardSettings(file=ChangedFile(offer="an offer", changes=CHANGES[:1]), taking=True),
    ],
    ids=["fixed", "faults", "taking"],
)
def test_what_cannot_be_taken_asks_for_no_passcode(card: CardSettings) -> None:
    page = offered(card)
    assert press(page, ev.Action.RUN).screen == page.screen


def test_changed_settings_may_be_left_and_are_told_of_no_more() -> None:
    after, effects = reduce(offered(), ev.Pressed(ev.Action.LEAVE))
    assert isinstance(after.screen, StaffMenu)
    assert ask.LeaveSettings(staff="1001") in effects
    left = press(
        after, ev.CardSettingsChanged(CardSettings(file=CHANGED.file, left=True)), ev.Action.OPEN_SETTINGS
    )
    again = press(left, ev.Action.OPEN_CHANGED)
    assert again.screen == StaffChanged("1001")
    assert ask.LeaveSettings(staff="1001") not in reduce(again, ev.Pressed(ev.Action.LEAVE))[1]
    assert press(inside(), ev.Action.OPEN_CHANGED).screen == inside().screen, "nothing was changed"
