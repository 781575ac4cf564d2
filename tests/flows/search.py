"""Exhaustive search over the visit machine: every state that any order of events can reach."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kiosk.qualification.consent import NOT_ASKED, Consent, ConsentForm
from kiosk.qualification.terms import Device, Outcome
from kiosk.visit import events as ev
from kiosk.visit.effects import Effect
from kiosk.visit.machine import reduce
from kiosk.visit.states import (
    AskConsent,
    AskConsentItems,
    Checking,
    ChooseDevice,
    EnterPasscode,
    EnterStaffNumber,
    Idle,
    Kiosk,
    Line,
    NotConfirmed,
    OutboxCondition,
    OutOfService,
    ReaderCondition,
    Recorded,
    StaffCalled,
    Stage,
    Verified,
    WrongTokenKind,
    visit_of,
)

VISIT = "01936f00-0000-7000-8000-000000000001"
STALE = "01936f00-0000-7000-8000-00000000dead"


@dataclass(frozen=True)
class Transition:
    before: Kiosk
    event: ev.Event
    after: Kiosk
    effects: tuple[Effect, ...]


def possible_events(kiosk: Kiosk) -> Iterator[ev.Event]:
    """Everything that could happen now, whether it makes sense or not; each also as a stale one."""
    yield ev.Began(VISIT)
    yield from (ev.Pressed(action) for action in ev.Action)
    yield from (ev.LanguageChosen(language) for language in kiosk.rules.languages)
    yield from (ev.ItemAnswered(item, agree) for item in kiosk.rules.consent_items for agree in (True, False))
    yield from (ev.DeviceChosen(device) for device in Device)
    if not (isinstance(kiosk.screen, EnterPasscode) and kiosk.screen.digits == 4):
        yield ev.DigitTyped()
    if not (isinstance(kiosk.screen, EnterStaffNumber) and len(kiosk.screen.number) == 3):
        yield ev.NumberTyped("1")  # longer numbers lead nowhere new
    yield ev.TimeUp()
    if not isinstance(kiosk.screen, Verified | NotConfirmed | Recorded | StaffCalled):
        yield from (ev.ReaderChanged(c) for c in (ReaderCondition.READY, ReaderCondition.LOST))
    if isinstance(kiosk.screen, Idle | OutOfService | Checking):
        yield from (ev.OutboxChanged(c) for c in (OutboxCondition.READY, OutboxCondition.FULL))
    yield ev.LineChanged(Line())
    yield from events_of_visit(VISIT)
    yield from events_of_visit(STALE)


def events_of_visit(visit: str) -> Iterator[ev.Event]:
    yield ev.TokenPresented(visit)
    yield ev.TokenRemoved(visit)
    yield ev.TokenRecognised(visit)
    yield ev.StageReached(visit, Stage.SIGNED)
    yield ev.WrongTokenPresented(visit, WrongTokenKind.PAYMENT)
    yield ev.OtherDevicePresented(visit, None)
    for failure in ev.ReadFailure:
        for kept in (True, False):
            yield ev.ReadFailed(visit, failure, None, kept)
    yield ev.ReadFailed(visit, ev.ReadFailure.PIN_WRONG, 1, False)
    yield ev.TokenAuthenticated(visit)
    yield ev.StaffAccepted(visit, "101")
    yield ev.StaffRefused(visit)
    yield ev.ChallengeArrived(visit, "Y2hhbGxlbmdl")
    yield ev.RecordCommitted(visit, "0007")
    yield ev.RecordRefused(visit)
    yield from (ev.AnswerArrived(visit, outcome) for outcome in Outcome)
    yield ev.DeliveryDeferred(visit)


def search(start: Iterable[Kiosk]) -> Iterator[Transition]:
    """Yield each transition once, breadth first; the states are finite because nothing in them counts."""
    seen = set(start)
    queue = deque(seen)
    while queue:
        kiosk = queue.popleft()
        for event in possible_events(kiosk):
            after, effects = reduce(kiosk, event)
            yield Transition(kiosk, event, after, effects)
            if after not in seen:
                seen.add(after)
                if _worth_following(after):
                    queue.append(after)


def _worth_following(kiosk: Kiosk) -> bool:
    """After its question the consent only rides along: following every answer multiplies, finds nothing."""
    visit = visit_of(kiosk.screen)
    if visit is None or isinstance(kiosk.screen, AskConsent | AskConsentItems | ChooseDevice):
        return True
    return visit.consent in (NOT_ASKED, Consent(ConsentForm.ITEMS))
