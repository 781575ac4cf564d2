"""Whole contacts over a link in memory: our own virtual token behind it, or one that lies."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.nfc import trust
from kiosk.nfc.apdu import CommandApdu
from kiosk.nfc.contact import MOST_APDUS, Authenticated, Contact, Failed, Order, Other, Outcome, Wrong
from kiosk.nfc.faults import ContactEnded, ReaderGone, TokenGarbled, TokenLost
from kiosk.nfc.secret import Pin
from kiosk.nfc.tokens import Token
from kiosk.qualification.terms import Authentication, Device, SignatureAlgorithm
from kiosk.simulator import pki
from kiosk.simulator.card import SansIoCard
from kiosk.simulator.jpki_token import Behaviour, Identity, JpkiToken, Kind
from kiosk.simulator.other_tokens import payment_card, transit_card
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import Stage, WrongTokenKind

NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
DIGESTS = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: hashlib.sha256(b"transcript").digest(),
    SignatureAlgorithm.ECDSA_P384_SHA384: hashlib.sha384(b"transcript").digest(),
}
CARD = Order(Device.CARD, Authentication.PIN)
ANDROID = Order(Device.ANDROID, Authentication.PIN)
IPHONE = Order(Device.IPHONE, Authentication.PHONE)
VISUAL = Order(Device.CARD, Authentication.VISUAL)


@dataclass(frozen=True)
class World:
    """Keys and certificates, made once."""

    authority: pki.Authority
    rsa_key: rsa.RSAPrivateKey
    ec_key: ec.EllipticCurvePrivateKey
    store: trust.TrustStore

    def identity(self, *, key: str = "rsa", until: dt.datetime = NOW + YEAR) -> Identity:
        chosen = self.rsa_key if key == "rsa" else self.ec_key
        return pki.issue(self.authority, chosen, 0x1A, pki.Validity(NOW - YEAR, until))

    def token(
        self, kind: Kind, identity: Identity | None = None, behaviour: Behaviour | None = None, tries: int = 3
    ) -> JpkiToken:
        own = identity or self.identity()
        token = JpkiToken(kind, own, own, behaviour=behaviour)
        token.pin.left = tries
        token.power_on()
        return token


@pytest.fixture(scope="module")
def world() -> World:
    authority = pki.new_authority("user authentication", 1, pki.Validity(NOW - YEAR, NOW + 5 * YEAR))
    return World(authority, pki.new_rsa_key(), pki.new_ec_key(), trust.TrustStore((authority.certificate,)))


@dataclass
class MemoryLink:
    """Hands commands to a card; keeps headers and whether data came, never the data."""

    card: Callable[[bytes], bytes]
    commands: list[tuple[int, int, bool]] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None

    def exchange(self, command: CommandApdu, left: Callable[[], float]) -> bytes:
        assert left() > 0
        self.before(len(self.commands))
        self.commands.append((command.ins, command.p2, bool(command.data)))
        return self.card(bytes(command.encode()))

    @property
    def verifies(self) -> int:
        return sum(1 for ins, _, data in self.commands if ins == 0x20 and data)


@dataclass
class Notes:
    """The witness: notes what it is told."""

    stages: list[Stage] = field(default_factory=list)
    device: Device | None = None
    given: dict[SignatureAlgorithm, bytes] | None = field(default_factory=lambda: dict(DIGESTS))
    call_off_at: int | None = None
    asked: int = 0

    def attend(self) -> None:
        self.asked += 1
        if self.asked == self.call_off_at:
            raise ContactEnded("called off")

    def recognised(self, token: Token) -> None:
        self.device = token.device

    def reached(self, stage: Stage) -> None:
        self.stages.append(stage)

    def digests(self) -> dict[SignatureAlgorithm, bytes] | None:
        return self.given


@dataclass
class Play:
    """One contact and everything that a test may want to look at afterwards."""

    world: World
    link: MemoryLink
    notes: Notes = field(default_factory=Notes)
    pin: Pin = field(default_factory=Pin)
    at: dt.datetime | None = NOW

    def run(self, order: Order, pin: bytes | None = b"1234") -> Outcome:
        if pin is not None:
            self.pin.take(bytearray(pin))
        at = self.at
        clock = trust.Clock(now=lambda: at or NOW, trusted=lambda: at is not None)
        contact = Contact(self.link, self.notes, self.world.store, clock, self.pin, monotonic=lambda: 0.0)
        return contact.run(order)


def play(world: World, token: SansIoCard) -> Play:
    return Play(world, MemoryLink(lambda apdu: token.process(apdu).response))


# ---- the three tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("short_ef", [True, False])
@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize(
    ("kind", "order"), [(Kind.CARD, CARD), (Kind.ANDROID, ANDROID), (Kind.IPHONE, IPHONE)]
)
def test_every_token_authenticates(world: World, kind: Kind, order: Order, key: str, short_ef: bool) -> None:
    token = world.token(kind, world.identity(key=key), Behaviour(short_ef_identifiers=short_ef))
    this = play(world, token)
    outcome = this.run(order)
    assert isinstance(outcome, Authenticated)
    assert outcome.signature is not None
    assert trust.signature_holds(outcome.leaf, DIGESTS[outcome.leaf.algorithm], outcome.signature)
    assert this.link.verifies == (0 if kind is Kind.IPHONE else 1)
    assert this.notes.stages == sorted(this.notes.stages, key=list(Stage).index)
    assert this.notes.stages[-1] is Stage.SIGNED


def test_short_identifiers_spare_every_select_but_the_first(world: World) -> None:
    this = play(world, world.token(Kind.CARD))
    this.run(CARD)
    assert [ins for ins, _, _ in this.link.commands].count(0xA4) == 1
    assert len(this.link.commands) == 12


def test_the_farewell_is_the_iphones_alone(world: World) -> None:
    phone, card = world.token(Kind.IPHONE), world.token(Kind.CARD)
    play(world, phone).run(IPHONE)
    this = play(world, card)
    this.run(CARD)
    assert phone.ended
    assert 0xFC not in [ins for ins, _, _ in this.link.commands]


def test_a_farewell_that_fails_undoes_nothing(world: World) -> None:
    token = world.token(Kind.IPHONE)

    def card(apdu: bytes) -> bytes:
        if apdu[1] == 0xFC:
            raise TokenLost("gone")
        return token.process(apdu).response

    assert isinstance(Play(world, MemoryLink(card)).run(IPHONE), Authenticated)


def test_the_visual_check_needs_neither_pin_nor_signature(world: World) -> None:
    this = play(world, world.token(Kind.CARD))
    outcome = this.run(VISUAL, pin=None)
    assert isinstance(outcome, Authenticated)
    assert outcome.signature is None
    assert {0x20, 0x2A}.isdisjoint({ins for ins, _, _ in this.link.commands})


def test_the_pin_is_gone_once_it_was_sent(world: World) -> None:
    this = play(world, world.token(Kind.CARD))
    this.run(CARD)
    assert not this.pin.held


# ---- VERIFY is never sent --------------------------------------------------------------------------------


@pytest.mark.parametrize(("tries", "failure"), [(1, ReadFailure.PIN_ONE_LEFT), (0, ReadFailure.PIN_BLOCKED)])
@pytest.mark.parametrize(("kind", "order"), [(Kind.CARD, CARD), (Kind.ANDROID, ANDROID)])
def test_the_last_try_is_never_spent(
    world: World, kind: Kind, order: Order, tries: int, failure: ReadFailure
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
        (Kind.ANDROID, CARD),
        (Kind.CARD, ANDROID),
        (Kind.IPHONE, CARD),
        (Kind.CARD, IPHONE),
        (Kind.IPHONE, ANDROID),
    ],
)
def test_another_device_than_chosen_gets_no_pin(world: World, kind: Kind, order: Order) -> None:
    token = world.token(kind)
    this = play(world, token)
    outcome = this.run(order)
    assert outcome == Other({Kind.CARD: Device.CARD, Kind.ANDROID: Device.ANDROID}.get(kind, Device.IPHONE))
    assert token.pin.presented == 0
    assert this.pin.held
    assert this.notes.device is None


def test_a_token_name_newer_than_the_program_gets_no_pin(world: World) -> None:
    token = world.token(Kind.CARD)

    def card(apdu: bytes) -> bytes:
        answer = token.process(apdu).response
        return b"JPKIAPFUTURETOKEN9".ljust(32) + answer[32:] if apdu[1:3] == b"\xb0\x86" else answer

    this = Play(world, MemoryLink(card))
    assert this.run(CARD) == Other(None)
    assert this.link.verifies == 0


def test_an_iphone_never_gets_a_verify_even_if_a_pin_is_held(world: World) -> None:
    token = world.token(Kind.IPHONE)
    this = play(world, token)
    this.run(IPHONE, pin=b"1234")
    assert token.pin.presented == 0
    assert this.pin.held


def test_without_a_pin_no_verify_is_sent(world: World) -> None:
    token = world.token(Kind.CARD)
    outcome = play(world, token).run(CARD, pin=None)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.REMOVED
    assert token.pin.presented == 0


def test_an_expired_card_costs_no_pin(world: World) -> None:
    token = world.token(Kind.CARD, world.identity(until=NOW - dt.timedelta(days=1)))
    this = play(world, token)
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.CERTIFICATE_EXPIRED
    assert token.pin.presented == 0


def test_removal_before_verify_keeps_the_pin_and_the_counter(world: World) -> None:
    token = world.token(Kind.CARD)
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
    token = world.token(Kind.CARD)
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
    token = world.token(Kind.CARD)
    this = play(world, token)
    this.notes.call_off_at = at
    with pytest.raises(ContactEnded):
        this.run(CARD)
    assert token.pin.presented <= 1
    assert this.pin.held == (token.pin.presented == 0)


# ---- what goes wrong -------------------------------------------------------------------------------------


def test_a_wrong_pin_tells_the_counter_less_one(world: World) -> None:
    token = world.token(Kind.CARD)
    outcome = play(world, token).run(CARD, pin=b"9999")
    assert isinstance(outcome, Failed)
    assert (outcome.failure, outcome.tries_left) == (ReadFailure.PIN_WRONG, 1)
    assert token.pin.left == 2


def test_a_wrong_pin_with_two_left_leaves_none_to_the_patient(world: World) -> None:
    outcome = play(world, world.token(Kind.CARD, tries=2)).run(CARD, pin=b"9999")
    assert isinstance(outcome, Failed)
    assert (outcome.failure, outcome.tries_left) == (ReadFailure.PIN_WRONG, 0)


def test_a_token_that_claims_more_tries_after_a_wrong_pin_is_not_believed(world: World) -> None:
    token = world.token(Kind.CARD)

    def card(apdu: bytes) -> bytes:
        answer = token.process(apdu).response
        return b"\x63\xcf" if apdu[1] == 0x20 and len(apdu) > 4 else answer

    outcome = Play(world, MemoryLink(card)).run(CARD, pin=b"9999")
    assert isinstance(outcome, Failed)
    assert outcome.tries_left == 1


@pytest.mark.parametrize("kind", [Kind.IPHONE])
def test_a_phone_without_face_id_is_asked_for_it(world: World, kind: Kind) -> None:
    token = world.token(kind)
    token.authenticated = False
    outcome = play(world, token).run(IPHONE)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.NOT_AUTHENTICATED


def test_a_certificate_of_another_ca_is_refused(world: World) -> None:
    other = pki.new_authority("user authentication", 1, pki.Validity(NOW - YEAR, NOW + YEAR))
    identity = pki.issue(other, world.rsa_key, 7, pki.Validity(NOW - YEAR, NOW + YEAR))
    outcome = play(world, world.token(Kind.CARD, identity)).run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.CERTIFICATE_REFUSED


def test_a_signature_of_another_key_is_refused(world: World) -> None:
    identity = world.identity()
    token = world.token(Kind.CARD, replace(identity, key=pki.new_rsa_key()))
    outcome = play(world, token).run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.CERTIFICATE_REFUSED


def test_without_a_trusted_clock_dates_are_not_judged(world: World) -> None:
    this = play(world, world.token(Kind.CARD, world.identity(until=NOW - dt.timedelta(days=1))))
    this.at = None
    assert isinstance(this.run(CARD), Authenticated)


def test_digests_that_never_come_end_the_contact(world: World) -> None:
    this = play(world, world.token(Kind.IPHONE))
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
    this = play(world, world.token(Kind.CARD))

    def gone(_: int) -> None:
        raise ReaderGone("unplugged")

    this.link.before = gone
    with pytest.raises(ReaderGone):
        this.run(CARD)


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


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lies=st.lists(answers, max_size=40),
    kind=st.sampled_from([Kind.CARD, Kind.ANDROID, Kind.IPHONE]),
    order=st.sampled_from([CARD, ANDROID, IPHONE, VISUAL]),
    tries=st.integers(0, 3),
)
def test_whatever_a_token_answers_the_outcome_is_one_of_ours(
    world: World, lies: list[bytes | None], kind: Kind, order: Order, tries: int
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


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_verify_follows_only_a_told_counter_of_two_or_more(world: World, data: st.DataObject) -> None:
    """Whatever the empty VERIFY is answered: one with data follows only 63Cx with x of 2 or more, same P2."""
    token = world.token(Kind.CARD)
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
    token = world.token(Kind.CARD)

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
    token = world.token(Kind.CARD)
    ticks: Iterator[float] = iter(range(0, 1000, 3))
    pin = Pin()
    pin.take(bytearray(b"1234"))
    link = MemoryLink(lambda apdu: token.process(apdu).response)
    contact = Contact(
        link, Notes(), world.store, trust.Clock(lambda: NOW, lambda: True), pin, monotonic=lambda: next(ticks)
    )
    outcome = contact.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert len(link.commands) < 12


def test_garbled_frames_make_an_unreadable_token(world: World) -> None:
    this = play(world, world.token(Kind.CARD))

    def garbled(_: int) -> None:
        raise TokenGarbled("noise")

    this.link.before = garbled
    outcome = this.run(CARD)
    assert isinstance(outcome, Failed)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert this.pin.held
