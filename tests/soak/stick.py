"""The virtual PN533 without socket, thread or waiting: commands are carried out when they are written.

The world's clock is moved by what the chip and its tokens would have taken, so that a lost frame costs
modelled time only.
"""

import errno
import os
from collections import deque
from dataclasses import dataclass, field

from kiosk.nfc.antenna import Antenna
from kiosk.nfc.pn533 import Pn533
from kiosk.nfc.protocol.faults import ReaderGone
from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.chip import Chip, SyntaxFaultError
from kiosk.simulator.chip.frames import FrameReader, Information
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.radio import RadioField


@dataclass
class Clock:
    """Modelled seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Place:
    """The field, and the socket into which the stick is plugged."""

    clock: Clock = field(default_factory=Clock)
    plugged: bool = True
    opened: int = 0

    def __post_init__(self) -> None:
        self.radio = RadioField(INSTANT, RadioMeter(), self.clock)

    def open(self) -> Antenna:
        """What the reader process calls: a freshly plugged stick, or ReaderGone."""
        if not self.plugged:
            raise ReaderGone("no PN533 reader here; plug it in")
        self.opened += 1
        return Antenna(Pn533(Stick(self), 4, sleep=self.clock.sleep), sleep=self.clock.sleep)

    def unplug(self) -> None:
        self.plugged = False
        self.radio.switch_off()


class Stick:
    """`pn533.Transport` on a chip in memory."""

    TYPE = "USB"
    manufacturer_name = "soak"
    product_name = "PN533"
    where = "soak"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._chip = Chip(place.radio)
        self._frames = FrameReader()
        self._waiting: deque[bytes] = deque()

    def write(self, frame: bytes | bytearray) -> None:
        self._check()
        for heard in self._frames.feed(bytes(frame)):
            self._waiting.clear()
            if isinstance(heard, Information):
                self._waiting.append(pn533_frames.ACK)
                self._waiting.append(self._response(heard.payload))

    def _response(self, payload: bytes) -> bytes:
        busy = self._chip.execute(payload)
        try:
            while True:
                with self._place.radio.lock:
                    seconds = next(busy)
                self._place.clock.sleep(seconds)
        except StopIteration as done:
            return pn533_frames.encode(done.value)
        except SyntaxFaultError:
            return pn533_frames.ERROR

    def read(self, timeout: int) -> bytearray:
        self._check()
        if not self._waiting:
            self._place.clock.sleep(timeout / 1000)
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return bytearray(self._waiting.popleft())

    def _check(self) -> None:
        if not self._place.plugged:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def close(self) -> None:
        if self._place.plugged:
            self._place.radio.switch_off()
