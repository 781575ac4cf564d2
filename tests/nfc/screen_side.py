"""The screen's end of the reader's channel, and a reader process to talk to."""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256, sha384
from pathlib import Path
from typing import TypeVar

from kiosk.channel import (
    READER_OUTBOX,
    ArmReader,
    BeginContact,
    FromReader,
    Message,
    ReaderState,
    Recognised,
    SignDigests,
    StageDone,
    decode,
    encode,
    pin_frame,
)
from kiosk.channel.seqpacket import Hub, Listener, Peer, connect
from kiosk.nfc.opening import Opening
from kiosk.nfc.reader_counters import ReaderCounters
from kiosk.nfc.reader_process import Pacing, ReaderProcess
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.visit.states import ReaderCondition, Stage

M = TypeVar("M")
VISIT = str(uuid.UUID(int=1))
PATIENCE_S = 30.0
QUICK = Pacing(
    visit_s=0.002, idle_s=0.002, present_s=0.002, idle_present_s=0.002, retry_s=0.02, digests_s=0.2
)
DIGESTS = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: sha256(b"transcript").digest(),
    SignatureAlgorithm.ECDSA_P384_SHA384: sha384(b"transcript").digest(),
}


class Life:
    """Counts what the service manager would be told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def ready(self, say: str = "") -> None:
        self.told.append("ready" + say)

    def alive(self) -> None:
        if "alive" not in self.told:
            self.told.append("alive")

    def stopping(self) -> None:
        self.told.append("stopping")


def look_in_vain(hand: FieldClient) -> None:
    """Wait until the reader has looked at the empty field, two searches a look, from one end to the other."""
    hand.wait("polls", int(hand.counters()["empty_polls"]) + 4, seconds=PATIENCE_S)


def take_away(hand: FieldClient) -> None:
    """And wait until the reader has seen it: what is exchanged under its eyes counts as there before."""
    hand.remove()
    look_in_vain(hand)


@dataclass
class Screen:
    """The other end of the channel. Answers `Recognised` with the digests unless told not to."""

    peer: Peer
    answers: bool = True
    heard: list[FromReader] = field(default_factory=list)

    def send(self, *messages: Message) -> None:
        for message in messages:
            assert self.peer.send(encode(message))

    def arm(self, device: Device, authentication: Authentication, pin: bytes | None = None) -> None:
        if pin is not None:
            assert self.peer.send(pin_frame(VISIT, bytearray(pin)))
        self.send(ArmReader(visit=VISIT, device=device, authentication=authentication))

    def arm_card(self, pin: bytes = b"1234") -> None:
        self.arm(Device.CARD, Authentication.PIN, pin)

    def arm_empty(self, hand: FieldClient) -> None:
        """Arm for a card and let the reader look at the empty field: by then it is armed."""
        self.arm_card()
        look_in_vain(hand)

    def wait(self, kind: type[M], such: Callable[[M], bool] = lambda _: True) -> M:
        """Hear until a message of this kind comes; what came before stays in `heard`."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            packet = self.peer.receive()
            if packet is None:
                assert self.peer.open, "the reader process let us go"
                time.sleep(0.001)
                continue
            message = decode(bytes(packet), READER_OUTBOX)
            self.heard.append(message)
            if isinstance(message, Recognised) and self.answers:
                self.send(SignDigests(visit=message.visit, digests=DIGESTS))
            if isinstance(message, kind) and such(message):
                return message
        raise AssertionError(f"no {kind.__name__} came; heard {[type(m).__name__ for m in self.heard]}")

    def stages(self) -> list[Stage]:
        return [message.stage for message in self.heard if isinstance(message, StageDone)]


@contextmanager
def reconnected(path: Path) -> Iterator[Peer]:
    """A connection to a reader process that is just starting, or starting anew."""
    until = time.monotonic() + 4 * PATIENCE_S
    while time.monotonic() < until:
        if (peer := connect(path)) is not None:
            with closing(peer):
                yield peer
            return
        time.sleep(0.01)
    raise AssertionError(f"nobody listens at {path}")


@dataclass
class Rig:
    """Everything of one test."""

    process: ReaderProcess
    socket: Path
    life: Life
    thread: threading.Thread
    health: ReaderCounters
    peers: list[Peer] = field(default_factory=list)

    def screen(self) -> Screen:
        peer = connect(self.socket)
        assert peer is not None
        self.peers.append(peer)
        return Screen(peer)

    def close(self) -> None:
        self.process.stop()
        self.thread.join()
        for peer in self.peers:
            peer.close()


@contextmanager
def running_reader(folder: Path, field: VirtualField) -> Iterator[Rig]:
    """A reader process of its own thread, on the virtual field."""
    life, health = Life(), ReaderCounters()
    process = ReaderProcess(
        Hub(Listener(folder / "reader.sock", frozenset({os.getuid()}))),
        Opening(f"virtual:{field.settings.path}", 4, health),
        load_trust_folder(field.pocket.hierarchy.trust),
        WallClock(trusted=lambda: True),
        life,
        counters=health,
        pacing=QUICK,
    )
    thread = threading.Thread(target=process.run)
    thread.start()
    rig = Rig(process, folder / "reader.sock", life, thread, health)
    try:
        yield rig
    finally:
        rig.close()


def screen_of(rig: Rig) -> Screen:
    """A screen in the middle of a visit."""
    screen = rig.screen()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    screen.send(BeginContact(visit=VISIT))
    return screen
