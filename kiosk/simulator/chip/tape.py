"""What a recording shows of a reader and a token, in lines to copy onto the sheet of the field test.

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
    """How far the recording has been read: one command may take many blocks."""

    header: bytes = b""
    sent: int = 0
    answer: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0
    extensions: int = 0
    unheard: int = 0
    polls: int = 0


def describe(recording: Recording) -> Iterator[str]:
    """One line per thing worth knowing, in the recording's order."""
    state = TapeState()
    for exchange in recording.exchanges:
        code, data, answer = exchange.command[1], exchange.command[2:], exchange.response[2:]
        if code == FIRMWARE:
            yield f"firmware: {answer.hex(' ')}"
        elif code == SEARCH:
            yield from _search(state, data, answer)
        elif code == THRU:
            yield from _frame(state, data, answer, exchange)
    yield f"empty searches in all: {state.polls}"


def _search(state: TapeState, data: bytes, answer: bytes) -> Iterator[str]:
    if not answer or answer[0] == 0:
        state.polls += 1
        return
    kind = "A" if data[1:2] == b"\x00" else "B" if data[1:2] == b"\x03" else f"{data[1:2].hex()}"
    if kind == "A" and len(answer) > 5:
        yield f"type A found: SENS_RES {answer[2:4].hex()}, SEL_RES {answer[4]:02x}, UID of {answer[5]} bytes"
    else:
        yield f"type {kind} found by the chip's own search"


def _frame(state: TapeState, data: bytes, answer: bytes, exchange: Exchange) -> Iterator[str]:
    heard = answer[1:] if answer[:1] == bytes([OK]) else b""
    if data == b"\x05\x00\x08":
        if heard:
            yield _atqb(heard)
        else:
            state.polls += 1
    elif data[:1] == b"\xe0" and len(data) == 2:
        yield _ats(heard) if heard else "RATS was not answered"
    elif data[:1] == b"\x1d":
        yield f"ATTRIB answered {heard.hex()}" if heard else "ATTRIB was not answered"
    elif data:
        yield from _block(state, data, answer, heard, exchange.seconds)


def _atqb(atqb: bytes) -> str:
    try:
        parameters = isodep.read_atqb(atqb)
    except TokenGarbled as fault:
        return f"type B answers nonsense ({fault})"
    shown = f"application data {atqb[5:9].hex()}, protocol {atqb[9:12].hex()}"
    return f"type B found: {shown}, {_parameters(parameters)}"


def _ats(ats: bytes) -> str:
    try:
        return f"ATS {ats.hex()}, {_parameters(isodep.read_ats(ats))}"
    except TokenGarbled as fault:
        return f"ATS {ats.hex()} is nonsense ({fault})"


def _parameters(parameters: isodep.Parameters | None) -> str:
    if parameters is None:
        return "no ISO/IEC 14443-4"
    return f"frames of {parameters.fsc} bytes, FWT {parameters.fwt_s * 1000:.0f} ms"


def _block(state: TapeState, data: bytes, answer: bytes, heard: bytes, seconds: float) -> Iterator[str]:
    state.seconds += seconds
    if data[0] & 0xE2 == 0x02:
        if not state.header:
            state.header = data[1:5]
            state.seconds = seconds
        state.sent += len(data) - 1
    if not heard:
        state.unheard += answer[:1] == bytes([NOBODY])
        return
    if heard[0] & 0xFE == 0xF2:
        state.extensions += 1
    elif heard[0] & 0xE2 == 0x02:
        state.answer += heard[1:]
        if not heard[0] & CHAINING:
            yield _line(state)
            state.header, state.sent, state.answer = b"", 0, bytearray()
            state.seconds, state.extensions, state.unheard = 0.0, 0, 0


def _line(state: TapeState) -> str:
    word = status.name(int.from_bytes(state.answer[-2:], "big"))
    notes = [f"{len(state.answer) - 2} bytes", f"SW {word}", f"{state.seconds * 1000:.1f} ms"]
    if state.extensions:
        notes.append(f"{state.extensions} S(WTX)")
    if state.unheard:
        notes.append(f"{state.unheard} not heard")
    return f"{state.header.hex(' ')} +{state.sent - 4}: " + ", ".join(notes)
