"""nfcpy's faults (1.0.4, as released), each first shown with stock nfcpy and then mended in our reader.

The numbers are those of docs/facts/reader.md: 1 retries that depend on FWI, 2 S(WTX) inside a chained answer,
3 ATS without interface bytes, 4 phones with SAK 60, 5 presence without asking, 6 extended length, 7 handles
after an unplugging, 8 stale frames, 9 a time-out of zero, 10 bit rates that ATTRIB does not set.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nfc
import nfc.clf.pn533
import nfc.tag
import nfc.tag.tt4
import pytest

from kiosk.nfc.antenna import WUPB, Antenna, Found, TokenLink
from kiosk.nfc.pn533 import Pn533, open_reader
from kiosk.nfc.presentation import TokenReader
from kiosk.nfc.protocol.apdu import CommandApdu, ResponseApdu
from kiosk.nfc.protocol.faults import NfcFault, ReaderGone
from kiosk.nfc.protocol.isodep import Unheard
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Order
from kiosk.nfc.protocol.tokens import AID
from kiosk.nfc.transport import VirtualTransport
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from tests.nfc.rates import Tape
from tests.nfc.stock_stick import StockTransport, activate, plugged_in, read_file, select_application, sense
from tests.nfc.unwatched import authenticate_unwatched, read_unwatched

SELECT = CommandApdu(0x00, 0xA4, 0x04, 0x0C, AID)
FRAMES_OF_256_AT_106 = 0x08  #: ATTRIB's second parameter byte (ISO/IEC 14443-3:2018, 7.10.4)
RATE_BITS = 0x70
R_NAK_0 = b"\xb2"  #: asks an activated token whether it is there
WHOLE = CommandApdu(0x00, 0xB0, 0x00, 0x00, ne=65536)
SELECT_CERTIFICATE = CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x00\x0a")


@contextmanager
def ours(field: VirtualField) -> Iterator[Antenna]:
    antenna = Antenna(open_reader(f"virtual:{field.settings.path}", 4))
    try:
        yield antenna
    finally:
        antenna.close()


def linked(antenna: Antenna) -> TokenLink:
    found = None
    until = time.monotonic() + 5
    while found is None and time.monotonic() < until:
        found = antenna.look()
    assert isinstance(found, Found)
    return antenna.activate(found)


def ask(link: TokenLink, command: CommandApdu) -> ResponseApdu:
    return ResponseApdu.decode(link.exchange(command, lambda: 10.0))


def certificate(link: TokenLink) -> bytes:
    assert ask(link, SELECT).ok
    assert ask(link, SELECT_CERTIFICATE).ok
    answer = ask(link, WHOLE)
    assert answer.ok
    return answer.data


# ---- 1 ---------------------------------------------------------------------------------------------------


def test_stock_gives_up_after_one_lost_frame_when_fwi_is_high(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card", fwi=12)
    with plugged_in(field.settings.path) as stick:
        tag = activate(stick)
        hand.lose(frames=[1])
        with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
            select_application(tag)


def test_1_a_lost_frame_is_repeated_soon_whatever_fwi_says(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card", fwi=13)
    with ours(field) as antenna:
        link = linked(antenna)
        hand.lose(frames=[1])
        began = time.monotonic()
        assert ask(link, SELECT).ok
        assert time.monotonic() - began < 1.5  # stock: 3.28 s


def test_1_removal_is_noticed_soon_whatever_fwi_says(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card", fwi=13)
    with ours(field) as antenna:
        link = linked(antenna)
        hand.remove()
        began = time.monotonic()
        with pytest.raises(NfcFault):
            ask(link, SELECT)
        assert time.monotonic() - began < 1.5  # stock: 3.28 s


# ---- 2 ---------------------------------------------------------------------------------------------------


def test_stock_breaks_on_wtx_inside_a_chained_answer(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card", wtx_in_chain=1)
    with plugged_in(field.settings.path) as stick:
        tag = activate(stick)
        select_application(tag)
        with pytest.raises((nfc.tag.tt4.Type4TagCommandError, AssertionError)):
            read_file(tag, 0x000A)


def test_2_wtx_inside_a_chained_answer_is_answered(field: VirtualField, hand: FieldClient) -> None:
    with ours(field) as antenna:
        hand.tap("card")
        plain = certificate(linked(antenna))
        hand.tap("card", wtx_in_chain=1, wtx_first=1)
        assert certificate(linked(antenna)) == plain


# ---- 3 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ats", ["0278", "01", "0378A0", "037002"])
def test_stock_dies_of_a_short_ats(field: VirtualField, hand: FieldClient, ats: str) -> None:
    hand.tap("android", technology="A", ats=ats)
    with plugged_in(field.settings.path) as stick, pytest.raises(IndexError):
        activate(stick)


@pytest.mark.parametrize("ats", ["0278", "01", "0378A0", "037002", "047880A0"])
def test_3_every_ats_is_understood(field: VirtualField, hand: FieldClient, ats: str) -> None:
    hand.tap("android", technology="A", ats=ats)
    with ours(field) as antenna:
        assert ask(linked(antenna), SELECT).ok


# ---- 4 ---------------------------------------------------------------------------------------------------


def test_stock_connect_passes_over_a_phone_with_sak_60(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("android", technology="A", sak=0x60)
    rounds: list[int] = []

    def enough() -> bool:
        rounds.append(1)
        return len(rounds) > 2

    with plugged_in(field.settings.path) as stick:
        options: dict[str, Any] = {"targets": ["106A"], "iterations": 1, "interval": 0.01}
        assert stick.connect(rdwr={**options, "on-connect": bool}, terminate=enough) is None


def test_4_a_phone_with_sak_60_is_read(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("android", technology="A", sak=0x60)
    with ours(field) as antenna:
        assert ask(linked(antenna), SELECT).ok


# ---- 5 ---------------------------------------------------------------------------------------------------


def test_stock_says_present_without_asking(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card")
    with plugged_in(field.settings.path) as stick:
        tag = activate(stick)
        hand.remove()
        assert sense(stick) is None
        assert tag.is_present


@pytest.mark.parametrize("technology", ["A", "B"])
@pytest.mark.parametrize("activated", [True, False])
def test_5_presence_is_what_the_token_answers(
    field: VirtualField, hand: FieldClient, technology: str, activated: bool
) -> None:
    hand.tap("card", technology=technology)
    with ours(field) as antenna:
        found = None
        while not isinstance(found, Found):
            found = antenna.look()
        if activated:
            antenna.activate(found)
        assert [antenna.there(found) for _ in range(4)] == [True] * 4
        hand.remove()
        assert not antenna.there(found)
        hand.unplug()
        with pytest.raises(ReaderGone):
            antenna.there(found)


# ---- 6 ---------------------------------------------------------------------------------------------------


def test_stock_refuses_extended_length(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card")
    with plugged_in(field.settings.path) as stick, pytest.raises(ValueError, match="unsupported"):
        activate(stick).send_apdu(0x00, 0xB0, 0x00, 0x00, mrl=65536)


def test_6_extended_length_is_sent_where_asked_for(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card")
    with ours(field) as antenna:
        assert len(certificate(linked(antenna))) > 1500


# ---- 7 ---------------------------------------------------------------------------------------------------


def test_stock_keeps_the_handle_of_a_stick_that_was_unplugged(field: VirtualField, hand: FieldClient) -> None:
    transport = StockTransport(field.settings.path)
    frontend = nfc.ContactlessFrontend()
    frontend.device = nfc.clf.pn533.init(transport)
    hand.unplug()
    frontend.close()
    try:
        assert frontend.device is None
        assert not transport.closed
    finally:
        transport.close()


def test_7_unplugging_leaves_no_handle_behind(field: VirtualField, hand: FieldClient) -> None:
    def handles() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    kept: list[ReaderGone] = []
    before = handles()
    for _ in range(10):
        antenna = Antenna(open_reader(f"virtual:{field.settings.path}", 4))
        hand.unplug()
        with pytest.raises(ReaderGone) as gone:
            antenna.look()
        kept.append(gone.value)  # even a kept exception must not keep the reader
        antenna.close()
        hand.plug()
    assert handles() <= before + 2
    assert {fault.__cause__ for fault in kept} == {None}


# ---- 8 ---------------------------------------------------------------------------------------------------

ONE_TRY = pn533_frames.encode(bytes.fromhex("D432050100 00"))  #: RFConfiguration: do not search for ever
SEARCH = pn533_frames.encode(bytes.fromhex("D44A0100"))  #: InListPassiveTarget, one of type A


def leave_stale(transport: Any, hand: FieldClient) -> None:
    """A command that was ended, whose answer the chip delivers all the same."""
    transport.write(ONE_TRY)
    transport.read(500)
    transport.read(500)
    hand.fault(stale=1)
    hand.model(poll_ms=100)
    transport.write(SEARCH)
    assert bytes(transport.read(500)) == pn533_frames.ACK
    transport.write(pn533_frames.ACK)
    hand.model(poll_ms=0)


def test_stock_never_recovers_from_a_stale_frame(field: VirtualField, hand: FieldClient) -> None:
    transport = StockTransport(field.settings.path)
    try:
        leave_stale(transport, hand)
        with pytest.raises(OSError, match="Input/output"):
            nfc.clf.pn533.init(transport)
    finally:
        transport.close()


def test_8_stale_frames_are_thrown_away_at_opening(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card")
    transport = VirtualTransport(str(field.settings.path))
    leave_stale(transport, hand)
    antenna = Antenna(Pn533(transport, 4))
    try:
        assert ask(linked(antenna), SELECT).ok
    finally:
        antenna.close()


# ---- 9 ---------------------------------------------------------------------------------------------------


def test_stock_takes_the_answer_to_a_command_without_time_for_the_next_ones(
    field: VirtualField, hand: FieldClient
) -> None:
    hand.tap("card")
    with plugged_in(field.settings.path) as stick:
        activate(stick)
        chipset = stick.device.chipset
        assert chipset.in_communicate_thru(R_NAK_0, 0) is None
        assert chipset.transport.wait_for_more()
        with pytest.raises(OSError, match="Input/output"):
            chipset.get_firmware_version()


def test_9_no_time_at_all_is_still_a_time_and_the_next_command_works(
    field: VirtualField, hand: FieldClient
) -> None:
    chip = open_reader(f"virtual:{field.settings.path}", 4)
    try:
        chip.field_on()
        assert chip.exchange("B", WUPB, 0.0) is Unheard.SILENCE
        hand.tap("card")
        assert not isinstance(chip.exchange("B", WUPB, 0.003), Unheard)
    finally:
        chip.close()


# ---- 10 --------------------------------------------------------------------------------------------------


def test_stock_speaks_faster_than_its_attrib_agreed(field: VirtualField, hand: FieldClient) -> None:
    hand.tap("card")
    with plugged_in(field.settings.path) as stick:
        target = sense(stick)
        assert target is not None
        assert target.brty == "106B"
        target.brty = "424B"
        assert nfc.tag.activate(stick, target) is None


def test_10_every_frame_is_sent_at_the_rate_that_attrib_agreed(
    field: VirtualField, hand: FieldClient
) -> None:
    hand.tap("card")
    tape = Tape()
    antenna = Antenna(open_reader(f"virtual:{field.settings.path}", 4, tape.over))
    try:
        assert ask(linked(antenna), SELECT).ok
    finally:
        antenna.close()
    assert [frame[6] for frame in tape.thru if frame[:1] == b"\x1d"] == [FRAMES_OF_256_AT_106]
    assert tape.modes
    assert {mode & RATE_BITS for mode in tape.modes} == {0}


# ---- leanness --------------------------------------------------------------------------------------------


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
