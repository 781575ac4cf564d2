"""Enrolment: a key made on this device, a certificate for it from the service's enrolment port.

A power cut at any instant leaves a state that the same command goes on from: the key is on the disk before
the code is spent, and the same code with the same key gets the same certificate again.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.config.settings import Settings
from kiosk.uploader.identity.keypairs import csr, drop_next, make_key, write_safely
from kiosk.uploader.service.credentials import credentials_of, keys_file
from kiosk.uploader.service.custody import is_locked, load_key
from kiosk.uploader.service.tls import Credentials, key_is_ours
from kiosk.uploader.service.wire import Enrolled, RequestFault, ServiceKeys, ServiceProblem

_REASONS = {
    "activation_code": "the activation code is not one of this institution: check code and institution",
    "activation_expired": "the activation code has expired (24 hours): ask for a new one",
    "activation_used": "the activation code was used with another key: ask for a new one",
    "too_many_attempts": "five wrong codes: enrolment is locked; ask for a new code",
    "malformed": "the service does not understand this request: update this kiosk",
}

SendEnrolment = Callable[[dict[str, str]], Enrolled | ServiceProblem | RequestFault]


class EnrolmentError(Exception):
    """Enrolment did not succeed; one line that says why and what to do."""


@dataclass(frozen=True)
class EnrolmentDone:
    """The certificate is in place."""

    certificate: Path
    not_after: str  #: RFC 3339 date
    service: str


def enrol(settings: Settings, secret: bytes, code: str, send: SendEnrolment) -> EnrolmentDone:
    """Make the key if there is none, get the certificate, put both in place. Raises EnrolmentError.

    `secret`: what this device seals keys with, b"" if nothing (custody.py).
    """
    credentials = credentials_of(settings.service, secret)
    key = _own_key(credentials)
    reply = send(
        {
            "institution": settings.clinic.institution,
            "terminal": settings.clinic.terminal,
            "activation_code": code,
            "csr": csr(key, settings.clinic.institution, settings.clinic.terminal),
        }
    )
    match reply:
        case RequestFault():
            raise EnrolmentError(reply.reason if reply.kind != "no_credentials" else _no_ca(credentials.ca))
        case ServiceProblem(status=status, code=word):
            raise EnrolmentError(_REASONS.get(word, f"the service refused the enrolment ({status} {word})"))
        case Enrolled():
            return _install(settings, key, reply)


def _no_ca(ca: Path) -> str:
    return f"{ca}: must hold the CA certificate of the service, as PEM"


def _own_key(credentials: Credentials) -> ec.EllipticCurvePrivateKey:
    """The key that is there, or a new one, safely on the disk before it is used."""
    path, secret = credentials.key, credentials.secret
    locked = is_locked(path, secret)
    if locked and not secret:
        raise EnrolmentError(f"{path}: is sealed, and the secret that opens it was not handed over")
    if locked or not path.exists():  # a key that its device cannot open is lost for good
        make_key(path, secret)
    if not key_is_ours(path):
        raise EnrolmentError(f"{path}: must belong to the uploader's user and have mode 0600")
    found = load_key(path.read_bytes(), secret)
    if found is None:
        raise EnrolmentError(f"{path}: is no EC private key; remove it and enrol with a new code")
    return found


def _install(settings: Settings, key: ec.EllipticCurvePrivateKey, enrolled: Enrolled) -> EnrolmentDone:
    try:
        certificate = x509.load_pem_x509_certificate(enrolled.certificate.encode())
        same_key = certificate.public_key() == key.public_key()
    except ValueError:
        raise EnrolmentError("the service sent something else than a certificate: call support") from None
    if not same_key:
        raise EnrolmentError("the service sent a certificate for another key: call support")
    if enrolled.service != settings.service.name:
        raise EnrolmentError(
            f"the service calls itself {enrolled.service[:64]!r}: write that as service.name in kiosk.toml"
        )
    path = settings.service.certificate
    write_safely(keys_file(path), _keys_document(enrolled.keys), 0o600)
    write_safely(path, enrolled.certificate.encode(), 0o600)
    drop_next(credentials_of(settings.service, b""))  # of a renewal that this enrolment overtakes
    return EnrolmentDone(path, certificate.not_valid_after_utc.strftime("%Y-%m-%d"), enrolled.service)


def _keys_document(keys: ServiceKeys) -> bytes:
    """The same form as GET /v1/keys."""
    listed = [
        {"key_id": key.key_id, "suite": key.suite.value, "public": b64encode(key.public).decode()}
        for key in keys.keys
    ]
    return json.dumps({"service": keys.service, "keys": listed}).encode()
