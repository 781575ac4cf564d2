"""What can happen to a visit.

Reader and uploader events carry the visit they belong to; stale ones change nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from kiosk.qualification.call_centre import CallHours
from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import FallbackReason, Outcome
from kiosk.visit.states import LineStatus, OutboxCondition, ReaderCondition, Stage, WrongTokenKind
from kiosk.visit.views.changed_settings_view import CardSettings
from kiosk.visit.views.staff_views import CheckView, DayView, DrillStep, SeenToken
from kiosk.visit.views.update_view import UpdateStatus
from kiosk.visit.views.waiting_view import WaitingView
from kiosk.visit.vocabulary import ReadFailure as ReadFailure


class Action(StrEnum):
    """A touch that carries nothing but itself."""

    BACK = "back"
    LANGUAGE = "language"
    TEXT_SIZE = "text_size"  #: large letters, or the usual ones again
    HELP = "help"
    CONSENT_ALL = "consent_all"
    CONSENT_NONE = "consent_none"
    CONSENT_EACH = "consent_each"
    CONSENT_AS_REGISTERED = "consent_as_registered"
    CONSENT_CHANGE = "consent_change"
    METHOD_OWN = "method_own"
    METHOD_VISUAL = "method_visual"
    ERASE = "erase"
    OK = "ok"
    NO_PIN = "no_pin"
    RETRY = "retry"
    CONTINUE = "continue"
    FINISH = "finish"
    STAFF_HERE = "staff_here"
    OPEN_CHECK = "open_check"
    OPEN_FALLBACK = "open_fallback"
    OPEN_WAITING = "open_waiting"
    OPEN_DRILL = "open_drill"
    OPEN_DAY = "open_day"
    OPEN_READING = "open_reading"
    OPEN_TEST = "open_test"
    OPEN_SETTINGS = "open_settings"
    OPEN_HELP = "open_help"
    OPEN_UPDATE = "open_update"
    OPEN_CHANGED = "open_changed"
    LEAVE = "leave"  #: go on with the settings in force
    STOP = "stop"  #: give up fetching the update
    RESTART = "restart"  #: start again, with what was installed
    RUN = "run"  #: check, drill or reading test, again
    MORE = "more"  #: the next page of a list
    SPEAK = "speak"  #: hear the page's sentence once more
    SEEN = "seen"  #: 確認した: staff have dealt with it


@dataclass(frozen=True)
class Began:
    """The first touch on the start screen, with the id minted for the visit."""

    visit: str


@dataclass(frozen=True)
class Pressed:
    action: Action


@dataclass(frozen=True)
class LanguageChosen:
    language: str


@dataclass(frozen=True)
class ItemAnswered:
    item: ConsentItem
    agree: bool


@dataclass(frozen=True)
class DeviceChosen:
    device: Device


@dataclass(frozen=True)
class DigitTyped:
    """A key of the PIN or passcode pad; the digit itself stays outside the machine."""


@dataclass(frozen=True)
class NumberTyped:
    """A key of the staff-number pad; that number is no secret."""

    digit: str


@dataclass(frozen=True)
class Knocked:
    """The long press that no patient is told of: staff want in."""


@dataclass(frozen=True)
class FallbackChosen:
    """Staff begin fallback operation for a reason, or end it (None)."""

    reason: FallbackReason | None


@dataclass(frozen=True)
class CaseOpened:
    """Staff look at a late answer, or (None) at the last visit that was recorded."""

    record: str | None


@dataclass(frozen=True)
class SpotTouched:
    """One of the places of the touch test, counted from 0."""

    spot: int


@dataclass(frozen=True)
class VolumeChosen:
    """Staff set the loudspeaker, 0 (silent) to `rules.LOUDEST`."""

    volume: int


@dataclass(frozen=True)
class LanguageSwitched:
    """Staff offer a language to patients, or no longer."""

    language: str


@dataclass(frozen=True)
class TimeUp:
    """The current state has waited long enough."""


@dataclass(frozen=True)
class ReaderChanged:
    condition: ReaderCondition


@dataclass(frozen=True)
class TokenPresented:
    visit: str | None


@dataclass(frozen=True)
class TokenRemoved:
    visit: str | None


@dataclass(frozen=True)
class TokenRecognised:
    """EF 0006 names the device that was chosen: the transcript freezes now."""

    visit: str


@dataclass(frozen=True)
class StageReached:
    visit: str
    stage: Stage


@dataclass(frozen=True)
class WrongTokenPresented:
    visit: str
    kind: WrongTokenKind


@dataclass(frozen=True)
class OtherDevicePresented:
    visit: str
    presented: Device | None


@dataclass(frozen=True)
class ReadFailed:
    visit: str
    failure: ReadFailure
    tries_left: int | None = None  #: with PIN_WRONG: what the patient may still use
    pin_kept: bool = False  #: the reader still holds the PIN: VERIFY was not sent


@dataclass(frozen=True)
class TokenAuthenticated:
    """Certificate and (unless visual) signature are in and hold; the evidence itself stays outside."""

    visit: str
    ends_soon: bool = False  #: the certificate ends within three months: the holder is told at the end


@dataclass(frozen=True)
class StaffAccepted:
    """Number and passcode belong together; `visit` is None at the hidden door."""

    visit: str | None
    number: str


@dataclass(frozen=True)
class StaffRefused:
    visit: str | None


@dataclass(frozen=True)
class DoorUnlocked:
    """The time without passcodes is over."""


@dataclass(frozen=True)
class WaitingViewChanged:
    view: WaitingView


@dataclass(frozen=True)
class DrillAdvanced:
    """A step of the drill began, or (`passed` is not None) the drill has ended."""

    step: DrillStep
    passed: bool | None = None


@dataclass(frozen=True)
class ReadingAdvanced:
    """The reading test has got so far; a device was read to the end."""

    seen: SeenToken | Device
    ms: int = 0


@dataclass(frozen=True)
class DayCounted:
    view: DayView


@dataclass(frozen=True)
class CallHoursKnown:
    hours: CallHours | None


@dataclass(frozen=True)
class UpdateChanged:
    status: UpdateStatus


@dataclass(frozen=True)
class CardSettingsChanged:
    settings: CardSettings


@dataclass(frozen=True)
class PreferencesChanged:
    """What staff have set, as it is kept; None: as the settings file says."""

    volume: int | None
    languages: tuple[str, ...] | None


@dataclass(frozen=True)
class CheckDue:
    """A new day, or a fresh start, and the kiosk is at rest."""


@dataclass(frozen=True)
class CheckCompleted:
    view: CheckView


@dataclass(frozen=True)
class OutboxChanged:
    condition: OutboxCondition


@dataclass(frozen=True)
class LineChanged:
    line: LineStatus


@dataclass(frozen=True)
class ChallengeArrived:
    visit: str
    challenge: str


@dataclass(frozen=True)
class RecordCommitted:
    visit: str
    receipt: str


@dataclass(frozen=True)
class RecordRefused:
    visit: str


@dataclass(frozen=True)
class AnswerArrived:
    visit: str
    outcome: Outcome


@dataclass(frozen=True)
class DeliveryDeferred:
    """The uploader knows that no answer will come soon; waiting longer helps nobody."""

    visit: str


TouchEvent = (
    Began
    | Pressed
    | LanguageChosen
    | ItemAnswered
    | DeviceChosen
    | DigitTyped
    | NumberTyped
    | Knocked
    | FallbackChosen
    | CaseOpened
    | SpotTouched
    | VolumeChosen
    | LanguageSwitched
)
ReaderEvent = (
    ReaderChanged
    | TokenPresented
    | TokenRemoved
    | TokenRecognised
    | StageReached
    | WrongTokenPresented
    | OtherDevicePresented
    | ReadFailed
    | TokenAuthenticated
)
StaffEvent = StaffAccepted | StaffRefused | DoorUnlocked
StaffPageEvent = (
    WaitingViewChanged
    | DrillAdvanced
    | ReadingAdvanced
    | DayCounted
    | CallHoursKnown
    | PreferencesChanged
    | UpdateChanged
    | CardSettingsChanged
    | CheckDue
    | CheckCompleted
)
UploaderEvent = (
    OutboxChanged
    | LineChanged
    | ChallengeArrived
    | RecordCommitted
    | RecordRefused
    | AnswerArrived
    | DeliveryDeferred
)
Event = TouchEvent | TimeUp | ReaderEvent | StaffEvent | StaffPageEvent | UploaderEvent
