"""What passes between us and a reader, written down: for the first day with real hardware, and to replay it.

JSON lines. The first is a `Head`; each further one a frame of the chip's host protocol in hexadecimal, with
the seconds since the beginning: `{"s": 0.0123, "to": "0000ff…"}` to the reader, `"from"` from it.

VERIFY data never reaches the file: it is zeroed, and the frame's checksum made anew, because the old one
gives away the sum of the digits. The rest is as it was: a recording holds the certificate, and with it who
the token belongs to.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from kiosk.nfc.transport import START, Transport

FORMAT = 1
TO_CHIP, IN_COMMUNICATE_THRU = 0xD4, 0x42
INS_VERIFY = 0x20
HEADER = 5  #: CLA INS P1 P2 Lc


@dataclass(frozen=True)
class Head:
    """The first line of a recording."""

    recording: int  #: the format, 1
    made: str  #: RFC 3339, UTC
    device: str
    challenge: str  #: hexadecimal: what the token signed the digest of


class Blanker:
    """Zeroes VERIFY data in frames to the reader, block after block of a chain."""

    def __init__(self) -> None:
        self._in_verify = False

    def blank(self, frame: bytes | bytearray) -> bytearray:
        """Return a copy of a host frame without VERIFY data; its checksum fits what is left."""
        out = bytearray(frame)
        start, end = _payload(out)
        if end - start > 2 and out[start] == TO_CHIP:
            at = _information(out, start, end)
            if at is not None:
                self._zero(out, at, end)
                out[end] = -sum(out[start:end]) & 0xFF
        return out

    def _zero(self, out: bytearray, at: int, end: int) -> None:
        chained = bool(out[at - 1] & 0x10)
        if self._in_verify:
            out[at:end] = bytes(end - at)
        elif end - at > HEADER and out[at + 1] == INS_VERIFY:
            out[at + HEADER : end] = bytes(end - at - HEADER)
            self._in_verify = True
        self._in_verify = self._in_verify and chained


def _payload(frame: bytearray) -> tuple[int, int]:
    """Where TFI and data begin and end; (0, 0) for what is no information frame (UM0701-02, 6.2.1)."""
    if frame[:3] != START or len(frame) < 7:
        return 0, 0
    if frame[3:5] == b"\xff\xff" and len(frame) > 10:
        start, size = 8, int.from_bytes(frame[5:7], "big")
    else:
        start, size = 5, frame[3]
    return (start, start + size) if size and start + size < len(frame) else (0, 0)


def _information(out: bytearray, start: int, end: int) -> int | None:
    """Where the information field of an I-block begins, right after its PCB; None if there is none."""
    at = start + 3
    if out[start + 1] == IN_COMMUNICATE_THRU and end > at and out[start + 2] & 0xEE == 0x02:
        return at  # no CID, no NAD: we send neither
    return None


class RecordingTransport:
    """A transport that writes down what passes through it. Closing it closes the file."""

    def __init__(self, inner: Transport, file: IO[str], monotonic: Callable[[], float]) -> None:
        self.TYPE = inner.TYPE
        self._inner, self._file, self._monotonic = inner, file, monotonic
        self._began = monotonic()
        self._blanker = Blanker()

    @property
    def where(self) -> str:
        return self._inner.where

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)  # what nfcpy asks for besides: the names of maker and product

    def write(self, frame: bytes | bytearray) -> None:
        self._note("to", self._blanker.blank(frame))
        self._inner.write(frame)

    def read(self, timeout: int) -> bytearray:
        frame = self._inner.read(timeout)
        self._note("from", frame)
        return frame

    def close(self) -> None:
        self._inner.close()
        self._file.close()

    def _note(self, way: str, frame: bytes | bytearray) -> None:
        if not self._file.closed:
            line = {"s": round(self._monotonic() - self._began, 6), way: frame.hex()}
            self._file.write(json.dumps(line) + "\n")


def begin(path: Path, head: Head) -> IO[str]:
    """Make the file, readable by its owner only; FileExistsError rather than write over another recording."""
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii")
    file.write(json.dumps(asdict(head)) + "\n")
    return file
