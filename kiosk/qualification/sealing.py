"""Sealing with HPKE (RFC 9180, base mode), so that nothing on the SD card opens what waits there.

A sealed request opens only with the service's private key, a sealed answer only with the uploader's response
key, which lives in memory for one boot. What must be readable outside (ids, suite) is bound through `info`:
a blob moved to another record or terminal no longer opens. HPKE names no sender; the transcript's signature
and the client certificate do.
"""

from dataclasses import dataclass
from enum import StrEnum

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite


class SuiteName(StrEnum):
    """The HPKE suites we speak; the name is stored with each record."""

    X25519_SHA256_CHACHA20POLY1305 = "X25519-HKDF-SHA256-ChaCha20Poly1305"


class Purpose(StrEnum):
    """What a blob is for; a request never opens as an answer."""

    REQUEST = "qualification-request"
    ANSWER = "qualification-answer"


class UnsealError(ValueError):
    """The blob does not open: wrong key, altered bytes, or metadata of another record."""


@dataclass(frozen=True)
class SealingKey:
    """A public key to seal to. `public` is the raw X25519 key, 32 bytes."""

    key_id: str
    suite: SuiteName
    public: bytes


@dataclass(frozen=True)
class SealingInfo:
    """The readable metadata that a blob is bound to."""

    purpose: Purpose
    record: str  #: the visit id
    terminal: str
    institution: str
    key_id: str
    suite: SuiteName

    def info(self) -> bytes:
        """HPKE's `info`: canonical, so both ends derive the same bytes."""
        return rfc8785.dumps(
            {
                "v": 1,
                "purpose": self.purpose.value,
                "record": self.record,
                "terminal": self.terminal,
                "institution": self.institution,
                "key_id": self.key_id,
                "suite": self.suite.value,
            }
        )


def _suite(name: SuiteName) -> Suite:
    match name:
        case SuiteName.X25519_SHA256_CHACHA20POLY1305:
            return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def can_be_sealed_to(public: bytes) -> bool:
    """Whether these bytes are an X25519 key that a secret can be agreed on with: not so zeros and the other
    points of small order, for any private key (RFC 7748, 6.1).
    """
    try:
        X25519PrivateKey.from_private_bytes(bytes(range(32))).exchange(
            X25519PublicKey.from_public_bytes(public)
        )
    except ValueError:
        return False
    return True


def seal(plaintext: bytes, key: SealingKey, label: SealingInfo) -> bytes:
    """Return encapsulated key and ciphertext, 48 bytes longer than `plaintext`."""
    public = X25519PublicKey.from_public_bytes(key.public)
    return _suite(key.suite).encrypt(plaintext, public, info=label.info())


def unseal(blob: bytes, private: X25519PrivateKey, label: SealingInfo) -> bytes:
    """Open `blob`; raises UnsealError, which says nothing about the content."""
    try:
        return _suite(label.suite).decrypt(blob, private, info=label.info())
    except (InvalidTag, ValueError):
        raise UnsealError("the sealed blob does not open with this key and label") from None
