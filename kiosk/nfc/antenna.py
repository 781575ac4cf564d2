"""What lies in the field: looking, telling whether it is still there, activating, and the link to one token.

Type B is searched for with frames of our own, because the chip's search activates what it finds with frames
of 64 bytes, and getting out of that takes a DESELECT, after which an iPhone may have forgotten its owner. A
token that was only found (ATQB, SELECT) has not been activated: it spends nothing and forgets nothing. From
its activation until the contact ends there is no DESELECT and no field loss.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kiosk.nfc.protocol import isodep
from kiosk.nfc.protocol import status_words as status
from kiosk.nfc.protocol.apdu import INS_VERIFY, SHORT_NE, CommandApdu
from kiosk.nfc.protocol.faults import TokenGarbled, TokenLost
from kiosk.nfc.protocol.isodep import BlockPace, Heard, Initiator, Parameters, Technology, Unheard
from kiosk.nfc.protocol.secret import wipe
from kiosk.nfc.reader_counters import Traffic

TRAFFIC = 5  #: log level of headers, lengths and status words; never data

WUPB = b"\x05\x00\x08"  #: ISO/IEC 14443-3:2018, 7.7: all families, one slot, halted ones too
RATS = b"\xe0\x80"  #: frames of 256 bytes, CID 0
POLL_S = 0.003  #: an ATQB comes within 0.6 ms
QUICK_S = 0.0512  #: one of the chip's own steps; four of them stay well below the 300 ms of "removed"
QUICK_RETRIES = 3
CHIP_SEARCH_EVERY = 4  #: so often the chip searches for type B its own way, until ours has found something

CHIP_ACTIVATED = Parameters(fsc=16, fwt_s=QUICK_S)  #: enough to ask a token whether it is there

INS_SIGN = 0x2A
SLOW = frozenset({INS_VERIFY, INS_SIGN})  #: the token computes: it gets all of its frame waiting time

log = logging.getLogger(__name__)


class ReaderChip(Protocol):
    """What is needed of a reader chip; `pn533.Pn533` is one. Every method raises ReaderGone."""

    model: str  #: with its firmware version
    where: str  #: USB id and path

    def field_on(self) -> None: ...
    def field_off(self) -> None: ...
    def exchange(self, technology: Technology, frame: bytes | bytearray, limit_s: float) -> Heard: ...
    def find_a(self) -> tuple[int, bytes] | None: ...
    def count_a(self) -> int: ...
    def find_b(self) -> bytes | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Found:
    """A token in the field. Its identifier may be random and identifies nobody."""

    technology: Technology
    identifier: bytes
    parameters: Parameters | None  #: type B only; None for type A
    blocks: bool  #: it speaks ISO/IEC 14443-4
    face: bytes = b""  #: what tokens of one make have in common before they are activated; names nobody


@dataclass(frozen=True)
class Several:
    """More than one token answers."""


class NoBlocks(Exception):  # noqa: N818  # an expected state, caught by the caller
    """The token does not speak ISO/IEC 14443-4: no My Number token."""

    def __init__(self, token: Found) -> None:
        super().__init__()
        self.token = token


class NotAlone(Exception):  # noqa: N818  # as above
    """Another token has joined: they answer at once."""


class Antenna:
    """Finds, watches and activates tokens on one reader."""

    def __init__(
        self, chip: ReaderChip, *, traffic: Traffic | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._chip = chip
        self._traffic = traffic or Traffic()
        self._sleep = sleep
        self._looks = 0
        self._own_search_proven = False
        self._link: TokenLink | None = None
        self._small_frames = (
            False  # the chip has activated the token itself, which takes frames of 64 bytes now
        )

    @property
    def model(self) -> str:
        return self._chip.model

    @property
    def where(self) -> str:
        return self._chip.where

    def close(self) -> None:
        self._chip.close()

    def rest(self) -> None:
        """Switch the field off; whatever lies there forgets where it was."""
        self._link, self._small_frames = None, False
        self._chip.field_off()

    # -- looking -------------------------------------------------------------------------------------------

    def look(self, *, spare: bool = False) -> Found | Several | None:
        """Look once for a token: type B, then type A. `spare`: never activate what is found.

        Until our own search for type B has found something on this reader, the chip's is tried now and
        then: how a real chip's registers stand after a search in vain is not documented, and ours might be
        deaf.
        """
        self._link, self._small_frames = None, False
        self._looks += 1
        self._chip.field_on()
        if (found := self._look_b()) is not None:
            self._own_search_proven = True
            return found
        if not spare and not self._own_search_proven and self._looks % CHIP_SEARCH_EVERY == 0:
            atqb = self._chip.find_b()
            if atqb is not None:
                self._small_frames = True
                return _found_b(atqb)
        return self._look_a()

    def _look_b(self) -> Found | Several | None:
        heard = self._chip.exchange("B", WUPB, POLL_S)
        if heard is Unheard.DAMAGE:
            heard = self._chip.exchange("B", WUPB, POLL_S)
            if heard is Unheard.DAMAGE:
                return Several()
        return None if isinstance(heard, Unheard) else _found_b(heard)

    def _look_a(self) -> Found | None:
        found = self._chip.find_a()
        if found is None:
            return None
        sak, uid = found
        blocks = bool(sak & 0x20)  # ISO/IEC 14443-3:2018, table 9
        return Found("A", uid, None, blocks, bytes((0x0A, sak, len(uid))))

    def beside(self, technology: Technology) -> Found | None:
        """Look for one more, of this type; those that are activated do not hear this. Raises NotAlone."""
        found = self._look_a() if technology == "A" else self._look_b()
        if isinstance(found, Several):
            raise NotAlone
        return found

    def several(self) -> bool:
        """Whether more than one token still answers; activates none of them."""
        self.rest()  # whoever is in the block protocol would not be heard
        self._chip.field_on()
        found = self._look_b()
        if found is not None:
            return isinstance(found, Several) or self._look_a() is not None
        several = self._chip.count_a() > 1
        self.rest()  # what the chip has counted it may have halted
        return several

    def face_of(self, technology: Technology) -> Found | None:
        """Look for a token of one type only, in a fresh field. Raises NotAlone."""
        self.rest()
        self._chip.field_on()
        return self.beside(technology)

    def there(self, found: Found) -> bool:
        """Whether the token last found or activated is still in the field; asking costs it nothing."""
        if self._link is not None:
            return self._link.answers()
        self._chip.field_on()
        if found.technology == "A":
            # a selected token answers a request by going back to idle, in silence, and the next one with ATQA
            return any(self._chip.find_a() is not None for _ in range(2))
        if self._small_frames:
            return TokenLink(self._chip, "B", CHIP_ACTIVATED, self._traffic).answers()
        return any(self._chip.exchange("B", WUPB, POLL_S) is not Unheard.SILENCE for _ in range(2))

    # -- activation ----------------------------------------------------------------------------------------

    def activate(self, found: Found) -> "TokenLink":
        """Bring the token into the block protocol. Raises TokenLost, TokenGarbled, NoBlocks, NotAlone.

        One that is still in it, from a contact that ended well, is not activated again: it would not answer.
        """
        if self._link is not None:
            return self._link
        self._link = self.activate_also(found)
        return self._link

    def activate_also(self, found: Found) -> "TokenLink":
        """Bring one into the block protocol beside the token that is already; raises as `activate`."""
        if not found.blocks:
            raise NoBlocks(found)
        parameters = self._activate_a() if found.technology == "A" else self._activate_b(found)
        return TokenLink(self._chip, found.technology, parameters, self._traffic)

    def keep(self, link: "TokenLink") -> None:
        """This is the token meant; from now on presence is asked of it."""
        self._link = link

    def _activate_b(self, found: Found) -> Parameters:
        if self._small_frames and found.parameters is not None:
            return found.parameters
        damaged = 0
        for _ in range(2):
            atqb = self._chip.exchange("B", WUPB, POLL_S)
            if isinstance(atqb, Unheard):
                damaged += atqb is Unheard.DAMAGE
                continue
            parameters = isodep.read_atqb(atqb)
            if parameters is None:
                raise NoBlocks(found)
            # ATTRIB: PUPI, default timing, frames of 256 bytes at 106 kbit/s, ISO/IEC 14443-4, CID 0
            answer = self._chip.exchange("B", b"\x1d" + atqb[1:5] + b"\x00\x08\x01\x00", QUICK_S)
            if not isinstance(answer, Unheard) and answer and answer[0] & 0x0F == 0:
                return parameters
        if damaged == 2:
            raise NotAlone
        raise TokenLost("the token left while it was being activated")

    def _activate_a(self) -> Parameters:
        for _ in range(2):
            ats = self._chip.exchange("A", RATS, QUICK_S)
            if not isinstance(ats, Unheard):
                parameters = isodep.read_ats(ats)
                self._sleep(parameters.guard_s)
                return parameters
            if self._chip.find_a() is None and self._chip.find_a() is None:
                break
        raise TokenLost("the token left while it was being activated")


def _found_b(atqb: bytes) -> Found:
    try:
        parameters = isodep.read_atqb(atqb)
    except TokenGarbled:
        parameters = None
    return Found("B", atqb[1:5], parameters, parameters is not None, b"\x0b" + atqb[5:12])


class TokenLink:
    """One activated token; see `contact.TokenLink`."""

    def __init__(
        self, chip: ReaderChip, technology: Technology, parameters: Parameters, traffic: Traffic | None = None
    ) -> None:
        self._chip, self._technology, self._traffic = chip, technology, traffic or Traffic()
        self._initiator = Initiator(parameters)
        fwt = parameters.fwt_s + isodep.DELTA_FWT_S
        self._quick = BlockPace(min(fwt, QUICK_S), QUICK_RETRIES)
        self._slow = BlockPace(fwt, 2 if fwt < 0.5 else 1)

    def exchange(self, command: CommandApdu, left: Callable[[], float]) -> bytes:
        """Send a command, return the raw answer. What was sent is wiped: it may have held the PIN."""
        frame = command.encode()
        slow = command.patient or (command.ins in SLOW and command.data)
        pace = self._slow if slow else self._quick
        talk = self._initiator.exchange(frame, pace, max(command.ne, SHORT_NE) + 2)
        try:
            send = next(talk)
            while True:
                heard = self._chip.exchange(self._technology, send.frame, min(send.limit_s, left()))
                self._traffic.blocks += 1
                self._traffic.unanswered += heard is Unheard.SILENCE
                self._traffic.damaged += heard is Unheard.DAMAGE
                send = talk.send(heard)
                self._traffic.repeated += isinstance(heard, Unheard)  # else the talk has ended
        except StopIteration as end:
            answer = bytes(end.value)
        finally:
            talk.close()  # now, not when somebody collects it: it holds a copy of what was sent
            wipe(frame)
        if log.isEnabledFor(TRAFFIC):
            sw = status.name(int.from_bytes(answer[-2:], "big"))
            log.log(TRAFFIC, "%r -> %d bytes, SW %s", command, len(answer) - 2, sw)
        return answer

    def answers(self) -> bool:
        """Ask with R(NAK) whether the token is still there."""
        ask = self._initiator.are_you_there
        return any(
            not isinstance(self._chip.exchange(self._technology, ask, QUICK_S), Unheard) for _ in range(2)
        )
