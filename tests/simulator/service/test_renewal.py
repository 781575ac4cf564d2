"""How a terminal gets its next certificate with the present one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.simulator.service.service_pki import ClientFiles
from kiosk.uploader.identity.keypairs import csr
from tests.simulator.service.running import Terminal, client_context, pinned_session

NewTerminal = Callable[..., Terminal]
Key = ec.EllipticCurvePrivateKey


@pytest.fixture
def terminal(new_terminal: NewTerminal) -> Terminal:
    return new_terminal()


def request_for(key: Key) -> str:
    return csr(key, "9999999999", "another")


def renewed(terminal: Terminal, key: Key) -> requests.Response:
    body = {"csr": request_for(key)}
    terminal.conformity.check_request("post", "/v1/renewals", body)
    return terminal.call("POST", "/v1/renewals", json=body)


def test_a_new_key_gets_a_certificate_of_the_same_name_that_works(terminal: Terminal, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    answer = renewed(terminal, key)
    assert answer.status_code == 201
    pem = answer.json()["certificate"].encode()
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.public_key() == key.public_key()
    names = {each.rfc4514_attribute_name: each.value for each in certificate.subject}
    assert names == {"O": terminal.institution, "CN": terminal.name}, "the CSR's names count for nothing"
    files = ClientFiles(tmp_path / "new.pem", tmp_path / "new.key")
    files.certificate.write_bytes(pem)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    session = pinned_session(client_context(terminal.service.files.ca, files))
    assert session.get(terminal.service.url + "/v1/keys", timeout=10).status_code == 200
    assert terminal.call("GET", "/v1/keys").status_code == 200, "the present one stays good"


def test_the_same_key_gets_the_same_certificate_again(terminal: Terminal) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = renewed(terminal, key), renewed(terminal, key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["certificate"] == second.json()["certificate"]


def test_a_key_that_is_certified_already_is_refused(terminal: Terminal, new_terminal: NewTerminal) -> None:
    present = serialization.load_pem_private_key(terminal.client.key.read_bytes(), None)
    assert isinstance(present, ec.EllipticCurvePrivateKey)
    assert renewed(terminal, present).json()["code"] == "key_reused"
    key = ec.generate_private_key(ec.SECP256R1())
    renewed(terminal, key)
    other = new_terminal(institution="1399999999")
    assert renewed(other, key).status_code == 409, "nor the next one of somebody else"


@pytest.mark.parametrize("body", [{}, {"csr": "nonsense"}, {"csr": 1}, {"csr": "x", "more": 1}, []])
def test_what_is_no_request_is_malformed(terminal: Terminal, body: Any) -> None:
    answer = terminal.call("POST", "/v1/renewals", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_revoked_terminal_renews_nothing(new_terminal: NewTerminal) -> None:
    terminal = new_terminal(institution="1388888888")
    terminal.service.control.revoke("1388888888", terminal.name)
    answer = renewed(terminal, ec.generate_private_key(ec.SECP256R1()))
    assert (answer.status_code, answer.json()["code"]) == (401, "revoked")
