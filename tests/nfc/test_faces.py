"""Which of what lies there is spoken to: phones with two radio types, two tokens, tokens swapped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.channel import ContactFailed, Evidence, Presented, Removed, WrongTokenSeen
from kiosk.nfc.antenna import Antenna
from kiosk.nfc.pn533 import open_reader
from kiosk.nfc.presentation import TokenReader
from kiosk.nfc.protocol.certificate import Leaf, parse_certificate, signature_holds
from kiosk.nfc.protocol.isodep import Technology
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Order
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import WrongTokenKind
from tests.nfc.screen_side import DIGESTS, Rig, Screen, running_reader, screen_of
from tests.nfc.unwatched import read_unwatched

PHONES = [("android", Device.ANDROID, b"1234"), ("iphone", Device.IPHONE, None)]


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    with running_reader(tmp_path, field) as running:
        yield running


@pytest.fixture
def screen(rig: Rig) -> Screen:
    return screen_of(rig)


def arm(screen: Screen, device: Device, pin: bytes | None) -> None:
    screen.arm(device, Authentication.PHONE if pin is None else Authentication.PIN, pin)


def instructions(hand: FieldClient) -> list[object]:
    return [entry["ins"] for entry in hand.apdus()]


def asked_anew(hand: FieldClient, after: int) -> bool:
    """Tell whether VERIFY came to what lies there since `after` APDUs only in a contact of its own."""
    then = hand.apdus()[after:]
    verify = next((at for at, entry in enumerate(then) if entry["ins"] == "20" and entry["nc"]), len(then))
    select = next((at for at, entry in enumerate(then) if entry["ins"] == "A4" and entry["nc"] == 10), -1)
    return verify == len(then) or -1 < select < verify


# ---- one phone, two faces --------------------------------------------------------------------------------


@pytest.mark.parametrize("application_on", [None, "A", "B"])
@pytest.mark.parametrize(("phone", "device", "pin"), PHONES)
def test_a_phone_that_answers_as_both_types_is_one_token(
    screen: Screen, hand: FieldClient, phone: str, device: Device, pin: bytes | None, application_on: str
) -> None:
    arm(screen, device, pin)
    hand.tap(phone, both_types=True, application_on=application_on)
    assert screen.wait(Evidence).token is device
    assert not [message for message in screen.heard if isinstance(message, ContactFailed | WrongTokenSeen)]


@pytest.mark.parametrize("application_on", ["A", "B"])
@pytest.mark.parametrize("first", ["A", "B"])
def test_the_face_that_is_found_first_does_not_matter(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, first: Technology, application_on: str
) -> None:
    """A phone that comes between the two searches is found by the second, as type A."""
    hand.tap("iphone", both_types=True, application_on=application_on)
    reader = TokenReader(load_trust_folder(hierarchy.trust), WallClock(), Pin())
    antenna = Antenna(open_reader(f"virtual:{field.settings.path}", 4))
    try:
        found = antenna.face_of(first)
        assert found is not None
        done = read_unwatched(reader, antenna, found, Order(Device.IPHONE, Authentication.PHONE))
    finally:
        antenna.close()
    assert isinstance(done.outcome, Authenticated)


@pytest.mark.parametrize(("phone", "device", "pin"), PHONES)
def test_a_phone_of_one_body_keeps_its_authentication(
    screen: Screen, hand: FieldClient, phone: str, device: Device, pin: bytes | None
) -> None:
    """The field is left on from the first activation to the signature."""
    arm(screen, device, pin)
    hand.tap(phone, both_types=True, forgets="both")
    assert screen.wait(Evidence).token is device


def test_where_the_application_was_found_is_tried_first_the_next_time(
    screen: Screen, hand: FieldClient
) -> None:
    """So a phone that forgets its holder with the field is read at the second tap, and all after it."""
    for _ in range(2):
        arm(screen, Device.IPHONE, None)
        hand.apdus(clear=True)
        hand.tap("iphone", both_types=True, application_on="A")
        screen.wait(Evidence)
        hand.remove()
        screen.wait(Removed)
    assert hand.apdus()[0]["sw"] == "9000"


def test_a_token_with_the_application_on_neither_type_is_a_wrong_one(
    screen: Screen, hand: FieldClient
) -> None:
    screen.arm_card()
    hand.tap("payment", both_types=True)
    assert screen.wait(WrongTokenSeen).kind is WrongTokenKind.PAYMENT
    hand.remove()
    screen.wait(Removed)
    hand.tap("card")
    screen.wait(Evidence)


# ---- two bodies ------------------------------------------------------------------------------------------

TWO = [("A", "A"), ("A", "B"), ("B", "A"), ("B", "B")]


@pytest.mark.parametrize(("first", "second"), TWO)
def test_of_two_my_number_tokens_none_is_read_until_one_lies_there_alone(
    screen: Screen, hand: FieldClient, first: str, second: str
) -> None:
    hand.tap("iphone", technology=first)
    hand.tap("card", beside=True, technology=second)
    screen.arm_card()
    failed = screen.wait(ContactFailed)
    assert (failed.failure, failed.pin_kept) == (ReadFailure.TWO_TOKENS, True)
    assert set(instructions(hand)) <= {"A4"}, "more than SELECT was sent"
    hand.tap("card")
    screen.wait(Evidence)
    assert hand.verifies("card") == 1


@pytest.mark.parametrize(("first", "second"), TWO)
def test_the_one_that_stays_when_the_other_is_taken_is_read_as_a_new_presentation(
    screen: Screen, hand: FieldClient, field: VirtualField, first: str, second: str
) -> None:
    hand.tap("payment", technology=first, uid="0811" * 2)
    hand.tap("android", beside=True, technology=second)
    hand.tap("card", beside=True, technology=first)
    screen.arm_card()
    assert screen.wait(ContactFailed).failure is ReadFailure.TWO_TOKENS
    for placement in field.radio.placements[:2]:
        field.radio.remove(placement)
    screen.wait(Evidence)


@pytest.mark.parametrize(("first", "second"), TWO)
def test_a_second_token_that_joins_before_the_reader_is_armed_is_noticed(
    screen: Screen, hand: FieldClient, first: str, second: str
) -> None:
    hand.tap("iphone", technology=first)
    screen.wait(Presented)
    hand.tap("card", beside=True, technology=second)
    screen.arm_card()
    assert screen.wait(ContactFailed).failure is ReadFailure.TWO_TOKENS
    assert set(instructions(hand)) <= {"A4"}


@pytest.mark.parametrize("sak", [0x08, 0x20])
@pytest.mark.parametrize("mine", ["A", "B"])
def test_a_card_in_one_sleeve_with_a_card_of_the_other_type_is_read(
    screen: Screen, hand: FieldClient, mine: str, sak: int
) -> None:
    """The other one has no JPKI application, or speaks no ISO/IEC 14443-4 at all."""
    screen.arm_card()
    hand.tap("card", technology=mine)
    hand.tap("transit", beside=True, technology="B" if mine == "A" else "A", sak=sak)
    screen.wait(Evidence)
    assert hand.verifies("card") == 1


def test_three_in_a_sleeve_are_too_many(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card", technology="B")
    hand.tap("transit", beside=True, technology="A")
    hand.tap("payment", beside=True, technology="A")
    assert screen.wait(ContactFailed).failure is ReadFailure.TWO_TOKENS


# ---- swapped ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["card", "android", "iphone", "payment"])
@pytest.mark.parametrize("after", range(1, 12))  # the twelfth is the signature
def test_a_token_swapped_between_two_commands_is_noticed_and_never_mixed(
    screen: Screen, hand: FieldClient, after: int, then: str
) -> None:
    """The one that lies there now has never been activated: it does not answer in the other's place."""
    screen.arm_card()
    hand.tap("card", remove_after_apdu=after, then=then)
    failed = screen.wait(ContactFailed)
    assert failed.failure is ReadFailure.REMOVED
    assert then == "card" or not [message for message in screen.heard if isinstance(message, Evidence)]
    assert asked_anew(hand, after), "VERIFY went to the other one"
    assert then == "card" or hand.verifies(then) == 0
    hand.remove()
    if not failed.pin_kept or then == "card":  # a second card may have been asked for the PIN by now
        screen.arm_card()
    hand.tap("card")
    evidence = screen.wait(Evidence)
    leaf = parse_certificate(evidence.certificate)
    assert isinstance(leaf, Leaf)
    assert evidence.signature is not None
    assert signature_holds(leaf, DIGESTS[leaf.algorithm], evidence.signature)
