"""The folder of the CA certificates that tokens must chain to (docs/facts/card.md: J-LIS's roots)."""

from pathlib import Path

from cryptography import x509

from kiosk.nfc.protocol.certificate import UNREADABLE, TrustStore, is_ca

SUFFIXES = (".pem", ".crt", ".cer", ".der")


class TrustFolderError(Exception):
    """The trust folder cannot be used; the text is why, and what to do."""


def load_trust_folder(folder: Path) -> TrustStore:
    """Read every certificate of a folder, PEM or DER; TrustFolderError if there is nothing to trust."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        roots = tuple(root for path in files for root in _load(path))
    except FileNotFoundError:
        raise TrustFolderError(
            f"the trust folder {folder} does not exist; put the JPKI CA certificates there"
        ) from None
    except OSError as fault:
        raise TrustFolderError(f"the trust folder {folder} cannot be read: {fault.strerror}") from None
    if not roots:
        raise TrustFolderError(
            f"the trust folder {folder} holds no certificate ({', '.join(SUFFIXES)}); "
            "put the JPKI CA certificates there"
        )
    return TrustStore(roots)


def _load(path: Path) -> list[x509.Certificate]:
    data = path.read_bytes()
    try:
        if b"-----BEGIN" in data:
            found = x509.load_pem_x509_certificates(data)
        else:
            found = [x509.load_der_x509_certificate(data)]
        for root in found:
            if not is_ca(root):
                raise TrustFolderError(
                    f"{path} is not the certificate of a CA; take it out of the trust folder"
                )
    except UNREADABLE:
        raise TrustFolderError(f"{path} is no certificate; take it out of the trust folder") from None
    return found
