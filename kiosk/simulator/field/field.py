"""The virtual field: one UNIX stream socket that is both the PN533's USB plug and the hand that lays
tokens down.

A connection whose first byte is 00 speaks PN533 frames (the reader process); one whose first byte is `{`
speaks JSON lines (`field_control`). A PN533 connection is a freshly plugged stick; there is one at a time.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType

from kiosk.simulator.chip.chip import Chip
from kiosk.simulator.chip.chip_server import ChipSession, Faults
from kiosk.simulator.chip.registers import device_name_eeprom
from kiosk.simulator.chip.replay import Recording, ReplayChip
from kiosk.simulator.field.field_control import Control
from kiosk.simulator.field.pocket import TECHNOLOGIES, Pocket, TokenName
from kiosk.simulator.radio.airtime import RadioModel, Technology
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.radio.radio import Placement, RadioField
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime
from kiosk.simulator.tokens.vpcd import ForeignCard, VpcdListener

EEPROM = device_name_eeprom("Kiosk simulator", "Virtual PN533")

PREDECESSOR_PATIENCE_S = 0.5
"""How long a new reader connection waits for the end of the one before, whose process may just have died."""


class SocketTakenError(OSError):
    """Another field is listening on this path."""


@dataclass(frozen=True)
class FieldSettings:
    """What a field is made of. `vpcd_port` 0 takes any free port, None opens no door."""

    path: Path
    model: RadioModel = field(default_factory=RadioModel)
    time: ComputingTime = field(default_factory=ComputingTime)
    vpcd_port: int | None = None
    vpcd_face: RadioFace = field(default_factory=lambda: RadioFace("B"))
    technologies: Mapping[TokenName, Technology] = field(default_factory=lambda: TECHNOLOGIES)
    seed: int = 0
    replay: Recording | None = None
    """Answer as a recorded reader did, instead of what lies here; in the recording's time if the model
    has a rate.
    """


class VirtualField:
    """Hosts chip and tokens. A context manager: listens inside, closed and its socket file gone outside."""

    def __init__(
        self, settings: FieldSettings, hierarchy: Hierarchy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.radio = RadioField(settings.model, RadioMeter(), clock)
        self._random = Random(settings.seed)  # noqa: S311 (radio identifiers, not secrets)
        self.pocket = Pocket(hierarchy, settings.time, clock, self._random, settings.technologies)
        self.faults = Faults()
        self._plugged = True
        self._chip_lock = threading.Lock()
        self._lock = threading.Lock()
        self._reader: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._listener: socket.socket | None = None
        self._door: VpcdListener | None = None

    # -- life --------------------------------------------------------------------------------------

    def __enter__(self) -> VirtualField:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Listen. Raises `SocketTakenError` or another OSError."""
        self._listener = _listen(self.settings.path)
        if self.settings.vpcd_port is not None:
            try:
                self._door = VpcdListener(self.settings.vpcd_port, self.pocket.log, self._lay_foreign)
            except OSError:
                self._stop_listening()
                raise
            self._door.start()
        self._spawn(self._accept, self._listener)

    def close(self) -> None:
        """Stop listening, drop every connection, wait for the threads."""
        self._stop_listening()
        if self._door is not None:
            self._door.close()
        with self._lock:
            connections, threads = tuple(self._connections), tuple(self._threads)
        for connection in connections:
            _shut(connection)
        for thread in threads:
            thread.join()

    def _stop_listening(self) -> None:
        if self._listener is not None:
            _shut(self._listener)
            self._listener.close()
            self.settings.path.unlink(missing_ok=True)
            self._listener = None

    @property
    def vpcd_port(self) -> int | None:
        return None if self._door is None else self._door.port

    # -- the plug ----------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        return self._plugged

    @property
    def connected(self) -> bool:
        """A reader process holds the stick."""
        return self._reader is not None

    def unplug(self) -> None:
        """Pull the stick: the reader's connection ends, new ones are refused until `plug`."""
        with self._lock:
            self._plugged = False
            reader = self._reader
        if reader is not None:
            _shut(reader)

    def plug(self) -> None:
        with self._lock:
            self._plugged = True
            self.faults.deaf, self.faults.hung = False, 0

    # -- connections -------------------------------------------------------------------------------

    def _spawn(self, work: Callable[[socket.socket], None], connection: socket.socket) -> None:
        def run() -> None:
            try:
                work(connection)
            finally:
                with self._lock:
                    self._connections.discard(connection)
                    self._threads.discard(threading.current_thread())
                connection.close()

        thread = threading.Thread(target=run, name="virtual-field", daemon=True)
        with self._lock:
            if connection is not self._listener:
                self._connections.add(connection)
            self._threads.add(thread)
            thread.start()  # under the lock: close() joins only what has been started

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            first = connection.recv(4096)
        except OSError:
            return
        if first.startswith(b"{"):
            Control(self).serve(connection, first)
        elif first.startswith(b"\x00"):
            self._serve_reader(connection, first)

    def _serve_reader(self, connection: socket.socket, first: bytes) -> None:
        if not self._plugged or not self._chip_lock.acquire(timeout=PREDECESSOR_PATIENCE_S):
            return  # refused: to the reader process the stick is not there, or busy
        try:
            if not self._take_plug(connection):
                return
            ChipSession(connection, first, self._chip(), self.radio, self.faults).run()
        finally:
            with self._lock:
                self._reader = None
            self._chip_lock.release()

    def _chip(self) -> Chip | ReplayChip:
        recording = self.settings.replay
        if recording is None:
            return Chip(self.radio, eeprom=EEPROM)
        return ReplayChip(self.radio, recording, in_time=self.settings.model.rate_kbit > 0)

    def _take_plug(self, connection: socket.socket) -> bool:
        with self._lock:
            if self._plugged:
                self._reader = connection
            return self._plugged

    def _lay_foreign(self, card: ForeignCard) -> Callable[[], None]:
        picc = Picc(card, self.settings.vpcd_face, self._random)
        placement = Placement(picc, "foreign", self.radio.clock())
        self.radio.place(placement, beside=True)
        return lambda: self.radio.remove(placement)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already


def _listen(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600; a file left by a dead field is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink()
                else:
                    raise SocketTakenError(f"{path} is in use by another virtual field")
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(16)
    except BaseException:
        listener.close()
        raise
    return listener
