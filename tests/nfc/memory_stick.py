"""The virtual chip as a transport in memory: no socket, no thread, no time."""

import errno
import os
from collections.abc import Callable

from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.chip import Chip, SyntaxFaultError

Spoil = Callable[[int, bytes], bytes | None]


class MemoryStick:
    """The virtual chip without a socket. `spoil` may change what the host reads; None: nothing comes."""

    TYPE = "USB"
    where = "memory"
    manufacturer_name = None
    product_name = None

    def __init__(self, chip: Chip, spoil: Spoil) -> None:
        self._chip, self._spoil = chip, spoil
        self._waiting: list[bytes] = []
        self.reads = 0
        self.closed = 0

    def write(self, frame: bytes | bytearray) -> None:
        for part in pn533_frames.FrameReader().feed(bytes(frame)):
            if not isinstance(part, pn533_frames.Information):
                self._waiting.clear()
                continue
            self._waiting = [pn533_frames.ACK, self._answer(part.payload)]

    def _answer(self, payload: bytes) -> bytes:
        busy = self._chip.execute(payload)
        try:
            while True:
                next(busy)
        except StopIteration as end:
            return pn533_frames.encode(end.value)
        except SyntaxFaultError:
            return pn533_frames.ERROR

    def read(self, timeout: int) -> bytearray:  # noqa: ARG002  # no time passes here
        if not self._waiting:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self.reads += 1
        seen = self._spoil(self.reads, self._waiting.pop(0))
        if seen is None:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return bytearray(seen)

    def close(self) -> None:
        self.closed += 1
