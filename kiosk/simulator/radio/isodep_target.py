"""ISO/IEC 14443-4 block protocol, the token's side: blocks in, blocks and computing seconds out. No I/O,
no clock.

Block numbering follows 7.5.4 (rules C, D, E) and chaining and errors 7.5.5 (rules 9 to 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from kiosk.simulator.tokens.card import Card, CardWork, Computing, Finished

S_DESELECT = 0xC2
S_WTX = 0xF2
CID_FOLLOWS = 0x08
NAD_FOLLOWS = 0x04
CHAINING = 0x10

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
"""FSD and FSC by their index FSDI, FSCI (ISO/IEC 14443-4 table 1); higher indices are taken as 8."""

WTX_MARGIN = 0.9
"""The part of its frame waiting time that a token uses before it asks for more."""


def frame_size(index: int) -> int:
    return FRAME_SIZES[min(index, 8)]


def is_information(frame: bytes) -> bool:
    """An I-block, chained or not (ISO/IEC 14443-4 7.1.1.1)."""
    return bool(frame) and frame[0] & 0xE2 == 0x02


@dataclass(frozen=True)
class Reply:
    """A frame (without CRC) that leaves the token after `seconds` of computing."""

    frame: bytes
    seconds: float = 0.0


@dataclass(frozen=True)
class WtxHabit:
    """S(WTX) that the token sends of its own accord, besides those that its computing time makes it send."""

    before_first: int = 0
    """This many before the first block of each response."""
    in_chain: int = 0
    """One before every n-th further block of a chained response or each n-th R(ACK) to a chained command;
    0 never.
    """
    multiplier: int = 1
    """WTXM of every request, 1 to 59."""


class _Await(Enum):
    BLOCK = auto()
    WTX_THEN_ACK = auto()
    WTX_THEN_ANSWER = auto()
    WTX_THEN_CHAIN = auto()


class BlockProtocol:
    """One activation. `fsd` is the reader's frame size, `fsc` the token's, both with PCB and CRC counted."""

    def __init__(
        self, card: Card, *, fsd: int, fsc: int, cid: int, cid_supported: bool, fwt: float, wtx: WtxHabit
    ):
        self._card = card
        self._fsd, self._fsc, self._cid, self._cid_supported = fsd, fsc, cid, cid_supported
        self._fwt, self._wtx = fwt, wtx
        self._number = 1  # rule C
        self._with_cid = False
        self._command = bytearray()
        self._response = b""
        self._sent = 0
        self._last: bytes | None = None
        self._work: CardWork | None = None
        self._asked_before = 0
        self._links = 0
        self._chain_open = False
        self._await = _Await.BLOCK
        self.deselected = False
        self.apdus_answered = 0

    def receive(self, frame: bytes) -> Reply | None:
        """The answer to a block, or None where the standard wants silence."""
        inner = self._strip(frame)
        if inner is None:
            return None
        pcb, inf = inner
        if pcb & 0xE2 == 0x02:
            return self._on_i_block(pcb, inf)
        if pcb & 0xE6 == 0xA2 and not inf:
            return self._on_r_block(pcb)
        if pcb == S_DESELECT and not inf:
            self.deselected = True
            return Reply(self._wrap(S_DESELECT, b""))
        if pcb == S_WTX and len(inf) == 1:
            return self._on_wtx(inf[0])
        return None

    # -- framing -----------------------------------------------------------------------------------

    def _strip(self, frame: bytes) -> tuple[int, bytes] | None:
        if not frame or len(frame) + 2 > self._fsc:
            return None
        pcb, rest = frame[0], frame[1:]
        self_addressed = self._cid == 0
        self._with_cid = bool(pcb & CID_FOLLOWS)
        if self._with_cid:
            if not self._cid_supported or not rest:
                return None
            self_addressed, rest = rest[0] & 0x0F == self._cid, rest[1:]
        if not self_addressed or (pcb & 0xE2 == 0x02 and pcb & NAD_FOLLOWS):
            return None
        return pcb & ~CID_FOLLOWS, rest

    def _wrap(self, pcb: int, inf: bytes) -> bytes:
        if self._with_cid:
            self._last = bytes([pcb | CID_FOLLOWS, self._cid]) + inf
        else:
            self._last = bytes([pcb]) + inf
        return self._last

    # -- blocks ------------------------------------------------------------------------------------

    def _on_i_block(self, pcb: int, inf: bytes) -> Reply | None:
        if self._await is not _Await.BLOCK:
            return None
        self._number ^= 1  # rule D
        if self._sent < len(self._response) or not self._chain_open:
            self._command.clear()
        self._response, self._sent = b"", 0
        self._command += inf
        self._chain_open = bool(pcb & CHAINING)
        if self._chain_open:
            if self._due_in_chain():
                self._await = _Await.WTX_THEN_ACK
                return self._request_time(0.0)
            return Reply(self._wrap(0xA2 | self._number, b""))
        self._work = self._card.begin(bytes(self._command))
        self._command.clear()
        self._asked_before = 0
        self._links = 0
        return self._compute(0.0)

    def _on_r_block(self, pcb: int) -> Reply | None:
        negative = bool(pcb & 0x10)
        same = pcb & 1 == self._number
        if same:
            return None if self._last is None else Reply(self._last)  # rule 11
        if negative:
            if self._await is not _Await.BLOCK:
                return None if self._last is None else Reply(self._last)
            acknowledgement = bytes([0xA2 | self._number])
            return Reply(self._wrap(acknowledgement[0], b""))  # rule 12
        if self._sent < len(self._response):  # rule 13
            self._number ^= 1  # rule E
            if self._due_in_chain():
                self._await = _Await.WTX_THEN_CHAIN
                return self._request_time(0.0)
            return Reply(self._next_link())
        return None

    def _on_wtx(self, multiplier: int) -> Reply | None:
        if multiplier & 0x3F != self._wtx.multiplier:
            return None
        state, self._await = self._await, _Await.BLOCK
        match state:
            case _Await.BLOCK:
                return None
            case _Await.WTX_THEN_ACK:
                return Reply(self._wrap(0xA2 | self._number, b""))
            case _Await.WTX_THEN_CHAIN:
                return Reply(self._next_link())
            case _Await.WTX_THEN_ANSWER:
                return self._compute(self._fwt * self._wtx.multiplier)

    # -- the answer --------------------------------------------------------------------------------

    def _compute(self, granted_s: float) -> Reply:
        assert self._work is not None
        if self._asked_before < self._wtx.before_first:
            self._asked_before += 1
            self._await = _Await.WTX_THEN_ANSWER
            return self._request_time(0.0)
        step = self._work.go_on((granted_s or self._fwt) * WTX_MARGIN)
        match step:
            case Computing(seconds):
                self._await = _Await.WTX_THEN_ANSWER
                return self._request_time(seconds)
            case Finished(response, seconds):
                self._work = None
                self._response, self._sent = response, 0
                return Reply(self._next_link(), seconds)

    def _request_time(self, seconds: float) -> Reply:
        return Reply(self._wrap(S_WTX, bytes([self._wtx.multiplier])), seconds)

    def _next_link(self) -> bytes:
        room = self._fsd - 3 - (1 if self._with_cid else 0)
        part = self._response[self._sent : self._sent + room]
        self._sent += len(part)
        more = self._sent < len(self._response)
        if not more:
            self.apdus_answered += 1
        return self._wrap(0x02 | (CHAINING if more else 0) | self._number, part)

    def _due_in_chain(self) -> bool:
        self._links += 1
        return self._wtx.in_chain > 0 and self._links % self._wtx.in_chain == 0
