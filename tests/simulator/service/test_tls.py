"""Who may speak to the service at all, and how."""

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.simulator.service.service_pki import Dates, dates_from, make_client, prepare_service
from tests.simulator.service.running import (
    INSTITUTION,
    RunningService,
    Terminal,
    client_context,
    running_service,
)

NewTerminal = Callable[..., Terminal]

GET_KEYS = b"GET /v1/keys HTTP/1.1\r\nHost: localhost\r\n\r\n"


def first_bytes(context: ssl.SSLContext, port: int, name: str = "127.0.0.1") -> bytes:
    """What the service answers. In TLS 1.3 a refused client certificate shows only at the first read.

    asyncio closes without sending the alert (CPython 3.11), so there may be nothing but an end to read.
    """
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as link,
    ):
        link.sendall(GET_KEYS)
        return link.recv(12)


def is_refused(context: ssl.SSLContext, port: int) -> bool:
    try:
        return first_bytes(context, port) == b""
    except (ssl.SSLError, ConnectionError):
        return True


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
def test_the_right_certificate_is_served_under_each_name(terminal: Terminal, name: str) -> None:
    context = client_context(terminal.service.files.ca, terminal.client)
    assert first_bytes(context, terminal.service.port, name) == b"HTTP/1.1 200"


def test_a_name_that_is_not_in_the_certificate_is_noticed(terminal: Terminal) -> None:
    context = client_context(terminal.service.files.ca, terminal.client)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        first_bytes(context, terminal.service.port, "service.example")


def test_no_client_certificate_is_refused_on_the_main_port(service: RunningService) -> None:
    assert is_refused(client_context(service.files.ca, None), service.port)
    assert first_bytes(client_context(service.files.ca, None), service.enrol_port) == b"HTTP/1.1 404"


def test_a_client_certificate_of_another_ca_is_refused(service: RunningService, tmp_path: Path) -> None:
    stranger = make_client(prepare_service(tmp_path / "other"), tmp_path, INSTITUTION, "K001")
    assert is_refused(client_context(service.files.ca, stranger), service.port)


def test_an_expired_client_certificate_is_refused(service: RunningService, tmp_path: Path) -> None:
    past = Dates(datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) - timedelta(days=1))
    expired = make_client(service.files, tmp_path, INSTITUTION, "K001", dates=past)
    assert is_refused(client_context(service.files.ca, expired), service.port)


@pytest.mark.parametrize("port", ["port", "enrol_port"])
def test_tls_12_is_refused(terminal: Terminal, port: str) -> None:
    context = client_context(terminal.service.files.ca, terminal.client)
    assert not is_refused(context, getattr(terminal.service, port))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert is_refused(context, getattr(terminal.service, port))


def test_plain_http_gets_nowhere(service: RunningService) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as plain:
        plain.sendall(GET_KEYS)
        assert b"HTTP" not in plain.recv(100)


def test_a_service_certificate_can_be_made_expired(tmp_path: Path) -> None:
    past = dates_from(datetime.now(UTC) - timedelta(days=3), days=1)
    prepare_service(tmp_path, service_dates=past)
    with running_service(tmp_path) as service:
        client = make_client(service.files, tmp_path / "client", INSTITUTION, "K001")
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            first_bytes(client_context(service.files.ca, client), service.port)


def test_the_service_certificate_authenticates_no_client(service: RunningService) -> None:
    context = client_context(service.files.ca, None)
    context.load_cert_chain(service.files.certificate, service.files.key)
    assert is_refused(context, service.port)
