"""The service's side of the interface on bare sockets, so that every byte of an answer can be spoiled.

It opens nothing: what it answers follows from the record's id alone, so that both ends know the truth. Each
effect is counted; a repetition has none.
"""

import base64
import contextlib
import json
import os
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.faults.mutations import Reply, reply
from tests.uploader.service.tls_server import Pair, read_request

JSON, PROBLEM = "application/json", "application/problem+json"
SUITE = "X25519-HKDF-SHA256-ChaCha20Poly1305"
Spoil = Callable[[Reply], Reply]


def validity_of(record: str) -> str:
    """What the service says of a record: valid, or one of the others."""
    return "1" if int(record[-1], 16) % 2 else "3"


@dataclass
class PlainService:
    """What came in and what took effect; `spoil` is asked for every answer."""

    spoil: Spoil
    port: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    public: bytes = field(default_factory=lambda: X25519PrivateKey.generate().public_key().public_bytes_raw())
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """The true answer."""
        with self.lock:
            self.requests[f"{method} {path.rpartition('/')[0]}"] += 1
            if path == "/v1/keys":
                key = {"key_id": "k1", "suite": SUITE, "public": base64.b64encode(self.public).decode()}
                return _said(200, {"service": "simulator", "keys": [key]})
            if path == "/v1/challenges":
                visit = json.loads(body)["visit"]
                text = base64.b64encode(os.urandom(32)).decode()
                return _said(201, {"visit": visit, "challenge": text, "expires_in": 600})
            record = headers.get("idempotency-key", path.rpartition("/")[2])
            if method == "POST":
                self.effects[record] = self.effects.get(record, 1)
            elif record not in self.effects:
                problem = {"type": "about:blank", "title": "Unknown", "status": 404, "code": "unknown"}
                return reply(404, json.dumps(problem | {"instance": record}).encode(), PROBLEM)
            codes = {"SegmentOfResult": "1", "ProcessingResultStatus": "1", "ProcessingResultCode": "A0000"}
            codes |= {"QualificationValidity": validity_of(record)}
            return _said(200, {"id": record, "result": codes | {"ProcessingExecutionTime": "20261130120000"}})


def _said(status: int, document: object) -> Reply:
    return reply(status, json.dumps(document).encode(), JSON)


def _write(connection: ssl.SSLSocket, answer: Reply) -> bool:
    """Write one answer; tells whether the connection goes on."""
    if answer.delay_s and answer.raw:
        connection.sendall(answer.raw)
        answer = Reply(**{**vars(answer), "raw": b""})
    time.sleep(answer.delay_s)
    connection.sendall(answer.encode())
    if answer.reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return not answer.close and answer.cut is None


def _talk(service: PlainService, connection: ssl.SSLSocket) -> None:
    while request := read_request(connection):
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not _write(connection, service.spoil(service.answer(method, path, headers, body))):
            return


def _serve(service: PlainService, context: ssl.SSLContext, raw: socket.socket) -> None:
    raw.settimeout(8)
    with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
        _talk(service, connection)


@contextmanager
def plain_service(pair: Pair, client_ca: Path, spoil: Spoil) -> Iterator[PlainService]:
    """A running service; every connection has a thread of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client_ca)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    service = PlainService(spoil, listener.getsockname()[1])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                threading.Thread(target=_serve, args=(service, context, raw), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
