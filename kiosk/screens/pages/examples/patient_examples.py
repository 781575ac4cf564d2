"""Every state of the kiosk as an example: what the gallery draws and the layout scanner looks at. PURE."""

from dataclasses import dataclass, replace

from kiosk.config.choices import LANGUAGES
from kiosk.qualification.consent import (
    AS_REGISTERED,
    NO_CONSENT,
    Consent,
    ConsentForm,
    ConsentItem,
    consent_to_all,
)
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, FallbackReason, Mode
from kiosk.screens.pages.examples.staff_examples import staff_examples
from kiosk.visit.rules import Rules
from kiosk.visit.states import (
    Again,
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
    EnterStaffNumber,
    Hold,
    HoldProblem,
    Idle,
    Interrupted,
    Kiosk,
    LineStatus,
    NotConfirmed,
    OtherDevice,
    OutboxCondition,
    OutOfService,
    OutOfServiceReason,
    PinWrong,
    ReaderCondition,
    Reading,
    Recorded,
    Screen,
    StaffCalled,
    Stage,
    Starting,
    StillThere,
    TooEarly,
    Verified,
    Visit,
    VisualCheck,
    WrongToken,
    WrongTokenKind,
)
from kiosk.visit.views.staff_views import DoorTries

ID = "01980000-0000-7000-8000-000000000000"
RECEIPT = "A-0042"


@dataclass(frozen=True)
class Example:
    """A state worth a picture; `name` is also the picture's file name."""

    name: str
    kiosk: Kiosk


def examples(mode: Mode, language: str = "ja") -> tuple[Example, ...]:
    """All states, with every variant whose words or shapes differ."""
    rules = Rules(mode)
    rules = replace(rules, languages=tuple(dict.fromkeys((*rules.languages, language))))
    found = [
        Example(name, _kiosk(screen, rules, language)) for name, screen in _screens(mode, rules.consent_items)
    ]
    known = {example.name: example.kiosk for example in found}
    variants = {
        "device_fallback": replace(known["device"], line=LineStatus(fallback=FallbackReason.OFFLINE)),
        "staff_number_locked": replace(known["staff_number"], door=DoorTries(5, locked=True)),
        "start_offline": replace(known["start"], line=LineStatus(online=False, waiting=3)),
        "start_one_language": replace(known["start"], rules=replace(rules, languages=(language,))),
        "language_all": replace(known["language"], rules=replace(rules, languages=LANGUAGES)),
        "pin_without_visual": replace(known["pin"], rules=replace(rules, offer_visual_check=False)),
    }
    if mode is Mode.HOME_CONSENT:
        variants["consent_as_registered"] = replace(
            known["consent"], rules=replace(rules, offer_as_registered=True)
        )
        variants["consent_two_items"] = replace(
            known["consent"],
            rules=replace(rules, consent_items=(ConsentItem.DIAGNOSIS, ConsentItem.MEDICINE)),
        )
    staff = staff_examples(known["start"])
    return (*found, *(Example(name, kiosk) for name, kiosk in (*variants.items(), *staff)))


def _kiosk(screen: Screen, rules: Rules, language: str) -> Kiosk:
    return Kiosk(rules, language, screen, ReaderCondition.READY, OutboxCondition.READY)


def _screens(mode: Mode, items: tuple[ConsentItem, ...]) -> list[tuple[str, Screen]]:
    start = Visit(ID, mode)
    if mode is Mode.HOME_CONSENT:
        start = replace(start, consent=consent_to_all(items))
    card = replace(start, device=Device.CARD, authentication=Authentication.PIN, pin_sent=True)
    android = replace(card, device=Device.ANDROID)
    iphone = replace(start, device=Device.IPHONE, authentication=Authentication.PHONE)
    visual = replace(start, device=Device.CARD, authentication=Authentication.VISUAL)
    return [
        ("starting", Starting()),
        ("start", Idle()),
        ("laid_too_early", TooEarly(ChooseDevice(start))),
        ("language", ChooseLanguage(ChooseDevice(start))),
        *(_consent_screens(start, items) if mode is Mode.HOME_CONSENT else [("method", ChooseMethod(start))]),
        ("device", ChooseDevice(start)),
        ("pin", EnterPin(card, 2)),
        ("pin_full", EnterPin(card, 4)),
        ("pin_android", EnterPin(android)),
        ("pin_again", EnterPin(card, again=True)),
        ("pin_wrong_2", PinWrong(card, 2)),
        ("pin_wrong_1", PinWrong(card, 1)),
        ("visual_check", VisualCheck(visual)),
        ("staff_number", EnterStaffNumber(visual, "123")),
        ("staff_number_refused", EnterStaffNumber(visual, refused=True)),
        ("staff_passcode", EnterPasscode(visual, "123456", 3)),
        ("staff_passcode_checking", EnterPasscode(visual, "123456", 6, checking=True)),
        ("hold_card", Hold(card)),
        ("hold_iphone", Hold(iphone)),
        ("hold_android", Hold(android)),
        ("hold_visual", Hold(replace(visual, staff="123"))),
        *((f"again_{problem.value}", Again(card, problem)) for problem in HoldProblem),
        ("again_iphone", Again(iphone, HoldProblem.MOVED)),
        *((f"wrong_token_{kind.value}", WrongToken(card, kind)) for kind in WrongTokenKind),
        ("wrong_token_phone", WrongToken(android, WrongTokenKind.PAYMENT)),
        ("other_device_card", OtherDevice(android, Device.CARD)),
        ("other_device_android", OtherDevice(card, Device.ANDROID)),
        ("other_device_unknown", OtherDevice(card, None)),
        ("authenticate_on_phone", AuthenticateOnPhone(iphone)),
        *((f"reading_{stage.value}", Reading(card, stage)) for stage in Stage),
        ("checking", Checking(card, RECEIPT)),
        ("verified", Verified(card)),
        ("verified_ends_soon", Verified(replace(card, ends_soon=True))),
        ("not_confirmed", NotConfirmed(card)),
        ("recorded", Recorded(card, RECEIPT)),
        *((f"staff_called_{reason.value}", StaffCalled(card, reason)) for reason in CallReason),
        ("still_there", StillThere(EnterPin(card, 2))),
        ("interrupted", Interrupted(card)),
        *((f"out_of_service_{reason.value}", OutOfService(reason)) for reason in OutOfServiceReason),
    ]


def _consent_screens(visit: Visit, items: tuple[ConsentItem, ...]) -> list[tuple[str, Screen]]:
    some = Consent(ConsentForm.ITEMS, (ConsentItem.DIAGNOSIS, ConsentItem.MEDICINE, ConsentItem.CHECKUP))
    return [
        ("consent", AskConsent(visit)),
        *(
            (f"consent_item_{item.name.lower()}", AskConsentItems(visit, position))
            for position, item in enumerate(items)
        ),
        ("device_no_consent", ChooseDevice(replace(visit, consent=NO_CONSENT))),
        ("device_some_consent", ChooseDevice(replace(visit, consent=some))),
        ("device_as_registered", ChooseDevice(replace(visit, consent=AS_REGISTERED))),
    ]
