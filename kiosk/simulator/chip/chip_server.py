"""Drives a virtual chip over a byte stream: frames in, ACK and response out, each at its modelled time."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.chip import Busy, Chip, SyntaxFaultError
from kiosk.simulator.chip.frames import Ack, Damaged, FrameReader, HostFrame, Information, Nack
from kiosk.simulator.chip.replay import ReplayChip
from kiosk.simulator.radio.radio import RadioField

MOST_LATENESS_S = 0.005
"""What the scheduler overslept is taken off the next wait, up to this; more than that is the host's own
time.
"""


class Pacer:
    """Waits for moments of one growing deadline, so that many short waits do not each add their oversleep.

    `wait_readable(seconds)` waits at most so long and returns whether the host sent something.
    """

    def __init__(self, clock: Callable[[], float], wait_readable: Callable[[float], bool]) -> None:
        self._clock, self._wait_readable = clock, wait_readable
        self._deadline = 0.0
        self._late = 0.0

    def begin(self) -> None:
        """A command has just arrived."""
        self._deadline = self._clock() - self._late
        self._late = 0.0

    def spend(self, seconds: float) -> bool:
        """Be busy so long; False if the host interrupted."""
        if seconds <= 0:
            return True
        self._deadline += seconds
        left = self._deadline - self._clock()
        return left <= 0 or not self._wait_readable(left)

    def end(self) -> None:
        """The response leaves now."""
        self._late = min(max(0.0, self._clock() - self._deadline), MOST_LATENESS_S) if self._deadline else 0.0


@dataclass
class Faults:
    """Misbehaviour of the stick itself, switched by the control side."""

    deaf: bool = False
    """Takes frames and answers nothing, not even ACK."""
    hung: int = 0
    """The same until so many connections have ended: a stick that must be reset, or replugged."""
    stale_responses: int = 0
    """So many further aborted commands deliver their response all the same, late: real chips may not flush
    it.
    """


class ChipSession:
    """One connection of a reader process: a freshly plugged stick, until either side closes."""

    def __init__(
        self,
        connection: socket.socket,
        first: bytes,
        chip: Chip | ReplayChip,
        field: RadioField,
        faults: Faults,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection, self._chip, self._field, self._faults = connection, chip, field, faults
        self._frames = FrameReader()
        self._pending: list[HostFrame] = list(self._frames.feed(first))
        self._pacer = Pacer(clock, self._readable)
        self._last_response: bytes | None = None

    def run(self) -> None:
        """Serve until the connection ends. Socket errors end it, as pulling the stick does."""
        try:
            for frame in self._arriving():
                self._serve(frame)
        except (ConnectionError, OSError):
            return
        finally:
            with self._field.lock:
                self._chip.reset()
                self._faults.hung = max(0, self._faults.hung - 1)

    def _arriving(self) -> Iterator[HostFrame]:
        while True:
            while self._pending:
                yield self._pending.pop(0)
            data = self._connection.recv(4096)
            if not data:
                return
            self._pending.extend(self._frames.feed(data))

    def _readable(self, seconds: float) -> bool:
        return bool(self._pending or select.select([self._connection], [], [], seconds)[0])

    def _serve(self, frame: HostFrame) -> None:
        if self._faults.deaf or self._faults.hung:
            return
        match frame:
            case Information(payload):
                self._command(payload)
            case Ack():
                self._field.meter.usb_transfers += 1
            case Nack():
                self._field.meter.usb_transfers += 1
                if self._last_response is not None:
                    self._send(self._last_response)
            case Damaged():
                pass

    def _command(self, payload: bytes) -> None:
        usb_s = self._field.model.usb_s
        self._pacer.begin()
        self._field.meter.usb_transfers += 1
        self._field.meter.usb_s += 3 * usb_s
        self._send(pn533_frames.ACK)  # at once: only the sum of the three transfers matters to the host
        if not self._pacer.spend(3 * usb_s):
            return
        response = self._finish(self._chip.execute(payload))
        if response is not None:
            self._last_response = response
            self._pacer.end()
            self._send(response)

    def _finish(self, busy: Busy) -> bytes | None:
        """Run a command to its end in modelled time; None if the host broke it off."""
        try:
            while True:
                with self._field.lock:
                    seconds = next(busy)
                if not self._pacer.spend(seconds):
                    if self._faults.stale_responses:
                        self._faults.stale_responses -= 1
                        continue
                    busy.close()
                    return None
        except StopIteration as done:
            return pn533_frames.encode(done.value)
        except SyntaxFaultError:
            return pn533_frames.ERROR

    def _send(self, frame: bytes) -> None:
        self._field.meter.usb_transfers += 1
        self._connection.sendall(frame)
