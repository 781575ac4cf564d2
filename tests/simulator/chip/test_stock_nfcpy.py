"""Stock nfcpy, as released, over the virtual PN533: open, sense, activate, talk, fail."""

import errno
import hashlib

import nfc
import nfc.clf
import nfc.tag.tt4
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from nfc.clf import RemoteTarget

from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import TokenKind
from tests.nfc.stock_stick import (
    activate,
    ask,
    plugged_in,
    read_file,
    select_application,
    select_file,
    sense,
    sign,
)

GONE = "Input/output error"
PIN = "002000800431323334"


def test_stock_nfcpy_opens_the_stick_and_reads_its_name(stick: nfc.ContactlessFrontend) -> None:
    assert stick.device._chipset_name == "PN533v2.7"
    assert stick.device.vendor_name == "Kiosk simulator"
    assert stick.device.product_name == "Virtual PN533"


@pytest.mark.parametrize("type_", ["106A", "106B", "212F", "424F", "212B", "848B"])
def test_an_empty_field_finds_nothing(stick: nfc.ContactlessFrontend, type_: str) -> None:
    assert stick.sense(RemoteTarget(type_)) is None


def test_an_empty_sense_of_a_and_b_is_five_commands(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.counters(clear=True)
    assert sense(stick) is None
    assert hand.counters()["commands"] == 5
    assert hand.counters()["empty_polls"] == 2


@pytest.mark.parametrize("technology", ["A", "B"])
def test_certificate_pin_and_signature_over_both_radio_types(
    stick: nfc.ContactlessFrontend, hand: FieldClient, technology: str
) -> None:
    hand.tap("card", technology=technology)
    tag = activate(stick)
    assert tag.type == "Type4Tag"
    assert select_application(tag) == b"\x90\x00"
    assert read_file(tag, 0x0006).startswith(b"JPKIAPICCTOKEN2 ")
    certificate = read_file(tag, 0x000A)
    assert 1543 <= len(certificate) <= 1603
    assert select_file(tag, 0x0018) == b"\x90\x00"
    assert ask(tag, "00200080") == b"\x63\xc3"
    assert ask(tag, PIN) == b"\x90\x00"
    digest = hashlib.sha256(b"transcript").digest()
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(sign(tag, digest), b"transcript", padding.PKCS1v15(), hashes.SHA256())


def test_a_token_with_a_p384_key_signs_the_digest_it_is_given(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card", key="ec")
    tag = activate(stick)
    select_application(tag)
    certificate = x509.load_der_x509_certificate(read_file(tag, 0x000A))
    select_file(tag, 0x0018)
    assert ask(tag, PIN) == b"\x90\x00"
    select_file(tag, 0x0017)
    digest = hashlib.sha384(b"transcript").digest()
    answer = ask(tag, f"802A008030{digest.hex()}00")
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(answer[:-2], b"transcript", ec.ECDSA(hashes.SHA384()))


@pytest.mark.parametrize("fsci", [0, 2, 5, 8])
def test_long_commands_are_chained_towards_small_tokens(
    stick: nfc.ContactlessFrontend, hand: FieldClient, fsci: int
) -> None:
    hand.tap("card", fsci=fsci)
    tag = activate(stick)
    select_application(tag)
    select_file(tag, 0x0018)
    assert ask(tag, PIN) == b"\x90\x00"
    assert len(sign(tag, bytes(32))) == 256


@pytest.mark.parametrize("technology", ["A", "B"])
def test_a_token_that_asks_for_time_before_each_answer_is_waited_for(
    stick: nfc.ContactlessFrontend, hand: FieldClient, technology: str
) -> None:
    hand.tap("card", technology=technology, wtx_first=2)
    tag = activate(stick)
    assert select_application(tag) == b"\x90\x00"


@pytest.mark.parametrize("link", [2, 3])
def test_stock_nfcpy_fails_or_lies_at_a_request_for_time_inside_a_chain(
    stick: nfc.ContactlessFrontend, hand: FieldClient, hierarchy: Hierarchy, link: int
) -> None:
    """The field must be able to show nfcpy's known fault, which our own reader mends."""
    hand.tap("card", wtx_in_chain=link)
    tag = activate(stick)
    select_application(tag)
    select_file(tag, 0x000A)
    try:
        answer = ask(tag, "00B00000000000")
    except nfc.tag.tt4.Type4TagCommandError:
        return
    assert answer != hierarchy.authentication(TokenKind.CARD).certificate + b"\x90\x00"


@pytest.mark.parametrize("garbled", [False, True])
@pytest.mark.parametrize("frame", range(1, 9))
def test_any_one_lost_frame_is_repeated_and_nothing_is_done_twice(
    stick: nfc.ContactlessFrontend, hand: FieldClient, frame: int, garbled: bool
) -> None:
    hand.tap("card", fwi=4)
    tag = activate(stick)
    select_application(tag)
    select_file(tag, 0x0018)
    hand.lose(frames=[frame], garbled=garbled)
    assert ask(tag, "002000800439393939") == b"\x63\xc2"
    assert ask(tag, "00200080") == b"\x63\xc2"
    certificate = read_file(tag, 0x000A)
    assert len(certificate) > 1500
    assert hand.counters()["lost_frames"] == 1
    assert hand.verifies("card") == 1


def test_every_fifth_frame_lost_still_gives_the_whole_certificate(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card", fwi=4)
    tag = activate(stick)
    select_application(tag)
    whole = read_file(tag, 0x000A)
    hand.lose(every=5)
    assert read_file(tag, 0x000A) == whole
    assert hand.counters()["lost_frames"] >= 3


def test_a_token_taken_away_is_a_time_out(stick: nfc.ContactlessFrontend, hand: FieldClient) -> None:
    hand.tap("card", fwi=4)
    tag = activate(stick)
    select_application(tag)
    hand.remove()
    with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
        select_file(tag, 0x000A)
    assert sense(stick) is None


@pytest.mark.parametrize("apdus", [0, 1, 3])
def test_a_token_leaves_after_the_answers_it_was_told_to_give(
    stick: nfc.ContactlessFrontend, hand: FieldClient, apdus: int
) -> None:
    hand.tap("card", fwi=4, remove_after_apdu=apdus)
    tag = activate(stick)
    for _ in range(apdus):
        assert select_application(tag) == b"\x90\x00"
    with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
        select_application(tag)
    assert hand.status()["tokens"] == []


def test_a_token_that_leaves_after_an_odd_frame_has_acted_but_not_answered(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    frames_before_verify = (
        2 * 2 + 2
    )  # two commands with their answers, and DESELECT of nfcpy's Type B activation
    hand.tap("card", fwi=4, remove_after_frame=frames_before_verify + 1)
    tag = activate(stick)
    select_application(tag)
    select_file(tag, 0x0018)
    with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
        ask(tag, "002000800439393939")
    assert hand.verifies("card") == 1
    assert hand.tries_left("card") == 2


def test_another_token_takes_the_place_of_the_first_between_two_commands(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card", fwi=4, remove_after_apdu=1, then="android")
    tag = activate(stick)
    select_application(tag)
    with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
        select_file(tag, 0x0006)
    tag = activate(stick)
    select_application(tag)
    assert read_file(tag, 0x0006).startswith(b"JPKIAPGPSETOKEN ")


def test_two_type_b_tokens_collide_after_the_deselect_of_stock_nfcpy(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card")
    hand.tap("android", beside=True)
    assert stick.sense(RemoteTarget("106B")) is None
    assert hand.status()["tokens"] == ["card", "android"]


def test_a_type_a_and_a_type_b_token_are_each_found(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card")
    hand.tap("payment", beside=True)
    assert stick.sense(RemoteTarget("106A")) is not None
    assert stick.sense(RemoteTarget("106B")) is not None


def test_the_chip_lists_two_type_a_tokens_when_asked_for_two(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("payment")
    hand.tap("transit", beside=True)
    answer = stick.device.chipset.command(0x4A, b"\x02\x00", timeout=1.0)
    assert answer[0] == 2


def test_pulling_the_stick_is_an_input_output_error_and_a_new_stick_works(
    field: VirtualField, hand: FieldClient
) -> None:
    with plugged_in(field.settings.path) as stick:
        hand.unplug()
        with pytest.raises(OSError, match=GONE) as fault:
            sense(stick)
        assert fault.value.errno in (errno.EIO, errno.ENODEV)
    with pytest.raises(OSError, match=GONE), plugged_in(field.settings.path):
        pass
    hand.plug()
    with plugged_in(field.settings.path) as stick:
        assert sense(stick) is None


def test_pulling_the_stick_during_a_signature_ends_the_wait_at_once(
    field: VirtualField, hand: FieldClient
) -> None:
    with plugged_in(field.settings.path) as stick:
        hand.tap("card", sign_ms=5000, fwi=14)
        tag = activate(stick)
        select_application(tag)
        select_file(tag, 0x0018)
        ask(tag, PIN)
        hand.ask("unplug_after", seconds=0.05)
        began = field.radio.clock()
        with pytest.raises(OSError, match=GONE):
            sign(tag, bytes(32))
        assert field.radio.clock() - began < 2


def test_a_second_reader_is_refused_while_the_first_holds_the_stick(
    field: VirtualField, stick: nfc.ContactlessFrontend
) -> None:
    with pytest.raises(OSError, match=GONE), plugged_in(field.settings.path):
        pass
    assert sense(stick) is None


def test_a_deaf_stick_is_an_error_and_not_a_hang(stick: nfc.ContactlessFrontend, hand: FieldClient) -> None:
    hand.fault(deaf=True)
    with pytest.raises(OSError, match=GONE):
        sense(stick)


def test_a_late_response_stays_in_the_pipe_when_the_chip_does_not_flush_it(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    """The known fault of stock nfcpy is that it never drains the pipe."""
    chipset = stick.device.chipset
    hand.model(poll_ms=200)
    hand.fault(stale=1)
    with pytest.raises(TimeoutError):
        chipset.command(0x4A, b"\x01\x00", timeout=0.05)
    # The fault wears off by itself. Taken back here, it could be gone before a busy chip saw the abort.
    with pytest.raises(OSError, match=GONE):
        chipset.get_firmware_version()


def test_an_aborted_command_leaves_the_chip_ready(stick: nfc.ContactlessFrontend, hand: FieldClient) -> None:
    hand.model(poll_ms=500)
    with pytest.raises(TimeoutError):
        stick.device.chipset.command(0x4A, b"\x01\x00", timeout=0.05)
    assert stick.device.chipset.get_firmware_version() == b"\x33\x02\x07\x07"


def test_an_unknown_command_gets_the_error_frame(stick: nfc.ContactlessFrontend) -> None:
    chipset = stick.device.chipset
    with pytest.raises(chipset.Error) as fault:
        chipset.command(0x56, b"", timeout=0.5)
    assert fault.value.errno == 0x7F


def test_the_iphone_keeps_its_authentication_over_the_activation_of_stock_nfcpy_by_default(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("iphone")
    tag = activate(stick)
    select_application(tag)
    assert len(read_file(tag, 0x000A)) > 1500
    assert len(sign(tag, bytes(32))) == 256
    assert ask(tag, "80FC0000") == b"\x90\x00"


@pytest.mark.parametrize(
    ("technology", "forgets", "readable"),
    [("B", "deselect", False), ("B", "field-off", True), ("A", "deselect", True), ("A", "both", True)],
)
def test_the_iphone_forgets_on_the_deselect_that_stock_nfcpy_sends_to_type_b(
    stick: nfc.ContactlessFrontend, hand: FieldClient, technology: str, forgets: str, readable: bool
) -> None:
    hand.tap("iphone", technology=technology, forgets=forgets)
    tag = activate(stick)
    select_application(tag)
    select_file(tag, 0x000A)
    assert (ask(tag, "00B0000000") != b"\x69\x82") is readable


def test_the_iphone_forgets_when_the_field_goes_off(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("iphone", technology="A", forgets="field-off")
    activate(stick)
    tag = activate(stick)  # sense() switches the field off first
    select_application(tag)
    select_file(tag, 0x000A)
    assert ask(tag, "00B0000000") == b"\x69\x82"


def test_random_identifiers_change_with_every_field(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("android", technology="A")
    seen = {bytes(found.sdd_res) for _ in range(4) if (found := stick.sense(RemoteTarget("106A")))}
    assert len(seen) == 4
    assert all(uid[0] == 0x08 for uid in seen)


def test_presence_check_answers_until_the_token_is_gone(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    hand.tap("card", fwi=4)
    tag = activate(stick)
    assert tag.is_present
    select_application(tag)
    assert tag.is_present
    hand.remove()
    assert not tag.is_present


def test_a_raw_request_of_seven_bits_is_answered_and_crc_is_left_to_the_host(
    stick: nfc.ContactlessFrontend, hand: FieldClient
) -> None:
    """As Apple's polling frames and libnfc do it: CIU registers set by hand, InCommunicateThru."""
    hand.tap("payment", uid="04112233")
    chipset = stick.device.chipset
    chipset.rf_configuration(0x01, b"\x01")
    chipset.write_register(("CIU_TxMode", 0x00), ("CIU_RxMode", 0x00), ("CIU_BitFraming", 0x07))
    assert chipset.in_communicate_thru(b"\x26", 0.1) == b"\x04\x00"
    chipset.write_register("CIU_BitFraming", 0x00)
    assert chipset.in_communicate_thru(b"\x93\x20", 0.1) == bytes.fromhex("0411223304")
    select = stick.device.add_crc_a(bytearray.fromhex("93700411223304"))
    answer = chipset.in_communicate_thru(select, 0.1)
    assert answer[:1] == b"\x20"
    assert stick.device.check_crc_a(bytearray(answer))


def test_the_chips_own_iso_dep_reads_a_token_too(stick: nfc.ContactlessFrontend, hand: FieldClient) -> None:
    hand.tap("card")
    chipset = stick.device.chipset
    assert chipset.in_list_passive_target(1, 3, b"\x00") is not None
    answer, more = chipset.in_data_exchange(bytes.fromhex("00A4040C0AD392F000260100000001"), 1.0)
    assert (bytes(answer), more) == (b"\x90\x00", False)
    answer, _ = chipset.in_data_exchange(bytes.fromhex("00A4020C020006"), 1.0)
    answer, _ = chipset.in_data_exchange(bytes.fromhex("00B00000A0"), 1.0)
    assert len(answer) == 162
