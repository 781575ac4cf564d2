"""Simulated kiosks as node-exporter would show them: one HTTP server, a path for each, figures that go on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from kiosk.channel import ReaderHealth, Status
from kiosk.health.metrics import MachineReadings, Snapshot, exposition
from kiosk.visit.states import OutboxCondition, ReaderCondition

DAY_S = 86_400


def healthy(number: int, now_s: float) -> Snapshot:
    """A kiosk in a clinic that has patients: its counters grow with the time."""
    grown = int(now_s) % DAY_S + number
    return Snapshot(
        now_s=now_s,
        version="1.1.0",
        image="sha256:invented",
        status=Status(
            online=True,
            waiting=0,
            answered=grown,
            rejected=0,
            expired=0,
            quarantined=0,
            outbox=OutboxCondition.READY,
            outcomes_today={"verified": grown, "recorded": 1},
            certificate_not_after=now_s + 200 * DAY_S,
            last_answer_s=2.0,
            clock_trusted=True,
            retries={"unreachable": 3},
        ),
        reader=ReaderHealth(
            condition=ReaderCondition.READY, resets=number % 3, contacts={"authenticated": grown}
        ),
        machine=MachineReadings(
            celsius=50.0 + number % 20,
            undervoltage=False,
            card_bytes_written=grown * 4096,
            data_free_bytes=10**9,
            restarts={"kiosk-reader": 0, "kiosk-screen": number % 2, "kiosk-uploader": 0},
        ),
    )


def records_wait(shot: Snapshot) -> Snapshot:
    """The line has been down for twenty minutes."""
    assert shot.status is not None
    status = msgspec.structs.replace(shot.status, online=False, waiting=7, oldest_s=1200.0)
    return replace(shot, status=status)


def reader_lost(shot: Snapshot) -> Snapshot:
    """Its plug has been pulled."""
    return replace(shot, reader=ReaderHealth(condition=ReaderCondition.LOST))


def certificate_ends(shot: Snapshot) -> Snapshot:
    """In five days."""
    assert shot.status is not None
    until = shot.now_s + 5 * DAY_S
    return replace(shot, status=msgspec.structs.replace(shot.status, certificate_not_after=until))


BROKEN = {17: records_wait, 101: reader_lost, 200: certificate_ends}


@dataclass(frozen=True)
class Exporters:
    """Where they are scraped: /K001 … and /metrics, a kiosk behind an agent."""

    port: int


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        number = 201 if name == "metrics" else int(name.removeprefix("K"))
        shot = healthy(number, time.time())
        body = exposition(BROKEN.get(number, lambda same: same)(shot))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Quiet."""


@contextmanager
def exporters() -> Iterator[Exporters]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Exporters(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
