"""How PN533 host frames reach a chip. Without nfcpy: what writes frames down has no need of it."""

import errno
import os
import socket
import time
from typing import Protocol

START = b"\x00\x00\xff"  #: of every host frame (UM0701-02, 6.2.1)
WRITE_MS = 1000  #: nfcpy's own is 0, which is for ever (libnfc #510)


class Transport(Protocol):
    """Host frames both ways; times in milliseconds, errors as OSError, as nfcpy's transports do it."""

    TYPE: str

    @property
    def where(self) -> str:
        """Which stick it is, and where it is plugged in."""

    def read(self, timeout: int) -> bytearray: ...
    def write(self, frame: bytes | bytearray) -> None: ...
    def close(self) -> None: ...


class VirtualTransport:
    """A UNIX stream socket that carries the chip's frames. Its end is an EIO, as of a pulled stick."""

    TYPE = "USB"
    manufacturer_name = "virtual"
    product_name = "PN533"

    def __init__(self, path: str) -> None:
        self.where = f"virtual:{path}"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._waiting = bytearray()
        try:
            self._sock.connect(path)
        except OSError:
            self._sock.close()
            raise

    def read(self, timeout: int) -> bytearray:
        """Return the next frame; OSError(ETIMEDOUT) after `timeout` milliseconds."""
        deadline = time.monotonic() + timeout / 1000
        while (frame := self._frame()) is None:
            left = deadline - time.monotonic()
            self._sock.settimeout(max(left, 1e-6))
            try:
                data = self._sock.recv(4096) if left > 0 else None
            except TimeoutError:
                data = None
            except OSError:
                data = b""
            if data is None:
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if not data:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._waiting += data
        return frame

    def _frame(self) -> bytearray | None:
        """Cut one frame off what has come: 00 00 FF LEN LCS …, or FF FF, long length (UM0701-02 6.2.1)."""
        waiting = self._waiting
        start = waiting.find(START)
        if start < 0 or len(waiting) < start + 6:
            return None
        del waiting[:start]
        if bytes(waiting[3:5]) in (b"\x00\xff", b"\xff\x00"):
            size = 6
        elif waiting[3:5] == b"\xff\xff":
            if len(waiting) < 8:
                return None
            size = 10 + int.from_bytes(waiting[5:7], "big")
        else:
            size = 7 + waiting[3]
        if len(waiting) < size:
            return None
        frame = waiting[:size]
        del waiting[:size]
        return frame

    def write(self, frame: bytes | bytearray) -> None:
        """Send one frame."""
        self._sock.settimeout(WRITE_MS / 1000)
        try:
            self._sock.sendall(frame)
        except OSError:
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from None

    def close(self) -> None:
        """Pull the virtual stick."""
        self._sock.close()
