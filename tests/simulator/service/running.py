"""A terminal and a service process for tests: what the uploader does, by hand and with every liberty."""

import base64
import json
import signal
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import uuid6
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from requests.adapters import HTTPAdapter

from kiosk.qualification.consent import NOT_ASKED, Consent
from kiosk.qualification.devices import Device
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, SuiteName, seal, unseal
from kiosk.qualification.terms import Authentication, Mode, SignatureAlgorithm
from kiosk.qualification.transcript import Transcript
from kiosk.simulator.service.service_control import ServiceControl
from kiosk.simulator.service.service_pki import ClientFiles, ServiceFiles, make_client, prepare_service
from kiosk.simulator.tokens.jpki_token import Identity
from tests.simulator.service.openapi_conformity import Conformity

INSTITUTION = "1312345678"
SUITE = SuiteName.X25519_SHA256_CHACHA20POLY1305


@dataclass(frozen=True)
class RunningService:
    """A `kiosk simulate service` process."""

    files: ServiceFiles
    port: int
    enrol_port: int
    control: ServiceControl
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def enrol_url(self) -> str:
        return f"https://127.0.0.1:{self.enrol_port}"


@contextmanager
def running_service(folder: Path, *options: str, port: int = 0) -> Iterator[RunningService]:
    """Start the process, wait until it is ready, and stop it in the end."""
    files = prepare_service(folder)
    control = folder / "control.sock"
    command = [sys.executable, "-m", "kiosk", "simulate", "service", "--folder", str(folder)]
    command += ["--control", str(control), "--port", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield RunningService(files, ready["port"], ready["enrol_port"], ServiceControl(control), process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


class PinnedAdapter(HTTPAdapter):
    """Exactly one CA, an own client certificate, nothing from the environment."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)


def client_context(ca: Path, client: ClientFiles | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context


def pinned_session(context: ssl.SSLContext) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", PinnedAdapter(context))
    return session


class Terminal:
    """One terminal with its client certificate, a token in the hand, and the response key of its boot."""

    def __init__(
        self,
        service: RunningService,
        folder: Path,
        identity: Identity,
        conformity: Conformity,
        *,
        name: str = "K001",
        institution: str = INSTITUTION,
        client: ClientFiles | None = None,
    ) -> None:
        self.service = service
        self.name = name
        self.institution = institution
        self.identity = identity
        self.conformity = conformity
        own = folder / f"{institution}-{name}"
        self.client = client or make_client(service.files, own, institution, name)
        self.session = pinned_session(client_context(service.files.ca, self.client))
        self.response_key = X25519PrivateKey.generate()
        self.response_key_id = f"boot-{uuid.uuid4()}"

    # ---- operations; every answer is held against the OpenAPI document

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self.session.request(method, self.service.url + path, timeout=10, **options)
        self.conformity.check(method, path, response)
        return response

    def challenge(self, visit: str) -> bytes:
        self.conformity.check_request("post", "/v1/challenges", {"visit": visit})
        response = self.call("POST", "/v1/challenges", json={"visit": visit})
        assert response.status_code == 201, response.text
        return base64.b64decode(response.json()["challenge"])

    def keys(self) -> list[dict[str, str]]:
        return list(self.call("GET", "/v1/keys").json()["keys"])

    def post(self, record: str, body: dict[str, Any]) -> requests.Response:
        self.conformity.check_request("post", "/v1/qualifications", body)
        return self.call("POST", "/v1/qualifications", json=body, headers={"Idempotency-Key": record})

    def status(self, record: str) -> requests.Response:
        return self.call("GET", f"/v1/qualifications/{record}")

    def submit(self, visit: str, **changes: Any) -> requests.Response:
        """A whole visit: challenge, transcript, signature, sealing, post."""
        return self.post(visit, self.sealed(visit, self.transcript(visit, self.challenge(visit), **changes)))

    # ---- making requests

    def transcript(self, visit: str, challenge: bytes | None, **changes: Any) -> Transcript:
        plain = Transcript(
            service="simulator",
            terminal=self.name,
            institution=self.institution,
            visit=visit,
            mode=Mode.QUALIFICATION_ONLY,
            device=Device.CARD,
            authentication=Authentication.PIN,
            consent=NOT_ASKED,
            taken_at=now_text(),
            clock_trusted=True,
            challenge=challenge,
        )
        return replace(plain, **changes)

    def request(self, transcript: Transcript) -> QualificationRequest:
        encoded = transcript.encode()
        algorithm, signature = sign(self.identity.key, encoded)
        visual = transcript.authentication is Authentication.VISUAL
        return QualificationRequest(
            transcript=encoded,
            certificate=self.identity.certificate,
            signature=None if visual else signature,
            algorithm=None if visual else algorithm,
            response_key_id=self.response_key_id,
            response_key=self.response_key.public_key().public_bytes_raw(),
        )

    def sealed(self, record: str, signed: Transcript, /, **changes: Any) -> dict[str, Any]:
        """The body of a post; `changes` alter the request before it is sealed."""
        return self.sealed_bytes(record, replace(self.request(signed), **changes).encode())

    def sealed_bytes(
        self, record: str, plaintext: bytes, key: dict[str, str] | None = None
    ) -> dict[str, Any]:
        chosen = key or self.keys()[0]
        label = SealingInfo(Purpose.REQUEST, record, self.name, self.institution, chosen["key_id"], SUITE)
        public = SealingKey(chosen["key_id"], SUITE, base64.b64decode(chosen["public"]))
        blob = seal(plaintext, public, label)
        return {
            "v": 1,
            "suite": SUITE.value,
            "key_id": chosen["key_id"],
            "sealed": base64.b64encode(blob).decode(),
        }

    def open_answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The person data of an answer, as the uploader's memory would have it."""
        answer = body["answer"]
        assert answer["key_id"] == self.response_key_id
        label = SealingInfo(
            Purpose.ANSWER,
            body["id"],
            self.name,
            self.institution,
            answer["key_id"],
            SuiteName(answer["suite"]),
        )
        plain = json.loads(unseal(base64.b64decode(answer["sealed"]), self.response_key, label))
        self.conformity.validate("AnswerPlaintext", plain)
        return dict(plain)


def sign(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, data: bytes
) -> tuple[SignatureAlgorithm, bytes]:
    match key:
        case rsa.RSAPrivateKey():
            return SignatureAlgorithm.RSA_PKCS1_SHA256, key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        case _:
            return SignatureAlgorithm.ECDSA_P384_SHA384, key.sign(data, ec.ECDSA(hashes.SHA384()))


def new_visit() -> str:
    return str(uuid6.uuid7())


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def home(consent: Consent) -> dict[str, Any]:
    """The transcript fields of a visit in home mode."""
    return {"mode": Mode.HOME_CONSENT, "consent": consent}
