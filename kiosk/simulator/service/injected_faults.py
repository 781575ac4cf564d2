"""What goes wrong on purpose: armed faults, and which of them the next request meets. Pure.

A fault is armed for one operation or all, for a number of requests or for good, always or with a chance. Of
each kind, the one armed first acts first; faults of different kinds act together (delay, then lost answer).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from kiosk.simulator.service.invented_answers import AnswerPlan


class Operation(StrEnum):
    """What a request wants."""

    CHALLENGE = "challenge"
    QUALIFICATION = "qualification"
    STATUS = "status"
    KEYS = "keys"
    ENROLMENT = "enrolment"
    RENEWAL = "renewal"


class NonsenseKind(StrEnum):
    """An answer with status 200 that is none."""

    HTML = "html"  #: a captive portal's page
    TRUNCATED = "truncated"  #: JSON that stops half-way, in a whole HTTP response
    SCHEMA = "schema"  #: good JSON of another shape
    OVERSIZED = "oversized"  #: JSON of 2 MiB
    EMPTY = "empty"  #: nothing


@dataclass(frozen=True)
class AnswerAs:
    """The qualification is answered so. Met only by a new record, never by a repetition."""

    plan: AnswerPlan


@dataclass(frozen=True)
class Delay:
    """The work begins `seconds` late; a repetition that comes meanwhile is answered `in_progress`."""

    seconds: float


@dataclass(frozen=True)
class DelayAnswer:
    """The work is done and committed, the answer leaves `seconds` later."""

    seconds: float


@dataclass(frozen=True)
class Refuse:
    """No work is done; a problem of this HTTP status is answered."""

    status: int
    code: str | None = None
    retry_after: int | None = None  #: seconds


@dataclass(frozen=True)
class LoseRequest:
    """The connection dies before the request is read; nothing happens."""


@dataclass(frozen=True)
class LoseAnswer:
    """The work is done and committed, then the connection dies after so many bytes of the response's body.

    None: before the first byte of the response.
    """

    after_bytes: int | None = None


@dataclass(frozen=True)
class AnswerNonsense:
    """The work is done and committed, then something else is answered."""

    kind: NonsenseKind


Fault = AnswerAs | Delay | DelayAnswer | Refuse | LoseRequest | LoseAnswer | AnswerNonsense
F = TypeVar("F", AnswerAs, Delay, DelayAnswer, Refuse, LoseRequest, LoseAnswer, AnswerNonsense)


@dataclass(frozen=True)
class Armed:
    """A fault that waits for its requests. `times` None: for good. `operation` None: for any."""

    fault: Fault
    times: int | None = 1
    operation: Operation | None = Operation.QUALIFICATION
    chance: float = 1.0  #: 0 … 1; a request that is spared does not count


class FaultPlan:
    """The armed faults. `draw` returns a random number in 0 … 1."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._armed: list[Armed] = []
        self._draw = draw

    def arm(self, armed: Armed) -> None:
        """A fault for good replaces the earlier one of its kind for the same operation."""
        if armed.times is None:
            self._armed = [each for each in self._armed if not _replaces(armed, each)]
        self._armed.append(armed)

    def clear(self) -> None:
        self._armed = []

    def armed(self) -> tuple[Armed, ...]:
        return tuple(self._armed)

    def take(self, kind: type[F], operation: Operation) -> F | None:
        """The fault of this kind that the present request meets, if any; it is then used up by one.

        A counted fault goes before one for good, so that "next" works while "always" is set.
        """
        waiting = [each for each in self._armed if isinstance(each.fault, kind) and _fits(each, operation)]
        for each in sorted(waiting, key=lambda armed: armed.times is None):
            if each.chance < 1.0 and self._draw() >= each.chance:
                continue
            self._use(each)
            assert isinstance(each.fault, kind)
            return each.fault
        return None

    def _use(self, used: Armed) -> None:
        if used.times is None:
            return
        at = next(i for i, each in enumerate(self._armed) if each is used)
        if used.times > 1:
            self._armed[at] = replace(used, times=used.times - 1)
        else:
            del self._armed[at]


def _fits(armed: Armed, operation: Operation) -> bool:
    return armed.operation is None or armed.operation is operation


def _replaces(new: Armed, old: Armed) -> bool:
    return type(new.fault) is type(old.fault) and old.times is None and old.operation is new.operation
