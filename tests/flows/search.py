"""Exhaustive search over the visit machine: every state that any order of events can reach."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from kiosk.qualification.call_centre import CallHours
from kiosk.qualification.consent import NOT_ASKED, Consent, ConsentForm
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import FallbackReason, Outcome
from kiosk.visit import events as ev
from kiosk.visit.effects import Effect
from kiosk.visit.machine import reduce
from kiosk.visit.rules import LOUDEST
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPasscode,
    StaffChanged,
    StaffMenu,
    StaffSettings,
    StaffUpdate,
)
from kiosk.visit.staff_tools import SPOTS
from kiosk.visit.states import (
    AskConsent,
    AskConsentItems,
    Checking,
    ChooseDevice,
    EnterPasscode,
    EnterStaffNumber,
    Idle,
    Kiosk,
    LineStatus,
    NotConfirmed,
    OutboxCondition,
    OutOfService,
    ReaderCondition,
    Recorded,
    StaffCalled,
    Stage,
    Verified,
    VisualCheck,
    WrongTokenKind,
    visit_of,
)
from kiosk.visit.views.changed_settings_view import UNCHANGED, CardSettings, ChangedFile, SettingChange
from kiosk.visit.views.staff_views import (
    OPEN_DOOR,
    CheckView,
    DayView,
    DrillStep,
    SeenToken,
)
from kiosk.visit.views.update_view import UpdateOffer, UpdatePhase, UpdateSource, UpdateStatus
from kiosk.visit.views.waiting_view import LateAnswer, WaitingList, WaitingView

VISIT = "01936f00-0000-7000-8000-000000000001"
STALE = "01936f00-0000-7000-8000-00000000dead"
STAFF = "111"  #: what the pads of the search hold when OK is taken


def late_answer(record: str, receipt: str, validity: str) -> LateAnswer:
    moment = "2026-11-25T09:00:00+09:00"
    return LateAnswer(
        visit=record,
        receipt=receipt,
        taken_at=moment,
        answered_at=moment,
        outcome=Outcome.NOT_CONFIRMED,
        validity=validity,
    )


def listed(*late: LateAnswer) -> WaitingView:
    records = WaitingList(waiting=1, oldest_at=None, expired=0, quarantined=0, late=late)
    return WaitingView(records, last_recorded="0007")


#: What staff see, abstract: one late answer of each kind that the pages tell apart.
LATE = (late_answer("r1", "0001", "1"), late_answer("r2", "0002", "4"))
WAITING = listed(*LATE)
GOOD = CheckView(None)
DAY = DayView(None)
OFFERS = tuple(
    UpdateOffer(version=version, source=UpdateSource.STICK, megabytes=1, changes={}) for version in ("2", "3")
)
UPDATES = (
    UpdateStatus(running="1", phase=UpdatePhase.IDLE, offers=OFFERS),
    UpdateStatus(running="1", phase=UpdatePhase.IDLE, offers=OFFERS[:1]),
    UpdateStatus(running="1", phase=UpdatePhase.FETCHING),
    UpdateStatus(running="1", phase=UpdatePhase.INSTALLED),
)
NAMES = tuple(SettingChange(section="clinic", key="name", old=str(each), new="new") for each in range(4))
TERMINAL = SettingChange(section="clinic", key="terminal", old="K001", new="K002", fixed=True)
CHANGED = (
    CardSettings(file=ChangedFile(offer="new", changes=NAMES)),
    CardSettings(file=ChangedFile(offer="other", changes=(TERMINAL,))),
    CardSettings(file=ChangedFile(offer="new", changes=NAMES[:1]), taking=True),
    UNCHANGED,
)
HOURS = CallHours(True, datetime(2026, 11, 25, 18, 0))


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
    if not (isinstance(kiosk.screen, EnterPasscode | DoorPasscode) and kiosk.screen.digits == 4):
        yield ev.DigitTyped()
    if not (isinstance(kiosk.screen, EnterStaffNumber | DoorNumber) and len(kiosk.screen.number) == 3):
        yield ev.NumberTyped("1")  # longer numbers lead nowhere new
    yield ev.TimeUp()
    if not isinstance(kiosk.screen, Verified | NotConfirmed | Recorded | StaffCalled):
        yield from (ev.ReaderChanged(c) for c in (ReaderCondition.READY, ReaderCondition.LOST))
    if isinstance(kiosk.screen, Idle | OutOfService | Checking):
        yield from (ev.OutboxChanged(c) for c in (OutboxCondition.READY, OutboxCondition.FULL))
    yield ev.LineChanged(LineStatus())
    yield from (ev.UpdateChanged(status) for status in UPDATES if isinstance(kiosk.screen, StaffUpdate))
    yield from (ev.CardSettingsChanged(card) for card in CHANGED if _of_the_card(kiosk))
    yield ev.PreferencesChanged(0 if isinstance(kiosk.screen, StaffSettings) else None, None)
    yield from events_of_staff()
    yield from events_of_visit(VISIT)
    yield from events_of_visit(STALE)


def _of_the_card(kiosk: Kiosk) -> bool:
    """Where changed settings on the card matter: they lead from the menu to their page and to a passcode."""
    takes = isinstance(kiosk.screen, DoorPasscode) and kiosk.screen.takes is not None
    return takes or isinstance(kiosk.screen, StaffMenu | StaffChanged)


def events_of_staff() -> Iterator[ev.Event]:
    yield ev.Knocked()
    yield ev.StaffAccepted(None, STAFF)
    yield ev.StaffRefused(None)
    yield ev.DoorUnlocked()
    yield from (ev.FallbackChosen(reason) for reason in (*FallbackReason, None))
    yield from (ev.CaseOpened(record) for record in (None, "r1", "r2", "gone"))
    yield ev.WaitingViewChanged(WAITING)
    yield from (ev.SpotTouched(spot) for spot in (*range(SPOTS), SPOTS))
    yield from (ev.VolumeChosen(volume) for volume in (0, LOUDEST + 1))
    yield from (ev.LanguageSwitched(language) for language in ("ja", "en", "xx"))
    yield from (ev.ReadingAdvanced(seen) for seen in (SeenToken.LIES, Device.CARD))
    yield ev.DayCounted(DAY)
    yield ev.CallHoursKnown(HOURS)
    yield ev.DrillAdvanced(DrillStep.REFUSE)
    yield from (ev.DrillAdvanced(DrillStep.ERASE, passed) for passed in (True, False))
    yield ev.CheckDue()
    yield ev.CheckCompleted(GOOD)


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
            if after != kiosk and after not in seen:  # equality is quick, the hash of all of it is not
                seen.add(after)
                if _worth_following(after):
                    queue.append(after)


def _worth_following(kiosk: Kiosk) -> bool:
    """After its question the consent only rides along, and so do the door's tries through a visit: following
    every one of them multiplies and finds nothing (`test_the_door_is_no_matter_of_a_patient`). The volume is
    nobody's matter but the loudspeaker's, and large letters change nothing but letters;
    an update is nobody's but its page's, a changed file on the card nobody's but its page's and the
    menu's."""
    if kiosk.volume == 0 or kiosk.large_text:
        return False
    if kiosk.changed != UNCHANGED and not _of_the_card(kiosk):
        return False
    if kiosk.update is not None and not isinstance(kiosk.screen, StaffUpdate):
        return False
    visit = visit_of(kiosk.screen)
    if kiosk.door != OPEN_DOOR and visit is not None:
        return isinstance(kiosk.screen, VisualCheck | EnterStaffNumber | EnterPasscode)
    if visit is None or isinstance(kiosk.screen, AskConsent | AskConsentItems | ChooseDevice):
        return True
    return visit.consent in (NOT_ASKED, Consent(ConsentForm.ITEMS))
