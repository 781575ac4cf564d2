"""Between the screen and the uploader process, about a patient's visit."""

import msgspec

from kiosk.channel.base import Message
from kiosk.channel.day_messages import StaffWasCalled
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, FallbackReason, Mode, Outcome
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.vocabulary import OutboxCondition

# ---- screen -> uploader ------------------------------------------------------------------------------------


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

    event: AuditEvent
    staff: str
    visit: str | None = None


# ---- uploader -> screen ------------------------------------------------------------------------------------


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
    reason: str = msgspec.field(default="", name="say")


class LineState(Message, frozen=True, tag="line_state"):
    online: bool
    waiting: int
    oldest_s: float | None = None
    fallback: FallbackReason | None = None


class ChallengeGiven(Message, frozen=True, tag="challenge"):
    visit: str
    challenge: str  #: base64
    valid_s: float


class Committed(Message, frozen=True, tag="committed"):
    """The record is on the disk, synced; `receipt` is the number that the patient and staff see."""

    visit: str
    receipt: str


class CommitRefused(Message, frozen=True, tag="commit_refused"):
    visit: str
    reason: str = msgspec.field(name="say")


class ServiceAnswered(Message, frozen=True, tag="answered"):
    """The service's answer is in and committed. `validity` is the code 1–6 where there is one."""

    visit: str
    receipt: str
    outcome: Outcome
    validity: str | None = None


class Deferred(Message, frozen=True, tag="deferred"):
    """No answer will come soon; delivery goes on by itself."""

    visit: str
    reason: str = msgspec.field(name="say")


FromScreen = AskChallenge | CommitRecord | VisitEnded | StaffWasCalled | AuditNote
AboutVisits = (
    SealingKeys
    | OutboxState
    | LineState
    | ChallengeGiven
    | Committed
    | CommitRefused
    | ServiceAnswered
    | Deferred
)
