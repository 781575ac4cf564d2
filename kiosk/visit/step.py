"""What the handlers of the machine share."""

from dataclasses import replace
from typing import TypeVar

from kiosk.qualification.consent import NOT_ASKED
from kiosk.qualification.terms import Authentication, Mode
from kiosk.visit.effects import Arm, Disarm, Effect
from kiosk.visit.states import (
    Armed,
    AskConsent,
    CallReason,
    ChooseDevice,
    ChooseMethod,
    EnterPasscode,
    EnterPin,
    Hold,
    Idle,
    Interrupted,
    Kiosk,
    OutboxCondition,
    OutOfService,
    OutOfServiceReason,
    Question,
    ReaderCondition,
    Screen,
    StaffCalled,
    Starting,
    Visit,
)

Step = tuple[Screen, tuple[Effect, ...]]
S = TypeVar("S", bound=Screen)


def stay(screen: Screen) -> Step:
    """Nothing changes."""
    return screen, ()


def resting(kiosk: Kiosk) -> Screen:
    """The screen between two visits: open, still starting, or out of service with its reason."""
    if kiosk.reader is ReaderCondition.LOST:
        return OutOfService(OutOfServiceReason.READER)
    if kiosk.outbox is OutboxCondition.LOST:
        return OutOfService(OutOfServiceReason.UPLOADER)
    if kiosk.outbox is OutboxCondition.FULL:
        return OutOfService(OutOfServiceReason.OUTBOX_FULL)
    if kiosk.reader is ReaderCondition.UNKNOWN or kiosk.outbox is OutboxCondition.UNKNOWN:
        return Starting()
    return Idle()


def first_question(kiosk: Kiosk, visit: Visit) -> Question:
    """Where a visit begins, by mode."""
    match kiosk.rules.mode:
        case Mode.HOME_CONSENT:
            return AskConsent(visit)
        case Mode.QUALIFICATION_ONLY if kiosk.rules.offer_visual_check:
            return ChooseMethod(visit)
        case Mode.QUALIFICATION_ONLY:
            return ChooseDevice(visit)


def choose_device(visit: Visit) -> ChooseDevice:
    """The device question, with what depended on an earlier device forgotten."""
    return ChooseDevice(replace(visit, device=None, authentication=None, staff=None, pin_sent=False))


def hold(kiosk: Kiosk, visit: Visit, *before: Effect) -> Step:
    """Arm the reader and ask for the token; without a reader, wait for it."""
    if kiosk.reader is not ReaderCondition.READY:
        return Interrupted(replace(visit, pin_sent=False)), ()
    return Hold(visit), (*before, Arm(visit))


def resume(kiosk: Kiosk, visit: Visit) -> Step:
    """Go on after the reader came back: it has forgotten the PIN, if there was one."""
    if visit.authentication is Authentication.PIN:
        return EnterPin(replace(visit, pin_sent=False), again=True), (Disarm(visit),)
    return hold(kiosk, visit, Disarm(visit))


def call(visit: Visit | None, reason: CallReason) -> Step:
    """End in 'staff called'."""
    return StaffCalled(visit, reason), ()


def shelved(screen: Question | Armed) -> Question | Armed:
    """The state as it is returned to later: what was typed on a secret pad is forgotten meanwhile."""
    match screen:
        case EnterPin():
            return replace(screen, digits=0)
        case EnterPasscode():
            return replace(screen, digits=0, checking=False)
        case _:
            return screen


def new_visit(kiosk: Kiosk, visit_id: str) -> Visit:
    """A visit of which nothing is known yet."""
    return Visit(visit_id, kiosk.rules.mode, NOT_ASKED)
