"""From the armed reader to the answer."""

from dataclasses import replace
from typing import assert_never

from kiosk.qualification.terms import Authentication, Outcome
from kiosk.visit.effects import Disarm, FreezeTranscript, SealAndCommit
from kiosk.visit.events import (
    Action,
    AnswerArrived,
    DeliveryDeferred,
    Event,
    OtherDevicePresented,
    OutboxChanged,
    Pressed,
    ReadFailed,
    ReadFailure,
    RecordCommitted,
    RecordRefused,
    StageReached,
    TimeUp,
    TokenAuthenticated,
    TokenPresented,
    TokenRecognised,
    WrongTokenPresented,
)
from kiosk.visit.states import (
    Again,
    Armed,
    AuthenticateOnPhone,
    CallReason,
    Checking,
    EnterPin,
    HoldProblem,
    Interrupted,
    Kiosk,
    NotConfirmed,
    OtherDevice,
    OutboxCondition,
    OutOfService,
    OutOfServiceReason,
    PinWrong,
    ReaderCondition,
    Reading,
    Recorded,
    Stage,
    Verified,
    Visit,
    WrongToken,
)
from kiosk.visit.step import Step, call, choose_device, resume, stay


def armed(screen: Armed, event: Event) -> Step:
    """Handle an event while the token is waited for."""
    match event:
        case Pressed(Action.HELP):
            return call(screen.visit, CallReason.HELP)
        case Pressed(Action.BACK):
            return choose_device(screen.visit), (Disarm(screen.visit),)
        case TokenPresented():
            return Reading(screen.visit, Stage.PRESENTED), ()
        case _:
            return _token(screen, event)


def reading(screen: Reading, event: Event) -> Step:
    """Handle an event while the token is read."""
    match event:
        case StageReached(stage=stage):
            return replace(screen, stage=stage), ()
        case TokenAuthenticated(ends_soon=ends_soon) if screen.visit.challenge_frozen:
            visit = replace(screen.visit, ends_soon=ends_soon)
            return Checking(visit), (SealAndCommit(visit),)
        case TimeUp():
            return call(screen.visit, CallReason.TOKEN_FAULT)
        case _:
            return _token(screen, event)


def _token(screen: Armed | Reading, event: Event) -> Step:
    """What the reader may say in either case; its messages may overtake `presented` after a restart."""
    visit = screen.visit
    match event:
        case TokenRecognised():
            frozen = replace(visit, challenge_frozen=True)
            return Reading(frozen, Stage.RECOGNISED), (FreezeTranscript(frozen),)
        case WrongTokenPresented(kind=kind):
            return WrongToken(visit, kind), ()
        case OtherDevicePresented(presented=presented):
            return OtherDevice(visit, presented), ()
        case ReadFailed():
            return _failed(visit, event)
        case _:
            return stay(screen)


def _failed(visit: Visit, event: ReadFailed) -> Step:
    match event.failure:
        case ReadFailure.REMOVED:
            return _once_more(visit, HoldProblem.MOVED, event.pin_kept)
        case ReadFailure.UNREADABLE:
            return _once_more(visit, HoldProblem.UNREADABLE, event.pin_kept)
        case ReadFailure.TWO_TOKENS:
            return _once_more(visit, HoldProblem.TWO_TOKENS, event.pin_kept)
        case ReadFailure.LEFT_BEHIND:
            return _once_more(visit, HoldProblem.LEFT_BEHIND, event.pin_kept)
        case ReadFailure.NOT_AUTHENTICATED:
            return AuthenticateOnPhone(visit), ()
        case ReadFailure.PIN_WRONG if event.tries_left:
            return PinWrong(replace(visit, pin_sent=False), event.tries_left), ()
        case ReadFailure.PIN_WRONG | ReadFailure.PIN_ONE_LEFT:
            return call(visit, CallReason.PIN_ONE_LEFT)
        case ReadFailure.PIN_BLOCKED:
            return call(visit, CallReason.PIN_BLOCKED)
        case ReadFailure.CERTIFICATE_EXPIRED:
            return call(visit, CallReason.CERTIFICATE_EXPIRED)
        case ReadFailure.CERTIFICATE_REFUSED:
            return call(visit, CallReason.CERTIFICATE_REFUSED)
        case _:
            assert_never(event.failure)


def _once_more(visit: Visit, problem: HoldProblem, pin_kept: bool) -> Step:
    """Hold again; a PIN that was spent is asked anew, one still held is not."""
    if visit.authentication is Authentication.PIN and not pin_kept:
        return EnterPin(replace(visit, pin_sent=False), again=True), (Disarm(visit),)
    return Again(visit, problem), ()


def checking(screen: Checking, event: Event) -> Step:
    """Handle an event between the token and the answer. Nothing is claimed before it is known."""
    visit = screen.visit
    match event:
        case RecordCommitted(receipt=receipt):
            return replace(screen, receipt=receipt), ()
        case OutboxChanged(OutboxCondition.READY):
            # Also with a receipt: an answer told while the uploader was not heard is told again (same bytes,
            # same effect).
            return screen, (SealAndCommit(visit),)
        case AnswerArrived(outcome=outcome):
            return _answered(visit, outcome)
        case DeliveryDeferred() | TimeUp() if screen.receipt is not None:
            return Recorded(visit, screen.receipt), ()
        case RecordRefused() | TimeUp():
            return call(visit, CallReason.NOT_RECORDED)
        case _:
            return stay(screen)


def _answered(visit: Visit, outcome: Outcome) -> Step:
    match outcome:
        case Outcome.VERIFIED:
            return Verified(visit), ()
        case Outcome.NOT_CONFIRMED:
            return NotConfirmed(visit), ()
        case Outcome.RECORDED | Outcome.STAFF_CALLED | Outcome.ABANDONED:
            return call(visit, CallReason.SERVICE_REFUSED)
        case _:
            assert_never(outcome)


def interrupted(kiosk: Kiosk, screen: Interrupted, event: Event) -> Step:
    """Handle an event while the visit waits for the reader to come back."""
    match event:
        case Pressed(Action.HELP):
            return call(screen.visit, CallReason.HELP)
        case TimeUp():
            return OutOfService(OutOfServiceReason.READER), ()
        case _ if kiosk.reader is ReaderCondition.READY:
            return resume(kiosk, screen.visit)
        case _:
            return stay(screen)
