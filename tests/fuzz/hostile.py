"""A reader chip in memory whose token lies as the fuzzer's bytes say. Time is counted, nobody waits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Literal, assert_never

from kiosk.nfc.protocol.isodep import Heard, Technology, Unheard
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.tokens.card import Card
from kiosk.simulator.tokens.other_tokens import transit_card
from tests.fuzz.script import Do, Lie

UID = b"\x08\x01\x02\x03"
ANSWER_S = 0.002
SLOW_S = 0.013
MOST_FRAMES = 20_000  #: far more than any budget allows

Tail = Literal["honest", "silent", "damaged", "again"]  #: what it does once the script has ended


class TooManyFramesError(AssertionError):
    """The reader goes on where it should have ended."""


@dataclass
class HostileChip:
    """`antenna.Chip`, with the token in it."""

    card: Card
    technology: Technology
    script: Iterator[Lie | None]
    tail: Tail
    beside: bool = False  #: a transit card of the other radio type
    where: str = "memory"
    model: str = "hostile"
    now: float = 0.0
    frames: int = 0
    sent: list[bytes | bytearray] = field(default_factory=list)  #: the very objects, to see them wiped
    _last: Lie | None = None
    _gone: bool = False

    def __post_init__(self) -> None:
        other: Technology = "A" if self.technology == "B" else "B"
        self._piccs = {self.technology: Picc(self.card, RadioFace(self.technology, uid=UID), Random(0))}
        if self.beside:
            self._piccs[other] = Picc(transit_card(), RadioFace(other, uid=UID), Random(0))

    # -- antenna.Chip --------------------------------------------------------------------------------------

    def field_on(self) -> None:
        for picc in self._piccs.values():
            picc.field_on()

    def field_off(self) -> None:
        for picc in self._piccs.values():
            picc.field_off()

    def close(self) -> None:
        self.field_off()

    def exchange(self, technology: Technology, frame: bytes | bytearray, limit_s: float) -> Heard:
        self._count()
        self.sent.append(frame)
        picc = None if self._gone else self._piccs.get(technology)
        reply = None if picc is None else picc.receive(bytes(frame))
        heard: Heard = Unheard.SILENCE if reply is None else reply.frame
        lie = self._next()
        takes_s = ANSWER_S
        if lie is not None:
            heard = self._told(lie, heard)
            takes_s += SLOW_S * sum(lie.data) if lie.do is Do.SLOW else 0.0
        if self._gone or takes_s > limit_s:
            heard = Unheard.SILENCE
        self.now += limit_s if heard is Unheard.SILENCE else takes_s
        return heard

    def find_a(self) -> tuple[int, bytes] | None:
        self._count()
        self.now += ANSWER_S
        lie = self._next()
        if lie is not None and lie.do in (Do.LITERAL, Do.DATA):
            return (lie.data[:1] or b"\x00")[0], lie.data[1:]
        picc = self._piccs.get("A")
        if picc is None or self._gone or picc.activated or lie is not None:
            return None
        request = picc.receive(b"\x26", bits=7)
        return None if request is None else (picc.select(), picc.uid)

    def count_a(self) -> int:
        """One of type A at most lies here."""
        return int(self.find_a() is not None)

    def find_b(self) -> bytes | None:
        self._count()
        self.now += ANSWER_S
        lie = self._next()
        return lie.data[:12] if lie is not None and lie.do in (Do.LITERAL, Do.DATA) else None

    # -- the token -----------------------------------------------------------------------------------------

    def _count(self) -> None:
        self.frames += 1
        if self.frames > MOST_FRAMES:
            raise TooManyFramesError(f"more than {MOST_FRAMES} frames")

    def _next(self) -> Lie | None:
        for entry in self.script:
            self._last = entry
            return entry
        match self.tail:
            case "honest":
                return None
            case "silent":
                return Lie(Do.SILENCE)
            case "damaged":
                return Lie(Do.DAMAGE)
            case "again":
                return self._last
            case _:
                assert_never(self.tail)

    def _told(self, lie: Lie, honest: Heard) -> Heard:
        body = b"" if isinstance(honest, Unheard) else honest
        match lie.do:
            case Do.SILENCE:
                return Unheard.SILENCE
            case Do.DAMAGE:
                return Unheard.DAMAGE
            case Do.GONE:
                self._gone = True
                return Unheard.SILENCE
            case Do.SLOW:
                return honest
            case Do.LITERAL:
                return lie.data
            case Do.EXTENSION:
                return b"\xf2" + lie.data
            case Do.ACKNOWLEDGE:
                kind = lie.data[0] if lie.data else 0
                return bytes([0xA2 | kind & 0x11])
            case _:
                return _changed(lie, body)


def _changed(lie: Lie, body: bytes) -> bytes:
    """What becomes of an honest block; without one, a block of number 0 is made of it."""
    block = body or b"\x02"
    data = lie.data
    change: dict[Do, Callable[[], bytes]] = {
        Do.CUT: lambda: block[: max(0, len(block) - (data[0] if data else 1))],
        Do.SPOIL: lambda: _spoilt(block, data),
        Do.STATUS: lambda: block[:-2] + data if len(block) > 2 else block + data,
        Do.REFUSE: lambda: block[:1] + data,
        Do.CHAIN: lambda: bytes([block[0] ^ 0x10]) + block[1:],
        Do.DATA: lambda: block[:1] + data + b"\x90\x00",
        Do.LENGTHEN: lambda: block + data,
    }
    return change[lie.do]()


def _spoilt(block: bytes, data: bytes) -> bytes:
    """Two bytes say where, one says how."""
    if len(data) < 3:
        return block
    at = int.from_bytes(data[:2], "big") % len(block)
    return block[:at] + bytes([block[at] ^ data[2]]) + block[at + 1 :]
