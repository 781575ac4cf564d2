"""Every row of the retry table against a real TLS server behind a fault proxy, and answers cut everywhere.

Proved elsewhere and not repeated: certificates (expired, early, wrong CA, wrong name), TLS 1.2, nobody
listens, an unknown name, wrong and oversized content, redirects, slow bytes beyond the deadline, a silent
server (test_service_client.py, tests/peers/test_nginx.py); what the table makes of each fault kind
(tests/uploader/delivery/test_retry.py); nonsense and refusals seen from the screen (test_delivery.py).
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from kiosk.simulator.service.service_pki import ClientFiles
from kiosk.uploader.delivery.retry import (
    Decision,
    HoldBack,
    LineDown,
    Reject,
    RetryRules,
    SendLater,
    SendNow,
    decide,
)
from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceKeys
from tests.simulator.service.running import RunningService
from tests.uploader.service.fault_proxy import FaultProxy, Termination, Then, client_through, fault_proxy
from tests.uploader.service.tls_server import KEYS, Authority, Pair, response, saying, serving
from tests.uploader.world import new_visit

# CPython's SSLSocket._create leaves one that was reset before the handshake to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

RULES = RetryRules()
DICE = Random(4).random
PROBLEM = "application/problem+json"
RECORD = new_visit()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="module")
def pair(ours: Authority) -> Pair:
    return ours.issue("service")


@pytest.fixture(scope="module")
def credentials(ours: Authority) -> Credentials:
    client = ours.issue("K001")
    return Credentials(ours.ca, client.certificate, client.key)


@pytest.fixture(scope="module")
def termination(ours: Authority, pair: Pair, credentials: Credentials) -> Termination:
    return Termination(ours.ca, pair.certificate, pair.key, credentials.certificate, credentials.key)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextmanager
def server_behind(
    ours: Authority, pair: Pair, data: bytes, termination: Termination | None = None
) -> Iterator[FaultProxy]:
    """A server that always says `data`, and the proxy before it."""
    with (
        serving(pair, saying(data), client_ca=ours.ca) as server,
        fault_proxy(port_of(server.url), termination) as proxy,
    ):
        yield proxy


def decided(service: ServiceClient, *, status: bool = False) -> Decision:
    """What becomes of a record whose first attempt (or status query) this is."""
    record = RECORD
    reply = service.status(record) if status else service.deliver(record, "s", "k", b"sealed")
    return decide(reply, record, 1, RULES, DICE, asked_status=status, awaited_s=8.0)


# ---- the table -------------------------------------------------------------------------------------------


def problem(status: int, code: str = "", **headers: str) -> bytes:
    document = {"code": code, "instance": RECORD} if code else {}
    return response(status, json.dumps(document).encode(), PROBLEM, **headers)


def again(*, soon: bool = False, reached: bool = True, least: float = 0, most: float = 2.0) -> object:
    def fits(decision: Decision) -> bool:
        return (
            isinstance(decision, SendLater)
            and (decision.soon, decision.reached) == (soon, reached)
            and least <= decision.after_s <= most
        )

    return fits


def held(code: str) -> object:
    return lambda decision: isinstance(decision, HoldBack) and decision.code == code


def rejected(code: str) -> object:
    return lambda decision: decision == Reject(code)


NOW, SOON = "Fri, 15 Jan 2027 08:00:00 GMT", "Fri, 15 Jan 2027 08:00:50 GMT"
NO_YEAR = "Mon, 20 Nov 9999999999 12:00:00 +0000"
NO_ZONE = "Mon, 20 Nov 2026 12:00:00 +99999999999999999999"
OF_ANOTHER = json.dumps({"code": "challenge_expired", "instance": new_visit()}).encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ROWS = {
    "400": (problem(400, "malformed"), rejected("malformed")),
    "400 of a front": (response(400, b"<html>", "text/html"), held("http_400")),
    "400 key": (problem(400, "key_unknown"), held("key_unknown")),
    "401": (problem(401, "revoked"), held("revoked")),
    "403": (problem(403, "terminal_mismatch"), held("terminal_mismatch")),
    "403 visual": (problem(403, "visual_not_allowed"), rejected("visual_not_allowed")),
    "404": (problem(404, "not_found"), held("not_found")),
    "405": (problem(405, "method_not_allowed"), held("method_not_allowed")),
    "408": (problem(408), again()),
    "409 in progress": (problem(409, "in_progress"), again(soon=True, most=0.5)),
    "409": (problem(409, "conflict"), rejected("conflict")),
    "410": (problem(410, "challenge_expired"), rejected("challenge_expired")),
    "413": (problem(413, "too_large"), rejected("too_large")),
    "415": (problem(415, "media_type"), rejected("media_type")),
    "422": (problem(422, "payload_mismatch"), rejected("payload_mismatch")),
    "425": (problem(425), again(soon=True, most=0.5)),
    "202": (response(202, b"{}"), again(soon=True, most=0.5)),
    "202 later": (response(202, b"{}", Retry_After="20"), again(least=20, most=20.5)),
    "409 later": (problem(409, "in_progress", Retry_After="20"), again(least=20, most=20.5)),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", held("http_204")),
    "302": (response(302, b"", Location="https://127.0.0.1:1/"), held("http_302")),
    "429": (problem(429, "too_many_requests"), again(reached=False)),
    "429 seconds": (problem(429, "x", Retry_After="40"), again(reached=False, least=40, most=42)),
    "429 date": (problem(429, "x", Retry_After=SOON, Date=NOW), again(reached=False, least=50, most=52)),
    "429 past": (problem(429, "x", Retry_After=NOW, Date=SOON), again(reached=False)),
    "429 date, no clock": (problem(429, "x", Retry_After=SOON), again(reached=False)),
    "429 absurd": (problem(429, "x", Retry_After="1000000000"), again(reached=False, least=600, most=602)),
    "429 longer still": (problem(429, "x", Retry_After="9" * 300), again(reached=False)),
    "429 negative": (problem(429, "x", Retry_After="-5"), again(reached=False)),
    "429 words": (problem(429, "x", Retry_After="soon"), again(reached=False)),
    "500": (problem(500, "internal"), again()),
    "502 of a front": (response(502, b"<html>", "text/html"), again()),
    "503": (problem(503, "unavailable", Retry_After="7"), again(reached=False, least=7, most=9)),
    "504 of a front": (response(504, b"<html>", "text/html"), again()),
    "200 html": (response(200, b"<html>log in</html>", "text/html"), again()),
    "200 too large": (response(200, b" " * 300_000), again()),
    "410 of another": (response(410, OF_ANOTHER, PROBLEM), held("unnamed_refusal")),
    "200 gzip": (response(200, b"{}", Content_Encoding="gzip"), again()),
    "429 year": (problem(429, "x", Retry_After=NO_YEAR), again(reached=False)),
    "429 zone": (problem(429, "x", Retry_After=NO_ZONE, Date=NOW), again(reached=False)),
    "chunk of -5": (CHUNKED + b"-5\r\nabc\r\n0\r\n\r\n", lambda decision: isinstance(decision, LineDown)),
    "no http": (b"\x00\x01\x02\r\n\r\n", lambda decision: isinstance(decision, LineDown)),
}


@pytest.mark.parametrize(("data", "fits"), ROWS.values(), ids=ROWS.keys())
def test_each_reply_has_its_decision(
    ours: Authority, pair: Pair, credentials: Credentials, data: bytes, fits: Callable[[Decision], bool]
) -> None:
    with server_behind(ours, pair, data) as proxy, client_through(proxy, credentials) as service:
        decision = decided(service)
        assert fits(decision), decision
        assert proxy.connections == 1, "the library tries nothing twice"


def test_a_status_query_about_an_unknown_record_sends_it(
    ours: Authority, pair: Pair, credentials: Credentials
) -> None:
    with (
        server_behind(ours, pair, problem(404, "unknown")) as proxy,
        client_through(proxy, credentials) as service,
    ):
        assert decided(service, status=True) == SendNow()


# ---- connections that break ------------------------------------------------------------------------------


@pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET])
def test_a_connection_that_breaks_in_the_body_may_have_reached_the_service(
    ours: Authority, pair: Pair, credentials: Credentials, termination: Termination, then: Then
) -> None:
    data = response(200, KEYS)
    with (
        server_behind(ours, pair, data, termination) as proxy,
        client_through(proxy, credentials) as service,
    ):
        proxy.arm(len(data) - 20, then)
        decision = decided(service)
        assert isinstance(decision, LineDown)
        assert decision.reached
        assert isinstance(service.keys(), ServiceKeys), "and the next one works"


def test_silence_in_the_body_ends_at_the_deadline(
    ours: Authority, pair: Pair, credentials: Credentials, termination: Termination
) -> None:
    data = response(200, KEYS)
    with (
        server_behind(ours, pair, data, termination) as proxy,
        client_through(proxy, credentials, timeout_s=0.5) as service,
    ):
        proxy.arm(len(data) - 20, Then.SILENCE)
        began = time.monotonic()
        assert service.keys() == RequestFault(FaultKind.TIMEOUT, reached=True)
        assert time.monotonic() - began < 15.0


def test_a_half_open_connection_costs_one_deadline_and_no_more(
    ours: Authority, pair: Pair, credentials: Credentials
) -> None:
    with (
        fault_proxy_before_many(ours, pair) as proxy,
        client_through(proxy, credentials, timeout_s=2.0) as service,
    ):
        assert isinstance(service.keys(), ServiceKeys)
        proxy.vanish()
        decision = decided(service)
        assert isinstance(decision, LineDown)
        assert decision.reached, "it was written into a connection that looked sound"
        assert isinstance(service.keys(), ServiceKeys)
        assert proxy.connections == 2


@pytest.mark.parametrize("then", [Then.CLOSE, Then.RESET])
def test_an_idle_connection_that_the_service_ended_is_no_fault_of_the_next_request(
    ours: Authority, pair: Pair, credentials: Credentials, then: Then
) -> None:
    with fault_proxy_before_many(ours, pair) as proxy, client_through(proxy, credentials) as service:
        assert isinstance(service.keys(), ServiceKeys)
        proxy.end(then)
        time.sleep(0.1)  # the end has to arrive; nothing here tells when
        assert isinstance(service.keys(), ServiceKeys)


def test_the_deadline_holds_although_the_name_was_found_too_late(
    ours: Authority, pair: Pair, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver cannot be interrupted; what comes after it may not take its own time on top."""
    look_up = socket.getaddrinfo

    def slowly(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.6)
        return look_up(*args, **kwargs)

    def dribble(connection: ssl.SSLSocket, _request: bytes) -> None:
        for byte in response(200, KEYS):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with serving(pair, dribble, client_ca=ours.ca) as server:
        service = ServiceClient(server.url, credentials, 0.3)
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", slowly)
            began = time.monotonic()
            reply = service.keys()
        assert isinstance(reply, RequestFault)
        assert reply.kind is FaultKind.TIMEOUT
        assert time.monotonic() - began < 8.0
        service.close()


@contextmanager
def fault_proxy_before_many(ours: Authority, pair: Pair) -> Iterator[FaultProxy]:
    with server_behind(ours, pair, response(200, KEYS)) as proxy:
        yield proxy


def test_a_handshake_cut_anywhere_is_a_line_that_is_down(
    service: RunningService, client: ClientFiles
) -> None:
    """Up to the handshake's last byte no request has left; what the client cannot know it calls reached."""
    credentials = Credentials(service.files.ca, client.certificate, client.key)
    with fault_proxy(service.port) as proxy:
        with client_through(proxy, credentials) as uplink:
            uplink.status(new_visit())
        whole = proxy.answered
        least = len(service.files.certificate.read_bytes()) // 2  # the certificate alone is longer than this
        assert whole > least
        for after in range(0, least, 17):
            proxy.arm(after, Then.CLOSE)
            with client_through(proxy, credentials) as uplink:
                assert isinstance(decided(uplink), LineDown), f"cut after {after} bytes"
        proxy.disarm()
        with client_through(proxy, credentials) as uplink:
            assert isinstance(uplink.keys(), ServiceKeys)


# ---- answers cut at every byte -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        problem(409, "in_progress", Date=NOW),
        problem(400, "key_unknown"),
        problem(410, "challenge_expired"),
        problem(503, "unavailable", Retry_After="30"),
    ],
    ids=["409", "400", "410", "503"],
)
def test_a_refusal_cut_at_any_byte_never_gives_the_record_up(
    ours: Authority, pair: Pair, credentials: Credentials, termination: Termination, data: bytes
) -> None:
    with (
        server_behind(ours, pair, data, termination) as proxy,
        client_through(proxy, credentials) as service,
    ):
        for after in range(len(data)):
            proxy.arm(after, Then.CLOSE)
            decision = decided(service)
            assert isinstance(decision, LineDown), f"cut after {after} bytes: {decision}"
            assert decision.reached
        assert not isinstance(decided(service), LineDown)
