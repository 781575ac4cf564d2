"""Small TLS servers that misbehave: certificates made at run time, answers byte by byte."""

import contextlib
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey
#: What RFC 5280 wants of a CA beside its name; Python 3.13 refuses certificates without (VERIFY_X509_STRICT).
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
Talk = Callable[[ssl.SSLSocket, bytes], None]  #: what to do with one request, headers and body


@dataclass(frozen=True)
class Authority:
    """A CA with what it issues, in one folder."""

    folder: Path
    key: Key
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test CA {folder.name}")])
        ca = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(name, name, key, timedelta(days=-1)).add_extension(ca, critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        certificate = builder.add_extension(SIGNS_CERTIFICATES, critical=True).sign(key, hashes.SHA256())
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def issue(
        self, name: str, *, address: str = "127.0.0.1", begins: timedelta = timedelta(days=-1)
    ) -> "Pair":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = _builder(subject, self.certificate.subject, key, begins)
        builder = builder.add_extension(alternative, critical=False).add_extension(issuer, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pair.key.touch(mode=0o600)
        pair.key.write_bytes(pem)
        return pair


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, begins: timedelta) -> x509.CertificateBuilder:
    start = datetime.now(UTC) + begins
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=10))
    )


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path


@dataclass
class Server:
    """A running server; `requests` are those that came in whole, `connections` how many were accepted."""

    url: str
    requests: list[bytes]
    connections: int = 0


@contextmanager
def serving(
    pair: Pair,
    talk: Talk,
    *,
    client_ca: Path | None = None,
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> Iterator[Server]:
    """Answer one connection at a time with `talk` until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = highest
    context.load_cert_chain(pair.certificate, pair.key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"https://127.0.0.1:{listener.getsockname()[1]}", [])
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            raw.settimeout(8)
            with contextlib.suppress(OSError), _wrapped(context, raw) as connection:
                while request := read_request(connection):
                    server.requests.append(request)
                    talk(connection, request)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def _wrapped(context: ssl.SSLContext, raw: socket.socket) -> Iterator[ssl.SSLSocket]:
    with context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as connection:
        try:
            connection.do_handshake()
        except ssl.SSLError:
            # As a good server does: a reset at once would overtake the alert that says why.
            connection.settimeout(0.3)
            while socket.socket.recv(connection, 4096):
                pass
            raise
        yield connection


def read_request(connection: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def response(status: int, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP response."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(data: bytes) -> Talk:
    """Answer every request with the same bytes."""

    def talk(connection: ssl.SSLSocket, _request: bytes) -> None:
        connection.sendall(data)

    return talk


SUITE = "X25519-HKDF-SHA256-ChaCha20Poly1305"
KEYS = json.dumps(
    {
        "service": "s",
        "keys": [
            {"key_id": "k", "suite": "X25519-HKDF-SHA256-ChaCha20Poly1305", "public": "CQ" + "A" * 41 + "="}
        ],
    }
).encode()
