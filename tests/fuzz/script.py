"""How the fuzzer's bytes become answers: an honest token speaks, and the bytes say where it lies.

Whoever answers with raw bytes only never gets past SELECT. So each opcode says what becomes of the next
answer, and `HONEST` lets many pass in one byte: mutations reach every depth of the dialogue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto


class Do(Enum):
    """What becomes of an answer."""

    LITERAL = auto()  #: these bytes instead, as they are
    SILENCE = auto()
    DAMAGE = auto()
    EXTENSION = auto()  #: S(WTX) with this multiplier
    ACKNOWLEDGE = auto()  #: an R-block with this number and kind
    CUT = auto()  #: the honest one, so many bytes shorter
    SPOIL = auto()  #: the honest one, one byte of it changed
    STATUS = auto()  #: the honest one with this status word
    REFUSE = auto()  #: this status word alone
    CHAIN = auto()  #: the honest one, its chaining bit turned
    DATA = auto()  #: these bytes as data, 9000, in a block as expected
    LENGTHEN = auto()  #: the honest one and these bytes
    SLOW = auto()  #: the honest one, after so many times 13 ms
    GONE = auto()  #: it leaves the field here


@dataclass(frozen=True)
class Lie:
    """One departure from honesty."""

    do: Do
    data: bytes = b""


LIES = tuple(Do)
HONEST = 0x80  #: opcodes below: so many honest answers, and one more
ARGUMENT = {
    Do.EXTENSION: 1,
    Do.ACKNOWLEDGE: 1,
    Do.CUT: 1,
    Do.SPOIL: 3,
    Do.STATUS: 2,
    Do.REFUSE: 2,
    Do.SLOW: 1,
}
LONG = frozenset({Do.LITERAL, Do.DATA, Do.LENGTHEN})  #: a length byte (0 is 256) and that many bytes


class Bytes:
    """A reader of the fuzzer's bytes; past the end there is nothing."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        self._at += count
        return part

    def byte(self) -> int:
        part = self.take(1)
        return part[0] if part else 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)


def lies(source: Bytes) -> Iterator[Lie | None]:
    """One entry per answer, None for an honest one, until the bytes end."""
    while source.more:
        opcode = source.byte()
        if opcode < HONEST:
            for _ in range(opcode + 1):
                yield None
            continue
        do = LIES[(opcode - HONEST) % len(LIES)]
        count = (source.byte() or 256) if do in LONG else ARGUMENT.get(do, 0)
        yield Lie(do, source.take(count))


def write(*said: int | Lie) -> bytes:
    """The bytes for a script: a number is so many honest answers. Used for seeds and for tests."""
    out = bytearray()
    for entry in said:
        if isinstance(entry, int):
            out += bytes([entry - 1]) if entry else b""
            continue
        out.append(HONEST + LIES.index(entry.do))
        if entry.do in LONG:
            out.append(len(entry.data) % 256)
        out += entry.data
    return bytes(out)
