"""The reader process over the virtual field: what goes well, and who lies there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.channel import (
    EndContact,
    Evidence,
    Presented,
    Removed,
)
from kiosk.nfc.protocol.certificate import Leaf, parse_certificate, signature_holds
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.visit.states import Stage
from tests.nfc.screen_side import DIGESTS, VISIT, Rig, Screen, running_reader, screen_of


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    with running_reader(tmp_path, field) as running:
        yield running


@pytest.fixture
def screen(rig: Rig) -> Screen:
    return screen_of(rig)


# ---- what goes well --------------------------------------------------------------------------------------


def test_a_card_authenticates_with_its_pin(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card")
    evidence = screen.wait(Evidence)
    assert evidence.token is Device.CARD
    assert evidence.algorithm is SignatureAlgorithm.RSA_PKCS1_SHA256
    leaf = parse_certificate(evidence.certificate)
    assert isinstance(leaf, Leaf)
    assert evidence.signature is not None
    assert signature_holds(leaf, DIGESTS[leaf.algorithm], evidence.signature)
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
