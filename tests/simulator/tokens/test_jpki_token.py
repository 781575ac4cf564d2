"""The JPKI application on the three tokens, APDU by APDU."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from kiosk.simulator.tokens.card import Command, MalformedError
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import AID, Behaviour, JpkiToken, PinState, TokenKind
from kiosk.simulator.tokens.other_tokens import payment_card, transit_card

SELECT = "00A4040C0A" + AID.hex()


def token(
    hierarchy: Hierarchy, kind: TokenKind = TokenKind.CARD, *, authenticated: bool = True, **behaviour: bool
) -> JpkiToken:
    return JpkiToken(
        kind,
        hierarchy.authentication(kind),
        hierarchy.signature,
        authenticated=authenticated,
        behaviour=Behaviour(**behaviour),
    )


def ask(card: JpkiToken, *apdus: str) -> list[str]:
    """Status words of the answers."""
    return [card.process(bytes.fromhex(apdu)).response[-2:].hex() for apdu in apdus]


def data(card: JpkiToken, apdu: str) -> bytes:
    response = card.process(bytes.fromhex(apdu)).response
    assert response[-2:] == b"\x90\x00", response[-2:].hex()
    return response[:-2]


@pytest.mark.parametrize("kind", list(TokenKind))
def test_each_token_gives_its_name_in_160_bytes(hierarchy: Hierarchy, kind: TokenKind) -> None:
    card = token(hierarchy, kind)
    assert ask(card, SELECT, "00A4020C020006") == ["9000", "9000"]
    info = data(card, "00B0000000")
    assert len(info) == 160
    assert info[:32] == kind.value.encode().ljust(32)


@pytest.mark.parametrize(
    ("kind", "before", "after"), [(TokenKind.CARD, "9000", "9000"), (TokenKind.ANDROID, "6982", "9000")]
)
def test_the_certificate_is_free_on_the_card_and_behind_the_pin_on_android(
    hierarchy: Hierarchy, kind: TokenKind, before: str, after: str
) -> None:
    card = token(hierarchy, kind)
    read = "00B0000000"
    assert ask(card, SELECT, "00A4020C02000A", read)[-1] == before
    assert ask(card, "00A4020C020018", "002000800431323334", "00A4020C02000A", read)[-1] == after


@pytest.mark.parametrize(("authenticated", "status"), [(True, "9000"), (False, "6982")])
def test_the_iphone_needs_its_own_authentication_for_certificate_and_signature(
    hierarchy: Hierarchy, authenticated: bool, status: str
) -> None:
    card = token(hierarchy, TokenKind.IPHONE, authenticated=authenticated)
    sign = "802A008033" + "00" * 51 + "00"
    assert ask(card, SELECT, "00A4020C02000A", "00B0000000", "00A4020C020017", sign)[2::2] == [status, status]


def test_the_iphone_never_compares_a_pin_but_counts_that_one_came(hierarchy: Hierarchy) -> None:
    card = token(hierarchy, TokenKind.IPHONE)
    assert ask(card, SELECT, "00A4020C020018", "002000800431323334")[-1] == "6985"
    assert card.pin.presented == 1
    assert card.pin.left == 3


@pytest.mark.parametrize(
    ("kind", "status"), [(TokenKind.CARD, "6700"), (TokenKind.ANDROID, "6700"), (TokenKind.IPHONE, "9000")]
)
def test_only_the_iphone_knows_the_end_command(hierarchy: Hierarchy, kind: TokenKind, status: str) -> None:
    assert ask(token(hierarchy, kind), SELECT, "80FC0000")[-1] == status


def test_asking_for_the_counter_costs_nothing_and_a_wrong_pin_costs_one(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT, "00A4020C020018")
    assert ask(card, "00200080", "002000800439393939", "00200080", "00200080") == [
        "63c3",
        "63c2",
        "63c2",
        "63c2",
    ]
    assert ask(card, "002000800431323334", "00200080") == ["9000", "63c3"]
    assert card.pin.presented == 2


def test_three_wrong_pins_block_and_the_right_one_no_longer_helps(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    wrong = "002000800439393939"
    ask(card, SELECT, "00A4020C020018")
    assert ask(card, wrong, wrong, wrong, wrong) == ["63c2", "63c1", "63c0", "6984"]
    assert ask(card, "002000800431323334", "00200080") == ["6984", "63c0"]


def test_selecting_the_application_again_logs_out(hierarchy: Hierarchy) -> None:
    card = token(hierarchy, TokenKind.ANDROID)
    ask(card, SELECT, "00A4020C020018", "002000800431323334", SELECT)
    assert ask(card, "00A4020C02000A", "00B0000000")[-1] == "6982"


def test_a_new_activation_logs_out(hierarchy: Hierarchy) -> None:
    card = token(hierarchy, TokenKind.ANDROID)
    ask(card, SELECT, "00A4020C020018", "002000800431323334")
    card.power_off()
    card.power_on()
    assert ask(card, SELECT, "00A4020C02000A", "00B0000000")[-1] == "6982"


def test_short_file_identifiers_save_the_select(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT)
    assert data(card, "00B0860020").startswith(b"JPKIAPICCTOKEN2")
    assert ask(card, "00200098", "002000980431323334") == ["63c3", "9000"]
    assert len(data(card, "802A009733" + "00" * 51 + "00")) == 256


def test_short_file_identifiers_can_be_missing(hierarchy: Hierarchy) -> None:
    card = token(hierarchy, short_ef_identifiers=False)
    ask(card, SELECT)
    sign = "802A009733" + "00" * 51 + "00"
    assert ask(card, "00B0860020", "00200098", "002000980431323334", sign) == ["6a86"] * 4
    assert card.pin.presented == 0


def test_reading_past_the_end_says_so(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT, "00A4020C020006")
    assert ask(card, "00B0009F02", "00B0009F01", "00B000A001", "00B0009000") == [
        "6282",
        "9000",
        "6b00",
        "9000",
    ]


def test_the_whole_certificate_comes_with_one_extended_read(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT, "00A4020C02000A")
    assert data(card, "00B00000000000") == hierarchy.authentication(TokenKind.CARD).certificate


def test_a_signature_is_pkcs1_over_the_data_as_given(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT, "00A4020C020018", "002000800431323334", "00A4020C020017")
    key = hierarchy.authentication(TokenKind.CARD).key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    hashed = hashes.Hash(hashes.SHA256())
    hashed.update(b"x")
    digest = hashed.finalize()
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    key.verify(data(card, f"802A008033{info.hex()}00"), b"x", padding.PKCS1v15(), hashes.SHA256())
    key.verify(data(card, f"802A028020{digest.hex()}00"), b"x", padding.PKCS1v15(), hashes.SHA256())
    assert ask(card, "802A0980" + "01AA00", "802A0080" + "F6" + "00" * 246 + "00") == ["6a86", "6700"]


def test_nothing_is_signed_without_the_pin(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    assert ask(card, SELECT, "00A4020C020017", "802A008033" + "00" * 51 + "00")[-1] == "6982"


def test_the_signature_side_has_its_own_password_and_stays_closed(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT, "00A4020C020018", "002000800431323334", "00A4020C020001")
    assert ask(card, "00B0000000", "00A4020C02001B", "00200080") == ["6982", "9000", "63c5"]
    assert ask(card, "0020008006414243313233", "00A4020C020001", "00B0000000")[-1] == "9000"


@pytest.mark.parametrize(
    ("apdus", "status"),
    [
        (["00A4040C0AD392F000260100000002"], "6a82"),
        (["00A4020C020006"], "6a82"),
        ([SELECT, "00A4020C02DEAD"], "6a82"),
        ([SELECT, "00B0000000"], "6986"),
        ([SELECT, "00A4020C020017", "00B0000000"], "6981"),
        ([SELECT, "00A4020C020006", "00200080"], "6981"),
        ([SELECT, "00A4020C020018", "00200180"], "6a86"),
        ([SELECT, "00CA000000"], "6d00"),
        ([SELECT, "B0CA000000"], "6e00"),
        (["00A4040C0AD392"], "6700"),
        (["00A4"], "6700"),
    ],
)
def test_what_a_token_refuses(hierarchy: Hierarchy, apdus: list[str], status: str) -> None:
    assert ask(token(hierarchy), *apdus)[-1] == status


def test_a_select_with_p2_00_gives_an_fci(hierarchy: Hierarchy) -> None:
    assert data(token(hierarchy), "00A404000A" + AID.hex() + "00") == bytes.fromhex("6F0C840A") + AID


def test_the_log_knows_lengths_and_status_but_no_data(hierarchy: Hierarchy) -> None:
    card = token(hierarchy)
    ask(card, SELECT, "00A4020C020018", "002000800437777777")
    assert card.log.entries[-1].values() == {"ins": "20", "nc": 4, "ne": 0, "nr": 0, "sw": "63C2"}
    assert "37777777" not in repr(card.log.entries) + repr(card.pin)


def test_a_pin_state_does_not_print_its_value() -> None:
    assert "1234" not in repr(PinState(b"1234"))


def test_payment_and_transit_cards_know_their_own_name_only() -> None:
    payment, transit = payment_card(), transit_card()
    ppse = bytes.fromhex("00A404000E") + b"2PAY.SYS.DDF01" + b"\x00"
    jpki = bytes.fromhex(SELECT)
    assert payment.process(ppse).response[:1] == b"\x6f"
    assert payment.process(ppse).response[-2:] == b"\x90\x00"
    assert payment.process(jpki).response == transit.process(jpki).response == b"\x6a\x82"
    assert transit.process(ppse).response == b"\x6a\x82"


@given(st.binary(max_size=40))
def test_no_command_whatever_upsets_a_token(hierarchy: Hierarchy, apdu: bytes) -> None:
    card = token(hierarchy)
    ask(card, SELECT)
    assert len(card.process(apdu).response) >= 2


@given(
    st.binary(min_size=4, max_size=4), st.binary(max_size=300), st.one_of(st.just(0), st.integers(1, 65536))
)
def test_every_command_that_can_be_written_is_taken_apart_again(
    header: bytes, body: bytes, expected: int
) -> None:
    extended = len(body) > 255 or expected > 256
    if extended:
        lc = b"\x00" + len(body).to_bytes(2, "big") if body else b""
        le = (b"" if body else b"\x00") + (expected % 65536).to_bytes(2, "big") if expected else b""
    else:
        lc = bytes([len(body)]) if body else b""
        le = bytes([expected % 256]) if expected else b""
    command = Command.parse(header + lc + body + le)
    assert (command.data, command.expected) == (body, expected)
    if body or expected:
        assert command.extended is extended


@pytest.mark.parametrize("apdu", ["", "00A404", "00A4040005AA", "00A404000000", "00A4040000000500"])
def test_a_command_whose_lengths_do_not_fit_is_malformed(apdu: str) -> None:
    with pytest.raises(MalformedError):
        Command.parse(bytes.fromhex(apdu))
