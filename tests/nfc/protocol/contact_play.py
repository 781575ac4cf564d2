"""Whole contacts over a link in memory: keys, a link, a witness, and what is left to look at afterwards."""

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk.nfc.presentation import Event, Pause, carry_out
from kiosk.nfc.protocol.apdu import CommandApdu
from kiosk.nfc.protocol.budget import Budget, ClockValues
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import (
    Contact,
    Digests,
    DigestsWanted,
    Order,
    Outcome,
    StageEnded,
    TokenNamed,
)
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.simulator.tokens import pki
from kiosk.simulator.tokens.card import SansIoCard
from kiosk.simulator.tokens.jpki_token import Behaviour, Identity, JpkiToken, TokenKind
from kiosk.visit.states import Stage

NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
STANDING_STILL = ClockValues(0.0, 0.0)
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
    store: TrustStore

    def identity(self, *, key: str = "rsa", until: dt.datetime = NOW + YEAR) -> Identity:
        chosen = self.rsa_key if key == "rsa" else self.ec_key
        return pki.issue(self.authority, chosen, 0x1A, pki.Validity(NOW - YEAR, until))

    def token(
        self,
        kind: TokenKind,
        identity: Identity | None = None,
        behaviour: Behaviour | None = None,
        tries: int = 3,
    ) -> JpkiToken:
        own = identity or self.identity()
        token = JpkiToken(kind, own, own, behaviour=behaviour)
        token.pin.left = tries
        token.power_on()
        return token


def new_world() -> World:
    """Fresh keys and certificates."""
    authority = pki.new_authority("user authentication", 1, pki.Validity(NOW - YEAR, NOW + 5 * YEAR))
    return World(authority, pki.new_rsa_key(), pki.new_ec_key(), TrustStore((authority.certificate,)))


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
    """What the contact reported, and what it is answered."""

    stages: list[Stage] = field(default_factory=list)
    device: Device | None = None
    given: Digests | None = field(default_factory=lambda: dict(DIGESTS))
    call_off_at: int | None = None  #: before this command, counted from 1
    pauses: int = 0

    def heed(self, event: Event) -> Digests | None:
        """Note what comes; raises CalledOff where the screen is to want something else."""
        match event:
            case Pause():
                self.pauses += 1
                if self.pauses == self.call_off_at:
                    raise CalledOff
            case TokenNamed(token=token):
                self.device = token.device
            case StageEnded(stage=stage):
                self.stages.append(stage)
            case DigestsWanted():
                return self.given
        return None


class CalledOff(Exception):  # noqa: N818  # no error: what a test wanted
    """The contact was ended from outside."""


@dataclass
class Play:
    """One contact and everything that a test may want to look at afterwards."""

    world: World
    link: MemoryLink
    notes: Notes = field(default_factory=Notes)
    pin: Pin = field(default_factory=Pin)
    at: dt.datetime | None = NOW

    def run(self, order: Order, pin: bytes | None = b"1234") -> Outcome:
        """Drive it as the reader's loop does: hear first, then one step more; raises CalledOff."""
        if pin is not None:
            self.pin.take(bytearray(pin))
        budget = Budget(STANDING_STILL)
        contact = Contact(self.world.store, self.at, self.pin, budget, STANDING_STILL)
        steps = carry_out(contact.authenticate(order), self.link, budget, lambda: STANDING_STILL)
        digests = None
        with closing(steps):
            try:
                while True:
                    digests = self.notes.heed(steps.send(digests))
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome


def play(world: World, token: SansIoCard) -> Play:
    return Play(world, MemoryLink(lambda apdu: token.process(apdu).response))
