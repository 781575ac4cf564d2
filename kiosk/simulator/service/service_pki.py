"""The service's private CA, made at run time: certifies the service and the terminals.

The folder appears as a whole or not at all (a rename of a finished folder), so a power cut in between leaves
nothing half made, and two processes that prepare the same folder agree.
"""

import contextlib
import ipaddress
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
SERVICE_DAYS = 730
CLIENT_DAYS = 365
BACKDATED = timedelta(hours=1)  #: against clocks that are a little behind
DRAFT_S = 60.0  #: no preparation takes as long
NAMES = ("127.0.0.1", "::1", "localhost")

ClientKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
ClientPublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True)
class Dates:
    """From when to when a certificate is valid (UTC)."""

    not_before: datetime
    not_after: datetime


def dates_from(now: datetime, days: float) -> Dates:
    """Valid from an hour before `now` until `days` after it."""
    return Dates(now - BACKDATED, now + timedelta(days=days))


@dataclass(frozen=True)
class ServiceFiles:
    """What `prepare_service` made, in PEM. Terminals need `ca`, the service all of it."""

    folder: Path
    ca: Path
    ca_key: Path
    certificate: Path
    key: Path
    database: Path  #: where the service keeps its store; made by the service


@dataclass(frozen=True)
class ClientFiles:
    """A terminal's certificate and private key as PEM files."""

    certificate: Path
    key: Path


def prepare_service(
    folder: Path,
    *,
    now: datetime | None = None,
    service_dates: Dates | None = None,
    names: tuple[str, ...] = NAMES,
) -> ServiceFiles:
    """Make CA and service certificate under `folder` unless they are there already.

    `now` is the present when not given; `service_dates` and `names` (IP addresses or DNS names) are for
    certificates that a client must refuse. They count only when the folder is made.
    """
    moment = datetime.now(UTC) if now is None else now
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pki = folder / "pki"
    if not pki.is_dir():
        _sweep(pki)
        _make_whole(pki, moment, service_dates or dates_from(moment, SERVICE_DAYS), names)
    return ServiceFiles(
        folder=folder,
        ca=pki / "ca.pem",
        ca_key=pki / "ca.key",
        certificate=pki / "service.pem",
        key=pki / "service.key",
        database=folder / "service.sqlite3",
    )


def issue_client(
    files: ServiceFiles, institution: str, terminal: str, public_key: ClientPublicKey, dates: Dates
) -> x509.Certificate:
    """Certify a terminal's key: subject O=<institution>, CN=<terminal>, for client authentication only."""
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    ca_key = _load_ec_key(files.ca_key)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, institution),
            x509.NameAttribute(NameOID.COMMON_NAME, terminal),
        ]
    )
    builder = _builder(subject, ca.subject, public_key, dates)
    return _end_entity(builder, ExtendedKeyUsageOID.CLIENT_AUTH, ca_key).sign(ca_key, hashes.SHA256())


def make_client(
    files: ServiceFiles, folder: Path, institution: str, terminal: str, *, dates: Dates | None = None
) -> ClientFiles:
    """Make a key and its certificate in `folder`, as enrolment would; an earlier pair is replaced."""
    key = ec.generate_private_key(ec.SECP256R1())
    period = dates or dates_from(datetime.now(UTC), CLIENT_DAYS)
    certificate = issue_client(files, institution, terminal, key.public_key(), period)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = ClientFiles(folder / "terminal.pem", folder / "terminal.key")
    _write(made.key, _key_pem(key))
    _write(made.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return made


def _make_whole(pki: Path, now: datetime, service_dates: Dates, names: tuple[str, ...]) -> None:
    """Make the folder under another name, then rename it: it is there complete or not at all."""
    draft = Path(tempfile.mkdtemp(prefix=f".{pki.name}-", dir=pki.parent))  # mode 0700
    try:
        _fill(draft, now, service_dates, names)
        _sync(draft)
        try:
            draft.rename(pki)
        except OSError:
            if not pki.is_dir():
                raise
            # Somebody else was quicker: theirs is as good, and it is the one that clients may have seen.
        _sync(pki.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sweep(pki: Path) -> None:
    """Remove what an interrupted preparation left; one under way has a draft younger than a minute."""
    for draft in pki.parent.glob(f".{pki.name}-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > DRAFT_S:
                shutil.rmtree(draft, ignore_errors=True)


def _fill(folder: Path, now: datetime, service_dates: Dates, names: tuple[str, ...]) -> None:
    ca_key = ec.generate_private_key(ec.SECP384R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated qualification service CA")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), dates_from(now, CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(ca_key, hashes.SHA384())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated qualification service")])
    builder = _builder(name, ca_name, key.public_key(), service_dates)
    certificate = (
        _end_entity(builder, ExtendedKeyUsageOID.SERVER_AUTH, ca_key)
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(folder / "ca.key", _key_pem(ca_key))
    _write(folder / "ca.pem", ca.public_bytes(serialization.Encoding.PEM))
    _write(folder / "service.key", _key_pem(key))
    _write(folder / "service.pem", certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ClientPublicKey, dates: Dates
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates.not_before)
        .not_valid_after(dates.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _end_entity(
    builder: x509.CertificateBuilder, purpose: x509.ObjectIdentifier, ca_key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _key_pem(key: ClientKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _write(path: Path, content: bytes) -> None:
    """Replace `path` with mode 0600, on disk before the name shows."""
    draft = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Put a folder's names on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
