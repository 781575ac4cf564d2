"""What reading costs on the bus and in the air, in commands, blocks and transfers."""

import pytest

from kiosk.nfc.presentation import TokenReader
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Order
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from tests.nfc.our_reader import linked, ours
from tests.nfc.unwatched import authenticate_unwatched, read_unwatched


@pytest.mark.parametrize(
    ("short_ef", "asked", "blocks", "transfers"),
    [(True, True, 13, 42), (False, True, 18, 57), (False, False, 17, 54)],
)
def test_a_whole_authentication_keeps_to_its_blocks_and_transfers(
    field: VirtualField,
    hand: FieldClient,
    hierarchy: Hierarchy,
    short_ef: bool,
    asked: bool,
    blocks: int,
    transfers: int,
) -> None:
    """After activation, at 106 kbit/s throughout (10); stock nfcpy needs about 200 transfers.

    Without S(WTX), which a real card's signature wants once more. `asked`: no token of this make has refused
    short EF identifiers lately.
    """
    hand.tap("card", short_ef_identifiers=short_ef)
    pin = Pin()
    pin.take(bytearray(b"1234"))
    with ours(field) as antenna:
        link = linked(antenna)
        hand.counters(clear=True)
        store = load_trust_folder(hierarchy.trust)
        outcome = authenticate_unwatched(link, store, pin, Order(Device.CARD, Authentication.PIN, asked))
        counted = hand.counters()
    assert isinstance(outcome, Authenticated)
    assert counted["radio_blocks"] == blocks
    assert counted["usb_transfers"] == transfers


def test_the_second_token_of_a_make_that_refused_short_identifiers_is_not_asked(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy
) -> None:
    pin = Pin()
    reader = TokenReader(load_trust_folder(hierarchy.trust), WallClock(), pin)
    counts = []
    with ours(field) as antenna:
        for _ in range(3):
            hand.tap("card", short_ef_identifiers=False)
            hand.apdus(clear=True)
            pin.take(bytearray(b"1234"))
            found = None
            while found is None:
                found = antenna.look()
            done = read_unwatched(reader, antenna, found, Order(Device.CARD, Authentication.PIN))
            assert isinstance(done.outcome, Authenticated)
            counts.append(len(hand.apdus()))
    assert counts == [17, 16, 16]
    assert hand.verifies("card") == 3


def test_an_empty_look_costs_three_commands(field: VirtualField, hand: FieldClient) -> None:
    """Registers, our own request of type B, the chip's search of type A; stock nfcpy: five."""
    hand.tap("card")
    with ours(field) as antenna:
        linked(antenna)  # our own search has proved itself: the chip's of type B is not tried any more
        hand.remove()
        antenna.look()
        hand.counters(clear=True)
        for _ in range(8):
            assert antenna.look() is None
        assert hand.counters()["commands"] == 3 * 8
