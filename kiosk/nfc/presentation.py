"""One presentation, from what was found in the field to what came of it: every end of it is an outcome.

A reading is a generator that goes on by one step each time it is sent something: it finds the token that is
meant and carries out the steps of its contact (`protocol.token_contact`) over the air. What it yields is for
whoever drives it (`Event`). `Pause` comes wherever nothing is under way: the screen can be heard, and the
reading be ended by `close()`; the PIN stays unless VERIFY was sent.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from kiosk.nfc.antenna import Antenna, Found, NoBlocks, NotAlone, Several, TokenLink
from kiosk.nfc.protocol.apdu import CommandApdu, GarbledAnswer
from kiosk.nfc.protocol.budget import MOST_CPU_S, Budget, ClockValues
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.faults import BudgetSpent, TokenGarbled, TokenLost
from kiosk.nfc.protocol.habits import Habits
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import (
    Contact,
    Conversation,
    Digests,
    DigestsWanted,
    Failed,
    Learnt,
    NoAnswer,
    Order,
    Outcome,
    StageEnded,
    StepReply,
    TokenNamed,
    Wrong,
)
from kiosk.nfc.token_choice import choose_token, other_face
from kiosk.nfc.wall_clock import WallClock
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import WrongTokenKind

R = TypeVar("R")
ReadClocks = Callable[[], ClockValues]


@dataclass(frozen=True)
class Pause:
    """No command is under way: the time to hear the screen, and to end the reading if it wants that."""


Event = Pause | TokenNamed | StageEnded | DigestsWanted
#: Sent to it: the digests after `DigestsWanted` (None: they did not come), otherwise nothing.
Presentation = Generator[Event, Digests | None, R]


@dataclass(frozen=True)
class Attempt:
    """What came of it. `outcome` None: nothing was ordered, and the token gave what it gives freely."""

    outcome: Outcome | None
    learnt: Learnt = field(default_factory=Learnt)


class TokenConnection(Protocol):
    """An activated token; `antenna.TokenLink` is one. Raises TokenLost, TokenGarbled or ReaderGone."""

    def exchange(self, command: CommandApdu, left: Callable[[], float]) -> bytes | bytearray:
        """Send a command, return the raw answer.

        `left` is asked before every frame: the seconds that the contact may still take; it raises
        BudgetSpent when there are none.
        """


def read_clocks(
    monotonic: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.thread_time
) -> ClockValues:
    """What the clocks show now, to a contact."""
    return ClockValues(monotonic(), cpu())


def carry_out(
    contact: Conversation[R], connection: TokenConnection, budget: Budget, clocks: ReadClocks
) -> Presentation[R]:
    """Carry out the steps of a contact: commands over the connection; everything else is passed on."""
    yield Pause()
    try:
        step = next(contact)
        while True:
            if isinstance(step, CommandApdu):
                answer = _exchange(connection, step, lambda: budget.left_s(clocks()))
                yield Pause()
                reply = StepReply(clocks(), answer=answer)
            else:
                digests = yield step
                reply = StepReply(clocks(), digests=digests)
            step = contact.send(reply)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        contact.close()


def _exchange(
    connection: TokenConnection, command: CommandApdu, left: Callable[[], float]
) -> bytes | bytearray | NoAnswer:
    try:
        return connection.exchange(command, left)
    except TokenLost as fault:
        return NoAnswer(ReadFailure.REMOVED, str(fault))
    except (TokenGarbled, BudgetSpent) as fault:
        return NoAnswer(ReadFailure.UNREADABLE, str(fault))


def read_to_end(reading: Presentation[R], digests: Digests | None) -> R:
    """Drive a reading that nobody watches or calls off, with digests that are ready."""
    wanted: Digests | None = None
    try:
        while True:
            event = reading.send(wanted)
            wanted = digests if isinstance(event, DigestsWanted) else None
    except StopIteration as end:
        result: R = end.value
        return result


class TokenReader:
    """Reads tokens, one after the other; remembers of them only the habits of their make."""

    def __init__(
        self,
        store: TrustStore,
        wall: WallClock,
        pin: Pin,
        *,
        clocks: ReadClocks = read_clocks,
        most_cpu_s: float = MOST_CPU_S,
    ) -> None:
        self._store, self._wall, self._pin = store, wall, pin
        self._clocks, self._most_cpu_s = clocks, most_cpu_s
        self._habits = Habits()

    def read(self, antenna: Antenna, found: Found | Several, order: Order | None) -> Presentation[Attempt]:
        """Read what lies there; without an order, what it gives without a PIN. ReaderGone passes.

        A token without the JPKI application is asked on its other radio type before it is called wrong.
        """
        budget = Budget(self._clocks(), self._most_cpu_s)

        def left() -> float:
            return budget.left_s(self._clocks())

        try:
            near = choose_token(antenna, found, self._habits, left)
        except NotAlone:
            return Attempt(Failed(ReadFailure.TWO_TOKENS, "more than one token lies there; leave one"))
        except NoBlocks as fault:
            spoken, done = fault.token, Attempt(Wrong(WrongTokenKind.UNKNOWN))
        except TokenLost as fault:
            return Attempt(Failed(ReadFailure.REMOVED, str(fault)))
        except (TokenGarbled, GarbledAnswer, BudgetSpent) as fault:
            return Attempt(Failed(ReadFailure.UNREADABLE, str(fault)))
        else:
            spoken = near.token
            done = yield from self._hold(near.link, budget, spoken.face, order)
        if isinstance(done.outcome, Wrong):
            link = self._on_other_face(antenna, spoken, left)
            if link is not None:
                return (yield from self._hold(link, budget, spoken.face, order))
        return done

    def _on_other_face(self, antenna: Antenna, spoken: Found, left: Callable[[], float]) -> TokenLink | None:
        try:
            return other_face(antenna, spoken, self._habits, left)
        except BudgetSpent:
            return None

    def _hold(
        self, link: TokenLink, budget: Budget, face: bytes, order: Order | None
    ) -> Presentation[Attempt]:
        contact = Contact(self._store, self._wall.believed(), self._pin, budget, self._clocks())
        if order is None:
            looked = yield from carry_out(contact.look_into(), link, budget, self._clocks)
            return Attempt(looked, contact.learnt)
        order = replace(order, try_short_ef=self._habits.short_ef_first(face))
        outcome = yield from carry_out(contact.authenticate(order), link, budget, self._clocks)
        if contact.learnt.short_ef is False:
            self._habits.refused_short_ef(face)
        return Attempt(outcome, contact.learnt)
