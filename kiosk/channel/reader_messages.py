"""Between the screen and the reader process. PURE."""

import msgspec

from kiosk.channel.base import Message
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.visit.vocabulary import ReaderCondition, ReadFailure, Stage, WrongTokenKind

# ---- screen -> reader --------------------------------------------------------------------------------------


class BeginContact(Message, frozen=True, tag="begin_contact"):
    """A visit began: events carry its id from now on; nothing is read yet."""

    visit: str


class ArmReader(Message, frozen=True, tag="arm_reader"):
    """Read the next token presented (or the one lying there) for this device and method."""

    visit: str
    device: Device
    authentication: Authentication


class SignDigests(Message, frozen=True, tag="sign_digests"):
    """The transcript's digests, one per algorithm; the reader signs the one that fits the certificate."""

    visit: str
    digests: dict[SignatureAlgorithm, bytes]


class EndContact(Message, frozen=True, tag="end_contact"):
    """The visit is over: wipe the PIN, switch the field off, send nothing more for it."""

    visit: str


class AskReader(Message, frozen=True, tag="ask_reader"):
    """How the reader has fared; any client may ask, and is answered with `ReaderHealth`."""


# ---- reader -> screen --------------------------------------------------------------------------------------


class ReaderState(Message, frozen=True, tag="reader_state"):
    """Sent on connection and on every change. `reason` is for the log and for staff, one line."""

    condition: ReaderCondition
    reason: str = msgspec.field(default="", name="say")
    model: str = ""  #: what the reader calls itself, with firmware version


class Presented(Message, frozen=True, tag="presented"):
    visit: str | None


class Removed(Message, frozen=True, tag="removed"):
    visit: str | None


class Recognised(Message, frozen=True, tag="recognised"):
    """EF 0006 names the device that was chosen; the reader goes on and will want the digests."""

    visit: str
    token: Device


class StageDone(Message, frozen=True, tag="stage_done"):
    visit: str
    stage: Stage


class WrongTokenSeen(Message, frozen=True, tag="wrong_token"):
    visit: str
    kind: WrongTokenKind


class OtherDeviceSeen(Message, frozen=True, tag="other_device"):
    """A My Number token of another kind; None when EF 0006 holds a name newer than this program."""

    visit: str
    presented: Device | None


class ContactFailed(Message, frozen=True, tag="contact_failed"):
    visit: str
    failure: ReadFailure
    tries_left: int | None = None  #: counter less one, with PIN_WRONG
    pin_kept: bool = False  #: the PIN is still held: VERIFY was not sent


class StageTime(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the dialogue, for `kiosk read`, the story and the histogram."""

    name: str
    ms: float
    apdus: int
    bytes_to: int
    bytes_from: int


class Evidence(Message, frozen=True, tag="evidence"):
    """What the token gave, checked on the spot. Personal data: kept in memory until the request is sealed."""

    visit: str
    token: Device
    certificate: bytes  #: DER
    signature: bytes | None  #: None with the visual check
    algorithm: SignatureAlgorithm | None
    not_after: str  #: RFC 3339, UTC
    stages: tuple[StageTime, ...] = ()


STAGE_BOUNDS_MS = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  #: upper, inclusive; then beyond


class StageHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """How often a stage of the dialogue took how long: a count per bound of `STAGE_BOUNDS_MS`, and beyond."""

    name: str
    counts: tuple[int, ...]


class ReaderHealth(Message, frozen=True, tag="reader_health"):
    """Counted since the reader process began; nothing of it is about a person."""

    condition: ReaderCondition
    reason: str = msgspec.field(default="", name="say")
    model: str = ""  #: with firmware version
    where: str = ""  #: USB id and path
    opened: int = 0
    lost: int = 0
    resets: int = 0
    stale_frames: int = 0
    blocks: int = 0  #: to activated tokens, repetitions included
    blocks_repeated: int = 0
    blocks_unanswered: int = 0
    blocks_damaged: int = 0
    contacts: dict[str, int] = msgspec.field(default_factory=dict)  #: by outcome
    stages: tuple[StageHistogram, ...] = ()


ToReader = BeginContact | ArmReader | SignDigests | EndContact | AskReader
FromReader = (
    ReaderState
    | Presented
    | Removed
    | Recognised
    | StageDone
    | WrongTokenSeen
    | OtherDeviceSeen
    | ContactFailed
    | Evidence
    | ReaderHealth
)
