"""The host frames of the PN53x family, both directions (PN532 User Manual UM0701-02, 6.2.1; the PN533 uses
the same).

normal    00 00 FF LEN LCS TFI … DCS 00            LEN counts TFI and data, 1 to 255
extended  00 00 FF FF FF LENM LENL LCS TFI … DCS 00
ACK       00 00 FF 00 FF 00        NACK  00 00 FF FF 00 00        error  00 00 FF 01 FF 7F 81 00
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
ERROR = bytes.fromhex("0000FF01FF7F8100")

TO_CHIP = 0xD4
FROM_CHIP = 0xD5

MAX_INFORMATION = 265
"""TFI and data that the PN533 takes or gives in one frame (nfcpy: host_command_frame_max_size)."""


@dataclass(frozen=True)
class Ack:
    """From the host: end the running command. From the chip: command frame received."""


@dataclass(frozen=True)
class Nack:
    """From the host: send the last response again."""


@dataclass(frozen=True)
class Information:
    """A frame with TFI and data."""

    payload: bytes


@dataclass(frozen=True)
class Damaged:
    """Something between frames, or a frame whose checksum is wrong; the chip does not answer it."""


HostFrame = Ack | Nack | Information | Damaged


def encode(payload: bytes) -> bytes:
    """The frame around `payload` (TFI and data), extended if it must be."""
    size = len(payload)
    if size <= 255:
        head = bytes([0x00, 0x00, 0xFF, size, -size & 0xFF])
    else:
        head = bytes([0x00, 0x00, 0xFF, 0xFF, 0xFF, size >> 8, size & 0xFF, -((size >> 8) + size) & 0xFF])
    return head + payload + bytes([-sum(payload) & 0xFF, 0x00])


class FrameReader:
    """Cuts a byte stream into frames. Feed bytes as they come; complete frames are given out in order."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[HostFrame]:
        self._waiting += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> HostFrame | None:
        waiting = self._waiting
        start = waiting.find(b"\x00\xff")
        if start < 0:
            del waiting[:-1]  # the last byte may be the first half of a start code
            return None
        if start > 0:
            del waiting[:start]
        if len(waiting) < 4:
            return None
        length, check = waiting[2], waiting[3]
        if (length, check) == (0x00, 0xFF):
            return self._take(5, Ack()) if len(waiting) >= 5 else None
        if (length, check) == (0xFF, 0x00):
            return self._take(5, Nack()) if len(waiting) >= 5 else None
        if (length, check) == (0xFF, 0xFF):
            if len(waiting) < 7:
                return None
            size, head = waiting[4] << 8 | waiting[5], 7
            whole = sum(waiting[4:7]) & 0xFF == 0
        else:
            size, head = length, 4
            whole = (length + check) & 0xFF == 0
        if not whole or not 1 <= size <= MAX_INFORMATION:
            return self._take(2, Damaged())
        if len(waiting) < head + size + 2:
            return None
        payload = bytes(waiting[head : head + size])
        sound = (sum(payload) + waiting[head + size]) & 0xFF == 0
        return self._take(head + size + 2, Information(payload) if sound else Damaged())

    def _take(self, count: int, frame: HostFrame) -> HostFrame:
        del self._waiting[:count]
        return frame
