"""Our client against Debian's nginx with `ssl_verify_client on`, a TLS front that nobody here wrote."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from kiosk.channel import Deferred, ServiceAnswered
from kiosk.qualification.terms import Outcome
from kiosk.simulator.service.service_pki import make_client, prepare_service
from kiosk.uploader.delivery.retry import HoldBack, LineDown, RetryRules, decide, decide_line
from kiosk.uploader.service.service_client import ServiceClient
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceKeys, ServiceProblem
from tests.peers.nginx import PROGRAM, Front, Nginx, running_nginx
from tests.simulator.service.running import running_service
from tests.uploader.service.tls_server import KEYS, Authority
from tests.uploader.world import INSTITUTION, TERMINAL, Token, new_visit, running_uploader, write_config

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(PROGRAM is None, reason="install nginx"),
]

RULES = RetryRules()
DICE = Random(1).random
STATIC = f"default_type application/json; return 200 '{KEYS.decode()}';"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("pki") / "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("pki") / "theirs")


@pytest.fixture(scope="module")
def front(ours: Authority) -> Front:
    """As it should be."""
    pair = ours.issue("service")
    return Front(pair.certificate, pair.key, ours.ca, STATIC)


@pytest.fixture(scope="module")
def credentials(ours: Authority) -> Credentials:
    client = ours.issue("K001")
    return Credentials(ours.ca, client.certificate, client.key)


@contextmanager
def client_of(nginx: Nginx, credentials: Credentials) -> Iterator[ServiceClient]:
    service = ServiceClient(nginx.url, credentials, 5.0)
    try:
        yield service
    finally:
        service.close()


def keys_through(
    front: Front, credentials: Credentials, folder: Path
) -> tuple[ServiceKeys | ServiceProblem | RequestFault, int]:
    """What the client says, and how many requests nginx saw."""
    with running_nginx(front, folder / "nginx") as nginx, client_of(nginx, credentials) as service:
        reply = service.keys()
    return reply, len(nginx.requests())  # it notes a request after the answer; now it has ended


def test_our_client_is_let_in_with_its_certificate(
    front: Front, credentials: Credentials, tmp_path: Path
) -> None:
    reply, seen = keys_through(front, credentials, tmp_path)
    assert isinstance(reply, ServiceKeys)
    assert seen == 1


@pytest.mark.parametrize("verify", ["optional", "optional_no_ca"])
def test_a_front_that_asks_and_leaves_the_judgement_to_the_service_is_spoken_to(
    front: Front, credentials: Credentials, tmp_path: Path, verify: str
) -> None:
    reply, _ = keys_through(replace(front, verify=verify), credentials, tmp_path)
    assert isinstance(reply, ServiceKeys)


def test_a_front_that_asks_for_no_certificate_gets_no_request(
    front: Front, credentials: Credentials, tmp_path: Path
) -> None:
    reply, seen = keys_through(replace(front, verify="off"), credentials, tmp_path)
    assert reply == RequestFault(FaultKind.NOT_ASKED, reached=False)
    assert seen == 0


def test_tls_1_2_gets_no_request(front: Front, credentials: Credentials, tmp_path: Path) -> None:
    reply, seen = keys_through(replace(front, protocols="TLSv1.2"), credentials, tmp_path)
    assert reply == RequestFault(FaultKind.TLS, reached=False)
    assert seen == 0


def test_another_name_gets_no_request(
    front: Front, ours: Authority, credentials: Credentials, tmp_path: Path
) -> None:
    pair = ours.issue("other", address="192.0.2.1")
    other = replace(front, certificate=pair.certificate, key=pair.key)
    assert keys_through(other, credentials, tmp_path) == (RequestFault(FaultKind.UNTRUSTED, reached=False), 0)


def test_another_ca_gets_no_request(
    front: Front, theirs: Authority, credentials: Credentials, tmp_path: Path
) -> None:
    pair = theirs.issue("service")
    other = replace(front, certificate=pair.certificate, key=pair.key)
    assert keys_through(other, credentials, tmp_path) == (RequestFault(FaultKind.UNTRUSTED, reached=False), 0)


def test_an_expired_certificate_is_a_matter_of_the_clock_and_gets_no_request(
    front: Front, ours: Authority, credentials: Credentials, tmp_path: Path
) -> None:
    pair = ours.issue("expired", begins=timedelta(days=-30))
    expired = replace(front, certificate=pair.certificate, key=pair.key)
    assert keys_through(expired, credentials, tmp_path) == (RequestFault(FaultKind.CLOCK, reached=False), 0)


def test_a_client_certificate_that_nginx_does_not_take_keeps_the_record_and_calls_for_help(
    front: Front, ours: Authority, theirs: Authority, tmp_path: Path
) -> None:
    """nginx ends the handshake well and then answers 400 with a page of its own: no verdict on the record."""
    stranger = theirs.issue("K001")
    foreign = Credentials(ours.ca, stranger.certificate, stranger.key)
    with running_nginx(front, tmp_path / "nginx") as nginx, client_of(nginx, foreign) as service:
        keys, delivered = service.keys(), service.deliver(new_visit(), "s", "k", b"sealed")
    assert keys == delivered == ServiceProblem(400, "")
    assert isinstance(keys, ServiceProblem)
    assert isinstance(delivered, ServiceProblem)
    line = decide_line(keys, RULES, DICE)
    assert isinstance(line, LineDown)
    decision = decide(delivered, "", 1, RULES, DICE, asked_status=False)
    assert isinstance(decision, HoldBack)
    assert "certificate" in decision.reason


def test_records_go_through_nginx_to_the_service(tmp_path: Path) -> None:
    """The whole uploader; between front and service nginx bears the terminal's certificate."""
    with running_service(tmp_path / "service") as service:
        client = make_client(service.files, tmp_path / "client", INSTITUTION, TERMINAL)
        stranger = make_client(
            prepare_service(tmp_path / "another-service"), tmp_path / "stranger", INSTITUTION, TERMINAL
        )
        answer = (
            f"proxy_pass {service.url}; proxy_ssl_protocols TLSv1.3;"
            f" proxy_ssl_certificate {client.certificate}; proxy_ssl_certificate_key {client.key};"
        )
        front = Front(service.files.certificate, service.files.key, service.files.ca, answer)
        with running_nginx(front, tmp_path / "nginx") as nginx:
            config = write_config(
                tmp_path, nginx.url, service.files.ca, client.certificate, client.key, retry_cap_s=0.2
            )
            with running_uploader(config, Token.make()) as uploader, uploader.screen() as screen:
                first = screen.visit()
                assert screen.wait_for(ServiceAnswered, first).outcome is Outcome.VERIFIED
                # The certificate is swapped for one of a foreign CA, and back: the record waits meanwhile.
                ours = client.certificate.read_bytes(), client.key.read_bytes()
                put(client.certificate, stranger.certificate.read_bytes())
                put(client.key, stranger.key.read_bytes())
                second = screen.visit(challenged=False)
                screen.wait_for(Deferred, second)
                put(client.key, ours[1])
                put(client.certificate, ours[0])
                assert screen.wait_for(ServiceAnswered, second).outcome is Outcome.VERIFIED
        assert [service.control.effects(visit) for visit in (first, second)] == [1, 1]


def put(path: Path, content: bytes) -> None:
    """Replace a file as enrolment does: by another inode."""
    draft = path.with_name(f"{path.name}.{time.monotonic_ns()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.rename(path)
