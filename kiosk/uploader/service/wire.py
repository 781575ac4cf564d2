"""What the service says, read as closed values. PURE; `docs/service-api.yaml` describes the interface.

Whatever does not read as the interface states becomes a `RequestFault`, never an exception: the service is a
machine that we do not own.
"""

import base64
import binascii
import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
)
from kiosk.qualification.sealing import SealingKey, SuiteName, can_be_sealed_to

MAX_BODY = 256 * 1024  #: bytes; the longest answer, with 「複数該当」, stays far below
CHALLENGE_BYTES = 32
KEY_ID_LETTERS = 128  #: docs/service-api.yaml, KeyId


class FaultKind(StrEnum):
    """Why no reply came that can be understood."""

    NO_CREDENTIALS = "no_credentials"  #: this terminal is not enrolled, or a file is missing
    KEY_UNSAFE = "key_unsafe"  #: others may read the client key
    KEY_LOCKED = "key_locked"  #: the device's secret is missing, or is not what sealed the client key
    NAME = "name"
    CONNECT = "connect"
    UNTRUSTED = "untrusted"  #: the service's certificate is not what the private CA issued
    CLOCK = "clock"  #: the service's certificate is out of its dates, by this clock
    NOT_ASKED = "not_asked"  #: the server does not want our client certificate
    REFUSED_US = "refused_us"  #: the service does not take our client certificate
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN = "broken"  #: the connection died in the middle
    CONTENT = "content"  #: an answer that is not of the interface
    TOO_LARGE = "too_large"
    COMPRESSED = "compressed"  #: in a way that nobody asked for


#: One line each: what happened and what to do. For the log and for staff.
SAY = {
    FaultKind.NO_CREDENTIALS: "this kiosk is not enrolled at the service: run `kiosk provision enrol`",
    FaultKind.KEY_UNSAFE: "the client key must belong to the uploader's user and have mode 0600: mend it",
    FaultKind.KEY_LOCKED: "this kiosk cannot open its client key: enrol it again with a new activation code",
    FaultKind.NAME: "the service's name is not found: check the line and the address in kiosk.toml",
    FaultKind.CONNECT: "the service cannot be reached: check the line",
    FaultKind.UNTRUSTED: "the service's certificate is not from the clinic's CA: call support, send nothing",
    FaultKind.CLOCK: "the service's certificate is out of its dates: check this kiosk's clock",
    FaultKind.NOT_ASKED: "the service does not ask for this kiosk's certificate: call support, send nothing",
    FaultKind.REFUSED_US: "the service does not take this kiosk's certificate: enrol it again",
    FaultKind.TLS: "no secure connection (TLS 1.3) with the service: call support",
    FaultKind.TIMEOUT: "the service did not answer in time: delivery goes on by itself",
    FaultKind.BROKEN: "the connection broke before the answer was in: delivery goes on by itself",
    FaultKind.CONTENT: "the service answered with something else than its interface says: call support",
    FaultKind.TOO_LARGE: "the service's answer was too large and was not read: call support",
    FaultKind.COMPRESSED: "the service compresses its answers, which nobody asked for: call support",
}


@dataclass(frozen=True)
class RequestFault:
    """No usable reply. `reached`: the request may have been taken in by the service all the same."""

    kind: FaultKind
    reached: bool

    @property
    def reason(self) -> str:
        return SAY[self.kind]


@dataclass(frozen=True)
class ServiceProblem:
    """The service refused (RFC 9457). `code` is its stable word, "" when it gave none."""

    status: int
    code: str
    retry_after_s: float | None = None
    instance: str = ""  #: the record that is refused, as the service names it


@dataclass(frozen=True)
class SealedAnswer:
    """Person data, sealed to the response key `key_id`."""

    suite: SuiteName
    key_id: str
    sealed: bytes


@dataclass(frozen=True)
class Answer:
    """The service's answer to one record; `codes` name nobody."""

    id: str
    codes: ResultCodes
    processing_code: str
    person: SealedAnswer | None
    executed_at: str = ""  #: ProcessingExecutionTime, yyyyMMddHHmmss in Japanese time


@dataclass(frozen=True)
class Challenge:
    visit: str
    challenge: str  #: base64, 32 bytes
    valid_s: float


@dataclass(frozen=True)
class ServiceKeys:
    """The service's public keys, the current one first."""

    service: str
    keys: tuple[SealingKey, ...]


@dataclass(frozen=True)
class Enrolled:
    """The certificate for the key in our CSR."""

    certificate: str  #: PEM
    service: str
    keys: ServiceKeys


Delivered = Answer | ServiceProblem | RequestFault  #: what comes of sending a record or asking for its answer


class _Result(msgspec.Struct, frozen=True):
    segment: SegmentOfResult = msgspec.field(name="SegmentOfResult")
    status: ProcessingResultStatus | None = msgspec.field(name="ProcessingResultStatus", default=None)
    validity: QualificationValidity | None = msgspec.field(name="QualificationValidity", default=None)
    code: str | None = msgspec.field(name="ProcessingResultCode", default=None)
    time: str | None = msgspec.field(name="ProcessingExecutionTime", default=None)


class _Sealed(msgspec.Struct, frozen=True):
    suite: SuiteName
    key_id: str
    sealed: bytes


class _Answer(msgspec.Struct, frozen=True):
    id: str
    result: _Result
    answer: _Sealed | None = None


class _Challenge(msgspec.Struct, frozen=True):
    visit: str
    challenge: str
    expires_in: float


class _Key(msgspec.Struct, frozen=True):
    key_id: str
    suite: str
    public: bytes
    not_after: str = ""


class _Keys(msgspec.Struct, frozen=True):
    service: str
    keys: list[_Key]


class _Enrolled(msgspec.Struct, frozen=True):
    certificate: str
    service: str
    keys: list[_Key]


class _Problem(msgspec.Struct, frozen=True):
    code: Any = ""
    instance: Any = ""  #: of any type: a member that is spoiled must not take the code with it


_ANSWER = msgspec.json.Decoder(_Answer)
_CHALLENGE = msgspec.json.Decoder(_Challenge)
_KEYS = msgspec.json.Decoder(_Keys)
_ENROLLED = msgspec.json.Decoder(_Enrolled)
_PROBLEM = msgspec.json.Decoder(_Problem)
_NONSENSE = RequestFault(FaultKind.CONTENT, reached=True)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"[A-Za-z0-9]{1,16}")
_TIME = re.compile(r"20[0-9]{12}")  # \d takes full-width digits too


def read_answer(body: bytes, record: str) -> Answer | RequestFault:
    """Read the answer to `record`; the answer to another record is nonsense."""
    try:
        read = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NONSENSE
    if read.id != record:
        return _NONSENSE
    code = read.result.code or ""
    person = read.answer
    return Answer(
        id=read.id,
        codes=ResultCodes(read.result.segment, read.result.status, read.result.validity),
        processing_code=code if _CODE.fullmatch(code) else "",
        person=None if person is None else SealedAnswer(person.suite, person.key_id, person.sealed),
        executed_at=_execution_time(read.result.time or ""),
    )


def _execution_time(text: str) -> str:
    """yyyyMMddHHmmss where a calendar has that moment, else "": it names a file at the hand-over."""
    try:
        datetime.strptime(text if _TIME.fullmatch(text) else "", "%Y%m%d%H%M%S")  # only its form
    except ValueError:
        return ""
    return text


def read_challenge(body: bytes, visit: str) -> Challenge | RequestFault:
    """Read the challenge for `visit`."""
    try:
        read = _CHALLENGE.decode(body)
        size = len(base64.b64decode(read.challenge, validate=True))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
        return _NONSENSE
    if read.visit != visit or size != CHALLENGE_BYTES or not 0 < read.expires_in <= 86_400:
        return _NONSENSE
    return Challenge(read.visit, read.challenge, read.expires_in)


def read_keys(body: bytes, now: datetime | None = None) -> ServiceKeys | RequestFault:
    """Read the list of keys. Left out: those of suites that we do not speak, those that nothing can be sealed
    to, and those whose time is over (`now`: the service's own date; None: not known).
    """
    try:
        read = _KEYS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NONSENSE
    return _keys(read.service, read.keys, now)


def read_enrolled(body: bytes) -> Enrolled | RequestFault:
    """Read the reply to an enrolment."""
    try:
        read = _ENROLLED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NONSENSE
    keys = _keys(read.service, read.keys, None)
    return keys if isinstance(keys, RequestFault) else Enrolled(read.certificate, read.service, keys)


def _keys(service: str, listed: list[_Key], now: datetime | None) -> ServiceKeys | RequestFault:
    spoken = {suite.value for suite in SuiteName}
    keys = tuple(
        SealingKey(key.key_id, SuiteName(key.suite), key.public)
        for key in listed
        if key.suite in spoken
        and 0 < len(key.key_id) <= KEY_ID_LETTERS
        and can_be_sealed_to(key.public)
        and not _is_over(key.not_after, now)
    )
    return ServiceKeys(service, keys) if keys else _NONSENSE


def _is_over(not_after: str, now: datetime | None) -> bool:
    """Whether a key's time is over. One whose end cannot be read is used: what else would seal?"""
    if now is None:
        return False
    try:
        end = datetime.fromisoformat(not_after)
        return (end if end.tzinfo is not None else end.replace(tzinfo=UTC)) < now
    except (ValueError, OverflowError):
        return False


def read_problem(status: int, body: bytes, retry_after: str | None, date: str | None) -> ServiceProblem:
    """Read a refusal; a body that is no problem document leaves the status alone to speak."""
    try:
        read = _PROBLEM.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        read = _Problem()
    code = read.code if isinstance(read.code, str) and _WORD.fullmatch(read.code) else ""
    instance = read.instance if isinstance(read.instance, str) else ""
    return ServiceProblem(status, code, read_retry_after(retry_after, date), instance)


def read_retry_after(value: str | None, date: str | None) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 10.2.3), None without a usable one.

    A date counts from the reply's own Date header: this kiosk's clock may be wrong.
    """
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,12}", value):
        return float(value)
    until, now = read_date(value), read_date(date)
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def read_date(value: str | None) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7), None for what is none, years and zones beyond all bounds included."""
    try:
        read = email.utils.parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
