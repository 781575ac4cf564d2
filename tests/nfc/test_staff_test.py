"""The staff's reading test on a real reader process: every token is named, no PIN asked for or spent."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.channel import READER_OUTBOX, BeginContact, Evidence, decode
from kiosk.qualification.devices import Device
from kiosk.screens.conductor.reading_test import ReaderTest
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.visit.views.staff_views import SeenToken
from tests.nfc.screen_side import PATIENCE_S, VISIT, Screen, running_reader, screen_of, take_away


class Page:
    """What the staff's page would show, in its order."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._ids = (f"01980000-0000-7000-8000-{n:012}" for n in range(100))
        self.test = ReaderTest(lambda: next(self._ids), time.monotonic, screen.send)

    def wait(self, wanted: SeenToken | Device) -> int:
        """Until the page says so; returns the milliseconds it names."""
        seen: list[SeenToken | Device] = []
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            packet = self._screen.peer.receive()
            if packet is None:
                time.sleep(0.002)
                continue
            message = decode(bytes(packet), READER_OUTBOX)
            told = self.test.heard(message) if self.test.owns(message) else None
            if told is not None:
                seen.append(told.seen)
                if told.seen is wanted:
                    return told.ms
        raise AssertionError(f"{wanted} was not said, but {seen}")


@pytest.fixture
def screen(tmp_path: Path, field: VirtualField) -> Iterator[Screen]:
    with running_reader(tmp_path, field) as rig:
        yield screen_of(rig)


@pytest.fixture
def page(screen: Screen) -> Iterator[Page]:
    made = Page(screen)
    made.test.begin()
    yield made
    made.test.end()


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        ("card", Device.CARD),
        ("iphone", Device.IPHONE),
        ("android", Device.ANDROID),
        ("payment", SeenToken.PAYMENT),
        ("transit", SeenToken.TRANSIT),
    ],
)
def test_each_token_is_named_without_a_pin(
    page: Page, hand: FieldClient, token: str, seen: SeenToken | Device
) -> None:
    hand.tap(token)
    page.wait(SeenToken.LIES)
    page.wait(seen)
    if seen in (Device.CARD, Device.IPHONE, Device.ANDROID):
        assert hand.verifies(token) == 0


def test_the_test_goes_on_with_another_token_when_it_is_begun_again(page: Page, hand: FieldClient) -> None:
    hand.tap("card")
    page.wait(Device.CARD)
    page.test.begin()
    page.wait(SeenToken.LEFT_BEHIND)
    take_away(hand)
    hand.tap("payment")
    page.wait(SeenToken.PAYMENT)


def test_after_the_test_the_reader_serves_a_visit(page: Page, screen: Screen, hand: FieldClient) -> None:
    hand.tap("card")
    page.wait(Device.CARD)
    page.test.end()
    page.test.end()
    take_away(hand)
    screen.send(BeginContact(visit=VISIT))
    screen.arm_card()
    hand.tap("card")
    assert screen.wait(Evidence).signature is not None
