"""How the client key lies at rest: PKCS #8 sealed with the device's secret, or plain where a device has none.

The secret is given by whoever starts the process and is passed down from there; what seals it is the service
manager's matter, and differs from level to level (docs/keys.md).
"""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

CREDENTIAL = "kiosk.device"  #: the secret's name, here and in deploy/appliance
PLAIN, HOST_KEY = -1, 0  #: levels of custody, docs/keys.md
_SEALED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def device_secret(environ: Mapping[str, str]) -> bytes:
    """What the service manager handed over, systemd.exec(5), LoadCredential=; b"" when nothing. Raises
    OSError.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return b""
    try:
        return (Path(folder) / CREDENTIAL).read_bytes().strip()
    except FileNotFoundError:
        return b""


def to_pem(key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """The key as it shall lie on the disk."""
    sealing: KeySerializationEncryption = BestAvailableEncryption(secret) if secret else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing)


def load_key(pem: bytes, secret: bytes) -> ec.EllipticCurvePrivateKey | None:
    """Read a key, sealed or plain; None when it is none of ours or cannot be opened."""
    try:
        found = load_pem_private_key(pem, password=secret if pem.startswith(_SEALED) else None)
    except (ValueError, TypeError):
        return None
    return found if isinstance(found, ec.EllipticCurvePrivateKey) else None


def is_sealed(path: Path) -> bool:
    """Whether this key lies sealed. Raises OSError, but not for a file that is not there."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SEALED)) == _SEALED
    except FileNotFoundError:
        return False


def is_locked(path: Path, secret: bytes) -> bool:
    """Whether a key is there that another secret sealed, or one that is missing now. Raises OSError."""
    return is_sealed(path) and load_key(path.read_bytes(), secret) is None


def level(key: Path) -> int:
    """The level of custody that the device reports."""
    try:
        return HOST_KEY if is_sealed(key) else PLAIN
    except OSError:
        return PLAIN
