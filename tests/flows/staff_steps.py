"""How staff come in, as events."""

from kiosk.qualification.terms import Mode
from kiosk.visit import events as ev
from kiosk.visit.machine import reduce
from kiosk.visit.rules import Rules
from kiosk.visit.states import (
    Idle,
    Kiosk,
    OutboxCondition,
    ReaderCondition,
)
from kiosk.visit.views.update_view import UpdateOffer, UpdatePhase, UpdateStatus
from tests.flows.search import WAITING

READY = Kiosk(Rules(Mode.HOME_CONSENT), "ja", Idle(), ReaderCondition.READY, OutboxCondition.READY)


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


def offering(*offers: UpdateOffer) -> UpdateStatus:
    return UpdateStatus(running="1", phase=UpdatePhase.IDLE, offers=offers)
