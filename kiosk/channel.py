"""Typed messages between the processes, on UNIX SEQPACKET sockets.

`reader` and `uploader` listen; the screen process connects to both, the command line to the uploader. A
message is one packet of UTF-8 JSON of at most 64 KiB: `v`, `type` and the fields of one class below. What is
unknown, oversized, badly typed or of another version is refused with a `ChannelError`; the receiver logs its
text and goes on. The PIN alone travels as a binary frame, so that no text buffer ever holds it.

To add a message: a class here and its name in the union of those who receive it; mypy then names the `match`
that lacks it.
"""

import uuid
from typing import Literal, TypeVar

import msgspec

from kiosk.qualification.terms import Authentication, Device, Mode, Outcome, SignatureAlgorithm
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import OutboxCondition, ReaderCondition, Stage, WrongTokenKind

M = TypeVar("M")

MAX_MESSAGE = 64 * 1024
READER_SOCKET, UPLOADER_SOCKET = "reader.sock", "uploader.sock"  #: in the settings' run folder
PIN_MARK = b"\x01"  #: no JSON text begins with it
_PIN_HEAD = 17  #: the mark and the visit's 16 bytes


class ChannelError(ValueError):
    """A packet that is not one of our messages; the text holds no content of it."""


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all messages carry."""

    v: Literal[1] = 1


# ---- screen -> reader ------------------------------------------------------------------------------------


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


# ---- reader -> screen ------------------------------------------------------------------------------------


class ReaderState(Message, frozen=True, tag="reader_state"):
    """Sent on connection and on every change. `say` is for the log and the desk, one line."""

    condition: ReaderCondition
    say: str = ""
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


# ---- screen -> uploader ----------------------------------------------------------------------------------


class AskChallenge(Message, frozen=True, tag="ask_challenge"):
    visit: str


class CommitRecord(Message, frozen=True, tag="commit_record"):
    """Keep this sealed request and deliver it. Sent again after a lost connection: same id, same effect."""

    visit: str
    suite: str
    key_id: str
    sealed: bytes
    mode: Mode
    taken_at: str  #: RFC 3339, UTC
    clock_trusted: bool
    challenged: bool  #: the transcript holds a challenge


class VisitEnded(Message, frozen=True, tag="visit_ended"):
    """For the counters: what came of a visit, and how long its parts took. Names nobody."""

    visit: str
    outcome: Outcome
    mode: Mode
    device: Device | None
    authentication: Authentication | None
    stages_ms: dict[str, float]


class AuditNote(Message, frozen=True, tag="audit_note"):
    """Who of the staff did what, for the append-only table."""

    event: str
    staff: str
    visit: str | None = None


# ---- uploader -> screen ----------------------------------------------------------------------------------


class SealingKeys(Message, frozen=True, tag="sealing_keys"):
    """Sent on connection and on every rotation: seal to `public`; answers come sealed to `response_key`."""

    service: str
    key_id: str
    suite: str
    public: bytes
    response_key_id: str
    response_key: bytes


class OutboxState(Message, frozen=True, tag="outbox_state"):
    condition: OutboxCondition
    say: str = ""


class LineState(Message, frozen=True, tag="line_state"):
    online: bool
    waiting: int
    oldest_s: float | None = None
    fallback: str | None = None


class ChallengeGiven(Message, frozen=True, tag="challenge"):
    visit: str
    challenge: str  #: base64
    valid_s: float


class Committed(Message, frozen=True, tag="committed"):
    """The record is on the disk, synced; `receipt` is the number that the patient and the desk see."""

    visit: str
    receipt: str


class CommitRefused(Message, frozen=True, tag="commit_refused"):
    visit: str
    say: str


class Answered(Message, frozen=True, tag="answered"):
    """The service's answer is in and committed. `validity` is the code 1–6 where there is one."""

    visit: str
    receipt: str
    outcome: Outcome
    validity: str | None = None


class Deferred(Message, frozen=True, tag="deferred"):
    """No answer will come soon; delivery goes on by itself."""

    visit: str
    say: str


# ---- command line -> uploader, and back ------------------------------------------------------------------


class AskStatus(Message, frozen=True, tag="ask_status"):
    pass


#: Where a record stands; the transitions are in the outbox's schema.sql.
RecordState = Literal["pending", "sending", "answered", "rejected", "expired", "quarantined"]


class AskRecords(Message, frozen=True, tag="ask_records"):
    """List at most `limit` records, the newest last; `before` (a sequence number) turns the page back."""

    limit: int = 100
    states: tuple[RecordState, ...] = ()  #: none named: all
    before: int | None = None


class RecordLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record without its sealed content."""

    seq: int
    visit: str
    receipt: str
    state: RecordState
    taken_at: str
    attempts: int
    outcome: str | None = None
    validity: str | None = None
    code: str | None = None  #: what the service called its refusal, or its processing result code
    say: str = ""


class Records(Message, frozen=True, tag="records"):
    records: tuple[RecordLine, ...]


class AskSealed(Message, frozen=True, tag="ask_sealed"):
    """For export: one record as it is sealed to the service. Nobody here can open it."""

    visit: str


class SealedRecord(Message, frozen=True, tag="sealed_record"):
    visit: str
    suite: str
    key_id: str
    sealed: bytes
    taken_at: str


class Status(Message, frozen=True, tag="status"):
    """The uploader's state for `kiosk status`; counts only."""

    online: bool
    waiting: int
    answered: int
    rejected: int
    expired: int
    quarantined: int
    outbox: OutboxCondition
    outcomes_today: dict[str, int]
    oldest_s: float | None = None
    line_say: str = ""  #: why it is offline, one line
    outbox_say: str = ""
    sealing_key: str | None = None  #: id of the service's key in use; None: nothing can be sealed yet
    persons_in_memory: int = 0  #: answers held in memory, at most 60 minutes each


class RetryNow(Message, frozen=True, tag="retry_now"):
    """Try to deliver at once, without waiting for the back-off."""


class Done(Message, frozen=True, tag="done"):
    say: str = ""


ToReader = BeginContact | ArmReader | SignDigests | EndContact
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
)
ToUploader = (
    AskChallenge | CommitRecord | VisitEnded | AuditNote | AskStatus | AskRecords | AskSealed | RetryNow
)
ForScreen = (
    SealingKeys | OutboxState | LineState | ChallengeGiven | Committed | CommitRefused | Answered | Deferred
)
FromUploader = ForScreen | Records | SealedRecord | Status | Done

_ENCODER = msgspec.json.Encoder()
READER_INBOX = msgspec.json.Decoder(ToReader)
READER_OUTBOX = msgspec.json.Decoder(FromReader)
UPLOADER_INBOX = msgspec.json.Decoder(ToUploader)
SCREEN_INBOX = msgspec.json.Decoder(ForScreen)
UPLOADER_OUTBOX = msgspec.json.Decoder(FromUploader)


def encode(message: Message) -> bytes:
    """Return the packet; raises ChannelError when it would exceed what the other end accepts."""
    packet = _ENCODER.encode(message)
    if len(packet) > MAX_MESSAGE:
        raise ChannelError(f"a message of {len(packet)} bytes exceeds {MAX_MESSAGE}")
    return packet


def decode(packet: bytes, inbox: "msgspec.json.Decoder[M]") -> M:
    """Read a packet as one of the messages that `inbox` takes."""
    if len(packet) > MAX_MESSAGE:
        raise ChannelError(f"a packet of more than {MAX_MESSAGE} bytes was refused")
    try:
        return inbox.decode(packet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise ChannelError(f"a packet was refused: {type(fault).__name__}") from None


def pin_frame(visit: str, pin: bytearray) -> bytearray:
    """Return the binary frame that carries a PIN; the caller wipes both buffers after sending."""
    return bytearray(PIN_MARK + uuid.UUID(visit).bytes) + pin


def read_pin_frame(packet: bytearray) -> tuple[str, bytearray]:
    """Split a PIN frame into the visit and the four ASCII digits; the caller wipes `packet`."""
    digits = packet[_PIN_HEAD:]
    if len(digits) != 4 or not digits.isdigit():
        raise ChannelError("a PIN frame was refused: not four digits")
    return str(uuid.UUID(bytes=bytes(packet[1:_PIN_HEAD]))), digits
