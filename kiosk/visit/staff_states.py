"""The states behind the hidden door: number and passcode, then the staff pages. None holds a visit.

Every page holds the number of the member of staff whose session it is; what the pages show besides is the
kiosk's `desk`, `check` and `line`.
"""

from dataclasses import dataclass
from typing import ClassVar

from kiosk.visit.desk import DeskCase, DrillStep


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


@dataclass(frozen=True)
class StaffScreen:
    """What the staff pages share: whose session it is."""

    staff: str


@dataclass(frozen=True)
class StaffMenu(StaffScreen):
    name: ClassVar[str] = "staff_menu"


@dataclass(frozen=True)
class StaffCheck(StaffScreen):
    """「本日の点検」."""

    name: ClassVar[str] = "staff_check"
    running: bool = False
    position: int = 0  #: the first fault shown


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
    case: DeskCase
    ways: bool = False


@dataclass(frozen=True)
class StaffDrill(StaffScreen):
    name: ClassVar[str] = "staff_drill"
    step: DrillStep | None = None  #: what is being done, or where it failed
    passed: bool | None = None  #: None: not run, or still running


DoorPad = DoorNumber | DoorPasscode
StaffPage = StaffMenu | StaffCheck | StaffFallback | StaffWaiting | StaffCase | StaffDrill
