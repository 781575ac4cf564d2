"""One contact with one token: the stages of `dialogue` in order, within a budget, and whoever must know told.

The token names itself; the counter is asked, and VERIFY follows it at once, to the chosen device only; the
certificate is read and checked; only then is anything signed (DESIGN 4). Where the certificate is readable
without proof it is read before the counter: a card that is pulled early, or has expired, then costs no PIN.
What is reported keeps the order of `visit.states.Stage` all the same.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, assert_never

from kiosk.channel import StageTime
from kiosk.nfc.protocol import dialogue, tokens
from kiosk.nfc.protocol.apdu import CommandApdu, GarbledAnswer, ResponseApdu
from kiosk.nfc.protocol.certificate import Doubt, Leaf, TrustStore, parse_certificate, signature_holds
from kiosk.nfc.protocol.dialogue import Blocked, Counter, Nonsense, NotAuthenticated, Refused
from kiosk.nfc.protocol.faults import BudgetSpent, TokenGarbled, TokenLost
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.tokens import Readable, Token
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import Stage, WrongTokenKind

R = TypeVar("R")

MOST_APDUS = 64
MOST_BYTES = 256 * 1024
MOST_SECONDS = 10.0
MOST_CPU_S = 1.0  #: of this thread, unless the settings say more: a token must not keep us computing


class Link(Protocol):
    """An activated token. Raises TokenLost, TokenGarbled or ReaderGone."""

    def exchange(self, command: CommandApdu, left: Callable[[], float]) -> bytes | bytearray:
        """Send a command, return the raw answer.

        `left` is asked before every frame: the seconds that the contact may still take; it raises
        BudgetSpent when there are none.
        """


class Witness(Protocol):
    """Who is told how far it has come."""

    def attend(self) -> None:
        """Called before every command; raises ContactEnded to stop here."""

    def recognised(self, token: Token) -> None:
        """EF 0006 names the device that was chosen."""

    def reached(self, stage: Stage) -> None:
        """A stage is done."""

    def digests(self) -> dict[SignatureAlgorithm, bytes] | None:
        """Return what is to be signed, waiting a little if need be; None if it does not come."""


@dataclass(frozen=True)
class Order:
    """What the contact is for."""

    device: Device | None  #: None takes any (`kiosk read`)
    authentication: Authentication | None  #: None: as the token's row says
    try_short_ef: bool = True  #: False: tokens of this make have refused them lately


@dataclass(frozen=True)
class Authenticated:
    """Certificate and signature are in and hold; with the visual check there is no signature."""

    token: Token
    leaf: Leaf
    der: bytes
    signature: bytes | None


@dataclass(frozen=True)
class Failed:
    """The contact ended without an authentication."""

    failure: ReadFailure
    say: str
    tries_left: int | None = None


@dataclass(frozen=True)
class Wrong:
    """No My Number token."""

    kind: WrongTokenKind


@dataclass(frozen=True)
class Other:
    """A My Number token of another kind than chosen; None for a name newer than the table."""

    device: Device | None


Outcome = Authenticated | Failed | Wrong | Other


@dataclass
class Learnt:
    """What was found out on the way, for `kiosk read`; filled in as it comes."""

    token: Token | None = None
    short_ef: bool | None = None  #: whether it takes short EF identifiers; None: not asked
    leaf: Leaf | None = None
    doubt: Doubt | None = None
    tries: int | None = None  #: the token's own counter
    signature_valid: bool | None = None
    stages: list[StageTime] = field(default_factory=list)


class _Ended(Exception):  # noqa: N818  # no error: it carries a value
    """Carries the outcome out of the stages; never leaves this module."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Contact:
    """Runs the dialogue with one activated token and says what came of it."""

    def __init__(
        self,
        link: Link,
        witness: Witness,
        store: TrustStore,
        clock: WallClock,
        pin: Pin,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
        most_cpu_s: float = MOST_CPU_S,
        began: float | None = None,
        spent: int = 0,
    ) -> None:
        self._link, self._witness, self._store, self._clock, self._pin = link, witness, store, clock, pin
        self._monotonic, self._cpu, self._most_cpu_s = monotonic, cpu, most_cpu_s
        self._began = monotonic() if began is None else began  # finding the token counts as well
        self._cpu_began = cpu()
        self._waited = 0.0  # for the screen, which is not the token's fault
        self._apdus = spent  # by an earlier contact with the same presentation
        self._sent = self._got = 0
        self.learnt = Learnt()

    def run(self, order: Order) -> Outcome:
        """Hold the whole dialogue; what the token does wrong is an outcome. ReaderGone, ContactEnded pass."""
        try:
            return self._converse(order)
        except _Ended as end:
            return end.outcome
        except TokenLost as fault:
            return Failed(ReadFailure.REMOVED, str(fault))
        except (TokenGarbled, GarbledAnswer, BudgetSpent) as fault:
            return Failed(ReadFailure.UNREADABLE, str(fault))

    def _converse(self, order: Order) -> Outcome:
        if not self._stage("select", dialogue.select()):
            return self._wrong_token()
        label = self._answer(self._stage("token", dialogue.label(try_short_ef=order.try_short_ef)))
        if order.try_short_ef:
            self.learnt.short_ef = label.dialect.short_ef
        token = tokens.find(label.name)
        self.learnt.token = token
        if token is None or (order.device is not None and token.device is not order.device):
            return Other(None if token is None else token.device)
        self._witness.recognised(token)
        if order.authentication is Authentication.VISUAL:
            leaf, der = self._certificate(label.dialect)
            self._witness.reached(Stage.CERTIFICATE)
            return Authenticated(token, leaf, der, None)
        return self._authenticate(token, label.dialect)

    def _authenticate(self, token: Token, dialect: dialogue.Dialect) -> Authenticated:
        match token.certificate:
            case Readable.FREELY:
                leaf, der = self._certificate(dialect)
                self._prove(token, dialect)
            case Readable.AFTER_PROOF:
                self._prove(token, dialect)
                leaf, der = self._certificate(dialect)
        self._witness.reached(Stage.CERTIFICATE)
        signature = self._sign(dialect, leaf)
        self._witness.reached(Stage.SIGNED)
        if token.last is not None:
            self._farewell(token.last)
        return Authenticated(token, leaf, der, signature)

    def look_into(self) -> Outcome | None:
        """Find out what a token gives without a PIN: kind, counter and, where it is free, the certificate.

        A phone that its owner has authenticated gives everything; None: it gave what it does without proof.
        """
        try:
            if not self._stage("select", dialogue.select()):
                return self._wrong_token()
            label = self._answer(self._stage("token", dialogue.label()))
            token = self.learnt.token = tokens.find(label.name)
            if token is None:
                return Other(None)
            if token.proof is Authentication.PHONE:
                return self._authenticate(token, label.dialect)
            if token.certificate is Readable.FREELY:
                self._certificate(label.dialect)
            self._counter(label.dialect)
        except _Ended as end:
            return end.outcome
        except TokenLost as fault:
            return Failed(ReadFailure.REMOVED, str(fault))
        except (TokenGarbled, GarbledAnswer, BudgetSpent) as fault:
            return Failed(ReadFailure.UNREADABLE, str(fault))
        return None

    # -- stages --------------------------------------------------------------------------------------------

    def _wrong_token(self) -> Wrong:
        if self._stage("other", dialogue.payment()):
            return Wrong(WrongTokenKind.PAYMENT)
        if self._stage("other", dialogue.transit()):
            return Wrong(WrongTokenKind.TRANSIT)
        return Wrong(WrongTokenKind.UNKNOWN)

    def _prove(self, token: Token, dialect: dialogue.Dialect) -> None:
        match token.proof:
            case Authentication.PHONE:
                self._witness.reached(Stage.VERIFIED)
            case Authentication.PIN:
                self._verify(self._counter(dialect))
            case _:
                assert_never(token.proof)

    def _counter(self, dialect: dialogue.Dialect) -> Counter:
        told = self._stage("counter", dialogue.counter(dialect))
        match told:
            case Blocked():
                self.learnt.tries = 0
                raise _Ended(Failed(ReadFailure.PIN_BLOCKED, "no tries are left"))
            case Refused():
                raise _Ended(Failed(ReadFailure.UNREADABLE, f"the token does not tell its tries: {told}"))
            case Counter(left=left):
                self.learnt.tries = left
                self._witness.reached(Stage.COUNTER)
                return told

    def _verify(self, told: Counter) -> None:
        if told.left < dialogue.LEAST_TRIES:
            raise _Ended(Failed(ReadFailure.PIN_ONE_LEFT, "one try is left, VERIFY was not sent"))
        self._admit()  # what ends the contact before VERIFY is sent must leave the PIN where it is
        with self._pin.spent_once() as digits:
            if digits is None:
                raise _Ended(Failed(ReadFailure.REMOVED, "no PIN is held; it must be typed"))
            said = self._stage("verify", dialogue.verify(digits, told), admitted=True)
        match said:
            case dialogue.Verified():
                self._witness.reached(Stage.VERIFIED)
            case dialogue.WrongPin(left=left):
                self.learnt.tries = left
                raise _Ended(
                    Failed(
                        ReadFailure.PIN_WRONG, f"{left} tries are left", max(0, min(left, told.left - 1) - 1)
                    )
                )
            case Blocked():
                self.learnt.tries = 0
                raise _Ended(Failed(ReadFailure.PIN_BLOCKED, "no tries are left"))
            case Refused():
                raise _Ended(Failed(ReadFailure.UNREADABLE, f"VERIFY was answered {said}"))

    def _certificate(self, dialect: dialogue.Dialect) -> tuple[Leaf, bytes]:
        read = self._answer(self._stage("certificate", dialogue.certificate(dialect)))
        leaf = parse_certificate(read.der)
        doubt = leaf if isinstance(leaf, Doubt) else self._store.check(leaf, self._clock.believed())
        self.learnt.doubt = doubt
        if not isinstance(leaf, Doubt):
            self.learnt.leaf = leaf
        if doubt is not None or isinstance(leaf, Doubt):
            expired = doubt is Doubt.EXPIRED
            failure = ReadFailure.CERTIFICATE_EXPIRED if expired else ReadFailure.CERTIFICATE_REFUSED
            raise _Ended(Failed(failure, "" if doubt is None else doubt.value))
        return leaf, read.der

    def _sign(self, dialect: dialogue.Dialect, leaf: Leaf) -> bytes:
        before = self._monotonic()
        digests = self._witness.digests()
        self._waited += self._monotonic() - before
        digest = None if digests is None else digests.get(leaf.algorithm)
        if digest is None:
            raise _Ended(Failed(ReadFailure.UNREADABLE, f"no digest came for {leaf.algorithm}"))
        signed = self._answer(self._stage("sign", dialogue.sign(dialect, leaf.algorithm, digest)))
        self.learnt.signature_valid = signature_holds(leaf, digest, signed.signature)
        if not self.learnt.signature_valid:
            raise _Ended(Failed(ReadFailure.CERTIFICATE_REFUSED, "the signature does not hold"))
        return signed.signature

    def _farewell(self, last: CommandApdu) -> None:
        """The authentication is complete: nothing that happens here can undo it."""
        try:
            self._stage("end", dialogue.end(last))
        except (TokenLost, TokenGarbled, GarbledAnswer, BudgetSpent):
            return

    def _answer(self, said: R | NotAuthenticated | Refused | Nonsense) -> R:
        """Return what a stage found, unless it found a reason to end."""
        match said:
            case NotAuthenticated():
                raise _Ended(
                    Failed(ReadFailure.NOT_AUTHENTICATED, "the token wants its holder's proof first")
                )
            case Refused():
                raise _Ended(Failed(ReadFailure.UNREADABLE, f"the token refuses: {said}"))
            case Nonsense(say=say):
                raise _Ended(Failed(ReadFailure.UNREADABLE, say))
            case _:
                return said

    # -- driving -------------------------------------------------------------------------------------------

    def _stage(
        self, name: str, stage: Generator[CommandApdu, ResponseApdu, R], *, admitted: bool = False
    ) -> R:
        """Run one stage, and note what it cost even if it fails. `admitted`: the first command already is."""
        began, apdus, sent, got = self._monotonic(), self._apdus, self._sent, self._got
        try:
            command = next(stage)
            while True:
                if not admitted:
                    self._admit()
                admitted = False
                command = stage.send(self._exchange(command))
        except StopIteration as end:
            result: R = end.value
            return result
        finally:
            stage.close()
            self.learnt.stages.append(
                StageTime(
                    name=name,
                    ms=round((self._monotonic() - began) * 1000, 3),
                    apdus=self._apdus - apdus,
                    bytes_to=self._sent - sent,
                    bytes_from=self._got - got,
                )
            )

    def _admit(self) -> None:
        """Let the screen be heard, and see whether one more command is within the budget."""
        self._witness.attend()
        if self._apdus >= MOST_APDUS:
            raise BudgetSpent(f"the token wants more than {MOST_APDUS} commands")
        self._left()

    def _left(self) -> float:
        """The seconds that are left; within one command too, which a token can draw out by S(WTX)."""
        left = MOST_SECONDS - (self._monotonic() - self._began - self._waited)
        if left <= 0:
            raise BudgetSpent(f"the contact takes longer than {MOST_SECONDS:g} s")
        if self._cpu() - self._cpu_began > self._most_cpu_s:
            raise BudgetSpent(f"the contact costs more than {self._most_cpu_s:g} s of computing")
        return left

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        self._apdus += 1
        self._sent += _size(command)
        raw = self._link.exchange(command, self._left)
        self._got += len(raw)
        if self._sent + self._got > MOST_BYTES:
            raise BudgetSpent(f"the contact moves more than {MOST_BYTES} bytes")
        return ResponseApdu.decode(raw)


def _size(command: CommandApdu) -> int:
    lengths = (3 if command.data else 1) + 2 if command.extended else bool(command.data) + bool(command.ne)
    return 4 + len(command.data) + lengths
