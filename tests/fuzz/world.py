"""Invented tokens for the harness, quick ones: every honest answer is computed once and remembered."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.qualification.terms import SignatureAlgorithm
from kiosk.simulator.tokens import pki
from kiosk.simulator.tokens.card import CardWork, ModelledWork, SansIoCard
from kiosk.simulator.tokens.jpki_token import (
    Behaviour,
    ComputingTime,
    Identity,
    JpkiToken,
    PinState,
    TokenKind,
)
from kiosk.simulator.tokens.other_tokens import payment_card

NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
DIGESTS = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: hashlib.sha256(b"transcript").digest(),
    SignatureAlgorithm.ECDSA_P384_SHA384: hashlib.sha384(b"transcript").digest(),
}
MOST_REMEMBERED = 20_000


@dataclass(frozen=True)
class Choice:
    """Which token lies there."""

    kind: TokenKind | None  #: None: a payment card
    ec: bool
    short_ef: bool
    tries: int
    authenticated: bool
    right_pin: bool


@dataclass
class Step:
    """A state of a token's dialogue: what it answered, and what follows each command."""

    response: bytes = b""
    next: dict[bytes, "Step"] = field(default_factory=dict)


class Memory:
    """What honest tokens answer, as a tree of commands, forgotten whole before it grows large."""

    def __init__(self) -> None:
        self._roots: dict[Choice, Step] = {}
        self._steps = 0

    def root(self, choice: Choice) -> Step:
        if self._steps > MOST_REMEMBERED:
            self._roots.clear()
            self._steps = 0
        return self._roots.setdefault(choice, Step())

    def follow(self, step: Step, apdu: bytes, compute: Callable[[], bytes]) -> Step:
        following = step.next.get(apdu)
        if following is None:
            following = step.next[apdu] = Step(compute())
            self._steps += 1
        return following


class RememberedCard:
    """A `Card` that asks a real virtual token only for what was never asked before."""

    def __init__(self, memory: Memory, choice: Choice, make: Callable[[Choice], SansIoCard]) -> None:
        self._memory, self._choice, self._make = memory, choice, make
        self._path: list[bytes] = []
        self._step = memory.root(choice)

    def power_on(self) -> None:
        self._path, self._step = [], self._memory.root(self._choice)

    def power_off(self) -> None: ...
    def deselected(self) -> None: ...

    def begin(self, apdu: bytes) -> CardWork:
        self._path.append(apdu)
        self._step = self._memory.follow(self._step, apdu, self._compute)
        return ModelledWork(self._step.response, 0.0)

    def _compute(self) -> bytes:
        card = self._make(self._choice)
        card.power_on()
        return [card.process(apdu).response for apdu in self._path][-1]


class World:
    """One CA, one key of each kind, and the trust store that knows the CA. Made once per process."""

    def __init__(self) -> None:
        authority = pki.new_authority("user authentication", 1, pki.Validity(NOW - YEAR, NOW + 5 * YEAR))
        life = pki.Validity(NOW - YEAR, NOW + YEAR)
        self._identities = {
            False: pki.issue(authority, pki.new_rsa_key(), 0x1A, life),
            True: pki.issue(authority, pki.new_ec_key(), 0x1B, life),
        }
        self._memory = Memory()
        self.store = TrustStore((authority.certificate,))

    def identity(self, *, ec: bool) -> Identity:
        return self._identities[ec]

    def card(self, choice: Choice) -> RememberedCard:
        return RememberedCard(self._memory, choice, self._token)

    def _token(self, choice: Choice) -> SansIoCard:
        if choice.kind is None:
            return payment_card()
        own = self._identities[choice.ec]
        return JpkiToken(
            choice.kind,
            own,
            own,
            pin=PinState(b"1234" if choice.right_pin else b"9876", left=choice.tries),
            authenticated=choice.authenticated,
            behaviour=Behaviour(short_ef_identifiers=choice.short_ef),
            time=ComputingTime(0, 0),
        )
