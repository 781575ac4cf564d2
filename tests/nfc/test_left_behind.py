"""A token that lay there before the visit began is somebody else's: nothing is asked of it."""

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
    Presented,
    ReaderState,
    Removed,
)
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition
from tests.nfc.screen_side import VISIT, Rig, Screen, running_reader, take_away

BEFORE = str(uuid.UUID(int=7))


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    with running_reader(tmp_path, field) as running:
        yield running


@pytest.fixture
def screen(rig: Rig, hand: FieldClient) -> Screen:
    """A screen at the start of a visit; a card has been lying on the reader since before."""
    screen = rig.screen()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    hand.tap("card")
    assert screen.wait(Presented).visit is None
    screen.send(BeginContact(visit=VISIT))
    assert screen.wait(Presented).visit == VISIT
    return screen


def refused(screen: Screen) -> ContactFailed:
    failed = screen.wait(ContactFailed)
    assert failed.failure is ReadFailure.LEFT_BEHIND
    return failed


def test_it_is_not_read_and_the_pin_is_kept_for_the_next_presentation(
    screen: Screen, hand: FieldClient
) -> None:
    screen.arm_card()
    assert refused(screen).pin_kept
    assert hand.apdus() == []
    take_away(hand)
    screen.wait(Removed)
    hand.tap("card")
    screen.wait(Evidence)
    assert hand.verifies("card") == 1


def test_it_is_told_once_and_not_again_and_again(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    refused(screen)
    hand.counters(clear=True)
    hand.model(poll_ms=0)
    screen.send(ArmReader(visit=BEFORE, device=Device.CARD, authentication=Authentication.PIN))  # stale
    hand.remove()
    screen.wait(Removed)
    assert len([message for message in screen.heard if isinstance(message, ContactFailed)]) == 1


def test_every_arming_tells_it_until_it_is_taken_away(screen: Screen, hand: FieldClient) -> None:
    """The patient went back and chose again, and it still lies there."""
    screen.arm(Device.IPHONE, Authentication.PHONE)
    refused(screen)
    screen.send(BeginContact(visit=VISIT))
    screen.arm_card()
    assert refused(screen).pin_kept
    assert hand.apdus() == []


def test_another_token_laid_in_its_place_is_read(screen: Screen, hand: FieldClient) -> None:
    screen.arm(Device.IPHONE, Authentication.PHONE)
    refused(screen)
    take_away(hand)
    screen.wait(Removed)
    hand.tap("iphone")
    assert screen.wait(Evidence).token is Device.IPHONE
    assert hand.verifies("card") == 0


def test_one_taken_away_before_the_reader_is_armed_is_forgotten(screen: Screen, hand: FieldClient) -> None:
    hand.remove()
    screen.wait(Removed)
    screen.arm_empty(hand)
    hand.tap("card")
    screen.wait(Evidence)


def test_the_card_of_the_visit_before_is_left_behind_in_the_next(screen: Screen, hand: FieldClient) -> None:
    hand.remove()
    screen.wait(Removed)
    screen.arm_empty(hand)
    hand.tap("card")
    screen.wait(Evidence)
    count = len(hand.apdus())
    screen.send(EndContact(visit=VISIT))
    screen.send(BeginContact(visit=BEFORE))
    screen.wait(Presented, lambda presented: presented.visit == BEFORE)
    screen.send(ArmReader(visit=BEFORE, device=Device.IPHONE, authentication=Authentication.PHONE))
    assert refused(screen).visit == BEFORE
    assert len(hand.apdus()) == count


def test_two_tokens_left_behind_and_one_of_them_taken_leaves_one_left_behind(
    screen: Screen, hand: FieldClient, field: VirtualField
) -> None:
    hand.tap("payment", beside=True)
    screen.arm_card()
    refused(screen)
    field.radio.remove(field.radio.placements[1])
    screen.send(BeginContact(visit=VISIT))
    screen.arm_card()
    refused(screen)
    assert hand.apdus() == []


def test_a_reader_that_comes_back_still_knows_what_was_left_behind(screen: Screen, hand: FieldClient) -> None:
    hand.unplug()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.LOST)
    hand.plug()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    screen.arm_card()
    refused(screen)
    assert hand.apdus() == []


def test_without_a_pin_the_screen_is_told_that_too(screen: Screen) -> None:
    screen.arm(Device.CARD, Authentication.PIN)
    assert not refused(screen).pin_kept
