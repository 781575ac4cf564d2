"""One contact with one token: the stages of `dialogue` in order, within a budget. No I/O, no clock.

`Contact.authenticate` and `Contact.look_into` are generators. They yield a `Step`: a command for the token,
something to be reported, or that digests are wanted. To each they are sent a `StepReply`, which also holds
what the clocks show, and at the end they return the outcome. `presentation` carries the steps out.

A command that was yielded must be sent: VERIFY holds the PIN, which is spent by then. To call a contact off,
close the generator before the reply is sent; as long as VERIFY has not been yielded, the PIN stays.

The token names itself; the counter is asked, and VERIFY follows it at once, to the chosen device only; the
certificate is read and checked; only then is anything signed. Where the certificate is readable without
proof it is read before the counter: a card that is pulled early, or has expired, then costs no PIN. What is
reported keeps the order of `Stage` all the same.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, assert_never

from kiosk.channel.reader_messages import StageTime
from kiosk.nfc.protocol import dialogue, tokens
from kiosk.nfc.protocol.apdu import CommandApdu, GarbledAnswer, ResponseApdu
from kiosk.nfc.protocol.budget import Budget, ClockValues
from kiosk.nfc.protocol.certificate import Doubt, Leaf, TrustStore, parse_certificate, signature_holds
from kiosk.nfc.protocol.dialogue import Blocked, CommandRefused, NotAuthenticated, PinCounter, Unusable
from kiosk.nfc.protocol.faults import BudgetSpent
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.tokens import Readable, Token
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import Stage, WrongTokenKind

R = TypeVar("R")
Digests = dict[SignatureAlgorithm, bytes]


# ---- steps -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TokenNamed:
    """To be reported: EF 0006 names the device that was chosen. The screen then makes the digests."""

    token: Token


@dataclass(frozen=True)
class StageEnded:
    """To be reported: a stage is done."""

    stage: Stage


@dataclass(frozen=True)
class DigestsWanted:
    """What is to be signed is wanted now; the reply may take a little, or be None."""


Step = CommandApdu | TokenNamed | StageEnded | DigestsWanted


@dataclass(frozen=True)
class NoAnswer:
    """A command brought no answer that can be used: the contact ends with this failure."""

    failure: ReadFailure
    reason: str


@dataclass(frozen=True, repr=False)
class StepReply:
    """What came of a step; never printed."""

    at: ClockValues
    answer: bytes | bytearray | NoAnswer = b""  #: to a command
    digests: Digests | None = None  #: to `DigestsWanted`; None: they did not come


Conversation = Generator[Step, StepReply, R]


# ---- order and outcome -----------------------------------------------------------------------------------


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
    reason: str
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


# ---- the contact -----------------------------------------------------------------------------------------


class Contact:
    """The dialogue with one activated token. `date` is None where no clock is trusted."""

    def __init__(
        self, store: TrustStore, date: datetime | None, pin: Pin, budget: Budget, at: ClockValues
    ) -> None:
        self._store, self._date, self._pin, self._budget = store, date, pin, budget
        self._at = at  # as of the last reply
        self.learnt = Learnt()

    def authenticate(self, order: Order) -> Conversation[Outcome]:
        """Hold the whole dialogue; what the token does wrong is an outcome."""
        try:
            return (yield from self._converse(order))
        except _Ended as end:
            return end.outcome
        except (GarbledAnswer, BudgetSpent) as fault:
            return Failed(ReadFailure.UNREADABLE, str(fault))

    def look_into(self) -> Conversation[Outcome | None]:
        """Find out what a token gives without a PIN: kind, counter and, where it is free, the certificate.

        A phone that its owner has authenticated gives everything; None: it gave what it does without proof.
        """
        try:
            return (yield from self._look())
        except _Ended as end:
            return end.outcome
        except (GarbledAnswer, BudgetSpent) as fault:
            return Failed(ReadFailure.UNREADABLE, str(fault))

    def _converse(self, order: Order) -> Conversation[Outcome]:
        if not (yield from self._stage("select", dialogue.select())):
            return (yield from self._wrong_token())
        name = self._found(
            (yield from self._stage("token", dialogue.token_name(try_short_ef=order.try_short_ef)))
        )
        if order.try_short_ef:
            self.learnt.short_ef = name.dialect.short_ef
        token = tokens.find(name.name)
        self.learnt.token = token
        if token is None or (order.device is not None and token.device is not order.device):
            return Other(None if token is None else token.device)
        yield from self._report(TokenNamed(token))
        if order.authentication is Authentication.VISUAL:
            leaf, der = yield from self._certificate(name.dialect)
            yield from self._report(StageEnded(Stage.CERTIFICATE))
            return Authenticated(token, leaf, der, None)
        return (yield from self._authenticate(token, name.dialect))

    def _look(self) -> Conversation[Outcome | None]:
        if not (yield from self._stage("select", dialogue.select())):
            return (yield from self._wrong_token())
        name = self._found((yield from self._stage("token", dialogue.token_name())))
        token = self.learnt.token = tokens.find(name.name)
        if token is None:
            return Other(None)
        if token.proof is Authentication.PHONE:
            return (yield from self._authenticate(token, name.dialect))
        if token.certificate is Readable.FREELY:
            yield from self._certificate(name.dialect)
        yield from self._counter(name.dialect)
        return None

    def _authenticate(self, token: Token, dialect: dialogue.Dialect) -> Conversation[Authenticated]:
        match token.certificate:
            case Readable.FREELY:
                leaf, der = yield from self._certificate(dialect)
                yield from self._prove(token, dialect)
            case Readable.AFTER_PROOF:
                yield from self._prove(token, dialect)
                leaf, der = yield from self._certificate(dialect)
        yield from self._report(StageEnded(Stage.CERTIFICATE))
        signature = yield from self._sign(dialect, leaf)
        yield from self._report(StageEnded(Stage.SIGNED))
        if token.last is not None:
            yield from self._farewell(token.last)
        return Authenticated(token, leaf, der, signature)

    # -- stages --------------------------------------------------------------------------------------------

    def _wrong_token(self) -> Conversation[Wrong]:
        if (yield from self._stage("other", dialogue.payment())):
            return Wrong(WrongTokenKind.PAYMENT)
        if (yield from self._stage("other", dialogue.transit())):
            return Wrong(WrongTokenKind.TRANSIT)
        return Wrong(WrongTokenKind.UNKNOWN)

    def _prove(self, token: Token, dialect: dialogue.Dialect) -> Conversation[None]:
        match token.proof:
            case Authentication.PHONE:
                yield from self._report(StageEnded(Stage.VERIFIED))
            case Authentication.PIN:
                counter = yield from self._counter(dialect)
                yield from self._verify(counter)
            case _:
                assert_never(token.proof)

    def _counter(self, dialect: dialogue.Dialect) -> Conversation[PinCounter]:
        counter = yield from self._stage("counter", dialogue.pin_counter(dialect))
        match counter:
            case Blocked():
                self.learnt.tries = 0
                raise _Ended(Failed(ReadFailure.PIN_BLOCKED, "no tries are left"))
            case CommandRefused():
                raise _Ended(Failed(ReadFailure.UNREADABLE, f"the token does not tell its tries: {counter}"))
            case PinCounter(left=left):
                self.learnt.tries = left
                yield from self._report(StageEnded(Stage.COUNTER))
                return counter

    def _verify(self, counter: PinCounter) -> Conversation[None]:
        if counter.left < dialogue.LEAST_TRIES:
            raise _Ended(Failed(ReadFailure.PIN_ONE_LEFT, "one try is left, VERIFY was not sent"))
        # What ends the contact before VERIFY is sent must leave the PIN where it is.
        self._budget.admit_command(self._at)
        with self._pin.spent_once() as digits:
            if digits is None:
                raise _Ended(Failed(ReadFailure.REMOVED, "no PIN is held; it must be typed"))
            answer = yield from self._stage("verify", dialogue.verify(digits, counter))
        match answer:
            case dialogue.PinAccepted():
                yield from self._report(StageEnded(Stage.VERIFIED))
            case dialogue.WrongPin(left=left):
                self.learnt.tries = left
                for_patient = max(0, min(left, counter.left - 1) - 1)
                raise _Ended(Failed(ReadFailure.PIN_WRONG, f"{left} tries are left", for_patient))
            case Blocked():
                self.learnt.tries = 0
                raise _Ended(Failed(ReadFailure.PIN_BLOCKED, "no tries are left"))
            case CommandRefused():
                raise _Ended(Failed(ReadFailure.UNREADABLE, f"VERIFY was answered {answer}"))

    def _certificate(self, dialect: dialogue.Dialect) -> Conversation[tuple[Leaf, bytes]]:
        read = self._found((yield from self._stage("certificate", dialogue.certificate(dialect))))
        leaf = parse_certificate(read.der)
        doubt = leaf if isinstance(leaf, Doubt) else self._store.check(leaf, self._date)
        self.learnt.doubt = doubt
        if not isinstance(leaf, Doubt):
            self.learnt.leaf = leaf
        if doubt is not None or isinstance(leaf, Doubt):
            expired = doubt is Doubt.EXPIRED
            failure = ReadFailure.CERTIFICATE_EXPIRED if expired else ReadFailure.CERTIFICATE_REFUSED
            raise _Ended(Failed(failure, "" if doubt is None else doubt.value))
        return leaf, read.der

    def _sign(self, dialect: dialogue.Dialect, leaf: Leaf) -> Conversation[bytes]:
        before = self._at
        reply = yield DigestsWanted()
        self._at = reply.at
        self._budget.waited(reply.at.now_s - before.now_s)
        digest = None if reply.digests is None else reply.digests.get(leaf.algorithm)
        if digest is None:
            raise _Ended(Failed(ReadFailure.UNREADABLE, f"no digest came for {leaf.algorithm}"))
        signed = self._found((yield from self._stage("sign", dialogue.sign(dialect, leaf.algorithm, digest))))
        self.learnt.signature_valid = signature_holds(leaf, digest, signed.signature)
        if not self.learnt.signature_valid:
            raise _Ended(Failed(ReadFailure.CERTIFICATE_REFUSED, "the signature does not hold"))
        return signed.signature

    def _farewell(self, last: CommandApdu) -> Conversation[None]:
        """The authentication is complete: nothing that happens here can undo it."""
        try:
            yield from self._stage("end", dialogue.end(last))
        except (_Ended, GarbledAnswer, BudgetSpent):
            return

    def _found(self, answer: R | NotAuthenticated | CommandRefused | Unusable) -> R:
        """Return what a stage found, unless it found a reason to end."""
        match answer:
            case NotAuthenticated():
                raise _Ended(
                    Failed(ReadFailure.NOT_AUTHENTICATED, "the token wants its holder's proof first")
                )
            case CommandRefused():
                raise _Ended(Failed(ReadFailure.UNREADABLE, f"the token refuses: {answer}"))
            case Unusable(reason=reason):
                raise _Ended(Failed(ReadFailure.UNREADABLE, reason))
            case _:
                return answer

    # -- steps ---------------------------------------------------------------------------------------------

    def _report(self, report: TokenNamed | StageEnded) -> Conversation[None]:
        reply = yield report
        self._at = reply.at

    def _stage(self, name: str, stage: dialogue.Dialogue[R]) -> Conversation[R]:
        """Run one stage, and note what it cost even if it fails."""
        budget, began = self._budget, self._at
        apdus, bytes_to, bytes_from = budget.apdus, budget.bytes_to, budget.bytes_from
        try:
            command = next(stage)
            while True:
                response = yield from self._exchange(command)
                command = stage.send(response)
        except StopIteration as end:
            result: R = end.value
            return result
        finally:
            stage.close()
            self.learnt.stages.append(
                StageTime(
                    name=name,
                    ms=round((self._at.now_s - began.now_s) * 1000, 3),
                    apdus=budget.apdus - apdus,
                    bytes_to=budget.bytes_to - bytes_to,
                    bytes_from=budget.bytes_from - bytes_from,
                )
            )

    def _exchange(self, command: CommandApdu) -> Conversation[ResponseApdu]:
        self._budget.admit_command(self._at)
        self._budget.command(command.size)
        reply = yield command
        self._at = reply.at
        if isinstance(reply.answer, NoAnswer):
            raise _Ended(Failed(reply.answer.failure, reply.answer.reason))
        self._budget.answer(len(reply.answer))
        return ResponseApdu.decode(reply.answer)
