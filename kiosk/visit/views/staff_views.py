"""What the staff's tools show: checks, drill, the day, reading test, test of the box. No person. PURE."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class DrillStep(StrEnum):
    """What a drill goes through, in this order."""

    SEAL = "seal"
    COMMIT = "commit"
    REFUSE = "refuse"  #: the line is refused, the record waits
    DELIVER = "deliver"
    ERASE = "erase"


class Part(StrEnum):
    """What the daily check looks at. UNKNOWN: a part newer than this program."""

    READER = "reader"
    LINE = "line"
    CLOCK = "clock"
    CERTIFICATE = "certificate"
    OUTBOX = "outbox"
    DISK = "disk"
    HEAT = "heat"
    POWER = "power"
    FOLDERS = "folders"  #: the receipt computer's, where answers are handed over
    SOUND = "sound"
    LIGHTS = "lights"
    UPLOADER = "uploader"  #: its process does not answer
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PartFault:
    """One thing to mend. `word` is a stable one; `value` (days, megabytes, records) is for its sentence."""

    part: Part
    word: str
    value: int = 0


@dataclass(frozen=True)
class CheckView:
    """「本日の点検」: when it was made (local time; None: nobody knows the time) and what is to mend."""

    at: datetime | None
    faults: tuple[PartFault, ...] = ()
    fine: tuple[PartFault, ...] = ()  #: what is in order; the word says nothing


@dataclass(frozen=True)
class HourView:
    """One hour of the day: how its visits ended, and how long the service was not reached."""

    hour: int  #: 0 to 23
    verified: int = 0
    not_confirmed: int = 0
    recorded: int = 0
    others: int = 0  #: staff called, or given up
    offline_s: float = 0.0

    @property
    def visits(self) -> int:
        return self.verified + self.not_confirmed + self.recorded + self.others


@dataclass(frozen=True)
class DayView:
    """Today in counts and times; the times are means in seconds, None where there is none to take."""

    day: date | None  #: None: the clock is not to be believed
    hours: tuple[HourView, ...] = ()
    visit_s: float | None = None  #: from the first touch to the result
    token_s: float | None = None  #: from the token's coming to its signature


class SeenToken(StrEnum):
    """What the reading test has to say, a value for each sentence, when it cannot name a `Device`."""

    WAITING = "waiting"  #: nothing lies there
    LIES = "lies"  #: something does, and is being read
    OTHER = "other"  #: a My Number token that this program does not know
    PAYMENT = "payment"
    TRANSIT = "transit"
    UNKNOWN = "unknown"
    TWO = "two"
    LEFT_BEHIND = "left_behind"  #: it lay there already
    MOVED = "moved"
    UNREADABLE = "unreadable"
    EXPIRED = "expired"
    NOT_TRUSTED = "not_trusted"  #: read, but its certificate does not hold


class TestStep(StrEnum):
    """What the test of the box goes through, in this order."""

    __test__ = False  # pytest takes every Test… for its own

    TOUCH = "touch"
    COLOURS = "colours"
    LIGHTS = "lights"
    BUZZER = "buzzer"
    SPEAKER = "speaker"


@dataclass(frozen=True)
class DoorTries:
    """How often in a row the passcode was wrong, and whether passcodes are refused for a while."""

    misses: int = 0
    locked: bool = False


OPEN_DOOR = DoorTries()
