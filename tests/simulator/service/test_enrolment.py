"""How a terminal gets its certificate, and what an activation code is good for."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from kiosk.simulator.service.service_control import ControlError
from kiosk.simulator.service.service_pki import ClientFiles
from tests.simulator.service.openapi_conformity import Conformity
from tests.simulator.service.running import (
    RunningService,
    Terminal,
    client_context,
    new_visit,
    pinned_session,
)

NewTerminal = Callable[..., Terminal]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class Applicant:
    """A kiosk that wants to be enrolled at an institution of its own."""

    def __init__(self, service: RunningService, conformity: Conformity) -> None:
        self.service = service
        self.conformity = conformity
        self.institution = digits(10)
        self.code = digits(12)
        self.key: Key = ec.generate_private_key(ec.SECP256R1())
        self.session = pinned_session(client_context(service.files.ca, None))

    def body(self, **changes: Any) -> dict[str, Any]:
        plain = {
            "institution": self.institution,
            "terminal": "K001",
            "activation_code": self.code,
            "csr": csr(self.key),
        }
        return plain | changes

    def enrol(self, **changes: Any) -> requests.Response:
        url = self.service.enrol_url + "/v1/enrolments"
        response = self.session.post(url, json=self.body(**changes), timeout=10)
        self.conformity.check("POST", "/v1/enrolments", response)
        return response

    def refused(self, **changes: Any) -> tuple[int, str]:
        response = self.enrol(**changes)
        return response.status_code, response.json()["code"]


@pytest.fixture
def applicant(service: RunningService, conformity: Conformity) -> Applicant:
    return Applicant(service, conformity)


@pytest.fixture
def invited(applicant: Applicant) -> Applicant:
    """With a code that its institution has been issued."""
    applicant.service.control.issue_code(applicant.institution, applicant.code)
    return applicant


def digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def csr(key: Key) -> str:
    """A certificate request; its subject is not taken over."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)
    return request.public_bytes(serialization.Encoding.PEM).decode()


def store_client(folder: Path, certificate: str, key: Key) -> ClientFiles:
    files = ClientFiles(folder / "enrolled.pem", folder / "enrolled.key")
    files.certificate.write_text(certificate)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files.key.write_bytes(pem)
    return files


def test_an_enrolled_terminal_can_qualify(
    invited: Applicant, new_terminal: NewTerminal, tmp_path: Path
) -> None:
    invited.conformity.check_request("post", "/v1/enrolments", invited.body())
    response = invited.enrol()
    assert response.status_code == 201
    enrolled = response.json()
    assert enrolled["service"] == "simulator"
    client = store_client(tmp_path, enrolled["certificate"], invited.key)
    terminal = new_terminal(name="K001", institution=invited.institution, client=client)
    assert terminal.keys() == enrolled["keys"]
    assert terminal.submit(new_visit()).status_code == 200


def test_the_same_code_and_key_get_the_same_certificate_after_a_power_cut(invited: Applicant) -> None:
    first = invited.enrol()
    again = invited.enrol()
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    "change", [{"terminal": "K002"}, {"csr": csr(ec.generate_private_key(ec.SECP256R1()))}]
)
def test_a_used_code_serves_no_other_key_or_terminal(invited: Applicant, change: dict[str, str]) -> None:
    invited.enrol()
    assert invited.refused(**change) == (409, "activation_used")
    assert invited.enrol().status_code == 200


def test_a_used_code_stays_used_when_it_is_issued_again(invited: Applicant) -> None:
    invited.enrol()
    invited.service.control.issue_code(invited.institution, invited.code)
    assert invited.refused(csr=csr(ec.generate_private_key(ec.SECP256R1()))) == (409, "activation_used")


def test_a_wrong_code_or_one_of_another_institution(invited: Applicant) -> None:
    assert invited.refused(activation_code=digits(12)) == (403, "activation_code")
    assert invited.refused(institution=digits(10)) == (403, "activation_code")


def test_an_expired_code(applicant: Applicant) -> None:
    applicant.service.control.issue_code(applicant.institution, applicant.code, life_s=0)
    assert applicant.refused() == (410, "activation_expired")


def test_five_wrong_codes_close_the_enrolment_until_a_new_one_is_issued(invited: Applicant) -> None:
    for _ in range(5):
        assert invited.refused(activation_code=digits(12)) == (403, "activation_code")
    locked = invited.enrol()
    assert (locked.status_code, locked.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(locked.headers["Retry-After"]) <= 24 * 3600
    new = digits(12)
    invited.service.control.issue_code(invited.institution, new)
    assert invited.enrol(activation_code=new).status_code == 201


def test_wrong_codes_of_one_institution_do_not_close_another(
    invited: Applicant, service: RunningService, conformity: Conformity
) -> None:
    other = Applicant(service, conformity)
    for _ in range(6):
        other.enrol()
    assert other.refused() == (429, "too_many_attempts")
    assert invited.enrol().status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"institution": "123"},
        {"institution": None},
        {"terminal": "K 1"},
        {"terminal": ""},
        {"activation_code": "12345678901"},
        {"activation_code": "１２３４５６７８９０１２"},
        {"csr": "none"},
        {"csr": csr(ed25519.Ed25519PrivateKey.generate())},
        {"csr": csr(rsa.generate_private_key(65537, 1024))},
        {"extra": "field"},
    ],
)
def test_a_malformed_application_costs_no_attempt(invited: Applicant, change: dict[str, Any]) -> None:
    for _ in range(6):
        assert invited.refused(**change) == (400, "malformed")
    assert invited.enrol().status_code == 201


def test_a_request_that_its_key_did_not_sign(invited: Applicant) -> None:
    request = x509.load_pem_x509_csr(csr(invited.key).encode())
    der = bytearray(request.public_bytes(serialization.Encoding.DER))
    der[der.index(b"somebody")] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    assert invited.refused(csr=forged) == (400, "malformed")


def test_an_rsa_key_of_2048_bits_is_good_enough(invited: Applicant) -> None:
    invited.key = rsa.generate_private_key(65537, 2048)
    assert invited.enrol().status_code == 201


def test_a_revoked_terminal_works_again_after_a_new_enrolment(
    invited: Applicant, new_terminal: NewTerminal, tmp_path: Path
) -> None:
    old = store_client(tmp_path, invited.enrol().json()["certificate"], invited.key)
    stolen = new_terminal(name="K001", institution=invited.institution, client=old)
    assert stolen.keys()
    invited.service.control.revoke(invited.institution, "K001")
    assert stolen.call("GET", "/v1/keys").json()["code"] == "revoked"
    invited.key, invited.code = ec.generate_private_key(ec.SECP256R1()), digits(12)
    invited.service.control.issue_code(invited.institution, invited.code)
    (tmp_path / "new").mkdir()
    new = store_client(tmp_path / "new", invited.enrol().json()["certificate"], invited.key)
    assert new_terminal(name="K001", institution=invited.institution, client=new).keys()
    assert stolen.call("GET", "/v1/keys").json()["code"] == "revoked"


def test_the_enrolment_port_serves_nothing_else(applicant: Applicant) -> None:
    response = applicant.session.get(applicant.service.enrol_url + "/v1/keys", timeout=10)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_enrolment_port_fails_at_will(invited: Applicant, status: int) -> None:
    invited.service.control.refuse(status, retry_after=3, operation="enrolment")
    assert invited.enrol().status_code == status
    assert invited.enrol().status_code == 201


def test_an_enrolment_whose_answer_was_lost_can_be_repeated(invited: Applicant) -> None:
    invited.service.control.lose_answer(operation="enrolment")
    with pytest.raises(requests.exceptions.RequestException):
        invited.enrol()
    assert invited.enrol().status_code == 200


def test_the_portal_issues_twelve_digits_to_ten(applicant: Applicant) -> None:
    with pytest.raises(ControlError, match="10 digits"):
        applicant.service.control.issue_code("1", "2")
