"""Behind the hidden door: staff number, passcode, menu, and what staff do there.

Nothing here belongs to a visit, and no patient's event leads here: the door is knocked at by a long press,
and a page is reached only from `StaffAccepted` or from another page.
"""

from dataclasses import replace
from typing import assert_never

from kiosk.qualification.guidance import REASONS, RecordFinding, ways_apply
from kiosk.qualification.terms import FallbackReason
from kiosk.visit.effects import AskHours, EndReaderTest, RunCheck, TryReader
from kiosk.visit.events import (
    Action,
    CardSettingsChanged,
    CaseOpened,
    CheckCompleted,
    DrillAdvanced,
    Event,
    FallbackChosen,
    Pressed,
    StaffAccepted,
    StaffRefused,
    TimeUp,
)
from kiosk.visit.pads import lock_if_used_up, number_given, tries_used_up, type_number, type_passcode
from kiosk.visit.staff_requests import (
    AnswerSeen,
    AskDay,
    AskWaitingList,
    CloseUpdate,
    LeaveSettings,
    RunDrill,
    SetFallback,
    TakeSettings,
)
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPasscode,
    StaffCase,
    StaffChanged,
    StaffCheck,
    StaffDay,
    StaffDrill,
    StaffFallback,
    StaffHelp,
    StaffMenu,
    StaffPage,
    StaffReading,
    StaffSettings,
    StaffTest,
    StaffUpdate,
    StaffWaiting,
)
from kiosk.visit.staff_tools import day, help_page, reading, settings, test, update
from kiosk.visit.states import CallReason, Kiosk
from kiosk.visit.step import Step, call, resting, stay
from kiosk.visit.views.changed_settings_view import CardSettings
from kiosk.visit.views.staff_views import CheckView, DrillStep
from kiosk.visit.views.waiting_view import WaitingCase, case_of

CASES_PER_PAGE = 6
FAULTS_PER_PAGE = 3
PARTS_PER_PAGE = 6
CHANGES_PER_PAGE = 3


def door_number(kiosk: Kiosk, screen: DoorNumber, event: Event) -> Step:
    """Handle an event while the staff number is typed at the door."""
    match event:
        case Pressed(Action.BACK) | TimeUp():
            return stay(resting(kiosk))
        case Pressed(Action.HELP):
            return call(None, CallReason.HELP)
        case _ if kiosk.door.locked:
            return stay(screen)
        case _ if number_given(screen, event):
            return DoorPasscode(screen.number), ()
        case _:
            return stay(type_number(screen, event))


def door_passcode(kiosk: Kiosk, screen: DoorPasscode, event: Event) -> Step:
    """Handle an event while the passcode is typed at the door; the fifth wrong one locks it."""
    match event:
        case TimeUp():
            return stay(resting(kiosk))
        case Pressed(Action.HELP):
            return call(None, CallReason.HELP)
        case StaffAccepted(visit=None) if screen.checking and screen.takes is not None:
            return StaffChanged(screen.number), (TakeSettings(staff=screen.number, offer=screen.takes),)
        case StaffAccepted(visit=None) if screen.checking:
            return StaffMenu(screen.number), (AskWaitingList(staff=screen.number),)
        case StaffRefused(visit=None) if screen.checking:
            return DoorNumber(refused=True), lock_if_used_up(kiosk, screen.number)
        case Pressed(Action.BACK) if not screen.checking:
            return (DoorNumber() if screen.takes is None else StaffChanged(screen.number)), ()
        case Pressed(Action.OK) if tries_used_up(kiosk) and not screen.checking:
            return DoorNumber(refused=True), lock_if_used_up(kiosk, screen.number)
        case _:
            return type_passcode(kiosk, screen, None, event)


def staff_page(kiosk: Kiosk, screen: StaffPage, event: Event) -> Step:
    """Handle an event on one of the staff pages."""
    after, effects = _turn(kiosk, screen, event)
    if isinstance(screen, StaffReading) and not isinstance(after, StaffReading):
        effects = (*effects, EndReaderTest())
    if isinstance(screen, StaffUpdate) and not isinstance(after, StaffUpdate):
        effects = (*effects, CloseUpdate())
    return after, effects


def _turn(kiosk: Kiosk, screen: StaffPage, event: Event) -> Step:
    match event:
        case Pressed(Action.FINISH) | TimeUp():
            return stay(resting(kiosk))
        case Pressed(Action.BACK):
            return _back(screen)
        case _:
            return _on_page(kiosk, screen, event)


def _back(screen: StaffPage) -> Step:
    match screen:
        case StaffMenu(more=False):
            return stay(screen)
        case (
            StaffDrill()
            | StaffReading()
            | StaffTest()
            | StaffSettings()
            | StaffHelp()
            | StaffUpdate()
            | StaffChanged()
        ):
            return StaffMenu(screen.staff, more=True), (AskWaitingList(staff=screen.staff),)
        case StaffCase(case=WaitingCase(record=str())):
            return StaffWaiting(screen.staff), (AskWaitingList(staff=screen.staff),)
        case _:
            return StaffMenu(screen.staff), (AskWaitingList(staff=screen.staff),)


def _on_page(kiosk: Kiosk, screen: StaffPage, event: Event) -> Step:
    match screen:
        case StaffMenu():
            return _menu(kiosk, screen, event)
        case StaffCheck():
            return _check(kiosk, screen, event)
        case StaffFallback():
            return _fallback(kiosk, screen, event)
        case StaffWaiting():
            return _waiting(kiosk, screen, event)
        case StaffCase():
            return _case(screen, event)
        case StaffDrill():
            return _drill(screen, event)
        case StaffDay():
            return day(screen, event)
        case StaffReading():
            return reading(kiosk, screen, event)
        case StaffTest():
            return test(screen, event)
        case StaffSettings():
            return settings(kiosk, screen, event)
        case StaffHelp():
            return help_page(screen, event)
        case StaffUpdate():
            return update(kiosk, screen, event)
        case StaffChanged():
            return _changed(kiosk, screen, event)
        case _:
            assert_never(screen)


def _menu(kiosk: Kiosk, screen: StaffMenu, event: Event) -> Step:
    staff = screen.staff
    match event:
        case Pressed(Action.OPEN_CHECK) if kiosk.check is None:
            return StaffCheck(staff, running=True), (RunCheck(),)
        case Pressed(Action.OPEN_CHECK):
            return StaffCheck(staff), ()
        case Pressed(Action.OPEN_FALLBACK):
            return StaffFallback(staff), ()
        case Pressed(Action.OPEN_WAITING):
            return StaffWaiting(staff), (AskWaitingList(staff=staff),)
        case Pressed(Action.OPEN_DRILL):
            return StaffDrill(staff), ()
        case Pressed(Action.OPEN_DAY):
            return StaffDay(staff), (AskDay(),)
        case Pressed(Action.OPEN_READING):
            return StaffReading(staff), (TryReader(staff),)
        case Pressed(Action.OPEN_TEST):
            return StaffTest(staff), ()
        case Pressed(Action.OPEN_SETTINGS):
            return StaffSettings(staff), ()
        case Pressed(Action.OPEN_UPDATE):
            return StaffUpdate(staff), ()
        case Pressed(Action.OPEN_CHANGED) if kiosk.changed.file is not None:
            return StaffChanged(staff), ()
        case Pressed(Action.OPEN_HELP):
            return StaffHelp(staff), (AskHours(),)
        case Pressed(Action.MORE):
            return replace(screen, more=not screen.more), ()
        case CaseOpened(record=None) if kiosk.waiting is not None and kiosk.waiting.last_recorded is not None:
            last = WaitingCase(None, kiosk.waiting.last_recorded, RecordFinding.RECORDED)
            return StaffCase(staff, last), ()
        case _:
            return stay(screen)


def _changed(kiosk: Kiosk, screen: StaffChanged, event: Event) -> Step:
    """Turn its pages; on the last one take it, with the passcode once more, or leave it."""
    card = kiosk.changed
    last = card.file is None or screen.page == changed_pages(card) - 1
    match event:
        case Pressed(Action.MORE) if not last:
            return replace(screen, page=screen.page + 1), ()
        case Pressed(Action.RUN) if card.file is not None and card.may_be_taken and last:
            return DoorPasscode(screen.staff, takes=card.file.offer), ()
        case Pressed(Action.LEAVE) if card.due and not card.taking:
            return StaffMenu(screen.staff), (
                LeaveSettings(staff=screen.staff),
                AskWaitingList(staff=screen.staff),
            )
        case CardSettingsChanged():
            return StaffChanged(screen.staff), ()
        case _:
            return stay(screen)


def changed_pages(card: CardSettings) -> int:
    """How many pages tell what changed, or what is wrong."""
    lines = () if card.file is None else card.file.faults or card.file.changes
    return max(1, -(-len(lines) // CHANGES_PER_PAGE))


def _check(kiosk: Kiosk, screen: StaffCheck, event: Event) -> Step:
    match event:
        case CheckCompleted():
            return StaffCheck(screen.staff), ()
        case Pressed(Action.RUN) if not screen.running:
            return StaffCheck(screen.staff, running=True), (RunCheck(),)
        case Pressed(Action.MORE) if not screen.running and kiosk.check is not None:
            return replace(screen, page=(screen.page + 1) % check_pages(kiosk.check)), ()
        case _:
            return stay(screen)


def fault_pages(view: CheckView) -> int:
    """How many pages tell what is to mend; one says that nothing is."""
    return max(1, -(-len(view.faults) // FAULTS_PER_PAGE))


def check_pages(view: CheckView) -> int:
    """Those, and the pages that name every part that is in order."""
    return fault_pages(view) + -(-len(view.fine) // PARTS_PER_PAGE)


def _next(position: int, by: int, count: int) -> int:
    """The next page's first entry; after the last page the first again."""
    return position + by if position + by < count else 0


def _fallback(kiosk: Kiosk, screen: StaffFallback, event: Event) -> Step:
    """Offline is found and left by the kiosk itself; staff begin and end the rest."""
    now = kiosk.line.fallback
    match event:
        case FallbackChosen(reason=None) if now is not None and now is not FallbackReason.OFFLINE:
            return screen, (SetFallback(staff=screen.staff, reason=None),)
        case FallbackChosen(reason=reason) if reason in REASONS and reason is not now:
            return screen, (SetFallback(staff=screen.staff, reason=reason),)
        case _:
            return stay(screen)


def _waiting(kiosk: Kiosk, screen: StaffWaiting, event: Event) -> Step:
    late = kiosk.waiting.records.late if kiosk.waiting is not None else ()
    match event:
        case CaseOpened(record=record):
            found = next((answer for answer in late if answer.visit == record), None)
            return stay(screen) if found is None else (StaffCase(screen.staff, case_of(found)), ())
        case Pressed(Action.MORE):
            return replace(screen, position=_next(screen.position, CASES_PER_PAGE, len(late))), ()
        case _ if screen.position >= max(1, len(late)):  # the list has grown shorter
            return replace(screen, position=0), ()
        case _:
            return stay(screen)


def _case(screen: StaffCase, event: Event) -> Step:
    match event:
        case Pressed(Action.MORE) if ways_apply(screen.case.finding):
            return replace(screen, ways=not screen.ways), ()
        case Pressed(Action.SEEN) if screen.case.record is not None:
            return StaffWaiting(screen.staff), (AnswerSeen(staff=screen.staff, visit=screen.case.record),)
        case _:
            return stay(screen)


def _drill(screen: StaffDrill, event: Event) -> Step:
    match event:
        case Pressed(Action.RUN) if screen.step is None or screen.passed is not None:
            return StaffDrill(screen.staff, DrillStep.SEAL), (RunDrill(staff=screen.staff),)
        case DrillAdvanced(step=step, passed=passed):
            return StaffDrill(screen.staff, step, passed), ()
        case _:
            return stay(screen)
