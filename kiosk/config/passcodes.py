"""Passcodes of staff: kept as scrypt hashes in the settings, compared in constant time. PURE."""

import base64
import binascii
import hashlib
import hmac

#: RFC 7914 section 2; 16 MiB and some 50 ms on a Raspberry Pi 4, once per entry.
COST_N, BLOCK_R, PARALLEL_P = 2**14, 8, 1
SALT_BYTES, HASH_BYTES = 16, 32
_MEMORY = 64 * 1024 * 1024


def hash_passcode(passcode: bytearray, salt: bytes) -> str:
    """The text for `passcode = …` in the settings: `scrypt$n$r$p$salt$hash`, base64."""
    digest = _scrypt(passcode, salt, COST_N, BLOCK_R, PARALLEL_P)
    parts = (COST_N, BLOCK_R, PARALLEL_P, base64.b64encode(salt).decode(), base64.b64encode(digest).decode())
    return "$".join(("scrypt", *map(str, parts)))


def verify(passcode: bytearray, stored: str) -> bool:
    """Whether the passcode fits the stored text; False for a text that is not one of ours."""
    try:
        name, n, r, p, salt, wanted = stored.split("$")
        digest = _scrypt(passcode, base64.b64decode(salt, validate=True), int(n), int(r), int(p))
        return name == "scrypt" and hmac.compare_digest(digest, base64.b64decode(wanted, validate=True))
    except (ValueError, binascii.Error):
        return False


def _scrypt(passcode: bytearray, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(passcode, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=HASH_BYTES)
