"""The states behind the hidden door: number and passcode, then the staff pages. None holds a visit.

Every page holds the number of the member of staff whose session it is; what the pages show besides is the
kiosk's `waiting`, `check` and `line`.
"""

from dataclasses import dataclass
from typing import ClassVar

from kiosk.qualification.call_centre import CallHours
from kiosk.qualification.devices import Device
from kiosk.visit.views.staff_views import DayView, DrillStep, SeenToken, TestStep
from kiosk.visit.views.waiting_view import WaitingCase


@dataclass(frozen=True)
class DoorNumber:
    name: ClassVar[str] = "door_number"
    number: str = ""
    refused: bool = False


@dataclass(frozen=True)
class DoorPasscode:
    name: ClassVar[str] = "door_passcode"
    number: str
    digits: int = 0
    checking: bool = False
    takes: str | None = None  #: the changed settings that are taken with it; None: it opens the menu


@dataclass(frozen=True)
class StaffScreen:
    """What the staff pages share: whose session it is."""

    staff: str


@dataclass(frozen=True)
class StaffMenu(StaffScreen):
    """What a day needs; `more`: what a day seldom needs."""

    name: ClassVar[str] = "staff_menu"
    more: bool = False


@dataclass(frozen=True)
class StaffCheck(StaffScreen):
    """「本日の点検」."""

    name: ClassVar[str] = "staff_check"
    running: bool = False
    page: int = 0  #: faults first, then each part by itself


@dataclass(frozen=True)
class StaffFallback(StaffScreen):
    """Fallback operation on, with its reason, or off."""

    name: ClassVar[str] = "staff_fallback"


@dataclass(frozen=True)
class StaffWaiting(StaffScreen):
    """What waits, and the answers that came late."""

    name: ClassVar[str] = "staff_waiting"
    position: int = 0  #: the first late answer shown


@dataclass(frozen=True)
class StaffCase(StaffScreen):
    """One visit and what to do about it; `ways`: the official order of showing a qualification."""

    name: ClassVar[str] = "staff_case"
    case: WaitingCase
    ways: bool = False


@dataclass(frozen=True)
class StaffDrill(StaffScreen):
    name: ClassVar[str] = "staff_drill"
    step: DrillStep | None = None  #: what is being done, or where it failed
    passed: bool | None = None  #: None: not run, or still running


@dataclass(frozen=True)
class StaffDay(StaffScreen):
    """Today's visits and outages."""

    name: ClassVar[str] = "staff_day"
    day: DayView | None = None  #: None: asked for


@dataclass(frozen=True)
class StaffReading(StaffScreen):
    """The reading test: any token is held, and named; nothing of it is kept."""

    name: ClassVar[str] = "staff_reading"
    seen: SeenToken | Device = SeenToken.WAITING  #: a device was read to the end
    ms: int = 0  #: how long the reading took


@dataclass(frozen=True)
class StaffTest(StaffScreen):
    """The test of the box: touch, colours, LEDs, buzzer, loudspeaker."""

    name: ClassVar[str] = "staff_test"
    step: TestStep = TestStep.TOUCH
    touched: int = 0  #: so many of the places have been touched, in their order


@dataclass(frozen=True)
class StaffSettings(StaffScreen):
    """Volume and languages."""

    name: ClassVar[str] = "staff_settings"


@dataclass(frozen=True)
class StaffHelp(StaffScreen):
    """Where to read and whom to ring."""

    name: ClassVar[str] = "staff_help"
    hours: CallHours | None = None  #: None: nobody knows the time


@dataclass(frozen=True)
class StaffUpdate(StaffScreen):
    """Updates, by hand; while it is open, channel and stick are looked at."""

    name: ClassVar[str] = "staff_update"
    position: int = 0  #: the offer shown


@dataclass(frozen=True)
class StaffChanged(StaffScreen):
    """What the card's changed settings file would change, or what is wrong in it."""

    name: ClassVar[str] = "staff_changed"
    page: int = 0


DoorPad = DoorNumber | DoorPasscode
StaffPage = (
    StaffMenu
    | StaffCheck
    | StaffFallback
    | StaffWaiting
    | StaffCase
    | StaffDrill
    | StaffDay
    | StaffReading
    | StaffTest
    | StaffSettings
    | StaffHelp
    | StaffUpdate
    | StaffChanged
)
