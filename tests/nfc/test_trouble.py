"""The reader process over the virtual field: tokens, screens and readers that make trouble."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.channel import (
    ArmReader,
    BeginContact,
    ContactFailed,
    EndContact,
    Evidence,
    OtherDeviceSeen,
    Presented,
    ReaderState,
    Recognised,
    Removed,
    WrongTokenSeen,
)
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition, WrongTokenKind
from tests.nfc.screen_side import PATIENCE_S, VISIT, Rig, Screen, running_reader, screen_of, take_away


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    with running_reader(tmp_path, field) as running:
        yield running


@pytest.fixture
def screen(rig: Rig) -> Screen:
    return screen_of(rig)


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
    left = screen.wait(ContactFailed)  # the phone of the visit before
    assert (left.visit, left.failure) == (str(uuid.UUID(int=2)), ReadFailure.LEFT_BEHIND)
    take_away(hand)
    screen.wait(Removed)
    hand.tap("iphone")
    assert screen.wait(Evidence).visit == str(uuid.UUID(int=2))


def test_a_screen_that_goes_away_takes_pin_and_visit_with_it(
    rig: Rig, screen: Screen, hand: FieldClient
) -> None:
    screen.arm_card()
    screen.peer.close()
    again = rig.screen()
    again.wait(ReaderState)
    hand.tap("card")
    assert again.wait(Presented).visit is None
    hand.remove()
    again.wait(Removed)
    again.send(BeginContact(visit=VISIT))
    again.arm(Device.CARD, Authentication.PIN)
    hand.tap("card")
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
    assert "\n" not in lost.reason
    assert "replug" in lost.reason
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
