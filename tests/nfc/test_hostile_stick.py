"""A stick that lies: whatever bytes come over USB, the reader is gone or the contact has an outcome."""

import contextlib
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kiosk.nfc.antenna import Antenna, Found, Several
from kiosk.nfc.pn533 import Pn533
from kiosk.nfc.presentation import TokenReader
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.faults import ReaderGone
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Failed, Order, Other, Outcome, Wrong
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.chip import Chip
from kiosk.simulator.radio.airtime import INSTANT, Technology
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.radio.radio import Placement, RadioField
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime, JpkiToken, TokenKind
from tests.nfc.memory_stick import MemoryStick, Spoil
from tests.nfc.unwatched import read_unwatched


def stick(hierarchy: Hierarchy, technology: Technology, spoil: Spoil) -> tuple[MemoryStick, JpkiToken]:
    field = RadioField(INSTANT, RadioMeter(), lambda: 100.0)
    token = JpkiToken(
        TokenKind.CARD,
        hierarchy.authentication(TokenKind.CARD),
        hierarchy.signature,
        time=ComputingTime(0, 0),
    )
    field.place(Placement(Picc(token, RadioFace(technology), Random(0)), "card", 0.0))
    return MemoryStick(Chip(field), spoil), token


def read_card(transport: MemoryStick, store: TrustStore) -> Outcome | None:
    """Open, find, read: what the process does in one presentation."""
    chip = Pn533(transport, 4, sleep=lambda _: None)
    antenna = Antenna(chip, sleep=lambda _: None)
    found: Found | Several | None = None
    for _ in range(4):
        found = found or antenna.look()
    if found is None:
        return None
    pin = Pin()
    pin.take(bytearray(b"1234"))
    reader = TokenReader(store, WallClock(trusted=lambda: False), pin)
    outcome = read_unwatched(reader, antenna, found, Order(Device.CARD, Authentication.PIN)).outcome
    if isinstance(found, Found):
        antenna.there(found)
    antenna.close()
    return outcome


@dataclass(frozen=True, repr=False)
class World:
    """What Hypothesis need not print."""

    hierarchy: Hierarchy
    store: TrustStore


@pytest.fixture(scope="module")
def world(hierarchy: Hierarchy) -> World:
    return World(hierarchy, load_trust_folder(hierarchy.trust))


@pytest.mark.parametrize("technology", ["A", "B"])
def test_an_honest_stick_reads_a_card(world: World, technology: Technology) -> None:
    transport, _ = stick(world.hierarchy, technology, lambda _, frame: frame)
    assert isinstance(read_card(transport, world.store), Authenticated)
    assert transport.closed == 1


def spoiled(frame: bytes, how: int, data: bytes) -> bytes | None:
    """Seven ways of lying, some with sound checksums."""
    match how:
        case 0:
            return None
        case 1:
            return data
        case 2:
            return frame[: len(data) + 1]
        case 3:
            return pn533_frames.encode(b"\xd5" + data) if data else frame
        case 4:
            return pn533_frames.encode(frame[5:7] + data) if len(frame) > 8 else frame
        case 5:
            return pn533_frames.ACK
        case _:
            return pn533_frames.ERROR


@settings(max_examples=400)
@example(lies={2: (1, b"\x00\x00\xff\xff\xff")}, technology="B")  # struct.error inside nfcpy
@given(
    lies=st.dictionaries(
        st.integers(1, 120), st.tuples(st.integers(0, 6), st.binary(max_size=40)), min_size=1, max_size=6
    ),
    technology=st.sampled_from(["A", "B"]),
)
def test_whatever_a_stick_says_is_a_typed_fault_or_an_outcome(
    world: World,
    lies: dict[int, tuple[int, bytes]],
    technology: Technology,
) -> None:
    def spoil(count: int, frame: bytes) -> bytes | None:
        return spoiled(frame, *lies[count]) if count in lies else frame

    transport, token = stick(world.hierarchy, technology, spoil)
    with contextlib.suppress(ReaderGone):
        outcome = read_card(transport, world.store)
        assert outcome is None or isinstance(outcome, Authenticated | Failed | Wrong | Other)
    assert token.pin.presented <= 1
