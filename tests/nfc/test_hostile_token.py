"""Contacts with tokens that lie, dawdle or never end."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.nfc.protocol.budget import MOST_APDUS, ClockValues
from kiosk.nfc.protocol.faults import TokenGarbled
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Failed, Order, Other, Wrong
from kiosk.qualification.terms import Authentication
from kiosk.simulator.tokens.jpki_token import JpkiToken, TokenKind
from kiosk.visit.events import ReadFailure
from tests.nfc.protocol.contact_play import (
    ANDROID,
    CARD,
    IPHONE,
    VISUAL,
    MemoryLink,
    Play,
    World,
    new_world,
    play,
)
from tests.nfc.unwatched import authenticate_unwatched


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


# ---- hostile tokens --------------------------------------------------------------------------------------


class Liar:
    """Begins as a good token and answers with given bytes now and then."""

    def __init__(self, token: JpkiToken, lies: list[bytes | None]) -> None:
        self._token, self._lies = token, iter(lies)

    def __call__(self, apdu: bytes) -> bytes:
        lie = next(self._lies, None)
        honest = self._token.process(apdu).response
        return honest if lie is None else lie


answers = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from(
        [b"\x90\x00", b"\x63\xc3", b"\x63\xc2", b"\x63\xc1", b"\x69\x82", b"\x6a\x86", b"", b"\x90"]
    ),
    st.binary(max_size=64).map(lambda data: data + b"\x90\x00"),
    st.binary(max_size=300),
    st.just(b"\x30\x82\x1f\xf0" + bytes(247) + b"\x90\x00"),
    st.just(b"\x6c\x01"),
    st.just(b"\x61\x01"),
)


@settings(max_examples=300)
@given(
    lies=st.lists(answers, max_size=40),
    kind=st.sampled_from([TokenKind.CARD, TokenKind.ANDROID, TokenKind.IPHONE]),
    order=st.sampled_from([CARD, ANDROID, IPHONE, VISUAL]),
    tries=st.integers(0, 3),
)
def test_whatever_a_token_answers_the_outcome_is_one_of_ours(
    world: World, lies: list[bytes | None], kind: TokenKind, order: Order, tries: int
) -> None:
    token = world.token(kind, tries=tries)
    this = Play(world, MemoryLink(Liar(token, lies)))
    outcome = this.run(order)
    assert isinstance(outcome, Authenticated | Failed | Wrong | Other)
    assert len(this.link.commands) <= MOST_APDUS
    assert this.link.verifies <= 1
    assert this.pin.held == (this.link.verifies == 0)
    if order.authentication is not Authentication.PIN:
        assert this.link.verifies == 0
    if isinstance(outcome, Authenticated) and order.authentication is not Authentication.VISUAL:
        assert outcome.signature is not None


@settings(max_examples=100)
@given(data=st.data())
def test_verify_follows_only_a_told_counter_of_two_or_more(world: World, data: st.DataObject) -> None:
    """Whatever the empty VERIFY is answered: one with data follows only 63Cx with x of 2 or more, same P2."""
    token = world.token(TokenKind.CARD)
    told: list[tuple[int, bytes]] = []

    def card(apdu: bytes) -> bytes:
        if apdu[1] == 0x20 and len(apdu) == 4:
            told.append((apdu[3], data.draw(st.binary(min_size=2, max_size=2))))
            return told[-1][1]
        return token.process(apdu).response

    this = Play(world, MemoryLink(card))
    this.run(CARD)
    sent = [p2 for ins, p2, with_data in this.link.commands if ins == 0x20 and with_data]
    if sent:
        p2, sw = told[-1]
        assert sent == [p2]
        assert sw[0] == 0x63
        assert 0xC2 <= sw[1] <= 0xCF


def test_a_token_that_never_ends_is_ended(world: World) -> None:
    token = world.token(TokenKind.CARD)

    def card(apdu: bytes) -> bytes:
        honest = token.process(apdu).response
        if apdu[1] != 0xB0 or apdu[2] == 0x86:
            return honest
        return b"\x30\x82\x1f\xf0\x90\x00" if apdu[2] == 0x8A else b"\x00\x90\x00"  # one byte at a time

    this = Play(world, MemoryLink(card))
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert len(this.link.commands) == MOST_APDUS


def test_a_token_that_takes_its_time_is_ended(world: World) -> None:
    token = world.token(TokenKind.CARD)
    ticks: Iterator[float] = iter(range(0, 1000, 3))
    pin = Pin()
    pin.take(bytearray(b"1234"))
    link = MemoryLink(lambda apdu: token.process(apdu).response)
    outcome = authenticate_unwatched(link, world.store, pin, CARD, lambda: ClockValues(next(ticks), 0.0))
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert len(link.commands) < 12


def test_garbled_frames_make_an_unreadable_token(world: World) -> None:
    this = play(world, world.token(TokenKind.CARD))

    def garbled(_: int) -> None:
        raise TokenGarbled("noise")

    this.link.before = garbled
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert this.pin.held
