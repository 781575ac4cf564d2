"""Whole contacts over a link in memory, our own virtual token behind it."""

import datetime as dt
from dataclasses import replace

import pytest

from kiosk.nfc.protocol.apdu import INS_VERIFY, CommandApdu
from kiosk.nfc.protocol.budget import Budget
from kiosk.nfc.protocol.certificate import signature_holds
from kiosk.nfc.protocol.faults import ReaderGone, TokenLost
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Contact, Failed, Order, Other, StepReply, Wrong
from kiosk.qualification.devices import Device
from kiosk.simulator.tokens import pki
from kiosk.simulator.tokens.jpki_token import Behaviour, TokenKind
from kiosk.simulator.tokens.other_tokens import payment_card, transit_card
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import Stage, WrongTokenKind
from tests.nfc.protocol.contact_play import (
    ANDROID,
    CARD,
    DIGESTS,
    IPHONE,
    NOW,
    STANDING_STILL,
    VISUAL,
    YEAR,
    CalledOff,
    MemoryLink,
    Play,
    World,
    new_world,
    play,
)


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


# ---- the three tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("short_ef", [True, False])
@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize(
    ("kind", "order"), [(TokenKind.CARD, CARD), (TokenKind.ANDROID, ANDROID), (TokenKind.IPHONE, IPHONE)]
)
def test_every_token_authenticates(
    world: World, kind: TokenKind, order: Order, key: str, short_ef: bool
) -> None:
    token = world.token(kind, world.identity(key=key), Behaviour(short_ef_identifiers=short_ef))
    this = play(world, token)
    outcome = this.run(order)
    assert isinstance(outcome, Authenticated)
    assert outcome.signature is not None
    assert signature_holds(outcome.leaf, DIGESTS[outcome.leaf.algorithm], outcome.signature)
    assert this.link.verifies == (0 if kind is TokenKind.IPHONE else 1)
    assert this.notes.stages == sorted(this.notes.stages, key=list(Stage).index)
    assert this.notes.stages[-1] is Stage.SIGNED


def test_short_identifiers_spare_every_select_but_the_first(world: World) -> None:
    this = play(world, world.token(TokenKind.CARD))
    this.run(CARD)
    assert [ins for ins, _, _ in this.link.commands].count(0xA4) == 1
    assert len(this.link.commands) == 12


def test_the_farewell_is_the_iphones_alone(world: World) -> None:
    phone, card = world.token(TokenKind.IPHONE), world.token(TokenKind.CARD)
    play(world, phone).run(IPHONE)
    this = play(world, card)
    this.run(CARD)
    assert phone.ended
    assert 0xFC not in [ins for ins, _, _ in this.link.commands]


def test_a_farewell_that_fails_undoes_nothing(world: World) -> None:
    token = world.token(TokenKind.IPHONE)

    def card(apdu: bytes) -> bytes:
        if apdu[1] == 0xFC:
            raise TokenLost("gone")
        return token.process(apdu).response

    assert isinstance(Play(world, MemoryLink(card)).run(IPHONE), Authenticated)


def test_the_visual_check_needs_neither_pin_nor_signature(world: World) -> None:
    this = play(world, world.token(TokenKind.CARD))
    outcome = this.run(VISUAL, pin=None)
    assert isinstance(outcome, Authenticated)
    assert outcome.signature is None
    assert {0x20, 0x2A}.isdisjoint({ins for ins, _, _ in this.link.commands})


def test_the_pin_is_gone_once_it_was_sent(world: World) -> None:
    this = play(world, world.token(TokenKind.CARD))
    this.run(CARD)
    assert not this.pin.held


# ---- VERIFY is never sent --------------------------------------------------------------------------------


@pytest.mark.parametrize(("tries", "failure"), [(1, ReadFailure.PIN_ONE_LEFT), (0, ReadFailure.PIN_BLOCKED)])
@pytest.mark.parametrize(("kind", "order"), [(TokenKind.CARD, CARD), (TokenKind.ANDROID, ANDROID)])
def test_the_last_try_is_never_spent(
    world: World, kind: TokenKind, order: Order, tries: int, failure: ReadFailure
) -> None:
    token = world.token(kind, tries=tries)
    this = play(world, token)
    outcome = this.run(order)
    assert isinstance(outcome, Failed)
    assert outcome.failure is failure
    assert this.link.verifies == token.pin.presented == 0
    assert token.pin.left == tries


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        (TokenKind.ANDROID, CARD),
        (TokenKind.CARD, ANDROID),
        (TokenKind.IPHONE, CARD),
        (TokenKind.CARD, IPHONE),
        (TokenKind.IPHONE, ANDROID),
    ],
)
def test_another_device_than_chosen_gets_no_pin(world: World, kind: TokenKind, order: Order) -> None:
    token = world.token(kind)
    this = play(world, token)
    outcome = this.run(order)
    assert outcome == Other(
        {TokenKind.CARD: Device.CARD, TokenKind.ANDROID: Device.ANDROID}.get(kind, Device.IPHONE)
    )
    assert token.pin.presented == 0
    assert this.pin.held
    assert this.notes.device is None


def test_a_token_name_newer_than_the_program_gets_no_pin(world: World) -> None:
    token = world.token(TokenKind.CARD)

    def card(apdu: bytes) -> bytes:
        answer = token.process(apdu).response
        return b"JPKIAPFUTURETOKEN9".ljust(32) + answer[32:] if apdu[1:3] == b"\xb0\x86" else answer

    this = Play(world, MemoryLink(card))
    assert this.run(CARD) == Other(None)
    assert this.link.verifies == 0


def test_an_iphone_never_gets_a_verify_even_if_a_pin_is_held(world: World) -> None:
    token = world.token(TokenKind.IPHONE)
    this = play(world, token)
    this.run(IPHONE, pin=b"1234")
    assert token.pin.presented == 0
    assert this.pin.held


def test_without_a_pin_no_verify_is_sent(world: World) -> None:
    token = world.token(TokenKind.CARD)
    outcome = play(world, token).run(CARD, pin=None)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.REMOVED
    assert token.pin.presented == 0


def test_an_expired_card_costs_no_pin(world: World) -> None:
    token = world.token(TokenKind.CARD, world.identity(until=NOW - dt.timedelta(days=1)))
    this = play(world, token)
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.CERTIFICATE_EXPIRED
    assert token.pin.presented == 0


def test_removal_before_verify_keeps_the_pin_and_the_counter(world: World) -> None:
    token = world.token(TokenKind.CARD)
    this = play(world, token)

    def gone(count: int) -> None:
        if count == 9:
            raise TokenLost("gone")

    this.link.before = gone
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.REMOVED
    assert this.pin.held
    assert token.pin.left == 3


def test_removal_during_verify_spends_the_pin_once(world: World) -> None:
    token = world.token(TokenKind.CARD)
    this = play(world, token)

    def gone(_: int) -> None:
        if token.pin.presented:
            raise TokenLost("gone")

    this.link.before = gone
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.REMOVED
    assert not this.pin.held
    assert this.link.verifies == 1


@pytest.mark.parametrize("at", range(1, 13))
def test_a_contact_called_off_before_verify_sends_none(world: World, at: int) -> None:
    token = world.token(TokenKind.CARD)
    this = play(world, token)
    this.notes.call_off_at = at
    with pytest.raises(CalledOff):
        this.run(CARD)
    assert token.pin.presented <= 1
    assert this.pin.held == (token.pin.presented == 0)


def test_the_pin_is_wiped_even_if_the_contact_ends_while_verify_is_under_way(world: World) -> None:
    pin, digits = Pin(), bytearray(b"1234")
    pin.take(digits)
    contact = Contact(world.store, NOW, pin, Budget(STANDING_STILL), STANDING_STILL)
    steps, token = contact.authenticate(CARD), world.token(TokenKind.CARD)
    step = next(steps)
    while not (isinstance(step, CommandApdu) and step.ins == INS_VERIFY and step.data):
        answer = token.process(bytes(step.encode())).response if isinstance(step, CommandApdu) else b""
        step = steps.send(StepReply(STANDING_STILL, answer=answer))
    assert bytes(step.data) == b"1234"
    steps.close()
    assert not pin.held
    assert not any(digits)


# ---- what goes wrong -------------------------------------------------------------------------------------


def test_a_wrong_pin_tells_the_counter_less_one(world: World) -> None:
    token = world.token(TokenKind.CARD)
    outcome = play(world, token).run(CARD, pin=b"9999")
    assert isinstance(outcome, Failed)
    assert (outcome.failure, outcome.tries_left) == (ReadFailure.PIN_WRONG, 1)
    assert token.pin.left == 2


def test_a_wrong_pin_with_two_left_leaves_none_to_the_patient(world: World) -> None:
    outcome = play(world, world.token(TokenKind.CARD, tries=2)).run(CARD, pin=b"9999")
    assert isinstance(outcome, Failed)
    assert (outcome.failure, outcome.tries_left) == (ReadFailure.PIN_WRONG, 0)


def test_a_token_that_claims_more_tries_after_a_wrong_pin_is_not_believed(world: World) -> None:
    token = world.token(TokenKind.CARD)

    def card(apdu: bytes) -> bytes:
        answer = token.process(apdu).response
        return b"\x63\xcf" if apdu[1] == 0x20 and len(apdu) > 4 else answer

    outcome = Play(world, MemoryLink(card)).run(CARD, pin=b"9999")
    assert isinstance(outcome, Failed)
    assert outcome.tries_left == 1


@pytest.mark.parametrize("kind", [TokenKind.IPHONE])
def test_a_phone_without_face_id_is_asked_for_it(world: World, kind: TokenKind) -> None:
    token = world.token(kind)
    token.authenticated = False
    outcome = play(world, token).run(IPHONE)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.NOT_AUTHENTICATED


def test_a_certificate_of_another_ca_is_refused(world: World) -> None:
    other = pki.new_authority("user authentication", 1, pki.Validity(NOW - YEAR, NOW + YEAR))
    identity = pki.issue(other, world.rsa_key, 7, pki.Validity(NOW - YEAR, NOW + YEAR))
    outcome = play(world, world.token(TokenKind.CARD, identity)).run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.CERTIFICATE_REFUSED


def test_a_signature_of_another_key_is_refused(world: World) -> None:
    identity = world.identity()
    token = world.token(TokenKind.CARD, replace(identity, key=pki.new_rsa_key()))
    outcome = play(world, token).run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.CERTIFICATE_REFUSED


def test_without_a_trusted_clock_dates_are_not_judged(world: World) -> None:
    this = play(world, world.token(TokenKind.CARD, world.identity(until=NOW - dt.timedelta(days=1))))
    this.at = None
    assert isinstance(this.run(CARD), Authenticated)


def test_digests_that_never_come_end_the_contact(world: World) -> None:
    this = play(world, world.token(TokenKind.IPHONE))
    this.notes.given = None
    outcome = this.run(IPHONE)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert 0x2A not in [ins for ins, _, _ in this.link.commands]


def test_other_tokens_are_named(world: World) -> None:
    for card, kind in [(payment_card(), WrongTokenKind.PAYMENT), (transit_card(), WrongTokenKind.TRANSIT)]:
        assert play(world, card).run(CARD) == Wrong(kind)
    silent = Play(world, MemoryLink(lambda _: b"\x6d\x00"))
    assert silent.run(CARD) == Wrong(WrongTokenKind.UNKNOWN)


def test_a_reader_that_goes_is_not_the_tokens_fault(world: World) -> None:
    this = play(world, world.token(TokenKind.CARD))

    def gone(_: int) -> None:
        raise ReaderGone("unplugged")

    this.link.before = gone
    with pytest.raises(ReaderGone):
        this.run(CARD)
