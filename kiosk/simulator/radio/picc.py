"""A token as the radio sees it: ISO/IEC 14443-3 Type A or B initialisation, then the block protocol. No
I/O, no clock.

The same card application can be put behind either type. Frames come and go without CRC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random
from typing import assert_never

from kiosk.simulator.radio.airtime import Technology, fwt_s
from kiosk.simulator.radio.isodep_target import BlockProtocol, Reply, WtxHabit, frame_size
from kiosk.simulator.tokens.card import Card

REQA, WUPA = 0x26, 0x52
"""Short frames of 7 bits (ISO/IEC 14443-3 6.4.1)."""

CASCADE = {0x93: 0, 0x95: 1, 0x97: 2}
CASCADE_TAG = 0x88


@dataclass(frozen=True)
class RadioFace:
    """How a token presents itself. Of phones nothing is public: these values are settings, not facts."""

    technology: Technology
    sak: int = 0x20
    """Type A: bit 6 set means ISO/IEC 14443-4; phones with peer-to-peer have 60."""
    atqa: bytes = b"\x04\x00"
    uid: bytes | None = None
    """UID (A) or PUPI (B, 4 bytes); None draws a new one whenever the field comes on, as phones do."""
    application_data: bytes = bytes.fromhex("00000041")
    """Type B, from the ATR list of pcsc-tools for the Japanese card."""
    bit_rates: int = 0xB3
    fsci: int = 8
    fwi: int = 10
    cid_supported: bool = True
    ats: bytes | None = None
    """Type A: a literal ATS instead of one made from the values above (short ones have upset nfcpy)."""
    wtx: WtxHabit = field(default_factory=WtxHabit)

    def atqb(self, pupi: bytes) -> bytes:
        protocol = bytes([self.bit_rates, self.fsci << 4 | 0x01, self.fwi << 4 | int(self.cid_supported)])
        return b"\x50" + pupi + self.application_data + protocol

    def answer_to_select(self) -> bytes:
        if self.ats is not None:
            return self.ats
        interface = bytes([0x70 | self.fsci, 0x80, self.fwi << 4, 0x02 if self.cid_supported else 0x00])
        return bytes([len(interface) + 1]) + interface


class PiccState(Enum):
    """ISO/IEC 14443-3 figures 7 (A) and 22 (B); Type A's READY and ACTIVE are two."""

    OFF = auto()
    IDLE = auto()
    READY = auto()
    ACTIVE = auto()
    PROTOCOL = auto()
    HALT = auto()


class Picc:
    """One token in or out of the field."""

    def __init__(self, card: Card, face: RadioFace, random: Random) -> None:
        self.card = card
        self.face = face
        self._random = random
        self.state = PiccState.OFF
        self.uid = b""
        self.speed = 0
        self.blocks: BlockProtocol | None = None
        self.activations = 0
        self.other_face: Picc | None = None  # the same phone by the other radio type
        self._awoken = False  # by WUPA out of HALT: errors lead back to HALT, not to IDLE
        self._pps_possible = False
        self._cid = 0

    @property
    def technology(self) -> Technology:
        return self.face.technology

    @property
    def activated(self) -> bool:
        return self.state is PiccState.PROTOCOL

    @property
    def apdus_answered(self) -> int:
        return 0 if self.blocks is None else self.blocks.apdus_answered

    def field_on(self) -> None:
        if self.state is PiccState.OFF:
            self.uid = self.face.uid or self._random_id()
            self.state = PiccState.IDLE
            self._awoken = False

    def field_off(self) -> None:
        if self.state is not PiccState.OFF:
            self._end_session()
            self.state = PiccState.OFF
            self.card.power_off()

    def _random_id(self) -> bytes:
        draw = self._random.randbytes(3)
        return (
            b"\x08" if self.technology == "A" else self._random.randbytes(1)
        ) + draw  # 08: random, 14443-3 6.5.4

    def _end_session(self) -> None:
        self.blocks, self.speed = None, 0

    def receive(self, frame: bytes, bits: int = 8) -> Reply | None:
        """The answer to a frame whose last byte has `bits` bits, or None for silence."""
        if self.state is PiccState.OFF or not frame:
            return None
        if self.other_face is not None and self.other_face.activated:
            return None  # a phone speaks by one of its faces at a time
        if self.state is PiccState.PROTOCOL:
            return self._on_protocol(frame)
        match self.technology:
            case "A":
                return self._on_a(frame, bits)
            case "B":
                return self._on_b(frame)
            case _:
                assert_never(self.technology)

    # -- Type A ------------------------------------------------------------------------------------

    def _on_a(self, frame: bytes, bits: int) -> Reply | None:
        if len(frame) == 1 and bits == 7:
            return self._on_request_a(frame[0])
        if self.state is PiccState.READY and frame[0] in CASCADE:
            return self._on_cascade(frame)
        if self.state is PiccState.ACTIVE:
            if frame[0] == 0xE0 and len(frame) == 2:
                return self._on_rats(frame[1])
            if frame == b"\x50\x00":
                self.state = PiccState.HALT
                self._awoken = True
                return None
        self._back()
        return None

    def _back(self) -> None:
        self.state = PiccState.HALT if self._awoken else PiccState.IDLE

    def _on_request_a(self, request: int) -> Reply | None:
        wanted = {REQA: (PiccState.IDLE,), WUPA: (PiccState.IDLE, PiccState.HALT)}.get(request, ())
        if self.state not in wanted:
            self._back()
            return None
        self._awoken = self.state is PiccState.HALT
        self.state = PiccState.READY
        return Reply(self.face.atqa)

    def _cascade_parts(self) -> list[bytes]:
        uid, parts = self.uid, []
        while len(uid) > 4:
            parts.append(bytes([CASCADE_TAG]) + uid[:3])
            uid = uid[3:]
        return [*parts, uid]

    def _on_cascade(self, frame: bytes) -> Reply | None:
        parts = self._cascade_parts()
        level = CASCADE[frame[0]]
        if level >= len(parts) or len(frame) < 2:
            self._back()
            return None
        part = parts[level]
        check = part[0] ^ part[1] ^ part[2] ^ part[3]
        whole = part + bytes([check])
        if frame[1] == 0x20 and len(frame) == 2:
            return Reply(whole)
        if frame[1] == 0x70 and frame[2:] == whole:
            if level < len(parts) - 1:
                return Reply(b"\x04")
            self.state = PiccState.ACTIVE
            return Reply(bytes([self.face.sak]))
        self._back()
        return None

    def select(self) -> int:
        """What a whole anticollision search comes to: this token is selected. Returns its SAK."""
        self.state = PiccState.ACTIVE
        return self.face.sak

    def _on_rats(self, parameter: int) -> Reply | None:
        if not self.face.sak & 0x20:
            self._back()
            return None
        self._activate(parameter >> 4, parameter & 0x0F)
        self._pps_possible = True
        return Reply(self.face.answer_to_select())

    # -- Type B ------------------------------------------------------------------------------------

    def _on_b(self, frame: bytes) -> Reply | None:
        if frame[0] == 0x05 and len(frame) == 3:
            return self._on_request_b(frame[1], frame[2])
        if self.state is PiccState.READY and frame[1:5] == self.uid:
            if frame[0] == 0x1D and len(frame) >= 9:
                return self._on_attrib(frame)
            if frame[0] == 0x50 and len(frame) == 5:
                self.state = PiccState.HALT
                return Reply(b"\x00")
        return None

    def _on_request_b(self, family: int, parameter: int) -> Reply | None:
        """REQB, or WUPB if bit 4 of `parameter` is set. The token always takes the first slot."""
        if family != 0 or (self.state is PiccState.HALT and not parameter & 0x08):
            return None
        self.state = PiccState.READY
        return Reply(self.face.atqb(self.uid))

    def _on_attrib(self, frame: bytes) -> Reply | None:
        sizes, protocol, cid = frame[6], frame[7], frame[8] & 0x0F
        if protocol & 0x01 != 0x01:
            return None
        self._activate(sizes & 0x0F, cid)
        self.speed = sizes >> 6  # PICC to PCD; our radio runs both ways at one rate
        self._pps_possible = False
        return Reply(bytes([cid]))

    # -- both --------------------------------------------------------------------------------------

    def _activate(self, fsdi: int, cid: int) -> None:
        face = self.face
        self.blocks = BlockProtocol(
            self.card,
            fsd=frame_size(fsdi),
            fsc=frame_size(face.fsci),
            cid=cid,
            cid_supported=face.cid_supported,
            fwt=fwt_s(face.fwi),
            wtx=face.wtx,
        )
        self._cid = cid
        self.state = PiccState.PROTOCOL
        self.activations += 1
        self.card.power_on()

    def _on_protocol(self, frame: bytes) -> Reply | None:
        assert self.blocks is not None
        pps = self._pps_possible and frame[0] == 0xD0 | self._cid and len(frame) in (2, 3)
        self._pps_possible = False
        if pps:
            if len(frame) == 3 and frame[1] & 0x10:
                self.speed = frame[2] & 0x03
            return Reply(frame[:1])
        reply = self.blocks.receive(frame)
        if self.blocks.deselected:
            self._end_session()
            self.state = PiccState.HALT
            self._awoken = True
            self.card.deselected()
        return reply
