"""The uploader as a process, and a screen process played by hand: seals, commits, hears the answers."""

import base64
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import uuid6
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk import channel
from kiosk.channel import AskChallenge, ChallengeGiven, CommitRecord, FromUploader, SealingKeys
from kiosk.channel.seqpacket import connect
from kiosk.qualification.consent import NOT_ASKED
from kiosk.qualification.devices import Device
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, SuiteName, seal
from kiosk.qualification.terms import Authentication, Mode, SignatureAlgorithm
from kiosk.qualification.transcript import Transcript

INSTITUTION = "1312345678"
TERMINAL = "K001"
PATIENCE_S = 45.0

T = TypeVar("T", bound=FromUploader)


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_visit() -> str:
    return str(uuid6.uuid7())


@dataclass(frozen=True)
class Token:
    """An invented person's token; the service of these tests does not check chains."""

    key: ec.EllipticCurvePrivateKey
    certificate: bytes

    @classmethod
    def make(cls) -> "Token":
        key = ec.generate_private_key(ec.SECP384R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented Person")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .sign(key, hashes.SHA384())
        )
        return cls(key, certificate.public_bytes(serialization.Encoding.DER))


def sealed_request(
    token: Token, keys: SealingKeys, visit: str, challenge: bytes | None = None, *, clock_trusted: bool = True
) -> CommitRecord:
    """What the screen process hands to the uploader for a visit."""
    transcript = Transcript(
        service=keys.service,
        terminal=TERMINAL,
        institution=INSTITUTION,
        visit=visit,
        mode=Mode.QUALIFICATION_ONLY,
        device=Device.CARD,
        authentication=Authentication.PIN,
        consent=NOT_ASKED,
        taken_at=now_text(),
        clock_trusted=clock_trusted,
        challenge=challenge,
    )
    encoded = transcript.encode()
    request = QualificationRequest(
        transcript=encoded,
        certificate=token.certificate,
        signature=token.key.sign(encoded, ec.ECDSA(hashes.SHA384())),
        algorithm=SignatureAlgorithm.ECDSA_P384_SHA384,
        response_key_id=keys.response_key_id,
        response_key=keys.response_key,
    )
    suite = SuiteName(keys.suite)
    label = SealingInfo(Purpose.REQUEST, visit, TERMINAL, INSTITUTION, keys.key_id, suite)
    return CommitRecord(
        visit=visit,
        suite=keys.suite,
        key_id=keys.key_id,
        sealed=seal(request.encode(), SealingKey(keys.key_id, suite, keys.public), label),
        mode=transcript.mode,
        taken_at=transcript.taken_at,
        clock_trusted=clock_trusted,
        challenged=challenge is not None,
    )


class Screen:
    """The screen process's end of the channel; keeps everything it was told."""

    def __init__(self, socket: Path, token: Token) -> None:
        self._token = token
        self._selector = selectors.DefaultSelector()
        self.heard: list[FromUploader] = []
        peer = None
        end = time.monotonic() + PATIENCE_S
        while peer is None and time.monotonic() < end:
            peer = connect(socket)
            if peer is None:
                time.sleep(0.01)
        assert peer is not None, "the uploader does not listen"
        self._peer = peer
        self._selector.register(peer, selectors.EVENT_READ)

    def close(self) -> None:
        self._selector.close()
        self._peer.close()

    def send(self, message: channel.ToUploader) -> None:
        self.send_packet(channel.encode(message))

    def send_packet(self, packet: bytes) -> None:
        assert self._peer.send(packet)

    def poll(self, seconds: float) -> None:
        self._selector.select(seconds)
        while (packet := self._peer.receive()) is not None:
            self.heard.append(channel.decode(bytes(packet), channel.UPLOADER_OUTBOX))

    def wait_for(self, kind: type[T], visit: str | None = None, **fields: object) -> T:
        """Return the first message heard of this kind, visit and fields."""
        wanted = fields if visit is None else fields | {"visit": visit}
        end = time.monotonic() + PATIENCE_S
        while True:
            for message in self.heard:
                if isinstance(message, kind) and all(
                    getattr(message, name, None) == value for name, value in wanted.items()
                ):
                    return message
            assert self._peer.open, f"the uploader hung up; heard {self.heard}"
            assert time.monotonic() < end, f"no {kind.__name__} {fields}; heard {self.heard}"
            self.poll(0.2)

    def forget(self) -> None:
        self.heard.clear()

    def ask(self, message: channel.ToUploader, kind: type[T]) -> T:
        """Send and return the next reply of this kind."""
        self.poll(0)
        self.heard = [each for each in self.heard if not isinstance(each, kind)]
        self.send(message)
        return self.wait_for(kind)

    def keys(self) -> SealingKeys:
        self.wait_for(SealingKeys)
        return [each for each in self.heard if isinstance(each, SealingKeys)][-1]

    def challenge(self, visit: str) -> bytes:
        self.send(AskChallenge(visit=visit))
        return base64.b64decode(self.wait_for(ChallengeGiven, visit).challenge)

    def sealed(
        self,
        visit: str,
        *,
        challenge: bytes | None = None,
        keys: SealingKeys | None = None,
        clock_trusted: bool = True,
    ) -> CommitRecord:
        """A whole request for a visit, sealed as the screen process does it."""
        return sealed_request(self._token, keys or self.keys(), visit, challenge, clock_trusted=clock_trusted)

    def visit(self, *, challenged: bool = True) -> str:
        """Take one visit as far as the commit; returns its id."""
        visit = new_visit()
        challenge = self.challenge(visit) if challenged else None
        self.send(self.sealed(visit, challenge=challenge))
        return visit


@dataclass
class RunningUploader:
    """A `kiosk uploader` process."""

    folder: Path
    config: Path
    process: subprocess.Popen[str]
    token: Token

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox.sqlite"

    @property
    def log(self) -> str:
        return (self.folder / "uploader.log").read_text(encoding="utf-8")

    @contextmanager
    def screen(self) -> Iterator[Screen]:
        screen = Screen(self.folder / "run" / "uploader.sock", self.token)
        try:
            yield screen
        finally:
            screen.close()

    def wait_for_log(self, words: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while words not in self.log:
            assert time.monotonic() < end, f"not logged: {words!r}\n{self.log}"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def write_config(
    folder: Path, url: str, ca: Path, certificate: Path, key: Path, *, service: str = "", **outbox: float
) -> Path:
    """A kiosk.toml with short times."""
    short = {"retry_base_s": 0.1, "retry_cap_s": 0.4, "drain_per_s": 0} | outbox
    lines = "\n".join(f"{name} = {value}" for name, value in short.items())
    config = folder / "kiosk.toml"
    config.write_text(
        f"""
[clinic]
name = "架空クリニック"
institution = "{INSTITUTION}"
terminal = "{TERMINAL}"
[visit]
mode = "qualification_only"
[run]
folder = "run"
[service]
name = "{service or "simulator"}"
url = "{url}"
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
timeout_s = 2
[outbox]
path = "outbox.sqlite"
{lines}
""",
        encoding="utf-8",
    )
    return config


def start_uploader(
    config: Path, token: Token, more: Mapping[str, str] = {}, program: str = "kiosk"
) -> RunningUploader:
    """Start the process; its log goes to a file beside the settings. `more`: of its environment;
    `program`: the module that stands for `kiosk`.
    """
    folder = config.parent
    environ = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    with (folder / "uploader.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", program, "uploader", "--config", str(config)],
            stderr=log,
            stdout=log,
            text=True,
            env=environ | dict(more),
        )
    return RunningUploader(folder, config, process, token)


@contextmanager
def running_uploader(config: Path, token: Token, more: Mapping[str, str] = {}) -> Iterator[RunningUploader]:
    running = start_uploader(config, token, more)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait(10)
