"""What the four LEDs and the buzzer do in each state, as data. PURE.

The LEDs tell the same story as the screen to somebody who looks at the reader: one steady = hold it here,
two = something lies there, three = the token has answered, four = done. Colour is not needed: number and
rhythm differ. Nothing flashes more than three times a second (WCAG 2.3.1); tones stay below
2500 Hz (JIS S 0014).
"""

from dataclasses import dataclass
from typing import assert_never

from kiosk.visit.staff_states import DoorNumber, DoorPasscode, StaffScreen, StaffTest
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
    Stage,
    Starting,
    StillThere,
    TooEarly,
    Verified,
    VisualCheck,
    WrongToken,
)
from kiosk.visit.views.staff_views import TestStep

Levels = tuple[bool, bool, bool, bool]

NONE: Levels = (False, False, False, False)
FIRST: Levels = (True, False, False, False)
TWO: Levels = (True, True, False, False)
THREE: Levels = (True, True, True, False)
ALL: Levels = (True, True, True, True)
LAST: Levels = (False, False, False, True)
OUTER: Levels = (True, False, False, True)

READY_HZ = 1000
GOOD_HZ = 1500
ALERT_HZ = 750


@dataclass(frozen=True)
class Light:
    levels: Levels
    seconds: float


@dataclass(frozen=True)
class Tone:
    hz: int | None  #: None: a pause
    seconds: float


@dataclass(frozen=True)
class Pattern:
    """Lights and tones, each played from the start and then, from `…_again` on, for ever; None: once.

    After the last light of a pattern played once, that light stays; after the last tone there is silence.
    """

    name: str
    lights: tuple[Light, ...]
    tones: tuple[Tone, ...] = ()
    lights_again: int | None = None
    tones_again: int | None = None


@dataclass(frozen=True)
class Output:
    """What the pins show at one moment."""

    levels: Levels
    hz: int | None


SILENT = Output(NONE, None)


def _steady(name: str, levels: Levels, *tones: Tone) -> Pattern:
    return Pattern(name, (Light(levels, 1.0),), tones)


_ALERT = (Tone(ALERT_HZ, 0.2), Tone(None, 0.2), Tone(ALERT_HZ, 0.2))
_TWO_BLINKS = (Light(ALL, 0.25), Light(NONE, 0.25), Light(ALL, 0.25), Light(NONE, 0.25))

OFF = _steady("off", NONE)
IDLE = Pattern("idle", (Light(FIRST, 0.2), Light(NONE, 4.8)), lights_again=0)
#: The same light in another rhythm: the reader serves, by the other way. The fourth light means done.
IDLE_FALLBACK = Pattern(
    "idle_fallback",
    (Light(FIRST, 0.2), Light(NONE, 0.4), Light(FIRST, 0.2), Light(NONE, 4.2)),
    lights_again=0,
)
HOLD = _steady("hold", FIRST, Tone(READY_HZ, 0.08))
PRESENTED = _steady("presented", TWO)
ANSWERED = _steady("answered", THREE)
MAY_REMOVE = _steady("may_remove", THREE, Tone(GOOD_HZ, 0.12))
VERIFIED = Pattern("verified", (Light(ALL, 3.0), Light(NONE, 1.0)), (Tone(GOOD_HZ, 0.5),))
RECORDED = Pattern(
    "recorded",
    (Light(OUTER, 1.0), Light(NONE, 1.0)),
    (Tone(GOOD_HZ, 0.15), Tone(None, 0.1), Tone(READY_HZ, 0.3)),
    lights_again=0,
)
#: Not this time, and nothing is asked of the reader now.
REFUSED = Pattern("refused", _TWO_BLINKS, _ALERT)
#: Not this time; the reader still waits for the token, so its light comes back.
HOLD_AGAIN = Pattern("hold_again", (*_TWO_BLINKS, Light(FIRST, 1.0)), _ALERT)
CALL = Pattern(
    "call",
    (Light(ALL, 1.0), Light(NONE, 1.0)),
    (*_ALERT, Tone(None, 10.0)),
    lights_again=0,
    tones_again=0,
)
ASK = _steady("ask", NONE, Tone(READY_HZ, 0.08), Tone(None, 0.2), Tone(READY_HZ, 0.08))
OUT_OF_SERVICE = Pattern("out_of_service", (Light(LAST, 1.0), Light(NONE, 1.0)), lights_again=0)

#: The test of the box: one light after the other, then all; three tones, low to high, again and again.
TEST_LIGHTS = Pattern(
    "test_lights",
    (
        Light(FIRST, 1.0),
        Light((False, True, False, False), 1.0),
        Light((False, False, True, False), 1.0),
        Light(LAST, 1.0),
        Light(ALL, 1.5),
        Light(NONE, 1.0),
    ),
    lights_again=0,
)
TEST_BUZZER = Pattern(
    "test_buzzer",
    (Light(NONE, 1.0),),
    (
        Tone(ALERT_HZ, 0.4),
        Tone(None, 0.2),
        Tone(READY_HZ, 0.4),
        Tone(None, 0.2),
        Tone(GOOD_HZ, 0.4),
        Tone(None, 2.0),
    ),
    tones_again=0,
)

PATTERNS = (
    OFF,
    IDLE,
    IDLE_FALLBACK,
    HOLD,
    PRESENTED,
    ANSWERED,
    MAY_REMOVE,
    VERIFIED,
    RECORDED,
    REFUSED,
    HOLD_AGAIN,
    CALL,
    ASK,
    OUT_OF_SERVICE,
    TEST_LIGHTS,
    TEST_BUZZER,
)


def pattern_of(kiosk: Kiosk) -> Pattern:
    """What LEDs and buzzer do in the kiosk's state."""
    screen = kiosk.screen
    match screen:
        case Starting() | ChooseLanguage() | AskConsent() | AskConsentItems() | ChooseMethod():
            return OFF
        case ChooseDevice() | EnterPin() | VisualCheck() | EnterStaffNumber() | EnterPasscode():
            return OFF
        case Interrupted():
            return OFF
        case StaffTest(step=TestStep.LIGHTS):
            return TEST_LIGHTS
        case StaffTest(step=TestStep.BUZZER):
            return TEST_BUZZER
        case DoorNumber() | DoorPasscode() | StaffScreen():
            return OFF
        case Idle():
            return IDLE_FALLBACK if kiosk.line.backup else IDLE
        case TooEarly() | PinWrong():
            return REFUSED
        case Hold():
            return HOLD
        case Again() | WrongToken() | OtherDevice() | AuthenticateOnPhone():
            return HOLD_AGAIN
        case Reading(stage=stage):
            return _reading(stage)
        case Checking():
            return MAY_REMOVE
        case Verified():
            return VERIFIED
        case Recorded():
            return RECORDED
        case NotConfirmed() | StaffCalled():
            return CALL
        case StillThere():
            return ASK
        case OutOfService():
            return OUT_OF_SERVICE
        case _:
            assert_never(screen)


def _reading(stage: Stage) -> Pattern:
    """True progress: the second light as soon as something lies there, the third when it has answered."""
    match stage:
        case Stage.PRESENTED | Stage.RECOGNISED | Stage.COUNTER:
            return PRESENTED
        case Stage.VERIFIED | Stage.CERTIFICATE | Stage.SIGNED:
            return ANSWERED
        case _:
            assert_never(stage)


def output_at(pattern: Pattern, t: float) -> Output:
    """Levels and tone `t` seconds after the pattern began."""
    light = _at([step.seconds for step in pattern.lights], pattern.lights_again, t)
    tone = _at([step.seconds for step in pattern.tones], pattern.tones_again, t)
    last = pattern.lights[-1].levels if pattern.lights else NONE
    return Output(
        pattern.lights[light].levels if light is not None else last,
        pattern.tones[tone].hz if tone is not None else None,
    )


def _at(seconds: list[float], again: int | None, t: float) -> int | None:
    """Index of the step that plays at `t`; None after the end of what is played once."""
    total = sum(seconds)
    if t >= total:
        if again is None or not seconds:
            return None
        loop = sum(seconds[again:])
        t = total - loop + (t - total) % loop
    for index, length in enumerate(seconds):
        if t < length:
            return index
        t -= length
    return len(seconds) - 1
