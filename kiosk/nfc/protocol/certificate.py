"""What is checked of a token's certificate and signature, against the CA certificates it must chain to.

J-LIS has three generations of roots with one and the same name (docs/facts/card.md), so an issuer is found
by its signature, never by its name. Revocation cannot be asked for here; that is the service's to know.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk.qualification.terms import SignatureAlgorithm

AUTH_RSA_BITS = 2048

#: What cryptography raises for bytes that are no certificate it can read; not all of them are ValueErrors.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class Doubt(Enum):
    """Why a token's certificate is not accepted."""

    MALFORMED = "not an X.509 certificate"
    UNKNOWN_ISSUER = "not issued by a CA of the trust folder"
    EXPIRED = "expired"
    NOT_YET_VALID = "not valid yet"
    KEY_USAGE = "not meant for authentication"
    ALGORITHM = "a key that is neither RSA-2048 nor EC P-384"


@dataclass(frozen=True)
class Leaf:
    """A token's certificate, parsed. Personal data: never logged."""

    certificate: x509.Certificate
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    algorithm: SignatureAlgorithm

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:X}"

    @property
    def not_after(self) -> str:
        """The end of validity, RFC 3339, UTC."""
        return self.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def key_name(self) -> str:
        match self.algorithm:
            case SignatureAlgorithm.RSA_PKCS1_SHA256:
                return "rsa-2048"
            case SignatureAlgorithm.ECDSA_P384_SHA384:
                return "ec-p384"


@contextmanager
def _without_warnings() -> Iterator[None]:
    """cryptography warns of odd serial numbers and names; what a token gives us is not worth a line each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@_without_warnings()
def parse_certificate(der: bytes) -> Leaf | Doubt:
    """Parse a certificate as a token gave it; its key decides the algorithm."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        _ = certificate.extensions, certificate.not_valid_after_utc, certificate.not_valid_before_utc
    except UNREADABLE:
        return Doubt.MALFORMED
    if certificate.serial_number <= 0:  # RFC 5280, 4.1.2.2; cryptography will refuse it one day
        return Doubt.MALFORMED
    match key:
        case rsa.RSAPublicKey(key_size=bits) if bits == AUTH_RSA_BITS:
            return Leaf(certificate, key, SignatureAlgorithm.RSA_PKCS1_SHA256)
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            return Leaf(certificate, key, SignatureAlgorithm.ECDSA_P384_SHA384)
        case _:
            return Doubt.ALGORITHM


class TrustStore:
    """The CAs, and the rules that a token's certificate must meet."""

    def __init__(self, roots: tuple[x509.Certificate, ...]) -> None:
        self._roots = roots

    def __len__(self) -> int:
        return len(self._roots)

    @_without_warnings()
    def check(self, leaf: Leaf, at: datetime | None) -> Doubt | None:
        """Return what is wrong with a certificate, or None. `at` is None while the clock is not trusted."""
        issuers = [root for root in self._roots if _issued(root, leaf.certificate)]
        if not issuers:
            return Doubt.UNKNOWN_ISSUER
        if not _for_authentication(leaf.certificate):
            return Doubt.KEY_USAGE
        if at is None:
            return None
        if at > leaf.certificate.not_valid_after_utc or all(
            at > root.not_valid_after_utc for root in issuers
        ):
            return Doubt.EXPIRED
        return Doubt.NOT_YET_VALID if at < leaf.certificate.not_valid_before_utc else None


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether it is the certificate of a CA (RFC 5280, 4.2.1.9)."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca


def _issued(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _for_authentication(certificate: x509.Certificate) -> bool:
    """digitalSignature, no CA, and clientAuth where purposes are named (RFC 5280, 4.2.1.3, .9, .12)."""
    if is_ca(certificate):
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.digital_signature:
            return False
    except x509.ExtensionNotFound:
        return False
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in purposes


def signature_holds(leaf: Leaf, digest: bytes, signature: bytes) -> bool:
    """Whether `signature` over `digest` is by the certificate's key."""
    try:
        match leaf.key:
            case rsa.RSAPublicKey():
                leaf.key.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
            case ec.EllipticCurvePublicKey():
                leaf.key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA384())))
    except (InvalidSignature, ValueError):
        return False
    return True
