"""The reader process over the virtual field, driven through its channel as the screen drives it."""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256, sha384
from pathlib import Path
from typing import TypeVar

import pytest

from kiosk.channel import (
    READER_OUTBOX,
    ArmReader,
    BeginContact,
    ContactFailed,
    EndContact,
    Evidence,
    FromReader,
    Message,
    OtherDeviceSeen,
    Presented,
    ReaderState,
    Recognised,
    Removed,
    SignDigests,
    StageDone,
    WrongTokenSeen,
    decode,
    encode,
    pin_frame,
)
from kiosk.nfc import trust
from kiosk.nfc.antenna import Antenna
from kiosk.nfc.pn533 import open_reader
from kiosk.nfc.process import Pacing, ReaderProcess
from kiosk.qualification.terms import Authentication, Device, SignatureAlgorithm
from kiosk.seqpacket import Hub, Listener, Peer, connect
from kiosk.simulator.field import VirtualField
from kiosk.simulator.field_client import FieldClient
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition, Stage, WrongTokenKind

M = TypeVar("M")
VISIT = str(uuid.UUID(int=1))
PATIENCE_S = 5.0
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


@dataclass
class Rig:
    """Everything of one test."""

    process: ReaderProcess
    socket: Path
    life: Life
    thread: threading.Thread
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


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    store = trust.TrustStore.load(field.pocket.hierarchy.trust)
    life = Life()
    process = ReaderProcess(
        Hub(Listener(tmp_path / "reader.sock", frozenset({os.getuid()}))),
        lambda: Antenna(open_reader(f"virtual:{field.settings.path}", 4)),
        store,
        trust.Clock(trusted=lambda: True),
        life,
        pacing=QUICK,
    )
    thread = threading.Thread(target=process.run)
    thread.start()
    rig = Rig(process, tmp_path / "reader.sock", life, thread)
    yield rig
    rig.close()


@pytest.fixture
def screen(rig: Rig) -> Screen:
    screen = rig.screen()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    screen.send(BeginContact(visit=VISIT))
    return screen


# ---- what goes well --------------------------------------------------------------------------------------


def test_a_card_authenticates_with_its_pin(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card")
    evidence = screen.wait(Evidence)
    assert evidence.token is Device.CARD
    assert evidence.algorithm is SignatureAlgorithm.RSA_PKCS1_SHA256
    leaf = trust.parse(evidence.certificate)
    assert isinstance(leaf, trust.Leaf)
    assert evidence.signature is not None
    assert trust.signature_holds(leaf, DIGESTS[leaf.algorithm], evidence.signature)
    assert screen.stages() == [Stage.COUNTER, Stage.VERIFIED, Stage.CERTIFICATE, Stage.SIGNED]
    assert [stage.name for stage in evidence.stages] == [
        "select",
        "token",
        "certificate",
        "counter",
        "verify",
        "sign",
    ]
    assert hand.verifies("card") == 1


def test_a_key_of_p384_signs_with_p384(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card", key="ec")
    assert screen.wait(Evidence).algorithm is SignatureAlgorithm.ECDSA_P384_SHA384


@pytest.mark.parametrize("technology", ["A", "B"])
@pytest.mark.parametrize(
    ("token", "device", "authentication", "pin"),
    [
        ("iphone", Device.IPHONE, Authentication.PHONE, None),
        ("android", Device.ANDROID, Authentication.PIN, b"1234"),
        ("card", Device.CARD, Authentication.PIN, b"1234"),
    ],
)
def test_every_token_is_read_over_either_technology(
    screen: Screen,
    hand: FieldClient,
    token: str,
    device: Device,
    authentication: Authentication,
    pin: bytes | None,
    technology: str,
) -> None:
    screen.arm(device, authentication, pin)
    hand.tap(token, technology=technology)
    assert screen.wait(Evidence).token is device


def test_an_iphone_keeps_its_authentication_from_tap_to_signature(screen: Screen, hand: FieldClient) -> None:
    """It forgets on DESELECT and on field-off; nothing of that happens between activation and dialogue."""
    screen.arm(Device.IPHONE, Authentication.PHONE)
    hand.tap("iphone", forgets="both")
    assert screen.wait(Evidence).token is Device.IPHONE
    assert hand.verifies("iphone") == 0


def test_an_iphone_laid_down_early_still_has_its_authentication(screen: Screen, hand: FieldClient) -> None:
    hand.tap("iphone", forgets="both")
    screen.wait(Presented)
    hand.wait("polls", 0)
    screen.arm(Device.IPHONE, Authentication.PHONE)
    assert screen.wait(Evidence).token is Device.IPHONE


def test_the_visual_check_takes_the_certificate_alone(screen: Screen, hand: FieldClient) -> None:
    screen.arm(Device.CARD, Authentication.VISUAL)
    hand.tap("card")
    evidence = screen.wait(Evidence)
    assert (evidence.signature, evidence.algorithm) == (None, None)
    assert hand.verifies("card") == 0


# ---- presence --------------------------------------------------------------------------------------------


def test_a_token_laid_too_early_is_told_and_not_read(rig: Rig, hand: FieldClient) -> None:
    screen = rig.screen()
    hand.tap("card")
    assert screen.wait(Presented).visit is None
    hand.remove()
    assert screen.wait(Removed).visit is None
    assert hand.apdus() == []


def test_a_token_that_lies_there_is_read_when_the_reader_is_armed(screen: Screen, hand: FieldClient) -> None:
    hand.tap("card")
    screen.wait(Presented)
    screen.arm_card()
    screen.wait(Evidence)


def test_a_token_is_read_once_and_left_alone_after(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    count = len(hand.apdus())
    hand.remove()
    screen.wait(Removed)
    assert len(hand.apdus()) == count


def test_a_token_lying_there_after_the_visit_is_not_told_twice(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    screen.send(EndContact(visit=VISIT))
    hand.remove()
    assert screen.wait(Removed).visit is None
    assert len([m for m in screen.heard if isinstance(m, Presented)]) == 1


# ---- what goes wrong -------------------------------------------------------------------------------------


def test_a_wrong_pin_disarms_until_a_new_one_comes(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card(b"9999")
    hand.tap("card")
    failed = screen.wait(ContactFailed)
    assert (failed.failure, failed.tries_left, failed.pin_kept) == (ReadFailure.PIN_WRONG, 1, False)
    hand.remove()
    screen.wait(Removed)
    hand.tap("card")
    screen.wait(Presented, lambda _: True)
    assert hand.verifies("card") == 1
    screen.arm_card()
    screen.wait(Evidence)
    assert hand.verifies("card") == 2


@pytest.mark.parametrize(
    ("state", "failure"),
    [
        ("one-left", ReadFailure.PIN_ONE_LEFT),
        ("blocked", ReadFailure.PIN_BLOCKED),
        ("expired", ReadFailure.CERTIFICATE_EXPIRED),
    ],
)
def test_cards_that_cannot_be_used_get_no_verify(
    screen: Screen, hand: FieldClient, state: str, failure: ReadFailure
) -> None:
    screen.arm_card()
    hand.tap("card", state=state)
    failed = screen.wait(ContactFailed)
    assert (failed.failure, failed.pin_kept) == (failure, False)
    assert hand.verifies("card") == 0


@pytest.mark.parametrize("after", range(1, 10))
def test_a_card_pulled_before_verify_is_read_at_the_next_tap_without_typing(
    screen: Screen, hand: FieldClient, after: int
) -> None:
    screen.arm_card()
    hand.tap("card", remove_after_apdu=after)
    failed = screen.wait(ContactFailed)
    assert (failed.failure, failed.pin_kept) == (ReadFailure.REMOVED, True)
    screen.wait(Removed)
    hand.tap("card")
    screen.wait(Evidence)
    assert hand.verifies("card") == 1


@pytest.mark.parametrize(("after", "arrived"), [(10, 0), (11, 1)])
def test_a_card_pulled_once_verify_was_sent_wants_the_pin_anew(
    screen: Screen, hand: FieldClient, after: int, arrived: int
) -> None:
    """Even if the token never got it: what was sent is spent."""
    screen.arm_card()
    hand.tap("card", remove_after_apdu=after)
    failed = screen.wait(ContactFailed)
    assert (failed.failure, failed.pin_kept) == (ReadFailure.REMOVED, False)
    assert hand.verifies("card") == arrived


@pytest.mark.parametrize(("token", "kind"), [("payment", "payment"), ("transit", "transit")])
def test_other_cards_are_named_and_the_right_one_is_read_after(
    screen: Screen, hand: FieldClient, token: str, kind: str
) -> None:
    screen.arm_card()
    hand.tap(token)
    assert screen.wait(WrongTokenSeen).kind is WrongTokenKind(kind)
    hand.remove()
    hand.tap("card")
    screen.wait(Evidence)


def test_a_token_without_blocks_is_a_wrong_one(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("transit", sak=0x08)
    assert screen.wait(WrongTokenSeen).kind is WrongTokenKind.UNKNOWN


def test_another_device_than_chosen_is_told_and_the_pin_kept(screen: Screen, hand: FieldClient) -> None:
    screen.arm(Device.ANDROID, Authentication.PIN, b"1234")
    hand.tap("card")
    assert screen.wait(OtherDeviceSeen).presented is Device.CARD
    hand.remove()
    hand.tap("android")
    screen.wait(Evidence)
    assert (hand.verifies("card"), hand.verifies("android")) == (0, 1)


def test_a_phone_not_authenticated_is_read_once_it_is(screen: Screen, hand: FieldClient) -> None:
    screen.arm(Device.IPHONE, Authentication.PHONE)
    hand.tap("iphone", state="not-authenticated")
    assert screen.wait(ContactFailed).failure is ReadFailure.NOT_AUTHENTICATED
    hand.remove()
    hand.tap("iphone", state="normal")
    screen.wait(Evidence)


@pytest.mark.parametrize("technology", ["A", "B"])
def test_two_tokens_are_not_read_and_one_of_them_alone_is(
    screen: Screen, hand: FieldClient, technology: str
) -> None:
    hand.tap("iphone", technology=technology)
    hand.tap("card", beside=True)
    screen.arm_card()
    failed = screen.wait(ContactFailed)
    assert (failed.failure, failed.pin_kept) == (ReadFailure.TWO_TOKENS, True)
    assert hand.apdus() == []
    hand.tap("card")
    screen.wait(Evidence)


def test_a_second_token_that_joins_before_the_reader_is_armed_is_noticed(
    screen: Screen, hand: FieldClient
) -> None:
    hand.tap("iphone")
    screen.wait(Presented)
    hand.tap("card", beside=True)
    screen.arm_card()
    assert screen.wait(ContactFailed).failure is ReadFailure.TWO_TOKENS
    assert hand.apdus() == []


def test_digests_that_do_not_come_end_the_contact_politely(screen: Screen, hand: FieldClient) -> None:
    screen.answers = False
    screen.arm(Device.IPHONE, Authentication.PHONE)
    hand.tap("iphone")
    assert screen.wait(ContactFailed).failure is ReadFailure.UNREADABLE


def test_frames_lost_now_and_then_do_not_matter(screen: Screen, hand: FieldClient) -> None:
    hand.lose(every=7)
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    assert hand.verifies("card") == 1


# ---- the channel -----------------------------------------------------------------------------------------


def test_the_end_of_a_visit_in_the_middle_of_a_contact_ends_the_contact(
    screen: Screen, hand: FieldClient
) -> None:
    screen.answers = False
    screen.arm(Device.IPHONE, Authentication.PHONE)
    hand.tap("iphone")
    screen.wait(Recognised)
    screen.send(EndContact(visit=VISIT), BeginContact(visit=str(uuid.UUID(int=2))))
    screen.send(
        ArmReader(visit=str(uuid.UUID(int=2)), device=Device.IPHONE, authentication=Authentication.PHONE)
    )
    screen.answers = True
    assert screen.wait(Evidence).visit == str(uuid.UUID(int=2))
    assert not [m for m in screen.heard if isinstance(m, ContactFailed)]


def test_a_screen_that_goes_away_takes_pin_and_visit_with_it(
    rig: Rig, screen: Screen, hand: FieldClient
) -> None:
    screen.arm_card()
    screen.peer.close()
    again = rig.screen()
    again.wait(ReaderState)
    hand.tap("card")
    assert again.wait(Presented).visit is None
    again.send(BeginContact(visit=VISIT))
    again.arm(Device.CARD, Authentication.PIN)
    failed = again.wait(ContactFailed)
    assert (failed.failure, failed.pin_kept) == (ReadFailure.REMOVED, False)
    assert hand.verifies("card") == 0


def test_nonsense_on_the_channel_is_refused_and_the_next_visit_works(
    screen: Screen, hand: FieldClient, caplog: pytest.LogCaptureFixture
) -> None:
    for packet in (b"nonsense", b"\x01", b"{}", bytes(60000), b'{"v":2,"type":"begin_contact","visit":"x"}'):
        assert screen.peer.send(packet)
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    assert len([line for line in caplog.messages if "refused" in line]) == 5


# ---- the reader ------------------------------------------------------------------------------------------


def test_an_unplugged_reader_is_told_and_comes_back_by_itself(screen: Screen, hand: FieldClient) -> None:
    hand.unplug()
    lost = screen.wait(ReaderState)
    assert lost.condition is ReaderCondition.LOST
    assert "\n" not in lost.say
    assert "replug" in lost.say
    hand.plug()
    ready = screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    assert "PN533" in ready.model
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)


def test_a_reader_pulled_in_the_middle_of_a_contact_keeps_no_pin(screen: Screen, hand: FieldClient) -> None:
    screen.answers = False
    screen.arm(Device.IPHONE, Authentication.PHONE)
    hand.tap("iphone")
    screen.wait(Recognised)
    hand.unplug()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.LOST)
    hand.plug()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    assert not [m for m in screen.heard if isinstance(m, Evidence)]


def test_a_deaf_reader_is_lost_and_comes_back(screen: Screen, hand: FieldClient) -> None:
    hand.fault(deaf=True)
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.LOST)
    hand.fault()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)


def test_the_service_manager_is_told_and_the_end_is_clean(rig: Rig, screen: Screen) -> None:
    rig.process.stop()
    rig.thread.join(PATIENCE_S)
    assert not rig.thread.is_alive()
    assert rig.life.told == ["ready", "alive", "stopping"]
    assert not rig.socket.exists()


def test_no_line_of_the_log_ever_holds_the_pin_or_a_certificate(
    screen: Screen, hand: FieldClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    screen.arm(Device.CARD, Authentication.PIN, b"1234")
    hand.tap("card")
    evidence = screen.wait(Evidence)
    text = "\n".join(caplog.messages).lower()
    assert "sw 9000" in text  # the traffic log was on
    assert "31323334" not in text
    assert "1234" not in text
    assert evidence.certificate[:8].hex() not in text
