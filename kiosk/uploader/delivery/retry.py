"""What to do after an attempt. PURE: the clock's reading and the dice are parameters; nothing sleeps here.

The table for a record (`decide`), by what came of the attempt:

| reply                                                     | decision                                     |
|-----------------------------------------------------------|----------------------------------------------|
| 200, processing ended                                     | Accept                                       |
| 200 処理中, 202, 409 `in_progress`, 425                   | SendLater, soon while the patient waits;     |
|                                                           | Retry-After is heeded; status asked first    |
| 404 to a status query                                     | SendNow: the service does not have it        |
| 408, 429, 500–599                                         | SendLater with back-off or Retry-After       |
| 400 `key_unknown`                                         | HoldBack: keep it, fetch the keys, tell staff|
| 400, 403 `visual_not_allowed`, 409, 410, 413, 415, 422,   | Reject: this record will never be accepted   |
| each with a code of the interface and the record's id     |                                              |
| 401, 403, 404, 405, 3xx, all others; any refusal without  | HoldBack: the terminal, its enrolment, its   |
| a code, or of a record that it does not name              | settings or something on the way are at      |
|                                                           | fault, not the record                        |
| 200 with something else, or too large                     | SendLater with back-off: it is failing       |
| no reply at all                                           | LineDown                                     |

Only the service itself gives a record up, and it always says why: a 400 or 413 without a code comes from
something before it (nginx answers 400 with a page when it does not take the client certificate).

Replies to other requests (`decide_line`) say only how the line is: an answer of the interface, even a
refusal for now, means that it is up; 401, 403, 404 and the like mean that this terminal gets nowhere.

Back-off is exponential with full jitter (AWS Builders' Library); line faults back off in the breaker, once
for the whole kiosk, records that the service cannot take yet back off each for itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from kiosk.qualification.codes import SegmentOfResult
from kiosk.uploader.service.wire import Answer, Delivered, FaultKind, RequestFault, ServiceProblem

Dice = Callable[[], float]  #: uniform in [0, 1), as random.random


@dataclass(frozen=True)
class RetryRules:
    """The figures of the back-off, in seconds. Sources of the defaults: docs/facts/reliability.md."""

    base_s: float = 2.0
    cap_s: float = 300.0
    retry_after_cap_s: float = 600.0  #: a service (or a mistake) may not silence us for longer
    drain_spread_s: float = 1800.0  #: a backlog is gone after this long, however long it took to gather
    failures_to_open: int = 5  #: consecutive 5xx; a transport failure opens at once


@dataclass(frozen=True)
class Accept:
    """The answer is final."""

    answer: Answer


@dataclass(frozen=True)
class SendLater:
    """Send once more after `after_s`. `soon`: an answer is near, the patient may wait for it."""

    after_s: float
    reason: str
    reached: bool = True  #: the service may have taken it in; False when it said that it did not
    soon: bool = False
    service_failing: bool = False  #: counts towards opening the breaker
    quiet_s: float | None = None  #: the service asked everybody to be quiet for so long


@dataclass(frozen=True)
class SendNow:
    """The service has never seen this record."""


@dataclass(frozen=True)
class Reject:
    """The service refuses this record for good; `code` says why."""

    code: str


@dataclass(frozen=True)
class HoldBack:
    """Keep the record and tell staff: something must be mended first; look again after `after_s`."""

    after_s: float
    code: str
    reason: str


@dataclass(frozen=True)
class LineDown:
    """The way to the service is broken; a record is due when it is back, and not before `after_s`."""

    reason: str
    reached: bool
    after_s: float = 0.0


Decision = Accept | SendLater | SendNow | Reject | HoldBack | LineDown

ASK_EVERY_S = 0.5  #: while a patient waits for an answer that the service is at work on
_ASKS_A_STEP = 4  #: so many askings before the wait between them doubles, once nobody waits
_FINAL = {400, 409, 410, 413, 415, 422}
_LATER = {408, 429}
_NOT_TAKEN = {429, 503}
_BUSY = {202, 425}
_CONTENT = {FaultKind.CONTENT, FaultKind.TOO_LARGE, FaultKind.COMPRESSED}
_AT_WORK = "the service is still working on it"
_UNNAMED = "the service refuses without naming the record, so that it is kept: call support"


def backoff(attempts: int, rules: RetryRules, dice: Dice) -> float:
    """Return the wait before attempt `attempts` + 1: full jitter under a doubling ceiling."""
    return dice() * min(rules.cap_s, rules.base_s * 2.0 ** min(max(attempts, 1) - 1, 62))


def decide(
    reply: Delivered,
    record: str,
    attempts: int,
    rules: RetryRules,
    dice: Dice,
    *,
    asked_status: bool,
    awaited_s: float = 0.0,
) -> Decision:
    """Decide over one reply about a record. `attempts` counts this one; `asked_status`: it answered a status
    query; `awaited_s`: so long its patient still waits, 0 when nobody does.
    """
    match reply:
        case Answer(codes=codes):
            if codes.segment is SegmentOfResult.IN_PROGRESS:
                return _in_progress(attempts, rules, dice, awaited_s, None)
            return Accept(reply)
        case ServiceProblem():
            return _after_problem(reply, record, attempts, rules, dice, asked_status, awaited_s)
        case RequestFault(kind=kind) if kind in _CONTENT:
            return SendLater(backoff(attempts, rules, dice), reply.reason, service_failing=True)
        case RequestFault():
            # A request that hangs again and again must not be repeated each time the probe gets through.
            wait = backoff(attempts, rules, dice) if reply.reached else 0.0
            return LineDown(reply.reason, reply.reached, wait)
        case _:
            assert_never(reply)


def decide_line(reply: ServiceProblem | RequestFault, rules: RetryRules, dice: Dice) -> SendLater | LineDown:
    """Decide over the reply to a request that carries no record: what does it say about the line?"""
    match reply:
        case RequestFault():
            return LineDown(reply.reason, reply.reached)
        case ServiceProblem(status=status) if status in _LATER or status in _BUSY or 500 <= status <= 599:
            return _later(reply, 1, rules, dice)
        case ServiceProblem(status=409):
            return SendLater(min(rules.base_s, ASK_EVERY_S), _AT_WORK, soon=True)
        case ServiceProblem():
            return LineDown(_refusal(reply), reached=True)
        case _:
            assert_never(reply)


def _refusal(problem: ServiceProblem) -> str:
    if problem.status in (401, 403):
        return "the service refuses this kiosk: enrol it again or call support"
    if problem.status == 400:
        return "something before the service answered 400: check this kiosk's certificate, call support"
    return f"the service answered {problem.status}: check its address in kiosk.toml"


def _in_progress(
    attempts: int, rules: RetryRules, dice: Dice, awaited_s: float, asked_s: float | None
) -> SendLater:
    """The service is at work on the record: ask again soon while the patient waits, then ever more seldom.
    Not before the time that it asks for: whoever asks earlier only costs it more.
    """
    quick = min(rules.base_s, ASK_EVERY_S)
    if asked_s is not None:
        wait = min(asked_s, rules.retry_after_cap_s) + dice() * quick
    elif awaited_s > 0:
        wait = quick
    else:
        wait = max(quick, backoff(1 + attempts // _ASKS_A_STEP, rules, dice))
    return SendLater(wait, _AT_WORK, soon=wait <= awaited_s)


def _after_problem(
    problem: ServiceProblem,
    record: str,
    attempts: int,
    rules: RetryRules,
    dice: Dice,
    asked_status: bool,
    awaited_s: float,
) -> Decision:
    status, code = problem.status, problem.code
    if status in _BUSY or (status == 409 and code == "in_progress"):
        return _in_progress(attempts, rules, dice, awaited_s, problem.retry_after_s)
    if status == 404 and asked_status and code in ("unknown", ""):
        return SendNow()
    if status in _LATER or 500 <= status <= 599:
        return _later(problem, attempts, rules, dice)
    wait = backoff(attempts, rules, dice)
    if code == "key_unknown":
        reason = "the service no longer knows the key of a waiting record: call support; it is kept"
        return HoldBack(wait, code, reason)
    if code == "visual_not_allowed" or (code and status in _FINAL and not asked_status):
        if problem.instance != record:  # it may be about another record: burying is for good
            return HoldBack(wait, "unnamed_refusal", f"{_UNNAMED} ({code})")
        return Reject(code)
    return HoldBack(wait, code or f"http_{status}", _refusal(problem))


def _later(problem: ServiceProblem, attempts: int, rules: RetryRules, dice: Dice) -> SendLater:
    wait = backoff(attempts, rules, dice)
    reason = f"the service cannot take it now ({problem.status}): delivery goes on by itself"
    reached = problem.status not in _NOT_TAKEN
    if problem.retry_after_s is None:
        return SendLater(wait, reason, reached, service_failing=problem.status >= 500)
    asked = min(problem.retry_after_s, rules.retry_after_cap_s)
    # Not before the asked time; the jitter on top keeps a fleet from coming back in one second.
    return SendLater(asked + min(wait, rules.base_s), reason, reached, service_failing=True, quiet_s=asked)
