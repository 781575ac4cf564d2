"""Which sentence is said on which page. PURE.

Nothing that is typed, counted or numbered is ever said: no digit, no receipt number, no tries left; nor why a
visit did not end well, for others hear it too. The sentences stand in `voices/sentences.toml`; `make voices`
renders them.
"""

from typing import Protocol, assert_never

from kiosk.visit.staff_states import DoorNumber, DoorPasscode, StaffScreen, StaffTest
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
from kiosk.visit.views.staff_views import TestStep


class Voice(Protocol):
    """What says a sentence by its name, in a language; None: fall silent."""

    def speak(self, language: str, sentence: str | None) -> None: ...


class NoVoice:
    """A box without a voice."""

    def speak(self, language: str, sentence: str | None) -> None: ...


def speaks_first(kiosk: Kiosk) -> bool:
    """Whether the page speaks by itself when it comes; the pages between visits wait to be asked."""
    return not isinstance(kiosk.screen, Idle | OutOfService | Starting)


def speech_of(kiosk: Kiosk) -> str | None:
    """The name of the page's sentence; None: it has none."""
    screen = kiosk.screen
    match screen:
        case Starting() | DoorNumber() | DoorPasscode() | EnterStaffNumber() | EnterPasscode():
            return None
        case StaffTest(step=TestStep.SPEAKER):
            return "sample"
        case StaffScreen():
            return None
        case Idle():
            return "start"
        case TooEarly(back=Idle()):
            return "forgotten"
        case AskConsentItems():
            item = kiosk.rules.consent_items[screen.position]
            return f"consent_item_{item.name.lower()}"
        case EnterPin():
            return "pin_again" if screen.again else "pin"
        case Hold(visit=visit) | AuthenticateOnPhone(visit=visit):
            assert visit.device is not None, "the reader is armed only for a chosen device"
            return f"{screen.name}_{visit.device.value}" if isinstance(screen, Hold) else screen.name
        case Again():
            return _again(screen)
        case StaffCalled(reason=CallReason.HELP):
            return "staff_called_help"
        case TooEarly() | ChooseLanguage() | AskConsent() | ChooseMethod() | ChooseDevice():
            return screen.name
        case PinWrong() | VisualCheck() | WrongToken() | OtherDevice() | Reading() | Checking():
            return screen.name
        case Verified() | NotConfirmed() | Recorded() | StaffCalled() | StillThere() | Interrupted():
            return screen.name
        case OutOfService():
            return screen.name
        case _:
            assert_never(screen)


def _again(screen: Again) -> str:
    match screen.problem:
        case HoldProblem.TWO_TOKENS:
            return "again_two"
        case HoldProblem.LEFT_BEHIND:
            return "forgotten"
        case HoldProblem.MOVED | HoldProblem.UNREADABLE:
            return "again"
