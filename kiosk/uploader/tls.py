"""The one TLS context: 1.3 only, exactly our CA, our client certificate. No driver, only `ssl` and files."""

import os
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from kiosk.uploader.wire import Fault, FaultKind

_FOREIGN = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Credentials:
    """Where the private CA, the client certificate and its key lie."""

    ca: Path
    certificate: Path
    key: Path

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """A value that changes when one of the files is replaced, appears or goes."""
        return tuple(_stamp(path) for path in (self.ca, self.certificate, self.key))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_mode)


def client_context(credentials: Credentials) -> ssl.SSLContext | Fault:
    """Return the context for the main port, or why there is none."""
    context = server_only_context(credentials.ca)
    if isinstance(context, Fault):
        return context
    if not credentials.certificate.is_file() or not credentials.key.is_file():
        return Fault(FaultKind.NO_CREDENTIALS, reached=False)
    if not key_is_ours(credentials.key):
        return Fault(FaultKind.KEY_UNSAFE, reached=False)
    try:
        context.load_cert_chain(credentials.certificate, credentials.key, password="")
    except (ssl.SSLError, OSError, ValueError):
        return Fault(FaultKind.NO_CREDENTIALS, reached=False)
    return context


def server_only_context(ca: Path) -> ssl.SSLContext | Fault:
    """Return a context without client certificate, for enrolment alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    try:
        ours = _certificates(ca.read_text(encoding="ascii"))
        for der in ours:
            context.load_verify_locations(cadata=der)
    except (OSError, ValueError, ssl.SSLError):
        return Fault(FaultKind.NO_CREDENTIALS, reached=False)
    if not ours or not holds_exactly(context, ours):
        return Fault(FaultKind.NO_CREDENTIALS, reached=False)
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
