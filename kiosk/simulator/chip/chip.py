"""A virtual PN533: host commands in, responses out, the radio behind it.

Written from what unmodified nfcpy 1.0.4 sends and expects, and from general knowledge of the PN53x family;
it proves the host's side. That a real PN533 behaves so is unverified until somebody compares
(`docs/field-test.md`).

`Chip.execute` is a generator: it yields the seconds that the chip is busy and returns the response
payload. Whoever drives it sleeps (`field_server`) or does not (tests), and drops it to abort the command,
as an ACK from the host does.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.registers import CIU_BIT_FRAMING, CIU_FIFO_DATA, CIU_RX_MODE, CIU_TX_MODE, Registers
from kiosk.simulator.radio.airtime import Technology
from kiosk.simulator.radio.crc import crc
from kiosk.simulator.radio.radio import Arrival, Collided, NoResponse, Placement, RadioField, Responded

Busy = Generator[float, None, bytes]

FIRMWARE = bytes([0x33, 0x02, 0x07, 0x07])
"""IC PN533, version 2.7, ISO/IEC 14443 A and B and 18092 supported."""

OK = 0x00
TIME_OUT = 0x01
CRC_ERROR = 0x02
INVALID_PARAMETER = 0x10
WRONG_CONTEXT = 0x27

FOREVER_S = 3600.0
"""Time-out index 0 means none; the host ends the command with an ACK."""

AUTOMATIC_RATS = 0x10
"""SetParameters: the chip sends RATS itself."""

CRC_ENABLED = 0x80
"""In CIU_TxMode and CIU_RxMode: the CIU adds, or checks and takes off, the CRC."""

TYPE_A, TYPE_B = 0x00, 0x03
FRAMING = {0b00: "A", 0b11: "B"}
"""Low bits of CIU_TxMode."""

FSDI_OF_CHIP = 5
"""The chip activates with 64 byte frames (nfcpy, pn533.py, sense_ttb)."""


class SyntaxFaultError(Exception):
    """The host gets the error frame."""


@dataclass(frozen=True)
class ListedTarget:
    """What InListPassiveTarget found; `number` is the chip's Tg."""

    number: int
    technology: Technology
    placement: Placement
    data: bytes


class Chip:
    """One PN533. Make a new one for each connection: a freshly plugged stick remembers nothing."""

    def __init__(self, field: RadioField, *, eeprom: bytes = b"") -> None:
        self._field = field
        self._registers = Registers(eeprom)
        self._parameters = 0
        self._time_out_index = 0x0A
        self._most_tries = 0xFF
        self._targets: list[ListedTarget] = []
        self._block_number = 0
        self._last_error = OK

    def reset(self) -> None:
        """The stick is unplugged: the field goes."""
        self._field.switch_off()

    def execute(self, payload: bytes) -> Busy:
        """Run one command; `payload` begins with TFI. Raises `SyntaxFaultError` where a chip sends its
        error frame.
        """
        self._field.meter.commands += 1
        if len(payload) < 2 or payload[0] != pn533_frames.TO_CHIP:
            raise SyntaxFaultError("no command")
        code, data = payload[1], payload[2:]
        answer = yield from self._run(code, data)
        return bytes([pn533_frames.FROM_CHIP, code + 1]) + answer

    def _run(self, code: int, data: bytes) -> Busy:
        match code:
            case 0x00:
                return self._diagnose(data)
            case 0x02:
                return FIRMWARE
            case 0x04:
                return self._general_status()
            case 0x06:
                return self._registers.read(data)
            case 0x08:
                return self._registers.write(data)
            case 0x12:
                self._parameters = _first(data)
                return b""
            case 0x32:
                return self._rf_configuration(data)
            case 0x40:
                return (yield from self._in_data_exchange(data))
            case 0x42:
                return (yield from self._in_communicate_thru(data))
            case 0x44:
                return (yield from self._in_release(data, forget=False))
            case 0x4A:
                return (yield from self._in_list_passive_target(data))
            case 0x52:
                return (yield from self._in_release(data, forget=True))
            case 0x54:
                return bytes([OK if self._targets else WRONG_CONTEXT])
            case _:
                raise SyntaxFaultError(f"command {code:02X}")

    # -- the chip itself ---------------------------------------------------------------------------

    def _diagnose(self, data: bytes) -> bytes:
        match _first(data):
            case 0x00:  # communication line: everything comes back
                return data
            case 0x01 | 0x02:  # ROM, RAM
                return bytes([OK])
            case _:
                raise SyntaxFaultError("diagnose")

    def _general_status(self) -> bytes:
        head = bytes([self._last_error, 0, len(self._targets)])
        targets = b"".join(bytes([target.number, 0, 0, 0]) for target in self._targets)
        return head + targets + b"\x00"

    def _rf_configuration(self, data: bytes) -> bytes:
        item, values = _first(data), data[1:]
        match item:
            case 0x01:
                if _first(values) & 1:
                    self._field.switch_on()
                else:
                    self._field.switch_off()
                    self._targets.clear()
            case 0x02:
                if len(values) != 3:
                    raise SyntaxFaultError("timings")
                self._time_out_index = values[2]
            case 0x05:
                if len(values) != 3:
                    raise SyntaxFaultError("retries")
                self._most_tries = values[2]
            case 0x04 | 0x0A | 0x0B | 0x0C | 0x0D:
                pass  # retries of data exchange and analog settings: nothing here depends on them
            case _:
                raise SyntaxFaultError("RF configuration item")
        return b""

    def _time_out_s(self) -> float:
        index = self._time_out_index
        return FOREVER_S if index == 0 else 100e-6 * (1 << min(index, 16) - 1)

    # -- looking for tokens ------------------------------------------------------------------------

    def _in_list_passive_target(self, data: bytes) -> Busy:
        if len(data) < 2 or data[0] not in (1, 2):
            raise SyntaxFaultError("InListPassiveTarget")
        wanted, kind = data[0], data[1]
        self._field.switch_on()
        self._targets.clear()
        while True:
            if kind in (TYPE_A, TYPE_B):
                yield self._field.waking_s()
            technology: Technology | None = {TYPE_A: "A", TYPE_B: "B"}.get(kind)  # type: ignore[assignment]
            if technology is not None:
                for number in range(1, wanted + 1):
                    target = yield from self._activate(technology, number)
                    if target is None:
                        break
                    self._targets.append(target)
            if self._targets:
                self._block_number = 0
                return bytes([len(self._targets)]) + b"".join(target.data for target in self._targets)
            self._registers.set(CIU_FIFO_DATA, 0x26 if kind == TYPE_A else 0x05)
            self._field.meter.empty_polls += 1
            self._field.meter.poll_s += self._field.model.empty_poll_s
            yield self._field.model.empty_poll_s
            if self._most_tries != 0xFF:
                return b"\x00"

    def _activate(self, technology: Technology, number: int) -> Generator[float, None, ListedTarget | None]:
        match technology:
            case "A":
                self._registers.set(CIU_TX_MODE, 0x80)
                self._registers.set(CIU_RX_MODE, 0x80)
                return (yield from self._activate_a(number))
            case "B":
                self._registers.set(CIU_TX_MODE, 0x83)
                self._registers.set(CIU_RX_MODE, 0x83)
                return (yield from self._activate_b(number))

    def _activate_a(self, number: int) -> Generator[float, None, ListedTarget | None]:
        """Anticollision ends with one token selected: the one with the least UID, of several."""
        self._field.meter.radio_frames += 1
        found: list[tuple[Placement, bytes]] = []
        for placement in self._field.of_type("A"):
            reply = placement.picc.receive(b"\x26", bits=7)
            if reply is not None:
                found.append((placement, reply.frame))
        if not found:
            return None
        placement, atqa = min(found, key=lambda entry: entry[0].picc.uid)
        picc = placement.picc
        sak = picc.select()
        for other, _ in found:
            if other is not placement:
                other.picc.receive(b"\x93\x70")  # a SELECT of somebody else sends it back to IDLE
        yield self._spend_air(self._field.model.anticollision_a_s(len(picc.uid)))
        data = bytes([number]) + atqa[::-1] + bytes([sak, len(picc.uid)]) + picc.uid
        if sak & 0x20 and self._parameters & AUTOMATIC_RATS:
            answer = yield from self._speak("A", bytes([0xE0, FSDI_OF_CHIP << 4]))
            data += b"" if answer is None else answer
        return ListedTarget(number, "A", placement, data)

    def _activate_b(self, number: int) -> Generator[float, None, ListedTarget | None]:
        """REQB and ATTRIB with 64 byte frames; of several tokens the slots single out the one with the
        least PUPI.
        """
        found: list[tuple[Placement, bytes]] = []
        for placement in self._field.of_type("B"):
            reply = placement.picc.receive(b"\x05\x00\x00")
            if reply is not None:
                found.append((placement, reply.frame))
        self._field.meter.radio_frames += 1 + len(found)
        if not found:
            return None
        placement, atqb = min(found, key=lambda entry: entry[0].picc.uid)
        yield self._spend_air(self._field.model.exchange_s("B", 3, len(atqb)))
        answer = yield from self._speak("B", b"\x1d" + placement.picc.uid + bytes([0, FSDI_OF_CHIP, 1, 0]))
        if answer is None:
            return None
        return ListedTarget(number, "B", placement, bytes([number]) + atqb + bytes([len(answer)]) + answer)

    def _spend_air(self, seconds: float) -> float:
        self._field.meter.air_s += seconds
        return seconds

    # -- talking to tokens -------------------------------------------------------------------------

    def _speak(self, technology: Technology, frame: bytes) -> Generator[float, None, bytes | None]:
        """A frame of the chip's own making; None if nothing sound comes back."""
        status, answer = yield from self._exchange(technology, frame)
        return answer if status == OK else None

    def _exchange(
        self, technology: Technology, frame: bytes, bits: int = 8, speed: int = 0
    ) -> Generator[float, None, tuple[int, bytes]]:
        meter, limit = self._field.meter, self._time_out_s()
        outcome = self._field.transmit(technology, frame, bits=bits, speed=speed)
        match outcome:
            case NoResponse(air_s):
                meter.silence_s += limit
                yield self._spend_air(air_s) + limit
                return TIME_OUT, b""
            case Collided(seconds):
                yield self._spend_air(seconds)
                return CRC_ERROR, b""
            case Responded(_, reply, _, air_s):
                self._spend_air(air_s)
                patience = min(reply.seconds, limit)
                meter.card_s += patience
                yield air_s + patience
                arrival = self._field.arrive(outcome) if reply.seconds <= limit else Arrival.LOST
                match arrival:
                    case Arrival.SOUND:
                        return OK, reply.frame
                    case Arrival.GARBLED:
                        return CRC_ERROR, b""
                    case Arrival.LOST:
                        meter.silence_s += limit - patience
                        yield limit - patience
                        return TIME_OUT, b""

    def _in_communicate_thru(self, data: bytes) -> Busy:
        tx, rx = self._registers.get(CIU_TX_MODE), self._registers.get(CIU_RX_MODE)
        technology: Literal["A", "B"] | None = FRAMING.get(tx & 0b11)  # type: ignore[assignment]
        bits = self._registers.get(CIU_BIT_FRAMING) & 0b111 or 8
        if technology is None or not data:
            yield self._time_out_s()
            return bytes([TIME_OUT])
        if not tx & CRC_ENABLED and bits == 8 and len(data) > 2 and crc(technology, data[:-2]) == data[-2:]:
            data = data[:-2]
        status, answer = yield from self._exchange(technology, data, bits, tx >> 4 & 0b111)
        self._last_error = status
        if status != OK:
            return bytes([status])
        if not rx & CRC_ENABLED and _carries_crc(technology, data, bits):
            answer += crc(technology, answer)
        return bytes([OK]) + answer

    def _in_release(self, data: bytes, *, forget: bool) -> Busy:
        if not self._targets:
            return bytes([WRONG_CONTEXT])
        for target in self._targets:
            if _first(data) in (0, target.number):
                yield from self._exchange(target.technology, b"\xc2")
        if forget:
            self._targets = [target for target in self._targets if _first(data) not in (0, target.number)]
        return bytes([OK])

    def _in_data_exchange(self, data: bytes) -> Busy:
        """ISO-DEP in the chip, with the first target, 64 byte frames and no repetition; nfcpy never asks
        for it.
        """
        if not self._targets:
            return bytes([WRONG_CONTEXT])
        target, inf = self._targets[0], data[1:]
        response = b""
        status, answer = yield from self._exchange(target.technology, self._i_block(inf))
        while status == OK:
            if answer[0] == 0xF2:
                status, answer = yield from self._exchange(target.technology, answer)
                continue
            response += answer[1:]
            self._block_number ^= 1
            if not answer[0] & 0x10:
                return bytes([OK]) + response
            status, answer = yield from self._exchange(target.technology, bytes([0xA2 | self._block_number]))
        return bytes([status])

    def _i_block(self, inf: bytes) -> bytes:
        return bytes([0x02 | self._block_number]) + inf


def _first(data: bytes) -> int:
    if not data:
        raise SyntaxFaultError("parameter missing")
    return data[0]


def _carries_crc(technology: Technology, command: bytes, bits: int) -> bool:
    """ATQA and the answers of the anticollision search come without CRC."""
    return technology == "B" or not (bits == 7 or (len(command) == 2 and command[1:] == b"\x20"))
