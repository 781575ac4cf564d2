"""One presentation, from what was found in the field to what came of it: every end of it is an outcome."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kiosk.nfc.antenna import Antenna, Found, Link, NoBlocks, NotAlone, Several
from kiosk.nfc.contact import (
    MOST_CPU_S,
    MOST_SECONDS,
    Contact,
    Failed,
    Learnt,
    Order,
    Outcome,
    Witness,
    Wrong,
)
from kiosk.nfc.protocol.apdu import GarbledAnswer
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.faults import BudgetSpent, TokenGarbled, TokenLost
from kiosk.nfc.protocol.habits import Habits
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.token_choice import approach, other_face
from kiosk.nfc.wall_clock import WallClock
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import WrongTokenKind


@dataclass(frozen=True)
class Attempt:
    """What came of it. `outcome` None: nothing was ordered, and the token gave what it gives freely."""

    outcome: Outcome | None
    learnt: Learnt = field(default_factory=Learnt)


@dataclass(frozen=True)
class _Spent:
    """What of the budget of this presentation is used up when a contact begins."""

    began: float
    apdus: int = 0


class Reading:
    """Reads tokens, one after the other; remembers of them only the habits of their make."""

    def __init__(
        self,
        store: TrustStore,
        clock: WallClock,
        pin: Pin,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        most_cpu_s: float = MOST_CPU_S,
    ) -> None:
        self._store, self._clock, self._pin, self._monotonic = store, clock, pin, monotonic
        self._most_cpu_s = most_cpu_s
        self._habits = Habits()

    def attempt(
        self, antenna: Antenna, found: Found | Several, order: Order | None, witness: Witness
    ) -> Attempt:
        """Read what lies there; without an order, what it gives without a PIN. ReaderGone, ContactEnded pass.

        A token without the JPKI application is asked on its other radio type before it is called wrong.
        """
        began = self._monotonic()

        def left() -> float:
            seconds = began + MOST_SECONDS - self._monotonic()
            if seconds <= 0:
                raise BudgetSpent(f"finding the right token takes longer than {MOST_SECONDS:g} s")
            return seconds

        try:
            near = approach(antenna, found, self._habits, left)
            spoken = near.token
            done = self._converse(near.link, _Spent(began), spoken.face, order, witness)
        except NotAlone:
            return Attempt(Failed(ReadFailure.TWO_TOKENS, "more than one token lies there; leave one"))
        except NoBlocks as fault:
            spoken, done = fault.token, Attempt(Wrong(WrongTokenKind.UNKNOWN))
        except TokenLost as fault:
            return Attempt(Failed(ReadFailure.REMOVED, str(fault)))
        except (TokenGarbled, GarbledAnswer, BudgetSpent) as fault:
            return Attempt(Failed(ReadFailure.UNREADABLE, str(fault)))
        if isinstance(done.outcome, Wrong):
            link = self._turned(antenna, spoken, left)
            if link is not None:
                spent = _Spent(began, sum(stage.apdus for stage in done.learnt.stages))
                return self._converse(link, spent, spoken.face, order, witness)
        return done

    def _turned(self, antenna: Antenna, spoken: Found, left: Callable[[], float]) -> Link | None:
        try:
            return other_face(antenna, spoken, self._habits, left)
        except BudgetSpent:
            return None

    def _converse(
        self, link: Link, spent: _Spent, face: bytes, order: Order | None, witness: Witness
    ) -> Attempt:
        contact = Contact(
            link,
            witness,
            self._store,
            self._clock,
            self._pin,
            monotonic=self._monotonic,
            most_cpu_s=self._most_cpu_s,
            began=spent.began,
            spent=spent.apdus,
        )
        if order is None:
            return Attempt(contact.look_into(), contact.learnt)
        order = replace(order, try_short_ef=self._habits.short_ef_first(face))
        outcome = contact.run(order)
        if contact.learnt.short_ef is False:
            self._habits.refused_short_ef(face)
        return Attempt(outcome, contact.learnt)
