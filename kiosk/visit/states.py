"""The states of a visit. Each is a picture on the screen and nothing in them is a secret.

A state holds how many digits were typed, never which; no name, no certificate, no reason of the insurer.
`name` is what logs, the story and the pictures call the state. To add one: the class here, its place in the
`Screen` union, and the handlers that mypy then names (machine, layout, indicator pattern, dwell).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from kiosk.qualification.consent import NOT_ASKED, Consent
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, FallbackReason, Mode
from kiosk.visit.rules import LOUDEST, Rules
from kiosk.visit.staff_states import DoorNumber, DoorPad, DoorPasscode, StaffPage, StaffScreen
from kiosk.visit.views.changed_settings_view import UNCHANGED, CardSettings
from kiosk.visit.views.staff_views import OPEN_DOOR, CheckView, DoorTries
from kiosk.visit.views.update_view import UpdateStatus
from kiosk.visit.views.waiting_view import WaitingView
from kiosk.visit.vocabulary import CallReason as CallReason
from kiosk.visit.vocabulary import OutboxCondition as OutboxCondition
from kiosk.visit.vocabulary import ReaderCondition as ReaderCondition
from kiosk.visit.vocabulary import Stage as Stage
from kiosk.visit.vocabulary import WrongTokenKind as WrongTokenKind


class OutOfServiceReason(StrEnum):
    """What is missing for any visit to begin."""

    READER = "reader"
    UPLOADER = "uploader"  #: nothing could be recorded
    OUTBOX_FULL = "outbox_full"
    STARTING = "starting"
    MAINTENANCE = "maintenance"  #: the kiosk is being updated or switched off; its last picture


class HoldProblem(StrEnum):
    """Why the token has to be held (again); each is a sentence of its own."""

    MOVED = "moved"  #: left the field before the reading was done; a PIN still held is not asked again
    UNREADABLE = "unreadable"
    TWO_TOKENS = "two_tokens"
    LEFT_BEHIND = "left_behind"  #: it lay there before this visit began: somebody forgot it


@dataclass(frozen=True)
class Visit:
    """One person's passage, as far as it has been told."""

    id: str  #: UUIDv7: also the record's id and the idempotency key
    mode: Mode
    consent: Consent = NOT_ASKED
    device: Device | None = None
    authentication: Authentication | None = None
    staff: str | None = None  #: personal staff number of the visual check
    challenge: str | None = None  #: base64, as the service gave it
    challenge_frozen: bool = False  #: the token was recognised: the transcript keeps what it has
    pin_sent: bool = False  #: the reader holds the PIN for this visit
    ends_soon: bool = False  #: the token's certificate ends within three months


@dataclass(frozen=True)
class Idle:
    name: ClassVar[str] = "start"


@dataclass(frozen=True)
class TooEarly:
    """A token lies on the reader before it was asked for; between two visits until it is taken away."""

    name: ClassVar[str] = "laid_too_early"
    back: "Idle | Question"


@dataclass(frozen=True)
class ChooseLanguage:
    name: ClassVar[str] = "language"
    back: "Idle | Question | Armed"


@dataclass(frozen=True)
class AskConsent:
    name: ClassVar[str] = "consent"
    visit: Visit


@dataclass(frozen=True)
class AskConsentItems:
    """One item after another; `visit.consent` holds the choices so far."""

    name: ClassVar[str] = "consent_items"
    visit: Visit
    position: int  #: index into Rules.consent_items


@dataclass(frozen=True)
class ChooseMethod:
    """qualification_only begins here: by oneself, or by the visual check."""

    name: ClassVar[str] = "method"
    visit: Visit


@dataclass(frozen=True)
class ChooseDevice:
    """Shows the consent choice with 変更; going on confirms it."""

    name: ClassVar[str] = "device"
    visit: Visit


@dataclass(frozen=True)
class EnterPin:
    name: ClassVar[str] = "pin"
    visit: Visit
    digits: int = 0
    again: bool = False  #: asked anew because the first entry is spent (token moved after VERIFY)


@dataclass(frozen=True)
class PinWrong:
    name: ClassVar[str] = "pin_wrong"
    visit: Visit
    tries_left: int  #: the counter less the one that the kiosk never spends


@dataclass(frozen=True)
class VisualCheck:
    """The patient waits for staff; staff go on from here."""

    name: ClassVar[str] = "visual_check"
    visit: Visit


@dataclass(frozen=True)
class EnterStaffNumber:
    name: ClassVar[str] = "staff_number"
    visit: Visit
    number: str = ""  #: staff numbers are not secret
    refused: bool = False


@dataclass(frozen=True)
class EnterPasscode:
    name: ClassVar[str] = "staff_passcode"
    visit: Visit
    number: str
    digits: int = 0
    checking: bool = False


@dataclass(frozen=True)
class Hold:
    """The reader is armed and waits for the token."""

    name: ClassVar[str] = "hold"
    visit: Visit


@dataclass(frozen=True)
class Again:
    """Hold once more; nothing has to be typed again."""

    name: ClassVar[str] = "again"
    visit: Visit
    problem: HoldProblem


@dataclass(frozen=True)
class WrongToken:
    name: ClassVar[str] = "wrong_token"
    visit: Visit
    kind: WrongTokenKind


@dataclass(frozen=True)
class OtherDevice:
    """A My Number token, but not the one that was chosen; VERIFY was not sent."""

    name: ClassVar[str] = "other_device"
    visit: Visit
    presented: Device | None  #: None: a token name newer than this program


@dataclass(frozen=True)
class AuthenticateOnPhone:
    """The iPhone was held before Face ID / Touch ID."""

    name: ClassVar[str] = "authenticate_on_phone"
    visit: Visit


@dataclass(frozen=True)
class Reading:
    name: ClassVar[str] = "reading"
    visit: Visit
    stage: Stage


@dataclass(frozen=True)
class Checking:
    """The token may be removed. `receipt` is there once the outbox has committed."""

    name: ClassVar[str] = "checking"
    visit: Visit
    receipt: str | None = None


@dataclass(frozen=True)
class Verified:
    name: ClassVar[str] = "verified"
    visit: Visit


@dataclass(frozen=True)
class NotConfirmed:
    name: ClassVar[str] = "not_confirmed"
    visit: Visit


@dataclass(frozen=True)
class Recorded:
    """Recorded, not verified."""

    name: ClassVar[str] = "recorded"
    visit: Visit
    receipt: str


@dataclass(frozen=True)
class StaffCalled:
    name: ClassVar[str] = "staff_called"
    visit: Visit | None
    reason: CallReason


@dataclass(frozen=True)
class StillThere:
    """Inactivity: continue, or everything typed so far is forgotten."""

    name: ClassVar[str] = "still_there"
    back: "Question | Armed"


@dataclass(frozen=True)
class Interrupted:
    """The reader went away in the middle; the visit waits a little for it."""

    name: ClassVar[str] = "interrupted"
    visit: Visit


@dataclass(frozen=True)
class OutOfService:
    name: ClassVar[str] = "out_of_service"
    reason: OutOfServiceReason


@dataclass(frozen=True)
class Starting:
    """The other processes have not answered yet."""

    name: ClassVar[str] = "starting"


#: The patient is asked something; the reader is not armed yet.
Question = (
    AskConsent
    | AskConsentItems
    | ChooseMethod
    | ChooseDevice
    | EnterPin
    | PinWrong
    | VisualCheck
    | EnterStaffNumber
    | EnterPasscode
)
#: The reader is armed: whatever is presented now is read.
Armed = Hold | Again | WrongToken | OtherDevice | AuthenticateOnPhone
#: A visit's last state; it ended with an outcome.
Result = Verified | NotConfirmed | Recorded | StaffCalled

Screen = (
    Starting
    | Idle
    | TooEarly
    | ChooseLanguage
    | Question
    | Armed
    | Reading
    | Checking
    | Result
    | StillThere
    | Interrupted
    | OutOfService
    | DoorPad
    | StaffPage
)


@dataclass(frozen=True)
class LineStatus:
    """How the way to the service stands; shown as a banner, never on the patient's way."""

    online: bool = True
    waiting: int = 0  #: records not yet answered
    fallback: FallbackReason | None = None  #: why fallback operation is on, None when off

    @property
    def backup(self) -> bool:
        """Whether everybody is told that the kiosk works in fallback operation."""
        return self.fallback is not None or not self.online


@dataclass(frozen=True)
class Kiosk:
    """All that decides the next picture."""

    rules: Rules
    language: str
    screen: Screen = Starting()
    reader: ReaderCondition = ReaderCondition.UNKNOWN
    outbox: OutboxCondition = OutboxCondition.UNKNOWN
    line: LineStatus = LineStatus()
    door: DoorTries = OPEN_DOOR
    waiting: WaitingView | None = None  #: on the staff pages only
    check: CheckView | None = None  #: the last daily check
    update: UpdateStatus | None = None  #: None: not known yet
    changed: CardSettings = UNCHANGED
    volume: int = LOUDEST  #: of the loudspeaker, 0 (silent) to LOUDEST
    large_text: bool = False  #: as the patient chose, or the settings


def visit_of(screen: Screen) -> Visit | None:
    """The visit that a state belongs to, if any."""
    match screen:
        case Starting() | Idle() | OutOfService():
            return None
        case DoorNumber() | DoorPasscode():
            return None
        case StaffScreen():
            return None
        case TooEarly(back=back) | ChooseLanguage(back=back) | StillThere(back=back):
            return visit_of(back)
        case _:
            return screen.visit
