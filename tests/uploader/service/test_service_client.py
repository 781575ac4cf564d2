"""The client of the service against servers that refuse, lie, stall and vanish."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.service_sockets import ServiceSockets
from kiosk.uploader.service.tls import Credentials, client_context, holds_exactly, server_only_context
from kiosk.uploader.service.wire import MAX_BODY, FaultKind, RequestFault, ServiceKeys, ServiceProblem
from tests.uploader.service.tls_server import KEYS, Authority, Pair, Server, Talk, response, saying, serving

GOOD = saying(response(200, KEYS))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture(scope="module")
def server_pair(ours: Authority) -> Pair:
    return ours.issue("service")


@pytest.fixture(scope="module")
def credentials(ours: Authority) -> Credentials:
    client = ours.issue("K001")
    return Credentials(ours.ca, client.certificate, client.key)


@pytest.fixture
def talk() -> Talk:
    """What the server of a test says; tests parametrise it."""
    return GOOD


@pytest.fixture
def server(server_pair: Pair, ours: Authority, talk: Talk) -> Iterator[Server]:
    with serving(server_pair, talk, client_ca=ours.ca) as running:
        yield running


def keys_from(
    server: Server, credentials: Credentials, timeout_s: float = 20.0
) -> ServiceKeys | ServiceProblem | RequestFault:
    service = ServiceClient(server.url, credentials, timeout_s)
    try:
        return service.keys()
    finally:
        service.close()


def kind_of(reply: ServiceKeys | ServiceProblem | RequestFault) -> FaultKind:
    assert isinstance(reply, RequestFault), reply
    return reply.kind


# ---- TLS -------------------------------------------------------------------------------------------------


def test_our_service_is_spoken_to(server: Server, credentials: Credentials) -> None:
    assert isinstance(keys_from(server, credentials), ServiceKeys)


def test_a_service_of_another_ca_gets_no_request(theirs: Authority, credentials: Credentials) -> None:
    with serving(theirs.issue("service"), GOOD) as server:
        reply = keys_from(server, credentials)
        assert kind_of(reply) is FaultKind.UNTRUSTED
        assert server.requests == []


def test_an_expired_certificate_is_a_matter_of_the_clock(ours: Authority, credentials: Credentials) -> None:
    with serving(ours.issue("expired", begins=timedelta(days=-30)), GOOD) as server:
        assert kind_of(keys_from(server, credentials)) is FaultKind.CLOCK


def test_a_certificate_not_yet_valid_is_a_matter_of_the_clock(
    ours: Authority, credentials: Credentials
) -> None:
    with serving(ours.issue("early", begins=timedelta(days=3)), GOOD) as server:
        assert kind_of(keys_from(server, credentials)) is FaultKind.CLOCK


def test_a_certificate_for_another_name_is_refused(ours: Authority, credentials: Credentials) -> None:
    with serving(ours.issue("other", address="192.0.2.1"), GOOD) as server:
        assert kind_of(keys_from(server, credentials)) is FaultKind.UNTRUSTED


def test_tls_1_2_is_refused(server_pair: Pair, credentials: Credentials) -> None:
    with serving(server_pair, GOOD, highest=ssl.TLSVersion.TLSv1_2) as server:
        assert kind_of(keys_from(server, credentials)) is FaultKind.TLS


def test_a_server_that_asks_for_no_certificate_gets_no_request(
    server_pair: Pair, credentials: Credentials
) -> None:
    with serving(server_pair, GOOD) as server:
        assert keys_from(server, credentials) == RequestFault(FaultKind.NOT_ASKED, reached=False)
        assert server.requests == []


def test_a_connection_that_broke_before_the_handshake_is_not_blamed_on_the_server(
    credentials: Credentials,
) -> None:
    context = client_context(credentials)
    assert isinstance(context, ssl.SSLContext)
    with socket.socket() as dead, pytest.raises(ConnectionResetError):
        context.wrap_socket(dead, server_hostname="127.0.0.1")


def test_a_client_certificate_that_the_service_does_not_take_is_named(
    server: Server, ours: Authority, theirs: Authority
) -> None:
    foreign = theirs.issue("K001")
    reply = keys_from(server, Credentials(ours.ca, foreign.certificate, foreign.key))
    assert kind_of(reply) is FaultKind.REFUSED_US


def test_without_files_the_kiosk_is_not_enrolled(server: Server, ours: Authority, tmp_path: Path) -> None:
    missing = Credentials(ours.ca, tmp_path / "no.pem", tmp_path / "no.key")
    assert kind_of(keys_from(server, missing)) is FaultKind.NO_CREDENTIALS
    no_ca = Credentials(tmp_path / "no-ca.pem", tmp_path / "no.pem", tmp_path / "no.key")
    assert kind_of(keys_from(server, no_ca)) is FaultKind.NO_CREDENTIALS


@pytest.mark.parametrize("content", ["", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END"])
def test_a_ca_file_without_a_certificate_trusts_nobody(tmp_path: Path, content: str) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(content)
    assert isinstance(server_only_context(ca), RequestFault)


@pytest.mark.parametrize(
    ("mode", "good"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o700, False)]
)
def test_a_key_that_others_may_read_is_not_used(ours: Authority, mode: int, good: bool) -> None:
    pair = ours.issue(f"mode-{mode:o}")
    pair.key.chmod(mode)
    context = client_context(Credentials(ours.ca, pair.certificate, pair.key))
    assert isinstance(context, ssl.SSLContext) == good
    if isinstance(context, RequestFault):
        assert context.kind is FaultKind.KEY_UNSAFE


def test_the_context_trusts_exactly_our_ca(
    ours: Authority, theirs: Authority, credentials: Credentials
) -> None:
    context = client_context(credentials)
    assert isinstance(context, ssl.SSLContext)
    der = ssl.PEM_cert_to_DER_cert(ours.ca.read_text())
    assert context.get_ca_certs(binary_form=True) == [der]
    context.load_verify_locations(theirs.ca)
    assert not holds_exactly(context, frozenset({der}))


def test_a_certificate_that_appears_later_is_used_without_restart(
    server: Server, ours: Authority, tmp_path: Path
) -> None:
    pair = Pair(tmp_path / "terminal.pem", tmp_path / "terminal.key")
    service = ServiceClient(server.url, Credentials(ours.ca, pair.certificate, pair.key), 2.0)
    assert isinstance(service.keys(), RequestFault)
    issued = ours.issue("late")
    issued.key.rename(pair.key)
    issued.certificate.rename(pair.certificate)
    assert isinstance(service.keys(), ServiceKeys)
    service.close()


# ---- HTTP ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (saying(response(200, b"<html>log in</html>", "text/html")), FaultKind.CONTENT),
        (saying(response(200, KEYS, "text/plain")), FaultKind.CONTENT),
        (saying(response(200, b"")), FaultKind.CONTENT),
        (saying(response(200, KEYS[:-9])), FaultKind.CONTENT),
        (saying(response(200, KEYS, Content_Encoding="gzip")), FaultKind.COMPRESSED),
        (saying(response(200, b" " * (MAX_BODY + 1))), FaultKind.TOO_LARGE),
        (
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Type: application/json\r\n\r\n{"),
            FaultKind.TIMEOUT,
        ),
        (saying(b"not HTTP at all\r\n\r\n"), FaultKind.BROKEN),
    ],
    ids=["html", "type", "empty", "truncated", "encoded", "too-large", "half", "no-http"],
)
def test_content_that_is_not_of_the_interface(
    server: Server, credentials: Credentials, kind: FaultKind
) -> None:
    patience_s = 0.5 if kind is FaultKind.TIMEOUT else 20.0
    assert kind_of(keys_from(server, credentials, timeout_s=patience_s)) is kind


@pytest.mark.parametrize("talk", [saying(response(302, b"", Location="https://127.0.0.1:1/"))])
def test_a_redirect_is_not_followed(server: Server, credentials: Credentials) -> None:
    assert keys_from(server, credentials) == ServiceProblem(302, "")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "talk",
    [saying(response(503, b'{"code": "unavailable"}', "application/problem+json", Retry_After="7"))],
)
def test_a_problem_is_read_with_its_retry_after(server: Server, credentials: Credentials) -> None:
    assert keys_from(server, credentials) == ServiceProblem(503, "unavailable", 7.0)
    assert len(server.requests) == 1, "the library does not retry by itself"


def dribble(connection: ssl.SSLSocket, _request: bytes) -> None:
    """One byte at a time: no single read ever times out."""
    for byte in response(200, KEYS):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def dribble_headers(connection: ssl.SSLSocket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(90):
        connection.sendall(f"X-{number}: x\r\n".encode())
        time.sleep(0.2)


@pytest.mark.parametrize("talk", [dribble, dribble_headers], ids=["body", "headers"])
def test_the_whole_request_has_a_deadline(server: Server, credentials: Credentials) -> None:
    began = time.monotonic()
    assert kind_of(keys_from(server, credentials, timeout_s=0.5)) is FaultKind.TIMEOUT
    assert time.monotonic() - began < 8.0


def hang_up(connection: ssl.SSLSocket, _request: bytes) -> None:
    connection.close()


@pytest.mark.parametrize("talk", [hang_up])
def test_an_answer_that_never_comes_may_have_reached_the_service(
    server: Server, credentials: Credentials
) -> None:
    service = ServiceClient(server.url, credentials, 20.0)
    reply = service.deliver("0190a000-0000-7000-8000-000000000001", "s", "k", b"sealed")
    service.close()
    assert reply == RequestFault(FaultKind.BROKEN, reached=True)


def test_a_server_that_never_says_a_word_is_left(credentials: Credentials) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts TCP, never begins TLS
        service = ServiceClient(f"https://127.0.0.1:{silent.getsockname()[1]}", credentials, 0.4)
        began = time.monotonic()
        assert isinstance(service.keys(), RequestFault)
        assert time.monotonic() - began < 8.0
        service.close()


def test_nobody_listening_surely_did_not_reach_the_service(credentials: Credentials) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    service = ServiceClient(f"https://127.0.0.1:{port}", credentials, 2.0)
    assert service.keys() == RequestFault(FaultKind.CONNECT, reached=False)
    service.close()


def test_a_name_that_nobody_knows_is_said_to_be_so(credentials: Credentials) -> None:
    service = ServiceClient("https://service.invalid:1", credentials, 5.0)
    assert service.keys() == RequestFault(FaultKind.NAME, reached=False)
    service.close()


def test_proxies_of_the_environment_are_not_used(
    server: Server, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert isinstance(keys_from(server, credentials), ServiceKeys)


def test_one_connection_serves_many_requests(server: Server, credentials: Credentials) -> None:
    service = ServiceClient(server.url, credentials, 20.0)
    for _ in range(50):
        assert isinstance(service.keys(), ServiceKeys)
    service.close()
    assert server.connections == 1


def stall(connection: ssl.SSLSocket, _request: bytes) -> None:
    connection.settimeout(20)
    connection.recv(1)


@pytest.mark.parametrize("talk", [stall])
def test_another_thread_may_end_a_request(server: Server, credentials: Credentials) -> None:
    service = ServiceClient(server.url, credentials, 30.0)
    replies: list[object] = []
    thread = threading.Thread(target=lambda: replies.append(service.keys()))
    thread.start()
    while not server.requests:
        time.sleep(0.01)
    service.abort()
    thread.join(5)
    assert replies == [RequestFault(FaultKind.BROKEN, reached=True)]
    service.close()


def test_a_deadline_that_runs_out_late_does_not_cut_the_next_request() -> None:
    here, there = socket.socketpair()
    sockets = ServiceSockets()
    with here, there:
        first = sockets.begin()
        sockets.watch(here)
        assert not sockets.end()
        sockets.cut(first)
        sockets.begin()
        sockets.cut(first)
        there.sendall(b"still there")
        assert here.recv(20) == b"still there"
        sockets.cut()
        assert here.recv(20) == b""
        assert sockets.end()
    sockets.forget()
