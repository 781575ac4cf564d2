"""The reader process: one thread, one loop: look at the field, hear the screen, read when armed.

Tokens are watched for all the time, so that the screen can say "not yet"; the dialogue begins only when the
reader is armed. A contact runs inside the loop's turn and hears the screen before every command, so that it
can be called off.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from kiosk.channel import (
    ArmReader,
    ChannelError,
    ContactFailed,
    Evidence,
    Message,
    OtherDeviceSeen,
    Presented,
    ReaderHealth,
    ReaderState,
    Recognised,
    Removed,
    StageDone,
    WrongTokenSeen,
    encode,
)
from kiosk.channel.seqpacket import Hub, Peer
from kiosk.nfc.antenna import Antenna, Found, Several
from kiosk.nfc.contact import MOST_CPU_S, Authenticated, Failed, Learnt, Order, Other, Outcome, Wrong
from kiosk.nfc.presentation import Attempt, Reading
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.faults import ContactEnded, ReaderGone
from kiosk.nfc.protocol.tokens import Token
from kiosk.nfc.reader_counters import Health
from kiosk.nfc.session import Session
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.terms import SignatureAlgorithm
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition, Stage

log = logging.getLogger(__name__)

#: After these the visit goes on and the next presentation is read by itself.
RETRIED = frozenset(
    {
        ReadFailure.REMOVED,
        ReadFailure.UNREADABLE,
        ReadFailure.TWO_TOKENS,
        ReadFailure.LEFT_BEHIND,
        ReadFailure.NOT_AUTHENTICATED,
    }
)


class Life(Protocol):
    """What the service manager is told; `supervision.Supervision` is one."""

    def ready(self, say: str = "") -> None: ...
    def alive(self) -> None: ...
    def stopping(self) -> None: ...


@dataclass(frozen=True)
class Pacing:
    """How long the loop rests between two looks, in seconds."""

    visit_s: float = 0.03  #: somebody is about to present a token
    idle_s: float = 0.05  #: nobody is; the field is off in between
    present_s: float = 0.06  #: a token lies there: how soon its removal is noticed
    idle_present_s: float = 0.2
    retry_s: float = 1.0  #: a lost reader is looked for
    digests_s: float = 2.0  #: the screen must have answered "recognised"


class ReaderProcess:
    """Owns the loop. `opener` opens the reader or raises ReaderGone; `stop` ends `run`."""

    def __init__(
        self,
        hub: Hub,
        opener: Callable[[], Antenna],
        store: TrustStore,
        clock: WallClock,
        life: Life,
        *,
        health: Health | None = None,
        pacing: Pacing | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        most_cpu_s: float = MOST_CPU_S,
    ) -> None:
        self._hub, self._opener, self._life = hub, opener, life
        self._health = health or Health()
        self._pacing = pacing or Pacing()
        self._monotonic = monotonic
        self._session = Session()
        self._reading = Reading(store, clock, self._session.pin, monotonic=monotonic, most_cpu_s=most_cpu_s)
        self._screen: Peer | None = None  # whose visit it is
        self._antenna: Antenna | None = None
        self._state = ReaderState(condition=ReaderCondition.LOST, say="not opened yet")
        self._next_try = 0.0
        self._seen: Found | Several | None = None
        self._left_behind = False  # it lay there before this visit began: whose it is, nobody knows
        self._tried_orders = -1  # the order for which the token lying there has been read
        self._stopping = False

    # -- the loop ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until `stop`; leaves the field off and nothing open."""
        self._life.ready()
        try:
            while not self._stopping:
                self._life.alive()
                self._turn()
                self._hear(self._rest_s())
        finally:
            self._life.stopping()
            self._session.end()
            if self._antenna is not None:
                self._antenna.close()
            self._hub.close()

    def stop(self) -> None:
        """End after this turn; may be called from a signal handler."""
        self._stopping = True

    def _turn(self) -> None:
        try:
            if self._antenna is None:
                self._open()
            else:
                self._watch(self._antenna)
        except ReaderGone as fault:
            self._lose(str(fault))

    def _rest_s(self) -> float:
        if self._antenna is None:
            return min(0.2, max(0.0, self._next_try - self._monotonic()))
        if self._session.visit is None:
            return self._pacing.idle_s if self._seen is None else self._pacing.idle_present_s
        return self._pacing.visit_s if self._seen is None else self._pacing.present_s

    # -- the reader ----------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self._monotonic() < self._next_try:
            return
        self._next_try = self._monotonic() + self._pacing.retry_s
        self._antenna = self._opener()
        log.info("reader: %s", self._antenna.model)
        self._tell_state(ReaderState(condition=ReaderCondition.READY, model=self._antenna.model))

    def _lose(self, say: str) -> None:
        if self._antenna is not None:
            self._health.lost += 1
            self._antenna.close()
            self._antenna = None
            self._next_try = self._monotonic() + self._pacing.retry_s / 4
        self._session.disarm()
        self._gone()
        self._tell_state(ReaderState(condition=ReaderCondition.LOST, say=say))

    def _tell_state(self, state: ReaderState) -> None:
        if state != self._state:
            if state.condition is ReaderCondition.LOST:
                log.warning("reader: %s", state.say)
            self._state = state
            self._tell(state)

    # -- the channel ---------------------------------------------------------------------------------------

    def _tell(self, message: Message) -> None:
        self._hub.broadcast(encode(message))

    def _hear(self, timeout: float) -> None:
        """Take what the screen sent; a screen that has gone ends its visit."""
        came, packets, left = self._hub.poll(timeout)
        for peer in came:
            peer.send(encode(self._state))
            if self._seen is not None:
                peer.send(encode(Presented(visit=self._session.visit)))
        had, begun = self._session.visit, self._session.begun
        for peer, packet in packets:
            try:
                if self._session.take(packet) is None:
                    self._screen = peer
                else:
                    peer.send(encode(self._health_told()))
            except ChannelError as refusal:
                log.warning("channel: %s", refusal)
        if self._screen in left and self._session.visit is not None:
            log.warning("channel: the screen went away; its visit is ended")
            self._session.end()
        if had is not None and self._session.visit != had and self._antenna is not None:
            self._field_off(self._antenna)
        if self._session.begun != begun and self._session.visit is not None and self._seen is not None:
            self._left_behind = True
            self._tell(Presented(visit=self._session.visit))

    def _health_told(self) -> ReaderHealth:
        health = self._health
        return ReaderHealth(
            condition=self._state.condition,
            say=self._state.say,
            model=self._state.model,
            where="" if self._antenna is None else self._antenna.where,
            opened=health.opened,
            lost=health.lost,
            resets=health.resets,
            stale_frames=health.stale_frames,
            blocks=health.traffic.blocks,
            blocks_repeated=health.traffic.repeated,
            blocks_unanswered=health.traffic.unanswered,
            blocks_damaged=health.traffic.damaged,
            contacts=dict(health.contacts),
            stages=health.stages(),
        )

    def _field_off(self, antenna: Antenna) -> None:
        try:
            antenna.rest()
        except ReaderGone as fault:
            self._lose(str(fault))

    # -- tokens --------------------------------------------------------------------------------------------

    def _watch(self, antenna: Antenna) -> None:
        if self._seen is not None and not self._still(antenna, self._seen):
            self._gone()
        if self._seen is None:
            found = antenna.look(spare=self._session.visit is None)
            self._hear(0)  # a visit that began while we looked: what has only just been found came after it
            if self._antenna is not antenna:
                return
            self._seen = found
            if self._seen is None:
                self._left_behind = False
            else:
                self._tried_orders = -1
                self._tell(Presented(visit=self._session.visit))
        if self._seen is not None and self._session.order is not None:
            if self._tried_orders != self._session.orders:
                self._tried_orders = self._session.orders
                self._read(antenna, self._seen, self._session.order)
        elif self._session.visit is None:
            antenna.rest()

    def _still(self, antenna: Antenna, seen: Found | Several) -> bool:
        match seen:
            case Found():
                return antenna.there(seen)
            case Several():
                return antenna.several()

    def _gone(self) -> None:
        if self._seen is not None:
            self._seen = None
            self._tell(Removed(visit=self._session.visit))

    def _read(self, antenna: Antenna, seen: Found | Several, order: ArmReader) -> None:
        """Read the token that lies there and tell what came of it."""
        if self._left_behind:
            self._failed(antenna, order, Failed(ReadFailure.LEFT_BEHIND, "it lay there before the visit"))
            return
        orders = self._session.orders
        if self._session.lacks_pin:
            self._failed(antenna, order, Failed(ReadFailure.REMOVED, "the PIN is no longer held"))
            return
        wanted = Order(order.device, order.authentication)
        try:
            done = self._reading.attempt(antenna, seen, wanted, _Attendance(self, order.visit))
        except ContactEnded as end:
            log.info("contact: called off (%s)", end)
            self._health.contact("called_off", ())
            antenna.rest()
            return
        self._health.contact(_name(done.outcome), done.learnt.stages)
        if self._session.orders == orders:
            self._conclude(antenna, order, done)

    def _conclude(self, antenna: Antenna, order: ArmReader, done: Attempt) -> None:
        match done.outcome:
            case Authenticated() as outcome:
                self._session.disarm()
                self._tell(_evidence(order, outcome, done.learnt))
                log.info("contact: %s authenticated", outcome.token.device.value)
            case Wrong(kind=kind):
                self._tell(WrongTokenSeen(visit=order.visit, kind=kind))
                log.info("contact: another kind of token (%s)", kind.value)
            case Other(device=device):
                self._tell(OtherDeviceSeen(visit=order.visit, presented=device))
                log.info("contact: another device than chosen")
            case Failed() as outcome:
                if outcome.failure is ReadFailure.TWO_TOKENS:
                    self._seen = Several()
                self._failed(antenna, order, outcome)
            case None:
                raise AssertionError("an order always has an outcome")
            case _:
                assert_never(done.outcome)

    def _failed(self, antenna: Antenna, order: ArmReader, outcome: Failed) -> None:
        log.info("contact: %s (%s)", outcome.failure.value, outcome.say)
        if outcome.failure not in RETRIED or self._session.lacks_pin:
            self._session.disarm()
        self._tell(
            ContactFailed(
                visit=order.visit,
                failure=outcome.failure,
                tries_left=outcome.tries_left,
                pin_kept=self._session.pin.held,
            )
        )
        if outcome.failure in (ReadFailure.REMOVED, ReadFailure.UNREADABLE):
            antenna.rest()  # whatever is said now could be an answer to what was asked before
        if outcome.failure is ReadFailure.REMOVED:
            self._gone()  # should it lie there all the same, that is the next presentation

    # -- for the contact -----------------------------------------------------------------------------------

    def attend(self, orders: int) -> None:
        """Hear the screen in the middle of a contact; raises ContactEnded when it wants something else."""
        self._life.alive()
        self._hear(0)
        if self._stopping or self._session.orders != orders or self._antenna is None:
            raise ContactEnded("the screen wants something else")

    def recognised(self, visit: str, token: Token) -> None:
        """Tell the screen, which answers with the digests."""
        self._session.await_digests()
        self._tell(Recognised(visit=visit, token=token.device))

    def reached(self, visit: str, stage: Stage) -> None:
        """Tell how far the contact has come."""
        self._tell(StageDone(visit=visit, stage=stage))

    def digests(self, orders: int) -> dict[SignatureAlgorithm, bytes] | None:
        """Wait for the digests a little, if they are not here yet."""
        until = self._monotonic() + self._pacing.digests_s
        while self._session.digests is None and self._monotonic() < until:
            self._hear(0.02)
            self.attend(orders)
        digests = self._session.digests
        if digests is None:
            self._session.give_up_digests()
        return digests

    @property
    def orders(self) -> int:
        """Moves on with everything new that the screen wants."""
        return self._session.orders


class _Attendance:
    """The contact's `Witness`: what it may tell and ask, bound to one order."""

    def __init__(self, process: ReaderProcess, visit: str) -> None:
        self._process, self._visit, self._orders = process, visit, process.orders

    def attend(self) -> None:
        self._process.attend(self._orders)

    def recognised(self, token: Token) -> None:
        self._process.recognised(self._visit, token)

    def reached(self, stage: Stage) -> None:
        self._process.reached(self._visit, stage)

    def digests(self) -> dict[SignatureAlgorithm, bytes] | None:
        return self._process.digests(self._orders)


def _name(outcome: Outcome | None) -> str:
    """How a contact is counted."""
    match outcome:
        case None | Authenticated():
            return "authenticated"
        case Wrong():
            return "wrong_token"
        case Other():
            return "other_device"
        case Failed(failure=failure):
            return failure.value


def _evidence(order: ArmReader, outcome: Authenticated, learnt: Learnt) -> Evidence:
    return Evidence(
        visit=order.visit,
        token=outcome.token.device,
        certificate=outcome.der,
        signature=outcome.signature,
        algorithm=None if outcome.signature is None else outcome.leaf.algorithm,
        not_after=outcome.leaf.not_after,
        stages=tuple(learnt.stages),
    )
