"""A PN533 that answers as a recorded one did (`kiosk read --record`, format in `kiosk.nfc.recording`).

Commands are looked for from where the recording stands; polls may be fewer or more than they were. VERIFY and
signature commands are known by their header: VERIFY data is not in a recording, and the signature holds for
whoever asks with the recording's challenge (`kiosk read --challenge`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.nfc.recording import FORMAT, HEADER, Blanker
from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.chip import Busy, SyntaxFaultError
from kiosk.simulator.chip.frames import FROM_CHIP, TO_CHIP, FrameReader, Information
from kiosk.simulator.radio.radio import RadioField

INS_SIGN = 0x2A
THRU = bytes([TO_CHIP, 0x42])


class BadRecordingError(ValueError):
    """The file is no recording; the text is why."""


@dataclass(frozen=True)
class Exchange:
    """A command, its response (both with TFI) and the seconds between them."""

    command: bytes
    response: bytes
    seconds: float


@dataclass(frozen=True)
class Recording:
    """A recording, read."""

    challenge: str
    exchanges: tuple[Exchange, ...]

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a file; raises `BadRecordingError` or OSError."""
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
            if not lines or lines[0].get("recording") != FORMAT:
                raise BadRecordingError(f"{path} is no recording of format {FORMAT}")
            return cls(str(lines[0]["challenge"]), tuple(_exchanges(lines[1:])))
        except (ValueError, KeyError, AttributeError, TypeError) as fault:
            raise BadRecordingError(f"{path} is no recording ({fault})") from fault


def _exchanges(lines: list[dict[str, object]]) -> Iterator[Exchange]:
    command, since = b"", 0.0
    for line in lines:
        seconds = float(str(line["s"]))
        sent = "to" in line
        for frame in FrameReader().feed(bytes.fromhex(str(line["to" if sent else "from"]))):
            if not isinstance(frame, Information):
                continue
            if sent:
                command, since = frame.payload, seconds
            elif command and frame.payload[0] == FROM_CHIP:
                yield Exchange(command, frame.payload, seconds - since)
                command = b""


def likeness(command: bytes) -> bytes:
    """What two commands must have in common to be taken for the same."""
    frame = Blanker().blank(pn533_frames.encode(command))
    blank = next(
        entry.payload for entry in FrameReader().feed(bytes(frame)) if isinstance(entry, Information)
    )
    if blank[:2] == THRU and len(blank) > 3 + HEADER and blank[2] & 0xEE == 0x02 and blank[4] == INS_SIGN:
        return blank[: 3 + HEADER]
    return blank


class ReplayChip:
    """Takes the place of `Chip` on one connection."""

    def __init__(self, field: RadioField, recording: Recording, *, in_time: bool = False) -> None:
        self._field = field
        self._exchanges = recording.exchanges
        self._keys = [likeness(exchange.command) for exchange in recording.exchanges]
        self._at = 0
        self._in_time = in_time

    def reset(self) -> None:
        """Nothing lies on this field."""

    def execute(self, payload: bytes) -> Busy:
        """Answer as recorded: the next such command's response, or the last one's once there is none."""
        self._field.meter.commands += 1
        key = likeness(payload)
        place = next((at for at in range(self._at, len(self._keys)) if self._keys[at] == key), None)
        if place is None:
            place = next((at for at in reversed(range(self._at)) if self._keys[at] == key), None)
        else:
            self._at = place + 1
        if place is None:
            raise SyntaxFaultError("not in the recording")
        exchange = self._exchanges[place]
        if self._in_time:
            yield exchange.seconds
        return exchange.response
