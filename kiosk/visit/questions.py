"""The questions to the patient and to staff, before the reader is armed."""

from dataclasses import replace
from typing import assert_never

from kiosk.qualification.consent import AS_REGISTERED, NO_CONSENT, Consent, ConsentForm, consent_to_all
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode
from kiosk.visit.effects import Disarm, ForgetLastDigit, SendPin
from kiosk.visit.events import (
    Action,
    DeviceChosen,
    DigitTyped,
    Event,
    ItemAnswered,
    Pressed,
    StaffAccepted,
    StaffRefused,
)
from kiosk.visit.pads import lock_if_used_up, number_given, tries_used_up, type_number, type_passcode
from kiosk.visit.states import (
    AskConsent,
    AskConsentItems,
    CallReason,
    ChooseDevice,
    ChooseMethod,
    EnterPasscode,
    EnterPin,
    EnterStaffNumber,
    Kiosk,
    PinWrong,
    Question,
    ReaderCondition,
    Visit,
    VisualCheck,
)
from kiosk.visit.step import Step, call, choose_device, hold, resting, stay

PIN_LENGTH = 4  #: 利用者証明用 PIN: four digits on card and phone (docs/facts/card.md)


def question(kiosk: Kiosk, screen: Question, event: Event) -> Step:
    """Handle an event in one of the question states."""
    if event == Pressed(Action.HELP):
        return call(screen.visit, CallReason.HELP)
    match screen:
        case AskConsent(visit):
            return _consent(kiosk, screen, visit, event)
        case AskConsentItems():
            return _consent_items(kiosk, screen, event)
        case ChooseMethod(visit):
            return _method(kiosk, screen, visit, event)
        case ChooseDevice(visit):
            return _device(kiosk, screen, visit, event)
        case EnterPin():
            return _pin(kiosk, screen, event)
        case PinWrong(visit):
            return _pin_wrong(screen, visit, event)
        case VisualCheck(visit):
            return _visual(kiosk, screen, visit, event)
        case EnterStaffNumber():
            return _staff_number(kiosk, screen, event)
        case EnterPasscode():
            return _passcode(kiosk, screen, event)
        case _:
            assert_never(screen)


def _consented(visit: Visit, consent: Consent) -> Step:
    return ChooseDevice(replace(visit, consent=consent)), ()


def _consent(kiosk: Kiosk, screen: AskConsent, visit: Visit, event: Event) -> Step:
    match event:
        case Pressed(Action.CONSENT_ALL):
            return _consented(visit, consent_to_all(kiosk.rules.consent_items))
        case Pressed(Action.CONSENT_NONE):
            return _consented(visit, NO_CONSENT)
        case Pressed(Action.CONSENT_AS_REGISTERED) if kiosk.rules.offer_as_registered:
            return _consented(visit, AS_REGISTERED)
        case Pressed(Action.CONSENT_EACH):
            return AskConsentItems(replace(visit, consent=Consent(ConsentForm.ITEMS)), 0), ()
        case Pressed(Action.BACK):
            return resting(kiosk), ()
        case _:
            return stay(screen)


def _consent_items(kiosk: Kiosk, screen: AskConsentItems, event: Event) -> Step:
    items = kiosk.rules.consent_items
    match event:
        case ItemAnswered(item, agree) if item is items[screen.position]:
            consent = screen.visit.consent.with_item(item, agree)
            visit = replace(screen.visit, consent=consent)
            if screen.position + 1 < len(items):
                return AskConsentItems(visit, screen.position + 1), ()
            return ChooseDevice(visit), ()
        case Pressed(Action.BACK) if screen.position > 0:
            return replace(screen, position=screen.position - 1), ()
        case Pressed(Action.BACK):
            return AskConsent(screen.visit), ()
        case _:
            return stay(screen)


def _method(kiosk: Kiosk, screen: ChooseMethod, visit: Visit, event: Event) -> Step:
    match event:
        case Pressed(Action.METHOD_OWN):
            return ChooseDevice(visit), ()
        case Pressed(Action.METHOD_VISUAL):
            return _to_visual(visit)
        case Pressed(Action.BACK):
            return resting(kiosk), ()
        case _:
            return stay(screen)


def _to_visual(visit: Visit) -> Step:
    """The visual check is for the plastic card only: choosing it fixes the device.

    Staff compare the face with the photo that is printed on the card; a phone shows none.
    """
    return VisualCheck(replace(visit, device=Device.CARD, authentication=Authentication.VISUAL)), ()


def _device(kiosk: Kiosk, screen: ChooseDevice, visit: Visit, event: Event) -> Step:
    match event:
        case DeviceChosen(device):
            chosen = replace(visit, device=device, authentication=device.proof)
            if chosen.authentication is Authentication.PIN:
                return EnterPin(chosen), ()
            return hold(kiosk, chosen)
        case Pressed(Action.CONSENT_CHANGE) if visit.mode is Mode.HOME_CONSENT:
            return AskConsent(visit), ()
        case Pressed(Action.BACK) if visit.mode is Mode.HOME_CONSENT:
            return AskConsent(visit), ()
        case Pressed(Action.BACK) if kiosk.rules.offer_visual_check:
            return ChooseMethod(visit), ()
        case Pressed(Action.BACK):
            return resting(kiosk), ()
        case _:
            return stay(screen)


def _pin(kiosk: Kiosk, screen: EnterPin, event: Event) -> Step:
    visit = screen.visit
    match event:
        case DigitTyped() if screen.digits < PIN_LENGTH:
            return replace(screen, digits=screen.digits + 1), ()
        case Pressed(Action.ERASE) if screen.digits > 0:
            return replace(screen, digits=screen.digits - 1), (ForgetLastDigit(),)
        case Pressed(Action.OK) if screen.digits == PIN_LENGTH:
            if kiosk.reader is not ReaderCondition.READY:
                return hold(kiosk, visit)
            sent = replace(visit, pin_sent=True)
            return hold(kiosk, sent, SendPin(sent))
        case Pressed(Action.NO_PIN) if kiosk.rules.offer_visual_check:
            return _to_visual(visit)
        case Pressed(Action.BACK):
            return choose_device(visit), ()
        case _:
            return stay(screen)


def _pin_wrong(screen: PinWrong, visit: Visit, event: Event) -> Step:
    match event:
        case Pressed(Action.RETRY):
            return EnterPin(visit), ()
        case Pressed(Action.BACK):
            return choose_device(visit), (Disarm(visit),)
        case _:
            return stay(screen)


def _visual(kiosk: Kiosk, screen: VisualCheck, visit: Visit, event: Event) -> Step:
    match event:
        case Pressed(Action.STAFF_HERE):
            return EnterStaffNumber(visit), ()
        case Pressed(Action.BACK) if visit.mode is Mode.HOME_CONSENT or not kiosk.rules.offer_visual_check:
            return choose_device(visit), ()
        case Pressed(Action.BACK):
            return ChooseMethod(choose_device(visit).visit), ()
        case _:
            return stay(screen)


def _staff_number(kiosk: Kiosk, screen: EnterStaffNumber, event: Event) -> Step:
    match event:
        case Pressed(Action.BACK):
            return VisualCheck(screen.visit), ()
        case _ if kiosk.door.locked:
            return stay(screen)
        case _ if number_given(screen, event):
            return EnterPasscode(screen.visit, screen.number), ()
        case _:
            return stay(type_number(screen, event))


def _passcode(kiosk: Kiosk, screen: EnterPasscode, event: Event) -> Step:
    visit = screen.visit
    refused = EnterStaffNumber(visit, refused=True)
    match event:
        case StaffAccepted(visit=visit.id, number=number) if screen.checking:
            return hold(kiosk, replace(visit, staff=number))
        case StaffRefused(visit=visit.id) if screen.checking:
            return refused, lock_if_used_up(kiosk, screen.number)
        case Pressed(Action.BACK) if not screen.checking:
            return EnterStaffNumber(visit), ()
        case Pressed(Action.OK) if tries_used_up(kiosk) and not screen.checking:
            return refused, lock_if_used_up(kiosk, screen.number)
        case _:
            return type_passcode(kiosk, screen, visit, event)
