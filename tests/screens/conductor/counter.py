"""A conductor between two real SEQPACKET listeners; the test speaks for reader and uploader."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import pygame
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk import channel as ch
from kiosk.channel.seqpacket import Listener, Peer
from kiosk.commands.screen import assemble
from kiosk.config.passcodes import hash_passcode
from kiosk.config.settings import load
from kiosk.indicators.player import NoLamps
from kiosk.qualification.devices import Device
from kiosk.qualification.sealing import SuiteName
from kiosk.qualification.terms import SignatureAlgorithm
from kiosk.screens.conductor.conductor import Conductor
from kiosk.screens.drawing.display import Input
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.touch import DigitTouch, StartTouch, Touch
from kiosk.visit.events import Action, DeviceChosen, Pressed
from kiosk.visit.states import OutboxCondition, ReaderCondition, visit_of

M = TypeVar("M")
PATIENCE_S = 45.0
STAFF_NUMBER = "1001"
ALGORITHM = next(iter(SignatureAlgorithm))

SETTINGS = """\
[run]
folder = "run"
[clinic]
name = "さくら通りクリニック"
institution = "1312345670"
terminal = "TEST-1"
[visit]
mode = "home_consent"
[reader]
device = "virtual:nowhere"
[screen]
fullscreen = false
sound = false
[service]
name = "simulator"
url = "https://127.0.0.1:9"
[clock]
trust_file = "trusted"
[[staff]]
number = "%s"
passcode = "%s"
"""


class NoDisplay:
    """A surface and no fingers: what `Display` asks for, and nobody looks."""

    size = (800, 480)

    def __init__(self) -> None:
        self.surface = pygame.Surface(self.size)

    def present(self, rects: Sequence[Rect] | None = None) -> None:
        pass

    def events(self) -> Sequence[Input]:
        return ()

    def close(self) -> None:
        pass


@dataclass
class Side(Generic[M]):
    """One process as the screen sees it: it greets whoever connects and keeps what comes."""

    path: Path
    inbox: "msgspec.json.Decoder[M]"
    greeting: Callable[[], list[ch.Message]]
    packets: list[bytearray] = field(default_factory=list)  #: as they came; a test wipes what is secret

    def __post_init__(self) -> None:
        self._listener: Listener | None = None
        self._peer: Peer | None = None
        self.begin()

    def begin(self) -> None:
        """The process starts."""
        self._listener = Listener(self.path, frozenset({os.getuid()}))

    def die(self) -> None:
        """The process is gone; what it got stays known to the test."""
        if self._peer is not None:
            self._peer.close()
        if self._listener is not None:
            self._listener.close()
        self._peer = self._listener = None

    def turn(self) -> None:
        """Let newcomers in and read."""
        if self._listener is None:
            return
        if (peer := self._listener.accept()) is not None:
            self._peer = peer
            for message in self.greeting():
                self.sends(message)
        while self._peer is not None and (packet := self._peer.receive()) is not None:
            self.packets.append(packet)

    def sends(self, *messages: ch.Message) -> None:
        """Send to the screen."""
        for message in messages:
            self.send(ch.encode(message))

    def send(self, packet: bytes) -> None:
        """Send anything."""
        assert self._peer is not None, "the screen is not connected"
        assert self._peer.send(packet)

    @property
    def frames(self) -> list[bytearray]:
        """The binary packets: PIN frames."""
        return [packet for packet in self.packets if packet.startswith(ch.PIN_MARK)]

    @property
    def messages(self) -> list[M]:
        """The others, read."""
        return [
            ch.decode(bytes(packet), self.inbox)
            for packet in self.packets
            if not packet.startswith(ch.PIN_MARK)
        ]

    def forget(self) -> None:
        """Keep nothing of what came, and overwrite it."""
        for packet in self.packets:
            packet[:] = bytes(len(packet))
        self.packets.clear()


@dataclass
class Counter:
    """The screen process without a display, and both its neighbours."""

    conductor: Conductor
    reader: Side[ch.ToReader]
    uploader: Side[ch.ToUploader]
    private: X25519PrivateKey  #: of the service: opens what is sealed to it

    @property
    def screen(self) -> str:
        return self.conductor.kiosk.screen.name

    @property
    def visit(self) -> str:
        visit = visit_of(self.conductor.kiosk.screen)
        assert visit is not None, f"no visit in {self.screen}"
        return visit.id

    def turn(self) -> None:
        """Everybody has a turn."""
        self.conductor.poll()
        self.reader.turn()
        self.uploader.turn()

    def until(self, reached: Callable[[], bool], what: str = "") -> None:
        """Go on until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < end, f"{what or 'in vain'}; the screen is {self.screen}"
            self.turn()
            time.sleep(0.001)

    def until_screen(self, name: str) -> None:
        self.until(lambda: self.screen == name, f"waited for {name}")

    def settle(self) -> None:
        """Let everything that was said arrive: what is sent on one socket is answered in order, at once."""
        for _ in range(20):
            self.turn()

    # ---- the patient -------------------------------------------------------------------------------------

    def touch(self, *touches: Touch) -> None:
        for touch in touches:
            self.conductor.touch(touch)

    def press(self, *actions: Action) -> None:
        self.touch(*(Pressed(action) for action in actions))

    def type(self, digits: Sequence[int]) -> None:
        self.touch(*(DigitTouch(str(digit)) for digit in digits))

    def begin(self, device: Device) -> str:
        """From the start screen to what the device asks for; returns the visit."""
        self.until_screen("start")
        self.touch(StartTouch())
        self.press(Action.CONSENT_ALL)
        self.touch(DeviceChosen(device))
        self.settle()
        return self.visit


def sealing_keys(private: X25519PrivateKey, response: bytes) -> ch.SealingKeys:
    return ch.SealingKeys(
        service="simulator",
        key_id="k1",
        suite=SuiteName.X25519_SHA256_CHACHA20POLY1305.value,
        public=private.public_key().public_bytes_raw(),
        response_key_id=response[:4].hex(),
        response_key=response,
    )


@contextmanager
def open_counter(
    folder: Path, passcode: Sequence[int], monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Counter]:
    """Everything in this folder; the passcode is that of the one member of staff."""
    typed = bytearray(ord("0") + digit for digit in passcode)
    stored = hash_passcode(typed, b"salt for a test.")
    typed[:] = bytes(len(typed))
    path = folder / "kiosk.toml"
    path.write_text(SETTINGS % (STAFF_NUMBER, stored), encoding="utf-8")
    (folder / "trusted").touch()
    private = X25519PrivateKey.generate()
    reader = Side(
        folder / "run" / ch.READER_SOCKET,
        ch.READER_INBOX,
        lambda: [ch.ReaderState(condition=ReaderCondition.READY)],
    )
    uploader = Side(
        folder / "run" / ch.UPLOADER_SOCKET,
        ch.UPLOADER_INBOX,
        lambda: [
            # Each life of the uploader has a response key of its own.
            sealing_keys(private, X25519PrivateKey.generate().public_key().public_bytes_raw()),
            ch.OutboxState(condition=OutboxCondition.READY),
            ch.LineState(online=True, waiting=0),
        ],
    )
    app, conductor = assemble(load(path), NoDisplay(), NoLamps(), monotonic=monotonic)
    try:
        yield Counter(conductor, reader, uploader, private)
    finally:
        app.close()
        reader.die()
        uploader.die()


@dataclass(frozen=True)
class Secrets:
    """What only this test run knows; digits one by one, so that nobody but the kiosk joins them."""

    pin: tuple[int, ...]
    passcode: tuple[int, ...]


def digits_in(text: bytes | bytearray) -> tuple[int, ...]:
    return tuple(byte - ord("0") for byte in text)


def hold(counter: Counter, known: Secrets) -> str:
    """From start to the armed reader with a typed PIN; returns the visit."""
    visit = counter.begin(Device.CARD)
    counter.type(known.pin)
    counter.press(Action.OK)
    counter.settle()
    assert counter.screen == "hold"
    return visit


def evidence(visit: str, certificate: bytes) -> ch.Evidence:
    return ch.Evidence(
        visit=visit,
        token=Device.CARD,
        certificate=certificate,
        signature=secrets.token_bytes(256),
        algorithm=ALGORITHM,
        not_after="2030-01-01T00:00:00Z",
        stages=(ch.StageTime(name="sign", ms=1.5, apdus=1, bytes_to=60, bytes_from=258),),
    )


def check(counter: Counter, known: Secrets, certificate: bytes) -> str:
    """On to `checking`: the token has signed and the record was handed over."""
    visit = hold(counter, known)
    counter.reader.sends(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    counter.reader.sends(evidence(visit, certificate))
    counter.until_screen("checking")
    counter.until(lambda: commits(counter) != [], "waited for the record")
    return visit


def digests(counter: Counter) -> list[ch.SignDigests]:
    return [message for message in counter.reader.messages if isinstance(message, ch.SignDigests)]


def commits(counter: Counter) -> list[ch.CommitRecord]:
    return [message for message in counter.uploader.messages if isinstance(message, ch.CommitRecord)]


def challenges_asked(counter: Counter) -> int:
    return sum(isinstance(message, ch.AskChallenge) for message in counter.uploader.messages)
