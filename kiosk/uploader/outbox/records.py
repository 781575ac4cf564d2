"""The values that go into and come out of the outbox. PURE."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from kiosk.qualification.terms import Outcome
from kiosk.uploader.service.wire import Answer


class StoredState(StrEnum):
    """Where a record stands; transitions in schema.sql."""

    PENDING = "pending"
    SENDING = "sending"
    ANSWERED = "answered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"


@dataclass(frozen=True)
class Entry:
    """What the screen process hands over."""

    id: str
    suite: str
    key_id: str
    sealed: bytes
    mode: str
    taken_at: str
    clock_trusted: bool
    challenged: bool

    @property
    def digest(self) -> bytes:
        """Tells damage, and whether a repeated commit is the same; stays when the blob is overwritten."""
        return digest(self.id, self.suite, self.key_id, self.sealed)


@dataclass(frozen=True)
class Leased:
    """A record that is being sent now."""

    id: str
    receipt: str
    suite: str
    key_id: str
    sealed: bytes
    attempts: int  #: with this one
    ask_first: bool  #: an earlier attempt may have reached the service


@dataclass(frozen=True)
class Settled:
    """What had already come of a record that is committed again."""

    outcome: Outcome
    validity: str | None


@dataclass(frozen=True)
class KeptRecord:
    """The record is on the disk. `leased` when it is to be sent at once."""

    receipt: str
    leased: Leased | None = None
    settled: Settled | None = None


@dataclass(frozen=True)
class Full:
    """The count cap is reached: the only reason to turn a patient away."""

    reason: str


@dataclass(frozen=True)
class NotTaken:
    """Not this record: it is not well formed, or another one has its id."""

    reason: str


@dataclass(frozen=True)
class FinalAnswer:
    """The service's final answer to `id`. `late`: the patient was told "recorded", so staff must know."""

    id: str
    answer: Answer
    late: bool = False
    receipt: str = ""


@dataclass(frozen=True)
class Rejected:
    """The service will never accept `id`."""

    id: str
    code: str
    late: bool = False


@dataclass(frozen=True)
class Waits:
    """`id` is due again after `after_s`; `reached`: this attempt may have got through."""

    id: str
    after_s: float
    reached: bool
    reason: str


@dataclass(frozen=True)
class Untried:
    """`id` was leased but never sent: the lease is given back, the attempt not counted."""

    id: str


Settlement = FinalAnswer | Rejected | Waits | Untried


@dataclass(frozen=True)
class Listed:
    """A record as it is listed."""

    seq: int
    id: str
    receipt: str
    state: StoredState
    taken_at: str
    attempts: int
    validity: str | None
    code: str | None
    outcome: str | None
    reason: str


def digest(record: str, suite: str, key_id: str, sealed: bytes) -> bytes:
    """Return SHA-256 over the immutable parts, each preceded by its length."""
    total = hashlib.sha256()
    for part in (record.encode(), suite.encode(), key_id.encode(), sealed):
        total.update(len(part).to_bytes(4, "big") + part)
    return total.digest()


def receipt_for(seq: int, max_records: int) -> str:
    """Return the number that the patient and staff see.

    Digits by order of taking, never beginning with 0, as short as can be told over a counter: they start over
    only after at least twice as many records as may wait, so two that wait never share a number. No part of
    it is a date: nothing changes at midnight or with a wrong clock.
    """
    low = 1000
    while low * 9 < 2 * max_records:
        low *= 10
    return str(low + (seq - 1) % (low * 9))
