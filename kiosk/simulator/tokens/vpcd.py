"""The vpcd protocol of the vsmartcard project (its documentation, "vpcd" and "vicc"), both ends of it.

Every message is two bytes of length, big-endian, and the body. From the reader's side a body of one byte
commands: 00 power off, 01 power on, 02 reset, 04 give the ATR; anything longer is a command APDU, answered
by a response APDU. The card's program connects to the reader's.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

from kiosk.simulator.tokens.card import ApduLog, Card, CardWork, Computing, Finished

POWER_OFF, POWER_ON, RESET, GIVE_ATR = b"\x00", b"\x01", b"\x02", b"\x04"

ATR = bytes.fromhex("3B88800100000041E0B381A1003B")
"""A Japanese JPKI card over a contactless reader (ATR list of pcsc-tools)."""

FOREIGN_PATIENCE_S = 10.0
"""A foreign program that computes longer than this is taken off the field."""


class GoneError(ConnectionError):
    """The other side closed the connection."""


def send(connection: socket.socket, body: bytes) -> None:
    connection.sendall(len(body).to_bytes(2, "big") + body)


def receive(connection: socket.socket) -> bytes:
    """One whole body; raises `GoneError` at the end of the stream, TimeoutError after the socket's
    time-out.
    """
    size = int.from_bytes(_exactly(connection, 2), "big")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise GoneError
        data += part
    return bytes(data)


# -- our card in somebody's reader -----------------------------------------------------------------


def connect(host: str, port: int, patience_s: float) -> socket.socket:
    """Connect to a vpcd, trying for `patience_s` seconds; raises OSError when that is over."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return socket.create_connection((host, port), timeout=5)
        except ConnectionRefusedError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.05)


def serve_card(connection: socket.socket, card: Card, wait: Callable[[float], None] = time.sleep) -> None:
    """Be `card` for the reader at the other end, until it closes."""
    connection.settimeout(None)
    try:
        while True:
            body = receive(connection)
            match body:
                case b"\x00":
                    card.power_off()
                case b"\x01" | b"\x02":
                    card.power_on()
                case b"\x04":
                    send(connection, ATR)
                case _:
                    send(connection, _answer(card.begin(body), wait))
    except (GoneError, ConnectionError):
        card.power_off()


def _answer(work: CardWork, wait: Callable[[float], None]) -> bytes:
    step = work.go_on(float("inf"))
    assert isinstance(step, Finished)
    if step.seconds > 0:
        wait(step.seconds)
    return step.response


# -- somebody's card on our field ------------------------------------------------------------------


class ForeignCard:
    """A card played by another program. Its computing time is real."""

    def __init__(self, connection: socket.socket, log: ApduLog) -> None:
        self._connection, self._log = connection, log
        self._powered = False
        self._owed = 0
        self._command = b""

    def power_on(self) -> None:
        self._tell(RESET if self._powered else POWER_ON)
        self._powered = True

    def power_off(self) -> None:
        if self._powered:
            self._tell(POWER_OFF)
        self._powered = False

    def deselected(self) -> None:
        """The protocol has no word for it; the next activation resets."""

    def begin(self, apdu: bytes) -> CardWork:
        self._command = apdu
        self._tell(apdu)
        self._owed += 1
        return ForeignWork(self)

    def _tell(self, body: bytes) -> None:
        try:
            send(self._connection, body)
        except OSError:
            return  # the door notices the end of the connection and takes the token away

    def response(self, within_s: float) -> bytes | None:
        """The answer to the newest command if it comes within so many seconds; older answers are dropped."""
        end = time.monotonic() + within_s
        while True:
            left = max(0.0, end - time.monotonic())
            if not select.select([self._connection], [], [], left)[0]:
                return None
            try:
                body = receive(self._connection)
            except OSError:
                time.sleep(max(0.0, end - time.monotonic()))
                return None
            self._owed -= 1
            if self._owed == 0:
                self._log.add(self._command, body)
                return body

    def hang_up(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed already


class ForeignWork:
    """A command inside another program."""

    def __init__(self, card: ForeignCard) -> None:
        self._card = card
        self._spent = 0.0

    def go_on(self, budget_s: float) -> Finished | Computing:
        began = time.monotonic()
        response = self._card.response(budget_s)
        seconds = time.monotonic() - began
        self._spent += seconds
        if response is not None:
            return Finished(response, seconds)
        if self._spent > FOREIGN_PATIENCE_S:
            self._card.hang_up()
        return Computing(seconds)


class VpcdListener:
    """Listens as vpcd does, and calls `laid` and `taken` for each card program that comes and goes."""

    def __init__(
        self,
        port: int,
        log: ApduLog,
        laid: Callable[[ForeignCard], Callable[[], None]],
    ) -> None:
        self._log, self._laid = log, laid
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, name="vpcd-door", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in tuple(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="vpcd-card", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                send(connection, GIVE_ATR)
                receive(connection)
            except OSError:
                self._connections.discard(connection)
                return  # whoever that was, it was no card
            taken = self._laid(ForeignCard(connection, self._log))
            poll = select.poll()
            poll.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
            poll.poll()
            self._connections.discard(connection)
            taken()
