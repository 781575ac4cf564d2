"""HTTP as RFC 9110 and 9112 have it: interim answers, framing, connections that are used again, addresses."""

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from kiosk.uploader.service.connecting import ATTEMPT_DELAY_S, Addresses
from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.service.wire import (
    Answer,
    FaultKind,
    RequestFault,
    ServiceKeys,
    ServiceProblem,
)
from tests.uploader.service.tls_server import KEYS, Authority, Pair, Server, Talk, response, saying, serving

PROBLEM = "application/problem+json"
FIRST, SECOND = "019a9f60-5d2c-7c3e-9b1f-000000000001", "019a9f60-5d2c-7c3e-9b1f-000000000002"
REFUSAL = json.dumps({"code": "challenge_expired", "instance": FIRST}).encode()
GOOD = response(200, KEYS)
BARE = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"


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


@contextlib.contextmanager
def client_of(
    ours: Authority, pair: Pair, credentials: Credentials, talk: Talk, timeout_s: float = 20.0
) -> Iterator[tuple[ServiceClient, Server]]:
    with serving(pair, talk, client_ca=ours.ca) as server:
        client = ServiceClient(server.url, credentials, timeout_s)
        try:
            yield client, server
        finally:
            client.close()


def answer(record: str) -> bytes:
    result = {"SegmentOfResult": "1", "ProcessingResultStatus": "1", "QualificationValidity": "1"}
    return response(200, json.dumps({"v": 1, "id": record, "result": result, "answer": None}).encode())


def interim(status: int, *headers: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\n" % status + b"".join(each + b"\r\n" for each in headers) + b"\r\n"


def closing(data: bytes) -> Talk:
    """Answer and end the connection, as HTTP/1.0 does it."""

    def talk(connection: ssl.SSLSocket, _request: bytes) -> None:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            connection.unwrap()
        raise OSError("the connection is over")

    return talk


# ---- interim answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        interim(100),
        interim(102),
        interim(103, b"Link: </x>; rel=preload"),
        interim(103, b"Content-Length: 4", b"Connection: close"),
        interim(102, b"Transfer-Encoding: chunked"),
        interim(102) * 5 + interim(103) + interim(199),
    ],
)
def test_interim_answers_are_read_past(
    ours: Authority, pair: Pair, credentials: Credentials, before: bytes
) -> None:
    with client_of(ours, pair, credentials, saying(before + GOOD)) as (client, server):
        assert isinstance(client.keys(), ServiceKeys)
        assert isinstance(client.keys(), ServiceKeys)
        assert (len(server.requests), server.connections) == (2, 1)


@pytest.mark.parametrize("before", [interim(101, b"Upgrade: x"), interim(102) * 100])
def test_another_protocol_and_interim_answers_without_end_are_no_answer(
    ours: Authority, pair: Pair, credentials: Credentials, before: bytes
) -> None:
    with client_of(ours, pair, credentials, saying(before + GOOD)) as (client, _):
        assert client.keys() == RequestFault(FaultKind.BROKEN, reached=True)


def test_a_late_refusal_is_the_refusal_of_its_own_record(
    ours: Authority, pair: Pair, credentials: Credentials
) -> None:
    """A gets 102 at once and 410 a moment later; B, sent behind it, has its own answer."""

    def talk(connection: ssl.SSLSocket, request: bytes) -> None:
        if FIRST.encode() in request:
            connection.sendall(interim(102))
            time.sleep(0.2)
            connection.sendall(response(410, REFUSAL, PROBLEM))
        else:
            connection.sendall(answer(SECOND))

    with client_of(ours, pair, credentials, talk) as (client, _):
        refused = client.deliver(FIRST, "s", "k", b"sealed")
        taken = client.deliver(SECOND, "s", "k", b"sealed")
    assert isinstance(refused, ServiceProblem)
    assert (refused.code, refused.instance) == ("challenge_expired", FIRST)
    assert isinstance(taken, Answer)


# ---- connections -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        response(200, b"<html>", "text/html"),
        response(503, b"", "text/plain"),
        response(502, b"<html>bad gateway</html>", "text/html"),
        response(200, KEYS, Content_Encoding="gzip"),
        response(204, b""),
    ],
)
def test_a_connection_that_said_anything_else_is_not_used_again(
    ours: Authority, pair: Pair, credentials: Credentials, said: bytes
) -> None:
    with client_of(ours, pair, credentials, saying(said)) as (client, server):
        assert not isinstance(client.keys(), ServiceKeys)
        assert not isinstance(client.keys(), ServiceKeys)
        assert server.connections == 2


def test_what_came_unasked_is_never_taken_for_the_next_answer(
    ours: Authority, pair: Pair, credentials: Credentials
) -> None:
    def talk(connection: ssl.SSLSocket, request: bytes) -> None:
        connection.sendall(answer(FIRST if FIRST.encode() in request else SECOND))
        time.sleep(0.05)
        connection.sendall(response(410, REFUSAL, PROBLEM))
        raise OSError("the server serves the next connection")

    with client_of(ours, pair, credentials, talk) as (client, _):
        for record in (FIRST, SECOND, FIRST, SECOND):
            assert isinstance(client.deliver(record, "s", "k", b"sealed"), Answer)
            time.sleep(0.1)


# ---- framing ---------------------------------------------------------------------------------------------


def test_an_answer_that_ends_with_its_connection_is_taken_when_it_is_whole(
    ours: Authority, pair: Pair, credentials: Credentials
) -> None:
    with client_of(ours, pair, credentials, closing(BARE + KEYS)) as (client, _):
        assert isinstance(client.keys(), ServiceKeys)
    for end in (1, 20, len(KEYS) - 1):
        with client_of(ours, pair, credentials, closing(BARE + KEYS[:end])) as (client, _):
            assert client.keys() == RequestFault(FaultKind.BROKEN, reached=True)


@pytest.mark.parametrize("at", range(0, len(BARE), 7))
def test_headers_that_were_cut_are_no_end_of_them(
    ours: Authority, pair: Pair, credentials: Credentials, at: int
) -> None:
    with client_of(ours, pair, credentials, closing(BARE[:at])) as (client, _):
        assert isinstance(client.keys(), RequestFault)


@pytest.mark.parametrize(("encoding", "taken"), [("identity", True), ("IDENTITY", True), ("gzip", False)])
def test_only_what_is_plain_is_taken(
    ours: Authority, pair: Pair, credentials: Credentials, encoding: str, taken: bool
) -> None:
    talk = saying(response(200, KEYS, Content_Encoding=encoding))
    with client_of(ours, pair, credentials, talk) as (client, _):
        reply = client.keys()
    if taken:
        assert isinstance(reply, ServiceKeys)
    else:
        assert reply == RequestFault(FaultKind.COMPRESSED, reached=True)


@pytest.mark.parametrize("size", ["-5", "-1", "g", "", "0x5", "ffffffffffffffffff", "1_0"])
def test_a_chunk_of_no_size_is_no_answer(
    ours: Authority, pair: Pair, credentials: Credentials, size: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with client_of(ours, pair, credentials, closing(head + size.encode() + b"\r\nabc\r\n0\r\n\r\n")) as (
        client,
        _,
    ):
        assert isinstance(client.keys(), RequestFault)


# ---- addresses -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def swallowing() -> Iterator[int]:
    """A port at which connections are neither taken nor refused: its queue is full."""
    with contextlib.ExitStack() as kept:
        listener = kept.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = kept.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def taking() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def found(*ports: int) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]


def took(addresses: Addresses, timeout_s: float = 5.0) -> tuple[float, int]:
    began = time.monotonic()
    with addresses.connect(timeout_s, ()) as sock:
        return time.monotonic() - began, int(sock.getpeername()[1])


def test_dead_addresses_cost_a_moment_once_and_then_nothing() -> None:
    with swallowing() as one, swallowing() as two, taking() as good:
        addresses = Addresses("service.example", 443, lambda *_, **__: found(one, two, good))
        first, port = took(addresses)
        assert port == good
        assert first < 4 * ATTEMPT_DELAY_S
        later, port = took(addresses)
        assert port == good
        assert later < ATTEMPT_DELAY_S


def test_an_address_that_refuses_gives_way_at_once() -> None:
    with taking() as closed:
        pass
    with taking() as good:
        assert took(Addresses("service.example", 443, lambda *_, **__: found(closed, good)))[1] == good


def test_without_any_address_that_answers_the_time_is_kept() -> None:
    with swallowing() as one, swallowing() as two:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            Addresses("service.example", 443, lambda *_, **__: found(one, two)).connect(0.6, ())
        assert 0.5 < time.monotonic() - began < 5


def test_when_all_refuse_the_reason_is_told() -> None:
    with taking() as closed:
        pass
    with pytest.raises(ConnectionRefusedError):
        Addresses("service.example", 443, lambda *_, **__: found(closed, closed)).connect(5, ())
