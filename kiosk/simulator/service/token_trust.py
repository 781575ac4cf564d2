"""The CA certificates that tokens' certificates must chain to, found by signature.

Several generations of the JPKI CA bear the same name, so the name chooses nothing: every certificate of the
folder is tried.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

SUFFIXES = frozenset({".pem", ".cer", ".crt", ".der"})


class TokenTrustError(Exception):
    """The trust folder cannot be used."""


@dataclass(frozen=True)
class TokenTrust:
    """The anchors; None in place of this object means that chains are not checked."""

    anchors: tuple[x509.Certificate, ...]

    def vouches_for(self, certificate: x509.Certificate) -> bool:
        """Whether one of the anchors signed this certificate."""
        return any(_issued(anchor, certificate) for anchor in self.anchors)


def load_trust(folder: Path) -> TokenTrust:
    """Read every certificate of the folder (PEM or DER); raises TrustError when there is none."""
    if not folder.is_dir():
        raise TokenTrustError(f"{folder}: no such folder; give the folder of the tokens' CA certificates")
    anchors: list[x509.Certificate] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            anchors.extend(_load(path))
    if not anchors:
        raise TokenTrustError(f"{folder}: no certificate here (*.pem, *.cer, *.crt, *.der)")
    return TokenTrust(tuple(anchors))


def _load(path: Path) -> list[x509.Certificate]:
    content = path.read_bytes()
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        raise TokenTrustError(f"{path}: not a certificate; remove it or replace it") from None


def _issued(anchor: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(anchor)
    except (ValueError, TypeError, InvalidSignature):  # other name, other kind of key, other key
        return False
    return True
