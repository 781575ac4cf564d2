"""The stages played by hand: what is sent, and what each answer leads to."""

from collections.abc import Generator
from typing import TypeVar

import pytest

from kiosk.nfc.protocol import dialogue
from kiosk.nfc.protocol.apdu import CommandApdu, ResponseApdu
from kiosk.nfc.protocol.dialogue import (
    Blocked,
    CertificateRead,
    CommandRefused,
    Dialect,
    NotAuthenticated,
    PinAccepted,
    PinCounter,
    Signed,
    TokenName,
    Unusable,
    WrongPin,
)
from kiosk.qualification.terms import SignatureAlgorithm

R = TypeVar("R")
SHORT, LONG = Dialect(short_ef=True), Dialect(short_ef=False)
NAME = b"JPKIAPICCTOKEN2".ljust(32)
OK = "9000"


def play(stage: Generator[CommandApdu, ResponseApdu, R], *script: tuple[str, str]) -> R:
    """Play the token: pairs of the command that must come and the answer to it, in hexadecimal."""
    try:
        command = next(stage)
        for expected, answer in script:
            assert bytes(command.encode()).hex().upper() == expected.replace(" ", "").upper()
            command = stage.send(ResponseApdu.decode(bytes.fromhex(answer)))
    except StopIteration as end:
        result: R = end.value
        return result
    raise AssertionError(f"one command too many: {command!r}")


SELECT_AP = "00A4040C0A D392F000260100000001"


def test_select_tells_whether_the_application_is_there() -> None:
    assert play(dialogue.select(), (SELECT_AP, OK))
    assert not play(dialogue.select(), (SELECT_AP, "6A82"))


def test_the_name_is_read_by_short_identifier_in_one_command() -> None:
    assert play(dialogue.token_name(), ("00B0860020", NAME.hex() + OK)) == TokenName(NAME, SHORT)


def test_a_token_that_takes_no_short_identifiers_is_read_after_select() -> None:
    said = play(
        dialogue.token_name(),
        ("00B0860020", "6A86"),
        ("00A4020C020006", OK),
        ("00B0000020", NAME.hex() + OK),
    )
    assert said == TokenName(NAME, LONG)


def test_a_token_of_a_make_that_refused_them_lately_is_not_asked() -> None:
    said = play(
        dialogue.token_name(try_short_ef=False), ("00A4020C020006", OK), ("00B0000020", NAME.hex() + OK)
    )
    assert said == TokenName(NAME, LONG)


def test_a_short_name_is_nonsense() -> None:
    assert isinstance(play(dialogue.token_name(), ("00B0860020", "4A50" + OK)), Unusable)


def test_a_missing_name_is_refused_with_its_status_word() -> None:
    said = play(dialogue.token_name(), ("00B0860020", "6A82"), ("00A4020C020006", "6A82"))
    assert said == CommandRefused(0x6A82)


# ---- counter and VERIFY ----------------------------------------------------------------------------------


def test_the_counter_is_asked_for_without_spending_a_try() -> None:
    assert play(dialogue.pin_counter(SHORT), ("00200098", "63C3")) == PinCounter(3, 0x98)


def test_the_counter_falls_back_to_the_selected_file_for_asking_only() -> None:
    said = play(
        dialogue.pin_counter(SHORT), ("00200098", "6A86"), ("00A4020C020018", OK), ("00200080", "63C2")
    )
    assert said == PinCounter(2, 0x80)


@pytest.mark.parametrize("sw", ["63C0", "6983", "6984"])
def test_a_blocked_pin_is_told_as_blocked(sw: str) -> None:
    assert play(dialogue.pin_counter(SHORT), ("00200098", sw)) == Blocked()


@pytest.mark.parametrize("sw", ["9000", "6982", "6985", "6300"])
def test_a_token_that_does_not_tell_its_tries_gets_no_verify(sw: str) -> None:
    """9000 as well: nothing was verified in this activation, so what would it mean?"""
    assert play(dialogue.pin_counter(SHORT), ("00200098", sw)) == CommandRefused(int(sw, 16))


@pytest.mark.parametrize("p2", [0x98, 0x80])
def test_verify_goes_out_in_the_form_that_told_the_counter(p2: int) -> None:
    pin = bytearray(b"1234")
    assert play(dialogue.verify(pin, PinCounter(3, p2)), (f"002000{p2:02X}0431323334", OK)) == PinAccepted()


@pytest.mark.parametrize("left", [1, 0])
def test_verify_with_less_than_two_tries_cannot_even_be_written(left: int) -> None:
    stage = dialogue.verify(bytearray(b"1234"), PinCounter(left, 0x98))
    with pytest.raises(ValueError, match="VERIFY must not be sent"):
        next(stage)


def test_a_wrong_pin_tells_what_is_left() -> None:
    said = play(dialogue.verify(bytearray(b"9999"), PinCounter(3, 0x98)), ("00200098" + "0439393939", "63C2"))
    assert said == WrongPin(2)


@pytest.mark.parametrize("sw", ["6A86", "6A82", "6986", "6700", "6D00"])
def test_verify_is_never_tried_another_way(sw: str) -> None:
    said = play(dialogue.verify(bytearray(b"1234"), PinCounter(3, 0x98)), ("00200098" + "0431323334", sw))
    assert said == CommandRefused(int(sw, 16))


# ---- certificate -----------------------------------------------------------------------------------------


def der(size: int) -> bytes:
    return b"\x30\x82" + (size - 4).to_bytes(2, "big") + bytes(i & 0xFF for i in range(size - 4))


def test_a_certificate_is_read_in_frames_and_its_last_block_exactly() -> None:
    content = der(600)
    said = play(
        dialogue.certificate(SHORT),
        ("00B08A00FB", content[:251].hex() + OK),
        ("00B000FBFB", content[251:502].hex() + OK),
        ("00B001F662", content[502:].hex() + OK),
    )
    assert said == CertificateRead(content)


def test_a_certificate_in_one_block_needs_one_command() -> None:
    content = der(251)
    assert play(dialogue.certificate(SHORT), ("00B08A00FB", content.hex() + OK)) == CertificateRead(content)


def test_padding_after_the_certificate_is_left_away() -> None:
    content = der(100)
    said = play(dialogue.certificate(SHORT), ("00B08A00FB", (content + bytes(50)).hex() + "6282"))
    assert said == CertificateRead(content)


def test_a_certificate_is_read_after_select_where_short_identifiers_are_not_taken() -> None:
    content = der(100)
    said = play(dialogue.certificate(LONG), ("00A4020C02000A", OK), ("00B00000FB", content.hex() + OK))
    assert said == CertificateRead(content)


def test_a_token_that_sends_less_at_a_time_is_read_to_the_end() -> None:
    content = der(300)
    said = play(
        dialogue.certificate(SHORT),
        ("00B08A00FB", content[:100].hex() + OK),
        ("00B00064C8", content[100:200].hex() + OK),
        ("00B000C864", content[200:].hex() + OK),
    )
    assert said == CertificateRead(content)


def test_6cxx_and_61xx_are_followed() -> None:
    content = der(100)
    said = play(
        dialogue.certificate(SHORT),
        ("00B08A00FB", "6C64"),
        ("00B08A0064", content[:90].hex() + "610A"),
        ("00C000000A", content[90:].hex() + OK),
    )
    assert said == CertificateRead(content)


@pytest.mark.parametrize("sw", ["6982", "6985"])
def test_an_unproven_holder_is_told_apart_from_a_fault(sw: str) -> None:
    assert play(dialogue.certificate(SHORT), ("00B08A00FB", sw)) == NotAuthenticated()


@pytest.mark.parametrize(
    "first", ["04820100" + "00" * 247, "3084FFFFFFFF" + "00" * 245, "3080", "", "3082FFFF" + "00" * 247]
)
def test_what_is_no_certificate_is_nonsense(first: str) -> None:
    assert isinstance(play(dialogue.certificate(SHORT), ("00B08A00FB", first + OK)), Unusable)


def test_a_certificate_that_stops_giving_is_nonsense() -> None:
    content = der(300)
    said = play(dialogue.certificate(SHORT), ("00B08A00FB", content[:251].hex() + OK), ("00B000FB31", OK))
    assert isinstance(said, Unusable)


# ---- sign ------------------------------------------------------------------------------------------------


def test_rsa_signs_a_digest_info_of_51_bytes() -> None:
    digest = bytes(range(32))
    info = "3031300D060960864801650304020105000420" + digest.hex()
    said = play(
        dialogue.sign(SHORT, SignatureAlgorithm.RSA_PKCS1_SHA256, digest),
        ("802A009733" + info + "00", "AA" * 256 + OK),
    )
    assert said == Signed(b"\xaa" * 256)


def test_p384_signs_the_digest_as_it_is() -> None:
    digest = bytes(48)
    said = play(
        dialogue.sign(SHORT, SignatureAlgorithm.ECDSA_P384_SHA384, digest),
        ("802A009730" + digest.hex() + "00", "3000" + OK),
    )
    assert said == Signed(b"\x30\x00")


def test_signing_falls_back_to_the_selected_key() -> None:
    digest = bytes(48)
    command = "802A00{}30" + digest.hex() + "00"
    said = play(
        dialogue.sign(SHORT, SignatureAlgorithm.ECDSA_P384_SHA384, digest),
        (command.format("97"), "6A86"),
        ("00A4020C020017", OK),
        (command.format("80"), "3000" + OK),
    )
    assert said == Signed(b"\x30\x00")


def test_signing_without_proof_is_told_as_such() -> None:
    digest = bytes(48)
    said = play(
        dialogue.sign(SHORT, SignatureAlgorithm.ECDSA_P384_SHA384, digest),
        ("802A009730" + digest.hex() + "00", "6982"),
    )
    assert said == NotAuthenticated()
