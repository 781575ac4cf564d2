"""Every state as a picture: `lay_out` is a pure function of the kiosk's state and the look."""

from typing import assert_never

from kiosk.screens.kit.look import LARGE_TEXT, USUAL_TEXT, Look
from kiosk.screens.kit.page import Page
from kiosk.screens.kit.widgets import Picture
from kiosk.screens.pages import ask as pages_ask
from kiosk.screens.pages import end as pages_end
from kiosk.screens.pages import pad as pages_pad
from kiosk.screens.pages import token as pages_token
from kiosk.screens.pages.staff import staff_layout as layout_staff
from kiosk.visit.staff_states import DoorNumber, DoorPad, DoorPasscode, StaffScreen
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
    Screen,
    StaffCalled,
    Starting,
    StillThere,
    TooEarly,
    Verified,
    VisualCheck,
    WrongToken,
)

#: Only staff read these.
STAFF_READ = StaffScreen | DoorPad | EnterStaffNumber | EnterPasscode


def lay_out(kiosk: Kiosk, look: Look) -> Picture:
    """The picture of the kiosk's state: what is drawn where, and what a touch there means."""
    staff = isinstance(kiosk.screen, STAFF_READ)
    for scale in LARGE_TEXT if kiosk.large_text and not staff else USUAL_TEXT:
        page = Page(kiosk, look, kiosk.screen.name, staff, scale)
        _place(page, kiosk.screen)
        if not page.crowded:
            break
    return page.picture()


def _place(page: Page, screen: Screen) -> None:
    match screen:
        case Starting():
            pages_end.starting(page)
        case Idle():
            pages_ask.idle(page)
        case TooEarly():
            pages_token.too_early(page)
        case ChooseLanguage():
            pages_ask.choose_language(page)
        case AskConsent():
            pages_ask.ask_consent(page, screen)
        case AskConsentItems():
            pages_ask.ask_consent_item(page, screen)
        case ChooseMethod():
            pages_ask.choose_method(page)
        case ChooseDevice():
            pages_ask.choose_device(page, screen)
        case EnterPin():
            pages_pad.enter_pin(page, screen)
        case PinWrong():
            pages_pad.pin_wrong(page, screen)
        case VisualCheck():
            pages_pad.visual_check(page)
        case EnterStaffNumber():
            pages_pad.enter_staff_number(page, screen)
        case EnterPasscode():
            pages_pad.enter_passcode(page, screen)
        case Hold():
            pages_token.hold(page, screen)
        case Again():
            pages_token.again(page, screen)
        case WrongToken():
            pages_token.wrong_token(page, screen)
        case OtherDevice():
            pages_token.other_device(page, screen)
        case AuthenticateOnPhone():
            pages_token.authenticate_on_phone(page, screen)
        case Reading():
            pages_token.reading(page, screen)
        case Checking():
            pages_token.checking(page, screen)
        case Verified():
            pages_end.verified(page, screen)
        case NotConfirmed():
            pages_end.not_confirmed(page)
        case Recorded():
            pages_end.recorded(page, screen)
        case StaffCalled():
            pages_end.staff_called(page, screen)
        case StillThere():
            pages_end.still_there(page)
        case Interrupted():
            pages_end.interrupted(page)
        case OutOfService():
            pages_end.out_of_service(page, screen)
        case DoorNumber():
            pages_pad.enter_staff_number(page, screen)
        case DoorPasscode():
            pages_pad.enter_passcode(page, screen)
        case StaffScreen():
            layout_staff.place(page, screen)
        case _:
            assert_never(screen)
