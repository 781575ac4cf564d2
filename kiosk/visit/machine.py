"""The visit as a state machine: `reduce(kiosk, event) -> (kiosk, effects)`.

How it is meant
---------------
* Everything that decides what the patient sees next is in `Kiosk`; everything that can change it is an
  `Event`; everything it asks of the world is an `Effect`. Time, ids and digits stay outside: a timer is an
  effect, its end an event, a typed digit an event that does not say which.
* One timer: each state has at most one `dwell`. It starts anew on every change of state and on every touch.
* A reader or uploader event names its visit. One that names another visit is stale and changes nothing,
  however late it comes; that is the whole protection against answers of the last patient.
* "Verified" is reached only by an answer, "recorded" only after the commit (`contact.checking`).
* A visit ends in exactly one `EndVisit`, with the outcome that is counted: on entering a result, or on
  falling back to rest without one (abandoned).
* Staff come in by a door of their own (`staff.py`); what they are shown is forgotten when they leave.
* The reader may vanish at any time. While questions are asked nobody need know; once the token is waited for,
  the visit is interrupted, resumes when the reader is back, or ends in out of service.
"""

from dataclasses import replace
from typing import assert_never

from kiosk.qualification.terms import Outcome
from kiosk.visit.contact import armed, checking, interrupted, reading
from kiosk.visit.effects import (
    BeginVisit,
    CheckStaff,
    Disarm,
    Effect,
    EndVisit,
    ForgetDigits,
    LockDoor,
    RunCheck,
    Speak,
)
from kiosk.visit.events import (
    Action,
    Began,
    CardSettingsChanged,
    ChallengeArrived,
    CheckCompleted,
    CheckDue,
    DoorUnlocked,
    Event,
    Knocked,
    LanguageChosen,
    LineChanged,
    OutboxChanged,
    PreferencesChanged,
    Pressed,
    ReaderChanged,
    StaffAccepted,
    TimeUp,
    TokenPresented,
    TokenRemoved,
    UpdateChanged,
    WaitingViewChanged,
)
from kiosk.visit.questions import question
from kiosk.visit.staff import door_number, door_passcode, staff_page
from kiosk.visit.staff_states import DoorNumber, DoorPad, DoorPasscode, StaffPage, StaffScreen
from kiosk.visit.staff_tools import prefer
from kiosk.visit.states import (
    Again,
    Armed,
    AskConsent,
    AskConsentItems,
    AuthenticateOnPhone,
    CallReason,
    Checking,
    ChooseDevice,
    ChooseLanguage,
    ChooseMethod,
    EnterPasscode,
    EnterPin,
    Hold,
    Idle,
    Interrupted,
    Kiosk,
    NotConfirmed,
    OtherDevice,
    OutboxCondition,
    OutOfService,
    OutOfServiceReason,
    Question,
    ReaderCondition,
    Reading,
    Recorded,
    Result,
    Screen,
    StaffCalled,
    Starting,
    StillThere,
    TooEarly,
    Verified,
    Visit,
    WrongToken,
    visit_of,
)
from kiosk.visit.step import S, Step, call, first_question, new_visit, resting, shelved, stay
from kiosk.visit.timing import timing
from kiosk.visit.views.staff_views import OPEN_DOOR, DoorTries


def reduce(kiosk: Kiosk, event: Event) -> tuple[Kiosk, tuple[Effect, ...]]:
    """Return what the kiosk is after `event`, and what is to be done about it, in order."""
    if _stale(kiosk.screen, event):
        return kiosk, ()
    noted = _note(kiosk, event)
    screen, effects = _heard(noted, event) or _step(noted, noted.screen, event)
    left = _left(kiosk.screen, screen, event)
    after = replace(
        noted,
        screen=screen,
        language=noted.rules.languages[0] if left else noted.language,
        large_text=noted.rules.large_text if left else noted.large_text,
        door=_door(kiosk.screen, event, effects, noted.door),
        waiting=noted.waiting if isinstance(screen, StaffPage) else None,
    )
    return after, effects + _ending(kiosk.screen, screen) + timing(kiosk, after, event)


def _stale(screen: Screen, event: Event) -> bool:
    """An event that names a visit belongs to the present one or to none."""
    named = getattr(event, "visit", None)
    if named is None or isinstance(event, Began):
        return False
    visit = visit_of(screen)
    return visit is None or visit.id != named


def _note(kiosk: Kiosk, event: Event) -> Kiosk:
    """Take in what is true whatever the screen shows."""
    match event:
        case ReaderChanged(condition):
            return replace(kiosk, reader=condition)
        case OutboxChanged(condition):
            return replace(kiosk, outbox=condition)
        case LineChanged(line):
            return replace(kiosk, line=line)
        case LanguageChosen(language) if language in kiosk.rules.languages:
            return replace(kiosk, language=language)
        case Pressed(Action.TEXT_SIZE):
            return replace(kiosk, large_text=not kiosk.large_text)
        case CheckCompleted(view):
            return replace(kiosk, check=view)
        case WaitingViewChanged(view) if isinstance(kiosk.screen, StaffPage):
            return replace(kiosk, waiting=view)
        case DoorUnlocked():
            return replace(kiosk, door=OPEN_DOOR)
        case UpdateChanged(status):
            return replace(kiosk, update=status)
        case CardSettingsChanged(settings):
            return replace(kiosk, changed=settings)
        case PreferencesChanged(volume, languages):
            return prefer(kiosk, volume, languages)
        case TimeUp() if isinstance(kiosk.screen, Starting):
            return _missing(kiosk)
        case ChallengeArrived(challenge=challenge):
            return replace(kiosk, screen=_with_challenge(kiosk.screen, challenge))
        case _:
            return kiosk


def _missing(kiosk: Kiosk) -> Kiosk:
    """A process that has never come by now does not start: the page names it, until it comes after all."""
    return replace(
        kiosk,
        reader=ReaderCondition.LOST if kiosk.reader is ReaderCondition.UNKNOWN else kiosk.reader,
        outbox=OutboxCondition.LOST if kiosk.outbox is OutboxCondition.UNKNOWN else kiosk.outbox,
    )


def _with_challenge(screen: S, challenge: str) -> S:
    """Put the challenge into the visit, unless the token was recognised without one: the transcript is then
    fixed."""
    match screen:
        case TooEarly() | ChooseLanguage() | StillThere():
            return replace(screen, back=_with_challenge(screen.back, challenge))  # type: ignore[arg-type]  # same class
        case Starting() | Idle() | OutOfService() | DoorNumber() | DoorPasscode():
            return screen
        case _ if isinstance(screen, StaffPage):
            return screen
        case _:
            visit: Visit | None = screen.visit
            if visit is None or visit.challenge_frozen:
                return screen
            return replace(screen, visit=replace(visit, challenge=challenge))


def _heard(kiosk: Kiosk, event: Event) -> Step | None:
    """What is the same on every page."""
    return (kiosk.screen, (Speak(),)) if event == Pressed(Action.SPEAK) else None


def _step(kiosk: Kiosk, screen: Screen, event: Event) -> Step:
    match screen:
        case Starting() | OutOfService():
            return _closed(kiosk, screen, event)
        case Idle():
            return _idle(kiosk, screen, event)
        case TooEarly():
            return _too_early(kiosk, screen, event)
        case ChooseLanguage():
            return _choose_language(kiosk, screen, event)
        case StillThere():
            return _still_there(kiosk, screen, event)
        case Hold() | Again() | WrongToken() | OtherDevice() | AuthenticateOnPhone():
            return _leave_or(kiosk, screen, event, armed(screen, event))
        case Reading():
            return _leave_or(kiosk, screen, event, reading(screen, event))
        case Checking():
            return checking(screen, event)
        case Interrupted():
            return interrupted(kiosk, screen, event)
        case DoorNumber():
            return door_number(kiosk, screen, event)
        case DoorPasscode():
            return door_passcode(kiosk, screen, event)
        case StaffScreen():
            return staff_page(kiosk, screen, event)
        case Verified() | NotConfirmed() | Recorded() | StaffCalled():
            return _result(kiosk, screen, event)
        case _:
            return _question(kiosk, screen, event)


def _closed(kiosk: Kiosk, screen: Starting | OutOfService, event: Event) -> Step:
    if screen == OutOfService(OutOfServiceReason.MAINTENANCE):
        return stay(screen)  # the process is about to end
    match event:
        case Pressed(Action.HELP):
            return call(None, CallReason.HELP)
        case Knocked() if isinstance(screen, OutOfService):
            return DoorNumber(), ()
        case CheckDue() if isinstance(screen, OutOfService):
            return screen, (RunCheck(),)
        case _:
            return stay(resting(kiosk))


def _idle(kiosk: Kiosk, screen: Idle, event: Event) -> Step:
    match event:
        case Began(visit_id):
            visit = new_visit(kiosk, visit_id)
            return first_question(kiosk, visit), (BeginVisit(visit),)
        case Pressed(Action.LANGUAGE):
            return ChooseLanguage(screen), ()
        case Pressed(Action.HELP):
            return call(None, CallReason.HELP)
        case TokenPresented():
            return TooEarly(screen), ()
        case Knocked():
            return DoorNumber(), ()
        case CheckDue():
            return screen, (RunCheck(),)
        case _:
            return stay(resting(kiosk))


def _too_early(kiosk: Kiosk, screen: TooEarly, event: Event) -> Step:
    """A token forgotten between two visits must be taken away before the next one begins."""
    match event:
        case TokenRemoved() | ReaderChanged():
            return _back(kiosk, screen.back)
        case TimeUp() if not isinstance(screen.back, Idle):
            return StillThere(shelved(screen.back)), ()
        case Began():
            return stay(screen)
        case _:
            return _beneath(kiosk, screen, screen.back, event)


def _choose_language(kiosk: Kiosk, screen: ChooseLanguage, event: Event) -> Step:
    match event:
        case LanguageChosen() | TimeUp() | Pressed(Action.BACK):
            return _back(kiosk, screen.back)
        case _:
            return _beneath(kiosk, screen, screen.back, event)


def _still_there(kiosk: Kiosk, screen: StillThere, event: Event) -> Step:
    match event:
        case Pressed(Action.CONTINUE):
            return stay(screen.back)
        case Pressed(Action.FINISH) | TimeUp():
            return stay(resting(kiosk))
        case _:
            return _beneath(kiosk, screen, screen.back, event)


def _back(kiosk: Kiosk, back: Idle | Question | Armed) -> Step:
    return stay(resting(kiosk) if isinstance(back, Idle) else back)


def _beneath(kiosk: Kiosk, cover: Screen, back: Idle | Question | Armed, event: Event) -> Step:
    """Let the covered state have the event; it comes to light only if the event moves it."""
    if isinstance(event, Knocked):
        return stay(cover)
    after, effects = _step(kiosk, back, event)
    return (cover if after == back else after), effects


def _question(kiosk: Kiosk, screen: Question, event: Event) -> Step:
    match event:
        case TimeUp():
            return StillThere(shelved(screen)), ()
        case Pressed(Action.LANGUAGE):
            return ChooseLanguage(shelved(screen)), ()
        case TokenPresented() if isinstance(
            screen, AskConsent | AskConsentItems | ChooseMethod | ChooseDevice
        ):
            return TooEarly(screen), ()
        case ReaderChanged(ReaderCondition.READY):
            return screen, (Disarm(screen.visit),)
        case _:
            return question(kiosk, screen, event)


def _leave_or(kiosk: Kiosk, screen: Armed | Reading, event: Event, step: Step) -> Step:
    """What takes an armed state away whatever it is; otherwise its own step."""
    match event:
        case ReaderChanged() if kiosk.reader is not ReaderCondition.READY:
            return Interrupted(replace(screen.visit, pin_sent=False)), ()
        case TimeUp() if not isinstance(screen, Reading):
            return StillThere(screen), ()
        case Pressed(Action.LANGUAGE) if not isinstance(screen, Reading):
            return ChooseLanguage(screen), ()
        case _:
            return step


def _result(kiosk: Kiosk, screen: Result, event: Event) -> Step:
    match event:
        case Pressed(Action.FINISH) | TimeUp():
            return stay(resting(kiosk))
        case Pressed(Action.HELP) if not isinstance(screen, StaffCalled):
            return call(None, CallReason.HELP)
        case Knocked() if isinstance(screen, StaffCalled):
            return DoorNumber(), ()
        case _:
            return stay(screen)


def _is_rest(screen: Screen) -> bool:
    return isinstance(screen, Starting | Idle | OutOfService)


def _left(before: Screen, after: Screen, event: Event) -> bool:
    """Language and letters go back to the usual ones with whoever chose them."""
    left = visit_of(before) is not None or isinstance(before, StaffCalled | DoorPad | StaffPage)
    return _is_rest(after) and (left or isinstance(event, TimeUp))


def _door(before: Screen, event: Event, effects: tuple[Effect, ...], door: DoorTries) -> DoorTries:
    """Count the tries; `pads` says why at the asking and not at the answer."""
    if isinstance(event, StaffAccepted) and isinstance(before, EnterPasscode | DoorPasscode):
        return OPEN_DOOR if before.checking else door
    if any(isinstance(effect, LockDoor) for effect in effects):
        return replace(door, locked=True)
    if any(isinstance(effect, CheckStaff) for effect in effects):
        return replace(door, misses=door.misses + 1)
    return door


def _outcome(screen: Result) -> Outcome:
    match screen:
        case Verified():
            return Outcome.VERIFIED
        case NotConfirmed():
            return Outcome.NOT_CONFIRMED
        case Recorded():
            return Outcome.RECORDED
        case StaffCalled():
            return Outcome.STAFF_CALLED
        case _:
            assert_never(screen)


def _ending(before: Screen, after: Screen) -> tuple[Effect, ...]:
    """EndVisit exactly once, and no typed digits left behind a secret pad."""
    effects: tuple[Effect, ...] = ()
    if isinstance(before, EnterPin | EnterPasscode | DoorPasscode) and type(after) is not type(before):
        effects = (ForgetDigits(),)
    visit = visit_of(before)
    if visit is None or isinstance(before, Result):
        return effects
    if isinstance(after, Result):
        return (*effects, EndVisit(visit, _outcome(after)))
    if visit_of(after) is None:
        return (*effects, EndVisit(visit, Outcome.ABANDONED))
    return effects
