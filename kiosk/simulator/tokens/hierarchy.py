"""Keeps the test hierarchy of `pki` in a folder, so that slow key generation happens once per machine.

Layout: `hierarchy.json` (written last), `keys/*.der` (PKCS#8, not encrypted: nothing but test keys),
`certificates/*.der`, `trust/` as the reader's trust folder: one CA as PEM, one as DER.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk.simulator.tokens import pki
from kiosk.simulator.tokens.jpki_token import Identity, TokenKind

FORMAT = 1
"""Raised whenever what `_generate` makes changes; an older folder is made anew."""

KeyType = Literal["rsa", "ec"]

SIGNATURE = "signature"
CA_SERIALS = {"authentication-1": 0x0133C349, "authentication-2": 0x06D18006, "signature-1": 0x0133C34A}
MARGIN = dt.timedelta(days=30)
"""A kept hierarchy is used only while everything in it that should be valid stays so for this long."""


@dataclass(frozen=True)
class Hierarchy:
    """All identities by name, and the folder with the CA certificates to trust."""

    identities: dict[str, Identity] = field(repr=False)
    trust: Path

    def authentication(self, kind: TokenKind, *, key: KeyType = "rsa", expired: bool = False) -> Identity:
        """What this kind of token carries for authentication."""
        return self.identities[identity_name(kind, key, expired=expired)]

    @property
    def signature(self) -> Identity:
        """The identity for digital signature; the tokens share it, for the kiosk never touches it."""
        return self.identities[SIGNATURE]


def identity_name(kind: TokenKind, key: KeyType, *, expired: bool) -> str:
    return f"{kind.name.lower()}-{key}" + ("-expired" if expired else "")


def default_folder() -> Path:
    """Where the simulator keeps its hierarchy unless told otherwise: the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "kiosk" / "virtual-jpki"


def ensure_hierarchy(folder: Path, *, now: dt.datetime | None = None) -> Hierarchy:
    """The hierarchy kept in `folder`, made first if there is none, or none that is valid at `now` (UTC,
    default: today).

    Safe against others doing the same at once. Raises OSError if the folder cannot be written.
    """
    moment = now or dt.datetime.now(dt.UTC)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / f".{folder.name}.lock"):
        if not _usable(folder, moment):
            _make(folder, moment)
        return _load(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _usable(folder: Path, now: dt.datetime) -> bool:
    try:
        head = json.loads((folder / "hierarchy.json").read_text("utf-8"))
        begin, end = (
            dt.datetime.fromisoformat(head["not_before"]),
            dt.datetime.fromisoformat(head["not_after"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return head.get("format") == FORMAT and begin <= now and now + MARGIN <= end


def _make(folder: Path, now: dt.datetime) -> None:
    """Generate beside, then put in place with one rename."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # mode 0700
    try:
        _generate(fresh, now)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _generate(folder: Path, now: dt.datetime) -> None:
    day = now.replace(microsecond=0) - dt.timedelta(days=1)
    year = dt.timedelta(days=365)
    valid = pki.Validity(day, day + pki.TOKEN_LIFE)
    ended = pki.Validity(day - pki.TOKEN_LIFE, day - MARGIN)
    first = pki.Validity(day - 6 * year, day - 6 * year + 3 * pki.CA_LIFE)
    second = pki.Validity(day - year, day - year + pki.CA_LIFE)
    old = pki.new_authority("user authentication", CA_SERIALS["authentication-1"], first)
    new = pki.new_authority("user authentication", CA_SERIALS["authentication-2"], second)
    signing = pki.new_authority("digital signature", CA_SERIALS["signature-1"], first)
    store = _Store(folder)
    serial = 0x1A0000
    issuers = {TokenKind.CARD: new, TokenKind.ANDROID: old, TokenKind.IPHONE: new}
    for kind, issuer in issuers.items():
        keys: dict[KeyType, pki.Key] = {"rsa": pki.new_rsa_key(), "ec": pki.new_ec_key()}
        for key_type, key in keys.items():
            for expired in (False, True):
                serial += 1
                by = old if expired else issuer
                identity = pki.issue(by, key, serial, ended if expired else valid)
                store.identity(identity_name(kind, key_type, expired=expired), identity)
    store.identity(SIGNATURE, pki.issue(signing, pki.new_rsa_key(), serial + 1, valid, signature=True))
    trust = folder / "trust"
    trust.mkdir(mode=0o700)
    store.write(trust / "authentication-1.pem", old.certificate.public_bytes(serialization.Encoding.PEM))
    store.write(trust / "authentication-2.der", new.der)
    head = {
        "format": FORMAT,
        "not_before": valid.not_before.isoformat(),
        "not_after": valid.not_after.isoformat(),
    }
    store.write(folder / "hierarchy.json", json.dumps(head).encode())


class _Store:
    def __init__(self, folder: Path) -> None:
        self._keys, self._certificates = folder / "keys", folder / "certificates"
        self._keys.mkdir(mode=0o700)
        self._certificates.mkdir(mode=0o700)

    def identity(self, name: str, identity: Identity) -> None:
        key = identity.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.write(self._keys / f"{name}.der", key)
        self.write(self._certificates / f"{name}.der", identity.certificate)
        self.write(self._certificates / f"{name}.ca.der", identity.ca_certificate)

    def write(self, path: Path, content: bytes) -> None:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        ) as file:
            file.write(content)


def _load(folder: Path) -> Hierarchy:
    identities = {}
    for path in sorted((folder / "keys").glob("*.der")):
        key = serialization.load_der_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        certificate = (folder / "certificates" / path.name).read_bytes()
        ca = (folder / "certificates" / f"{path.stem}.ca.der").read_bytes()
        identities[path.stem] = Identity(key, certificate, ca)
    return Hierarchy(identities, folder / "trust")


def subject_of(identity: Identity) -> str:
    """The certificate's subject, for people."""
    return x509.load_der_x509_certificate(identity.certificate).subject.rfc4514_string()
