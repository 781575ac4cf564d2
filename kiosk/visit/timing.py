"""How long each state waits, and when the one timer starts anew. PURE."""

from typing import assert_never

from kiosk.visit.effects import (
    Effect,
    StartTimer,
    StopTimer,
)
from kiosk.visit.events import (
    Began,
    CaseOpened,
    DeviceChosen,
    DigitTyped,
    DrillAdvanced,
    Event,
    FallbackChosen,
    ItemAnswered,
    Knocked,
    LanguageChosen,
    LanguageSwitched,
    NumberTyped,
    Pressed,
    ReadingAdvanced,
    SpotTouched,
    UpdateChanged,
    VolumeChosen,
)
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPasscode,
    StaffDrill,
    StaffReading,
    StaffScreen,
    StaffUpdate,
)
from kiosk.visit.states import (
    Again,
    AskConsent,
    AskConsentItems,
    AuthenticateOnPhone,
    Checking,
    ChooseDevice,
    ChooseLanguage,
    ChooseMethod,
    EnterPasscode,
    EnterPin,
    EnterStaffNumber,
    Hold,
    Idle,
    Interrupted,
    Kiosk,
    NotConfirmed,
    OtherDevice,
    OutOfService,
    PinWrong,
    Reading,
    Recorded,
    StaffCalled,
    Starting,
    StillThere,
    TooEarly,
    Verified,
    VisualCheck,
    WrongToken,
)

STARTING_S = 120.0  #: the slowest board has all three processes up in half of it

_TOUCHES = (
    Began,
    Pressed,
    LanguageChosen,
    ItemAnswered,
    DeviceChosen,
    DigitTyped,
    NumberTyped,
    Knocked,
    FallbackChosen,
    CaseOpened,
    SpotTouched,
    VolumeChosen,
    LanguageSwitched,
)


def dwell(kiosk: Kiosk) -> float | None:
    """How long the present state waits before TimeUp, in seconds; None: for ever."""
    waits = kiosk.rules.timing
    match kiosk.screen:
        case Idle():
            usual = kiosk.rules.languages[0], kiosk.rules.large_text
            return waits.patient_s if (kiosk.language, kiosk.large_text) != usual else None
        case Starting():
            return STARTING_S
        case OutOfService() | TooEarly(back=Idle()):
            return None
        case EnterPin():
            return waits.pin_s
        case DoorNumber() | DoorPasscode():
            return waits.menu_s
        case StaffScreen():
            return waits.menu_s
        case VisualCheck() | EnterStaffNumber() | EnterPasscode() | StaffCalled():
            return waits.staff_s
        case StillThere():
            return waits.still_there_s
        case TooEarly():
            return waits.too_early_s
        case WrongToken():
            return waits.wrong_token_s
        case Reading():
            return waits.reading_s
        case Checking(receipt=receipt):
            return waits.commit_s if receipt is None else waits.answer_s
        case Verified():
            return waits.verified_s
        case NotConfirmed():
            return waits.not_confirmed_s
        case Recorded():
            return waits.recorded_s
        case Interrupted():
            return waits.reader_grace_s
        case ChooseLanguage() | AskConsent() | AskConsentItems() | ChooseMethod() | ChooseDevice():
            return waits.patient_s
        case PinWrong() | Hold() | Again() | OtherDevice() | AuthenticateOnPhone():
            return waits.patient_s
        case _:
            assert_never(kiosk.screen)


def timing(before: Kiosk, after: Kiosk, event: Event) -> tuple[Effect, ...]:
    """Restart the one timer on a change of state, on a touch, and when the wait itself changes."""
    seconds = dwell(after)
    moved = type(before.screen) is not type(after.screen) or dwell(before) != seconds
    works = isinstance(event, DrillAdvanced | ReadingAdvanced)
    works = works and isinstance(after.screen, StaffDrill | StaffReading)
    works = works or (isinstance(event, UpdateChanged) and isinstance(after.screen, StaffUpdate))
    if not moved and not works and not isinstance(event, _TOUCHES):
        return ()
    return (StopTimer(),) if seconds is None else (StartTimer(seconds),)
