"""Between the command line and the uploader process."""

from typing import Literal

import msgspec

from kiosk.channel.base import Message
from kiosk.qualification.terms import FallbackReason
from kiosk.visit.vocabulary import OutboxCondition


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
    reason: str = msgspec.field(default="", name="say")


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
    line_reason: str = msgspec.field(default="", name="line_say")  #: why it is offline, one line
    outbox_reason: str = msgspec.field(default="", name="outbox_say")
    sealing_key: str | None = None  #: id of the service's key in use; None: nothing can be sealed yet
    certificate_days: float | None = None  #: of the client certificate; None: not known
    certificate_fault: str | None = None  #: as CheckItem of the part "certificate"
    fallback: FallbackReason | None = None
    persons_in_memory: int = 0  #: answers held in memory, at most 60 minutes each
    certificate_not_after: float | None = None  #: seconds since 1970
    last_answer_s: float | None = None  #: how long ago the service last answered; None: not in this life
    clock_trusted: bool = False
    #: attempts that had to be made again, by reason, since the process began
    retries: dict[str, int] = msgspec.field(default_factory=dict)
    key_custody_level: int = 0  #: docs/keys.md; -1: the client key lies in the clear
    handed_over: int | None = None  #: answers in the receipt computer's folder, in this life; None: it is off
    not_handed_over: int = 0  #: given up, left to staff


class RetryNow(Message, frozen=True, tag="retry_now"):
    """Try to deliver at once, without waiting for the back-off."""


class CommandDone(Message, frozen=True, tag="done"):
    reason: str = msgspec.field(default="", name="say")


class AskAudit(Message, frozen=True, tag="ask_audit"):
    """The audit rows after sequence number `after`, oldest first, at most 100."""

    after: int = 0


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it is stored; `true_ms` is derived where the clock was not set when it was written."""

    seq: int
    event: str
    staff: str
    visit: str | None
    boot_id: str
    mono_ms: int
    wall_ms: int
    clock_trusted: bool
    chain: bytes  #: SHA-256 over the chain of the row before and this row
    true_ms: int | None = None


class AuditRows(Message, frozen=True, tag="audit_rows"):
    rows: tuple[AuditRow, ...]


class AskLookUps(Message, frozen=True, tag="ask_look_ups"):
    """The look-ups of consented results, the newest last, at most 20."""


class StartLookUp(Message, frozen=True, tag="start_look_up"):
    """Look up the results consented to on these days (yyyyMMdd). Answered with CommandDone: why not."""

    date_from: str
    date_to: str


class LookUpLine(msgspec.Struct, frozen=True, kw_only=True):
    """One look-up: where it stands, and how many of its results are whose; never whose."""

    id: int
    kind: str
    date_from: str
    date_to: str
    stage: str  #: "ready", "sent", "done", "failed"
    reception: str
    asks: int
    found: int
    uncertain: int
    others: int
    reason: str = msgspec.field(default="", name="say")


class LookUpLines(Message, frozen=True, tag="look_ups"):
    lines: tuple[LookUpLine, ...]


FromCommandLine = AskStatus | AskRecords | AskSealed | RetryNow | AskAudit | AskLookUps | StartLookUp
ForCommandLine = Records | SealedRecord | Status | AuditRows | LookUpLines | CommandDone
