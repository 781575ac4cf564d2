"""A fault proxy: stands between the kiosk and a service and spoils what passes, byte by byte.

Without TLS of its own it passes TLS's records and can cut those, handshake included; with a `Termination` it
speaks TLS to both sides and cuts the answer itself. One fault is armed at a time, counted in bytes of answers
from then on, over all connections; afterwards everything passes again.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.tls import Credentials

CHUNK = 65536


class Then(Enum):
    """What comes after the bytes that were let through."""

    CLOSE = auto()  #: the connection ends, without TLS's farewell
    RESET = auto()  #: RST
    SILENCE = auto()  #: the connection stays and nothing comes any more


@dataclass
class _Armed:
    left: int
    then: Then


@dataclass(frozen=True)
class Termination:
    """Certificates of a proxy that speaks TLS itself: it is the service to the kiosk and the reverse."""

    ca: Path
    certificate: Path
    key: Path
    client_certificate: Path
    client_key: Path

    def towards_kiosk(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.ca)
        return context

    def towards_service(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        context.load_cert_chain(self.client_certificate, self.client_key)
        return context


class FaultProxy:
    """Runs in a thread of its own; its methods are called from the test's."""

    def __init__(self, service_port: int, termination: Termination | None) -> None:
        self._service_port = service_port
        self._inward = None if termination is None else termination.towards_service()
        self._outward = None if termination is None else termination.towards_kiosk()
        self._armed: _Armed | None = None
        self._writers: set[asyncio.StreamWriter] = set()  # towards the kiosk
        self._backs: set[asyncio.StreamWriter] = set()  # towards the service
        self._vanished: set[asyncio.StreamWriter] = set()  # connections that no byte passes any more
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self.port = 0
        self.connections = 0  #: so many have been made
        self.answered = 0  #: bytes of answers passed on since the last `arm` or `count`

    # ---- from the test -----------------------------------------------------------------------------------

    def arm(self, after: int, then: Then) -> None:
        """Let `after` bytes of answers through, then spoil that connection."""
        self.answered = 0
        self._armed = _Armed(after, then)

    def disarm(self) -> None:
        """Everything passes."""
        self._armed = None
        self.answered = 0

    def vanish(self) -> None:
        """The present connections fall silent for good without ending, as when a NAT on the way forgets."""
        self._do(self._vanish())

    def end(self, then: Then) -> None:
        """End the present connections."""
        self._do(self._end_all(then))

    def start(self) -> None:
        self._thread.start()
        self._do(self._listen())

    def stop(self) -> None:
        self._do(self._end_everything())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # ---- in the loop -------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self._outward)
        self._server = server
        self.port = server.sockets[0].getsockname()[1]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._service_port, ssl=self._inward)
        except OSError:
            _end(writer, Then.RESET)
            return
        self._backs.add(back)
        requests = asyncio.create_task(self._requests(reader, back, writer))
        try:
            await self._answers(there, writer)
        finally:
            requests.cancel()
            back.transport.abort()

    async def _requests(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if writer not in self._vanished:
                    back.write(data)
                    await back.drain()
            back.transport.abort()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await there.read(CHUNK):
                if writer in self._vanished:
                    continue
                armed = self._armed
                passed = data if armed is None else data[: armed.left]
                # Counted and disarmed before it is passed on: the test goes on once the kiosk has it.
                self.answered += len(passed)
                spoil = self._spend(armed, len(passed))
                writer.write(passed)
                await writer.drain()
                if spoil is Then.SILENCE:
                    self._vanished.add(writer)
                elif spoil is not None:
                    _end(writer, spoil)
                    return
        if writer in self._vanished:
            await asyncio.Event().wait()  # the service gave up; the kiosk is not told
        writer.transport.abort()

    def _spend(self, armed: _Armed | None, size: int) -> Then | None:
        """Count bytes against what is armed; what is to come after them, if it has run out."""
        if armed is None:
            return None
        armed.left -= size
        if armed.left > 0:
            return None
        self._armed = None
        return armed.then

    async def _vanish(self) -> None:
        self._vanished |= self._writers

    async def _end_all(self, then: Then) -> None:
        for writer in list(self._writers):
            _end(writer, then)

    async def _end_everything(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        everybody = self._writers | self._backs
        for writer in everybody:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in everybody), return_exceptions=True)


def _end(writer: asyncio.StreamWriter, then: Then) -> None:
    if then is Then.RESET:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def fault_proxy(service_port: int, termination: Termination | None = None) -> Iterator[FaultProxy]:
    """A running proxy before the service at this port of 127.0.0.1."""
    proxy = FaultProxy(service_port, termination)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


@contextmanager
def client_through(
    proxy: FaultProxy, credentials: Credentials, *, timeout_s: float = 30.0
) -> Iterator[ServiceClient]:
    service = ServiceClient(f"https://127.0.0.1:{proxy.port}", credentials, timeout_s)
    try:
        yield service
    finally:
        service.close()
