"""ISO/IEC 14443-4, the reader's side: activation answers and the half-duplex block protocol. No I/O.

`Initiator.exchange` is a generator: it yields `Send`, is sent what was heard, and returns the token's answer.
Numbers of rules are those of ISO/IEC 14443-4:2018, 7.5.4 and 7.5.5. What nfcpy's own does wrong and this does
not (docs/facts/reader.md, faults 1 to 3): S(WTX) between the blocks of a chained answer, retries that depend
on FWI, ATS read at fixed offsets; and removal is noticed within a fraction of a second where the command
allows it.

After TokenLost or TokenGarbled the initiator is used up: no later answer can be taken for this command's.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from kiosk.nfc.protocol.faults import TokenGarbled, TokenLost
from kiosk.nfc.protocol.secret import wipe

Technology = Literal["A", "B"]  #: ISO/IEC 14443 type

CARRIER_HZ = 13.56e6
FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)  #: FSC by FSCI, table 1; more is not for this reader
DELTA_FWT_S = 49152 / CARRIER_HZ  #: 7.2
DEFAULT_FWI = 4
MOST_ANSWER = 65538  #: the longest response APDU
MOST_EXTENSIONS = 64  #: S(WTX) for one block; whoever drives the exchange has a clock and ends it earlier

R_NAK, R_ACK, S_WTX = 0xB2, 0xA2, 0xF2
CHAINING = 0x10


class Unheard(Enum):
    """Why nothing usable was heard."""

    SILENCE = auto()
    DAMAGE = auto()  #: checksum, parity, framing


Heard = bytes | Unheard


@dataclass(frozen=True)
class Send:
    """A frame without CRC, and how long to wait for the answer."""

    frame: bytes | bytearray
    limit_s: float


@dataclass(frozen=True)
class BlockPace:
    """How long one try waits, and how often it is tried again."""

    limit_s: float
    retries: int


@dataclass(frozen=True)
class Parameters:
    """What the token announced when it was activated."""

    fsc: int
    fwt_s: float
    guard_s: float = 0.0  #: SFGT: not before that after the ATS


def frame_waiting_s(fwi: int) -> float:
    """FWT from FWI (7.2); 15 is reserved and taken as the default."""
    return 4096 / CARRIER_HZ * (1 << (fwi if fwi < 15 else DEFAULT_FWI))


def _frame_size(fsci: int) -> int:
    return FRAME_SIZES[min(fsci, 8)]


def read_ats(ats: bytes) -> Parameters:
    """Read an answer to select (5.2). Raises TokenGarbled.

    Interface bytes that are absent have their defaults, even if the format byte announces them.
    """
    if not ats or ats[0] != len(ats):
        raise TokenGarbled("the answer to select has a wrong length")
    announced = ats[1] if len(ats) > 1 else 0x02
    rest = ats[2:]
    if announced & 0x10:
        rest = rest[1:]  # TA(1): bit rates; 106 kbit/s is always there
    timing = rest[0] if announced & 0x20 and rest else DEFAULT_FWI << 4  # TB(1)
    fwi, sfgi = timing >> 4, timing & 0x0F
    guard = frame_waiting_s(sfgi) + DELTA_FWT_S if 0 < sfgi < 15 else 0.0
    return Parameters(_frame_size(announced & 0x0F), frame_waiting_s(fwi), guard)


def read_atqb(atqb: bytes) -> Parameters | None:
    """Read an ATQB (ISO/IEC 14443-3:2018, 7.9); None where the token does not speak ISO/IEC 14443-4."""
    if len(atqb) < 12 or atqb[0] != 0x50:
        raise TokenGarbled("the answer to request B has a wrong form")
    if not atqb[10] & 0x01:
        return None
    return Parameters(_frame_size(atqb[10] >> 4), frame_waiting_s(atqb[11] >> 4))


class Initiator:
    """The reader's end of one activation."""

    def __init__(self, parameters: Parameters) -> None:
        self._room = parameters.fsc - 3  # PCB and CRC
        self._fwt = parameters.fwt_s
        self._number = 0
        self._usable = True

    @property
    def are_you_there(self) -> bytes:
        """An R(NAK): a token that is still there answers with R(ACK) (rule 12), at no cost."""
        return bytes([R_NAK | self._number])

    def exchange(
        self, command: bytes | bytearray, pace: BlockPace, most: int = MOST_ANSWER
    ) -> Generator[Send, Heard, bytearray]:
        """Send a command, return the answer, of `most` bytes at most; raises TokenLost or TokenGarbled."""
        if not self._usable:
            raise TokenGarbled("the token has to be activated anew")
        self._usable = False
        heard = b""
        for start in range(0, len(command), self._room):
            more = CHAINING if start + self._room < len(command) else 0
            block = bytearray([0x02 | more | self._number])
            block += memoryview(command)[start : start + self._room]
            try:
                heard = yield from self._hear(block, pace)
            finally:
                wipe(block)  # it may have held the PIN
            if more:
                if heard[0] != R_ACK | self._number or len(heard) != 1:
                    raise TokenGarbled("a chained command was not acknowledged")
                self._number ^= 1
        answer = bytearray()
        while True:
            if heard[0] & ~CHAINING != 0x02 | self._number:
                raise TokenGarbled("a block of another kind or number than expected")
            answer += heard[1:]
            self._number ^= 1
            if not heard[0] & CHAINING:
                self._usable = True
                return answer
            if len(heard) == 1 or len(answer) >= most:
                raise TokenGarbled("a chain that leads nowhere")
            heard = yield from self._hear(bytearray([R_ACK | self._number]), pace)

    def _hear(self, block: bytearray, pace: BlockPace) -> Generator[Send, Heard, bytes]:
        """Send a block until something answers it: rules 4, 5 and 6, and S(WTX) wherever it comes."""
        information = not block[0] & 0x80
        send = Send(block, pace.limit_s)
        failures = extensions = 0
        while True:
            heard = yield send
            if isinstance(heard, Unheard) or not heard:
                failures += 1
                if failures > pace.retries:
                    if heard is Unheard.SILENCE:
                        raise TokenLost("the token does not answer any more")
                    raise TokenGarbled("the token's frames arrive damaged")
                again = bytes([R_NAK | self._number]) if information else block
                send = Send(again, pace.limit_s)
            elif heard[0] == S_WTX and len(heard) == 2:
                extensions += 1
                multiplier = heard[1] & 0x3F
                if extensions > MOST_EXTENSIONS or not 1 <= multiplier <= 59:
                    raise TokenGarbled("a waiting time extension out of bounds")
                send = Send(bytes([S_WTX, multiplier]), self._fwt * multiplier + DELTA_FWT_S)
            elif information and heard[0] == R_ACK | (self._number ^ 1) and failures:
                failures += 1  # rule 6: it never got our block
                if failures > pace.retries + 1:
                    raise TokenGarbled("the token does not take a block")
                send = Send(block, pace.limit_s)
            else:
                return heard
