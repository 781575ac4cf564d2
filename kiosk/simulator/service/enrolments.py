"""POST /v1/enrolments and /v1/renewals: a certificate request becomes a client certificate.

The code is bound to the medical institution code and lives 24 hours. The same code with the same key and
terminal name gets the same certificate again, so a power cut before the terminal stored it bricks nothing.
A renewal needs no code but the present certificate, and a key that has never been certified; asked again with
that key it gives the same certificate. The present one stays good until its own end.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk.simulator.service.operations import Completed, Operations
from kiosk.simulator.service.problems import ProblemCode, Refusal
from kiosk.simulator.service.service_pki import (
    CLIENT_DAYS,
    ClientPublicKey,
    ServiceFiles,
    dates_from,
    issue_client,
)
from kiosk.simulator.service.store import ClientTerminal, Store

CODE_LIFE_S = 24 * 3600.0
WRONG_ATTEMPTS = 5
INSTITUTION_FORM = re.compile(r"[0-9]{10}")
TERMINAL_FORM = re.compile(r"[A-Za-z0-9-]{1,32}")
CODE_FORM = re.compile(r"[0-9]{12}")
MIN_RSA_BITS = 2048
_CSR_FORM = "csr must be PEM, signed by its key: EC P-256, P-384 or RSA from 2048 bits"


@dataclass(frozen=True)
class Application:
    """A body of POST /v1/enrolments that reads well."""

    institution: str
    terminal: str
    code_hash: bytes
    public_key: ClientPublicKey
    key_hash: bytes


@dataclass(frozen=True)
class _Code:
    """A code as the store has it; the last three are of the enrolment that used it."""

    issued: float
    expires: float
    terminal: str | None
    key_hash: bytes | None
    certificate: str | None


class EnrolmentOperations:
    """Enrolment, on its own port, and renewal, on the main one. `clock` gives seconds since 1970."""

    def __init__(
        self, store: Store, operations: Operations, files: ServiceFiles, name: str, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._operations = operations
        self._files = files
        self._name = name
        self._clock = clock

    def issue_code(self, institution: str, code: str, life_s: float = CODE_LIFE_S) -> None:
        """Take up a code, as the clinic's portal would issue it, and forget the wrong attempts before.

        A code that is known already stays as it is: used is used, however often the service is started.
        """
        now = self._clock()
        with self._store.transaction():
            self._store.db.execute(
                "INSERT OR IGNORE INTO activation_codes (institution, code_hash, issued, expires)"
                " VALUES (?, ?, ?, ?)",
                (institution, _hash(code), now, now + life_s),
            )
            self._forget_attempts(institution)

    def enrol(self, body: object) -> Completed | Refusal:
        """POST /v1/enrolments."""
        application = _read(body)
        if isinstance(application, Refusal):
            return application
        now = self._clock()
        with self._store.transaction():
            locked = self._locked(application.institution, now)
            if locked is not None:
                return locked
            code = self._code(application)
            if code is None:
                self._count_wrong(application.institution, now)
                return Refusal(ProblemCode.ACTIVATION_CODE)
            if code.certificate is not None:
                if (code.key_hash, code.terminal) != (application.key_hash, application.terminal):
                    return Refusal(ProblemCode.ACTIVATION_USED)
                return Completed(200, self._enrolled(code.certificate))
            if code.expires <= now:
                return Refusal(ProblemCode.ACTIVATION_EXPIRED)
            return Completed(201, self._enrolled(self._certify(application, now)))

    def renew(self, peer: ClientTerminal, present: bytes, body: object) -> Completed | Refusal:
        """POST /v1/renewals. `present`: the certificate that the terminal came with, DER."""
        match body:
            case {"csr": str(csr), **rest} if not rest:
                key = _requested_key(csr)
            case _:
                return Refusal(ProblemCode.MALFORMED, "the body needs exactly csr")
        if key is None:
            return Refusal(ProblemCode.MALFORMED, _CSR_FORM)
        key_hash = _key_hash(key)
        owner = (peer.institution, peer.terminal)
        now = self._clock()
        with self._store.transaction():
            row = self._store.db.execute(
                "SELECT certificate FROM renewals WHERE (institution, terminal, key_hash) = (?, ?, ?)",
                (*owner, key_hash),
            ).fetchone()
            if row is not None:
                return Completed(200, self._enrolled(row[0]))
            if self._certified(key_hash, present):
                return Refusal(ProblemCode.KEY_REUSED)
            pem = self._issue(*owner, key, now)
            self._store.db.execute("INSERT INTO renewals VALUES (?, ?, ?, ?)", (*owner, key_hash, pem))
            return Completed(201, self._enrolled(pem))

    def _certified(self, key_hash: bytes, present: bytes) -> bool:
        """Whether a certificate of this key is known: the present one, an enrolled or a renewed one."""
        certificate = x509.load_der_x509_certificate(present)
        spki = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        known = self._store.db.execute(
            "SELECT 1 FROM activation_codes WHERE key_hash = ? UNION ALL"
            " SELECT 1 FROM renewals WHERE key_hash = ?",
            (key_hash, key_hash),
        ).fetchone()
        return known is not None or hashlib.sha256(spki).digest() == key_hash

    def _issue(self, institution: str, terminal: str, key: ClientPublicKey, now: float) -> str:
        dates = dates_from(datetime.fromtimestamp(now, UTC), CLIENT_DAYS)
        certificate = issue_client(self._files, institution, terminal, key, dates)
        serial = f"{certificate.serial_number:x}"
        self._store.add_certificate(ClientTerminal(institution, terminal, serial), now)
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _locked(self, institution: str, now: float) -> Refusal | None:
        row = self._store.db.execute(
            "SELECT wrong, last FROM activation_attempts WHERE institution = ?", (institution,)
        ).fetchone()
        if row is None or row[0] < WRONG_ATTEMPTS:
            return None
        left = row[1] + CODE_LIFE_S - now
        if left <= 0:
            self._forget_attempts(institution)
            return None
        return Refusal(ProblemCode.TOO_MANY_ATTEMPTS, retry_after=max(1, int(left)))

    def _code(self, application: Application) -> _Code | None:
        row = self._store.db.execute(
            "SELECT issued, expires, terminal, key_hash, certificate FROM activation_codes"
            " WHERE institution = ? AND code_hash = ?",
            (application.institution, application.code_hash),
        ).fetchone()
        return None if row is None else _Code(*row)

    def _count_wrong(self, institution: str, now: float) -> None:
        self._store.db.execute(
            "INSERT INTO activation_attempts VALUES (?, 1, ?)"
            " ON CONFLICT (institution) DO UPDATE SET wrong = wrong + 1, last = excluded.last",
            (institution, now),
        )

    def _forget_attempts(self, institution: str) -> None:
        self._store.db.execute("DELETE FROM activation_attempts WHERE institution = ?", (institution,))

    def _certify(self, application: Application, now: float) -> str:
        pem = self._issue(application.institution, application.terminal, application.public_key, now)
        self._store.db.execute(
            "UPDATE activation_codes SET terminal = ?, key_hash = ?, certificate = ?"
            " WHERE institution = ? AND code_hash = ?",
            (
                application.terminal,
                application.key_hash,
                pem,
                application.institution,
                application.code_hash,
            ),
        )
        self._forget_attempts(application.institution)
        return pem

    def _enrolled(self, certificate: str) -> dict[str, Any]:
        return {
            "certificate": certificate,
            "service": self._name,
            "keys": self._operations.published_keys(),
        }


def _read(body: object) -> Application | Refusal:
    match body:
        case {
            "institution": str(institution),
            "terminal": str(terminal),
            "activation_code": str(code),
            "csr": str(csr),
            **rest,
        } if not rest:
            pass
        case _:
            return Refusal(
                ProblemCode.MALFORMED, "the body needs exactly institution, terminal, activation_code and csr"
            )
    if not INSTITUTION_FORM.fullmatch(institution) or not TERMINAL_FORM.fullmatch(terminal):
        return Refusal(
            ProblemCode.MALFORMED, "institution is 10 digits, terminal up to 32 letters, digits and hyphens"
        )
    if not CODE_FORM.fullmatch(code):
        return Refusal(ProblemCode.MALFORMED, "activation_code is 12 digits")
    key = _requested_key(csr)
    if key is None:
        return Refusal(ProblemCode.MALFORMED, _CSR_FORM)
    return Application(institution, terminal, _hash(code), key, _key_hash(key))


def _requested_key(csr: str) -> ClientPublicKey | None:
    """The key of the request, if it signed the request; what else the request says is not taken over."""
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        signed = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        return None
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1()) if signed:
            return key
        case rsa.RSAPublicKey() if signed and key.key_size >= MIN_RSA_BITS:
            return key
        case _:
            return None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _key_hash(key: ClientPublicKey) -> bytes:
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()
