"""The one TLS context: 1.3 only, exactly our CA, our client certificate. No driver, only `ssl` and files."""

import os
import socket
import ssl
import stat
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kiosk.uploader.service.custody import is_locked
from kiosk.uploader.service.wire import FaultKind, RequestFault

_FOREIGN = stat.S_IRWXG | stat.S_IRWXO
_HANDSHAKE = 22  #: ContentType of RFC 8446 5.1
_CERTIFICATE_REQUEST = 13  #: HandshakeType of RFC 8446 4


@dataclass(frozen=True)
class Credentials:
    """Where the private CA, the client certificate and its key lie, and what the key is sealed with."""

    ca: Path
    certificate: Path
    key: Path
    secret: bytes = field(default=b"", repr=False)  #: of this device (custody.py); b"": it has none

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """A value that changes when one of the files is replaced, appears or goes."""
        return tuple(_stamp(path) for path in (self.ca, self.certificate, self.key))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_mode)


class NotAskedError(ssl.SSLError):
    """The server never asked who we are."""


class MutualContext(ssl.SSLContext):
    """Refuses a server that does not ask for a client certificate: whoever takes records without looking who
    sends them is not the service, or is set up wrongly. Nothing has been sent to it then.

    `ssl` has no public word for "was asked", and in TLS 1.3 the request is encrypted. Its debugging hook sees
    the decrypted handshake; should a Python come without it, every server is refused and the tests say so.
    A resumed session would not be asked again; this client resumes none.
    """

    def __init__(self, *_: object) -> None:  # SSLContext takes the protocol in __new__
        self._asked: weakref.WeakSet[ssl.SSLSocket | ssl.SSLObject] = weakref.WeakSet()
        self._msg_callback = self._overhear

    def _overhear(
        self,
        connection: ssl.SSLSocket | ssl.SSLObject,
        direction: str,
        _version: int,
        content: int,
        message: int,
        _data: bytes,
    ) -> None:
        if direction == "read" and content == _HANDSHAKE and message == _CERTIFICATE_REQUEST:
            self._asked.add(connection)

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """As ever, handshake included; raises NotAskedError."""
        wrapped = super().wrap_socket(sock, *args, **kwargs)
        if wrapped.version() is None:  # `ssl` lets the handshake of a dead connection be
            wrapped.close()
            raise ConnectionResetError("the connection broke before the handshake")
        if wrapped not in self._asked:
            wrapped.close()
            raise NotAskedError("the server did not ask for a client certificate")
        return wrapped


def next_of(credentials: Credentials) -> Credentials:
    """Where the pair lies that is to take this one's place when it has worked (keypairs.py)."""
    return replace(
        credentials,
        certificate=credentials.certificate.with_name(credentials.certificate.name + ".next"),
        key=credentials.key.with_name(credentials.key.name + ".next"),
    )


def in_use(credentials: Credentials) -> Credentials:
    """The present pair; the next one in the moment, prolonged by a power cut, in which it is replaced."""
    if fit_each_other(credentials) or not fit_each_other(next_of(credentials)):
        return credentials
    return next_of(credentials)


def fit_each_other(credentials: Credentials) -> bool:
    """Whether certificate and key are there and belong together."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            credentials.certificate, credentials.key, password=credentials.secret
        )
    except (ssl.SSLError, OSError, ValueError):
        return False
    return True


def client_context(credentials: Credentials) -> ssl.SSLContext | RequestFault:
    """Return the context for the main port, or why there is none."""
    context = _trusting(credentials.ca, MutualContext(ssl.PROTOCOL_TLS_CLIENT))
    if isinstance(context, RequestFault):
        return context
    if not credentials.certificate.is_file() or not credentials.key.is_file():
        return RequestFault(FaultKind.NO_CREDENTIALS, reached=False)
    pair = in_use(credentials)
    if not key_is_ours(pair.key):
        return RequestFault(FaultKind.KEY_UNSAFE, reached=False)
    try:
        if is_locked(pair.key, pair.secret):
            return RequestFault(FaultKind.KEY_LOCKED, reached=False)
        context.load_cert_chain(pair.certificate, pair.key, password=pair.secret)
    except (ssl.SSLError, OSError, ValueError):
        return RequestFault(FaultKind.NO_CREDENTIALS, reached=False)
    return context


def server_only_context(ca: Path) -> ssl.SSLContext | RequestFault:
    """Return a context without client certificate, for enrolment alone."""
    return _trusting(ca, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _trusting(ca: Path, context: ssl.SSLContext) -> ssl.SSLContext | RequestFault:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    try:
        ours = _certificates(ca.read_text(encoding="ascii"))
        for der in ours:
            context.load_verify_locations(cadata=der)
    except (OSError, ValueError, ssl.SSLError):
        return RequestFault(FaultKind.NO_CREDENTIALS, reached=False)
    if not ours or not holds_exactly(context, ours):
        return RequestFault(FaultKind.NO_CREDENTIALS, reached=False)
    return context


def holds_exactly(context: ssl.SSLContext, ours: frozenset[bytes]) -> bool:
    """Whether the context trusts these CA certificates (DER) and none besides.

    Libraries have been known to add the public CAs to a context they were given (requests before 2.32).
    """
    return frozenset(context.get_ca_certs(binary_form=True)) == ours


def key_is_ours(key: Path) -> bool:
    """Whether the key's file belongs to this user (or root) and nobody else may touch it: 0600 or 0400."""
    try:
        found = key.stat()
    except OSError:
        return False
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & (_FOREIGN | stat.S_IXUSR)


def _certificates(pem: str) -> frozenset[bytes]:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    blocks = [part.split(end)[0] for part in pem.split(begin)[1:]]
    return frozenset(ssl.PEM_cert_to_DER_cert(f"{begin}{block}{end}\n") for block in blocks)
