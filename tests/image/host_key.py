"""What systemd-creds seals to a host key, opened with the two files alone: as a thief of the card can.

The form is that of systemd's src/shared/creds-util.c, versions 250 to 257, `--with-key=host`. No systemd
here, so no machine id is asked for: it takes no part in the sealing.
"""

import hashlib
import struct
from base64 import b64decode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED, HOST_KEY = "device.sealed", "host.key"  #: in lib/kiosk-secret of the data partition
_BY_HOST = bytes.fromhex("5a1c6a86df9d4096b1d5a65e0862f19a")  #: CRED_AES256_GCM_BY_HOST
_MACHINE_ID = 16  #: bytes of it before the host key's own


def opened(folder: Path) -> bytes | None:
    """The secret that lies sealed in this folder; None when the host key does not open it. Raises OSError."""
    sealed = b64decode((folder / SEALED).read_bytes())
    host_key = (folder / HOST_KEY).read_bytes()[_MACHINE_ID:]
    head = struct.Struct("<16s4I")
    if len(sealed) < head.size:
        return None
    kind, _, _, iv_size, tag_size = head.unpack_from(sealed)
    if kind != _BY_HOST or tag_size != 16:
        return None
    begin = _padded(head.size + iv_size)
    cipher = AESGCM(hashlib.sha256(host_key).digest())
    try:
        plain = cipher.decrypt(sealed[head.size : head.size + iv_size], sealed[begin:], sealed[:begin])
    except InvalidTag:
        return None
    _, _, name_size = struct.unpack_from("<QQI", plain)
    return plain[_padded(20 + name_size) :]


def _padded(size: int) -> int:
    return (size + 7) // 8 * 8
