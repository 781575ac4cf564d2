"""Client keys and certificates on the disk: made here, never half written, in two slots while one is renewed.

The present pair lies where the settings say, the next one beside it (`.next`). At every instant, also after a
power cut, one of the two is whole: the next pair is written key first, and takes the place of the present one
certificate first; a present certificate and key that do not fit each other mean that this was interrupted.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.uploader.service.custody import is_sealed, load_key, to_pem
from kiosk.uploader.service.tls import Credentials, fit_each_other, next_of


def make_key(path: Path, secret: bytes) -> ec.EllipticCurvePrivateKey:
    """A new client key; on return it is on the disk, sealed if there is a secret. Raises OSError."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_safely(path, to_pem(key, secret), 0o600)
    return key


def csr(key: ec.EllipticCurvePrivateKey, institution: str, terminal: str) -> str:
    """A certificate request, PEM."""
    names = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, institution),
        x509.NameAttribute(NameOID.COMMON_NAME, terminal),
    ]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


# ---- the two slots -----------------------------------------------------------------------------------------


def draft_next(credentials: Credentials, *, may_seal: bool = True) -> ec.EllipticCurvePrivateKey:
    """The key of the next pair, made if there is none; on return it is on the disk. Raises OSError.

    A key after a sealed one is sealed. One after a plain key is sealed only with `may_seal`: while a newer
    version is on trial, the older one, which reads no sealed keys, may have to take over.
    """
    path = next_of(credentials).key
    key = load_key(path.read_bytes(), credentials.secret) if path.exists() else None
    if key is None:
        sealed = may_seal or is_sealed(credentials.key)
        key = make_key(path, credentials.secret if sealed else b"")
    return key


def keep_next(credentials: Credentials, certificate: str) -> bool:
    """Put the certificate of the next pair beside its key; False when it is not for that key."""
    slot = next_of(credentials)
    draft = _draft_of(slot)
    write_safely(draft, certificate.encode(), 0o600)
    if not fit_each_other(replace(slot, certificate=draft)):
        draft.unlink()
        return False
    draft.rename(slot.certificate)
    sync_folder(slot.certificate.parent)
    return True


def promote_next(credentials: Credentials) -> None:
    """The next pair has worked: it takes the place of the present one. Repeated after a power cut."""
    slot = next_of(credentials)
    write_safely(credentials.certificate, slot.certificate.read_bytes(), 0o600)
    write_safely(credentials.key, slot.key.read_bytes(), 0o600)
    drop_next(credentials)


def drop_next(credentials: Credentials) -> None:
    """Forget the next pair: its key must not be certified a second time."""
    slot = next_of(credentials)
    for path in (slot.key, slot.certificate, _draft_of(slot)):
        path.unlink(missing_ok=True)
    sync_folder(slot.key.parent)


def tidy(credentials: Credentials) -> None:
    """After a start: finish what a power cut interrupted. Raises OSError."""
    slot = next_of(credentials)
    if fit_each_other(slot):
        if credentials.certificate.exists() and not fit_each_other(credentials):
            promote_next(credentials)
        elif slot.certificate.read_bytes() == _content(credentials.certificate):
            drop_next(credentials)
    elif slot.certificate.exists() or (
        slot.key.exists() and slot.key.read_bytes() == _content(credentials.key)
    ):
        drop_next(credentials)


def has_next(credentials: Credentials) -> bool:
    """Whether a whole next pair waits to be tried."""
    return fit_each_other(next_of(credentials))


def _draft_of(slot: Credentials) -> Path:
    return slot.certificate.with_name(slot.certificate.name + ".draft")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


# ---- files -------------------------------------------------------------------------------------------------


def write_safely(path: Path, content: bytes, mode: int) -> None:
    """Write so that after a power cut the file is there whole or not at all. The owner is the folder's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        folder = path.parent.stat()
        if os.geteuid() == 0 and folder.st_uid != 0:  # set up by root for the uploader's user
            os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
