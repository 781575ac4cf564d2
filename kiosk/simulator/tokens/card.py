"""What lies behind the radio: an application that takes command APDUs and gives response APDUs.

`Card` is the one interface of everything that can be laid on the field or plugged into a vpcd: our JPKI
tokens, the payment and the transit card, and a foreign program (`vpcd.ForeignCard`). Applications of ours
are sans-IO: they return how long a real card would compute, and somebody else waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Finished:
    """The answer, `seconds` after the computing was last looked at."""

    response: bytes
    seconds: float


@dataclass(frozen=True)
class Computing:
    """No answer yet; `seconds` have passed."""

    seconds: float


class CardWork(Protocol):
    """A command in progress inside a card."""

    def go_on(self, budget_s: float) -> Finished | Computing:
        """Compute for at most `budget_s` seconds more."""
        ...


class Card(Protocol):
    """An ICC seen from its interface."""

    def power_on(self) -> None:
        """Activated anew: no application selected, no PIN verified."""
        ...

    def power_off(self) -> None:
        """The field or the contact is lost."""
        ...

    def deselected(self) -> None:
        """The reader ended the session with S(DESELECT); the field is still there."""
        ...

    def begin(self, apdu: bytes) -> CardWork:
        """Start the command."""
        ...


class ModelledWork:
    """The work of a sans-IO card: the answer is known, its computing time is modelled."""

    def __init__(self, response: bytes, seconds: float) -> None:
        self._response, self._left = response, seconds

    def go_on(self, budget_s: float) -> Finished | Computing:
        if self._left <= budget_s:
            return Finished(self._response, self._left)
        self._left -= budget_s
        return Computing(budget_s)


@dataclass(frozen=True)
class CardAnswer:
    """A response APDU and the seconds that a real card would take for it."""

    response: bytes
    seconds: float = 0.0


class MalformedError(ValueError):
    """A command APDU that ISO/IEC 7816-4 5.1 does not know; the card answers 6700."""


@dataclass(frozen=True)
class Command:
    """A command APDU taken apart. `expected` is Ne: 0 none, at most 65536."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    expected: int
    extended: bool

    @classmethod
    def parse(cls, apdu: bytes) -> Command:
        """All four cases, short and extended (ISO/IEC 7816-4:2013 5.1); raises `MalformedError`."""
        if len(apdu) < 4:
            raise MalformedError("shorter than a header")
        data, expected, extended = _body(apdu[4:])
        return cls(apdu[0], apdu[1], apdu[2], apdu[3], data, expected, extended)


def _body(body: bytes) -> tuple[bytes, int, bool]:
    if not body:
        return b"", 0, False
    if len(body) == 1:
        return b"", body[0] or 256, False
    if body[0] != 0:
        size, rest = body[0], body[1:]
        if len(rest) == size:
            return rest, 0, False
        if len(rest) == size + 1:
            return rest[:size], rest[size] or 256, False
        raise MalformedError("Lc does not fit")
    if len(body) == 3:
        return b"", int.from_bytes(body[1:], "big") or 65536, True
    if len(body) < 4:
        raise MalformedError("extended length cut short")
    size, rest = int.from_bytes(body[1:3], "big"), body[3:]
    if size and len(rest) == size:
        return rest, 0, True
    if size and len(rest) == size + 2:
        return rest[:size], int.from_bytes(rest[size:], "big") or 65536, True
    raise MalformedError("extended Lc does not fit")


@dataclass(frozen=True)
class ApduTrace:
    """What may be kept of an exchange: no data, neither way."""

    ins: int
    nc: int
    ne: int
    nr: int
    sw: int

    def values(self) -> dict[str, object]:
        return {"ins": f"{self.ins:02X}", "nc": self.nc, "ne": self.ne, "nr": self.nr, "sw": f"{self.sw:04X}"}


class ApduLog:
    """The last exchanges of a card, without data."""

    def __init__(self, size: int = 512) -> None:
        self.entries: deque[ApduTrace] = deque(maxlen=size)
        self.count = 0

    def clear(self) -> None:
        self.entries.clear()
        self.count = 0

    def add(self, apdu: bytes, response: bytes) -> None:
        try:
            command = Command.parse(apdu)
        except MalformedError:
            command = Command(0, apdu[1] if len(apdu) > 1 else 0, 0, 0, b"", 0, False)
        sw = int.from_bytes(response[-2:], "big")
        self.entries.append(
            ApduTrace(command.ins, len(command.data), command.expected, max(0, len(response) - 2), sw)
        )
        self.count += 1


class SansIoCard:
    """Base of our own cards: logs without data, turns `answer` into modelled work."""

    def __init__(self, log: ApduLog | None = None) -> None:
        self.log = log or ApduLog()

    def power_on(self) -> None:
        """Nothing is kept from before."""

    def power_off(self) -> None:
        """Nothing is kept after."""

    def deselected(self) -> None:
        """Nothing happens by default: the next activation calls `power_on`."""

    def answer(self, command: Command) -> CardAnswer:
        raise NotImplementedError

    def process(self, apdu: bytes) -> CardAnswer:
        """One command, its answer, and the seconds a real card would compute."""
        try:
            command = Command.parse(apdu)
        except MalformedError:
            answer = CardAnswer(b"\x67\x00")
        else:
            answer = self.answer(command)
        self.log.add(apdu, answer.response)
        return answer

    def begin(self, apdu: bytes) -> CardWork:
        answer = self.process(apdu)
        return ModelledWork(answer.response, answer.seconds)
