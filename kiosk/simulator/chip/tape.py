"""What a recording says of a reader and a token, in lines to copy onto the sheet of the field test.

No data of the token: headers, lengths, status words, times, and what it answers before it is activated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kiosk.nfc.protocol import isodep
from kiosk.nfc.protocol import status_words as status
from kiosk.nfc.protocol.faults import TokenGarbled
from kiosk.simulator.chip.replay import Exchange, Recording

THRU, SEARCH, FIRMWARE = 0x42, 0x4A, 0x02
OK, NOBODY = 0x00, 0x01
CHAINING = 0x10


@dataclass
class TapeState:
    """Where the telling stands: one command may take many blocks."""

    header: bytes = b""
    sent: int = 0
    answer: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0
    extensions: int = 0
    unheard: int = 0
    polls: int = 0


def tell(recording: Recording) -> Iterator[str]:
    """One line per thing worth knowing, in the recording's order."""
    told = TapeState()
    for exchange in recording.exchanges:
        code, data, answer = exchange.command[1], exchange.command[2:], exchange.response[2:]
        if code == FIRMWARE:
            yield f"firmware: {answer.hex(' ')}"
        elif code == SEARCH:
            yield from _search(told, data, answer)
        elif code == THRU:
            yield from _frame(told, data, answer, exchange)
    yield f"empty searches in all: {told.polls}"


def _search(told: TapeState, data: bytes, answer: bytes) -> Iterator[str]:
    if not answer or answer[0] == 0:
        told.polls += 1
        return
    kind = "A" if data[1:2] == b"\x00" else "B" if data[1:2] == b"\x03" else f"{data[1:2].hex()}"
    if kind == "A" and len(answer) > 5:
        yield f"type A found: SENS_RES {answer[2:4].hex()}, SEL_RES {answer[4]:02x}, UID of {answer[5]} bytes"
    else:
        yield f"type {kind} found by the chip's own search"


def _frame(told: TapeState, data: bytes, answer: bytes, exchange: Exchange) -> Iterator[str]:
    heard = answer[1:] if answer[:1] == bytes([OK]) else b""
    if data == b"\x05\x00\x08":
        if heard:
            yield _atqb(heard)
        else:
            told.polls += 1
    elif data[:1] == b"\xe0" and len(data) == 2:
        yield _ats(heard) if heard else "RATS was not answered"
    elif data[:1] == b"\x1d":
        yield f"ATTRIB answered {heard.hex()}" if heard else "ATTRIB was not answered"
    elif data:
        yield from _block(told, data, answer, heard, exchange.seconds)


def _atqb(atqb: bytes) -> str:
    try:
        parameters = isodep.read_atqb(atqb)
    except TokenGarbled as fault:
        return f"type B answers nonsense ({fault})"
    shown = f"application data {atqb[5:9].hex()}, protocol {atqb[9:12].hex()}"
    return f"type B found: {shown}, {_say(parameters)}"


def _ats(ats: bytes) -> str:
    try:
        return f"ATS {ats.hex()}, {_say(isodep.read_ats(ats))}"
    except TokenGarbled as fault:
        return f"ATS {ats.hex()} is nonsense ({fault})"


def _say(parameters: isodep.Parameters | None) -> str:
    if parameters is None:
        return "no ISO/IEC 14443-4"
    return f"frames of {parameters.fsc} bytes, FWT {parameters.fwt_s * 1000:.0f} ms"


def _block(told: TapeState, data: bytes, answer: bytes, heard: bytes, seconds: float) -> Iterator[str]:
    told.seconds += seconds
    if data[0] & 0xE2 == 0x02:
        if not told.header:
            told.header = data[1:5]
            told.seconds = seconds
        told.sent += len(data) - 1
    if not heard:
        told.unheard += answer[:1] == bytes([NOBODY])
        return
    if heard[0] & 0xFE == 0xF2:
        told.extensions += 1
    elif heard[0] & 0xE2 == 0x02:
        told.answer += heard[1:]
        if not heard[0] & CHAINING:
            yield _line(told)
            told.header, told.sent, told.answer = b"", 0, bytearray()
            told.seconds, told.extensions, told.unheard = 0.0, 0, 0


def _line(told: TapeState) -> str:
    word = status.name(int.from_bytes(told.answer[-2:], "big"))
    notes = [f"{len(told.answer) - 2} bytes", f"SW {word}", f"{told.seconds * 1000:.1f} ms"]
    if told.extensions:
        notes.append(f"{told.extensions} S(WTX)")
    if told.unheard:
        notes.append(f"{told.unheard} not heard")
    return f"{told.header.hex(' ')} +{told.sent - 4}: " + ", ".join(notes)
