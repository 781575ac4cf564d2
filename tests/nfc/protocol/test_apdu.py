"""APDUs, BER-TLV, status words and the token table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.nfc.protocol import status_words as status
from kiosk.nfc.protocol import tlv, tokens
from kiosk.nfc.protocol.apdu import CommandApdu, GarbledAnswer, ResponseApdu
from kiosk.nfc.protocol.secret import Pin
from kiosk.qualification.devices import Device


@pytest.mark.parametrize(
    ("command", "coded"),
    [
        (CommandApdu(0x00, 0x20, 0x00, 0x80), "00200080"),
        (CommandApdu(0x00, 0xB0, 0x8A, 0x00, ne=251), "00B08A00FB"),
        (CommandApdu(0x00, 0xB0, 0x00, 0x00, ne=256), "00B0000000"),
        (CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x00\x0a"), "00A4020C02000A"),
        (CommandApdu(0x80, 0x2A, 0x00, 0x97, b"\x01\x02", 256), "802A00970201" + "0200"),
        (CommandApdu(0x00, 0xB0, 0x00, 0x00, ne=65536), "00B00000000000"),
        (CommandApdu(0x00, 0xB0, 0x00, 0x00, ne=257), "00B00000000101"),
        (CommandApdu(0x00, 0xD6, 0x00, 0x00, b"\x55" * 256), "00D60000000100" + "55" * 256),
        (CommandApdu(0x00, 0xC3, 0, 0, b"\x55" * 256, 300), "00C30000000100" + "55" * 256 + "012C"),
    ],
)
def test_commands_are_coded_as_the_standard_says(command: CommandApdu, coded: str) -> None:
    assert command.encode() == bytes.fromhex(coded)


def test_no_command_ever_shows_its_data() -> None:
    shown = repr(CommandApdu(0x00, 0x20, 0x00, 0x80, bytearray(b"1234")))
    assert "1234" not in shown
    assert "31" not in shown
    assert "Nc=4" in shown


def test_no_answer_ever_shows_its_data() -> None:
    assert repr(ResponseApdu(b"a person's name", 0x9000)) == "<15 bytes, SW 9000>"


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_an_answer_without_status_word_is_garbled(raw: bytes) -> None:
    with pytest.raises(GarbledAnswer):
        ResponseApdu.decode(raw)


def test_an_answer_is_split_into_data_and_status_word() -> None:
    assert ResponseApdu.decode(b"\x01\x02\x90\x00") == ResponseApdu(b"\x01\x02", 0x9000)


def test_lengths_that_no_apdu_can_say_are_our_own_bug() -> None:
    with pytest.raises(ValueError, match="65535"):
        CommandApdu(0, 0, 0, 0, bytes(65536))


@pytest.mark.parametrize(
    ("sw", "left"), [(0x63C3, 3), (0x63C0, 0), (0x9000, None), (0x6300, None), (0x63D1, None)]
)
def test_tries_are_read_from_63cx_only(sw: int, left: int | None) -> None:
    assert status.tries(sw) == left


def test_status_words_are_named_where_they_are_known() -> None:
    assert status.name(0x6982) == "6982 security status"
    assert status.name(0x63C2) == "63C2 tries left: 2"
    assert status.name(0x6F00) == "6F00"


@pytest.mark.parametrize(
    ("data", "header"),
    [
        ("3003", tlv.TlvHeader(0x30, 3, 2)),
        ("30820625", tlv.TlvHeader(0x30, 0x625, 4)),
        ("7F218180", tlv.TlvHeader(0x7F21, 0x80, 4)),
        ("308181", tlv.TlvHeader(0x30, 0x81, 3)),
    ],
)
def test_headers_of_data_objects_are_read(data: str, header: tlv.TlvHeader) -> None:
    assert tlv.header(bytes.fromhex(data)) == header


@pytest.mark.parametrize("data", ["", "30", "3080", "3084FFFFFFFF", "3082FF", "7F", "7F2101"[:4], "1F8181"])
def test_headers_that_lie_are_refused(data: str) -> None:
    with pytest.raises(tlv.TlvError):
        tlv.header(bytes.fromhex(data))


def test_nested_objects_are_given_with_what_they_hold() -> None:
    assert list(tlv.objects(bytes.fromhex("6F058403414243"))) == [
        (0x6F, bytes.fromhex("8403414243")),
        (0x84, b"ABC"),
    ]


def test_depth_and_count_are_bounded() -> None:
    deep = b"\x04\x00"
    for _ in range(8):
        deep = bytes([0x30, len(deep)]) + deep
    with pytest.raises(tlv.TlvError, match="deeper"):
        list(tlv.objects(deep))
    with pytest.raises(tlv.TlvError, match="more than"):
        list(tlv.objects(b"\x04\x00" * 100))


@given(st.binary(max_size=300))
def test_any_bytes_are_objects_or_a_tlv_error(data: bytes) -> None:
    try:
        found = list(tlv.objects(data))
    except tlv.TlvError:
        return
    assert len(found) <= tlv.MOST_OBJECTS


@pytest.mark.parametrize(
    ("name", "device"),
    [
        (b"JPKIAPICCTOKEN2", Device.CARD),
        (b"JPKIAPGPSETOKEN", Device.ANDROID),
        (b"JPKIAPIOSTOKEN", Device.IPHONE),
    ],
)
def test_the_table_knows_the_three_names(name: bytes, device: Device) -> None:
    token = tokens.find(name.ljust(32))
    assert token is not None
    assert token.device is device


@pytest.mark.parametrize(
    "name", [b"JPKIAPICCTOKEN", b"JPKIAPICCTOKEN3", b"", b"\xff" * 32, b"jpkiapicctoken2"]
)
def test_other_names_are_none_of_ours(name: bytes) -> None:
    assert tokens.find(name.ljust(32)) is None


def test_a_pin_is_given_out_once_and_wiped() -> None:
    pin, digits = Pin(), bytearray(b"1234")
    pin.take(digits)
    with pin.spent_once() as given_out:
        assert given_out is digits
    assert digits == bytes(4)
    assert not pin.held
    with pin.spent_once() as again:
        assert again is None


def test_a_pin_is_wiped_even_if_sending_it_fails() -> None:
    pin, digits = Pin(), bytearray(b"1234")
    pin.take(digits)
    with pytest.raises(RuntimeError, match="radio"), pin.spent_once():
        raise RuntimeError("radio")
    assert digits == bytes(4)


def test_a_pin_is_never_printed() -> None:
    pin = Pin()
    pin.take(bytearray(b"4711"))
    assert "4711" not in repr(pin) + str(pin)
    pin.forget()
    assert not pin.held
