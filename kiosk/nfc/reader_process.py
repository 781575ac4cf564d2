"""The reader process: one thread, one loop: look at the field or go on reading, hear the screen, and again.

Tokens are watched for all the time, so that the screen can show "not yet"; the dialogue begins only when the
reader is armed. Then each turn takes it one step further, one command at most, and the screen is heard in
between, so that it can call the reading off.
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
    Message,
    OtherDeviceSeen,
    Presented,
    ReaderState,
    Recognised,
    Removed,
    StageDone,
    WrongTokenSeen,
    encode,
)
from kiosk.channel.seqpacket import Hub, Peer
from kiosk.nfc.antenna import Antenna, Found, Several
from kiosk.nfc.presentation import Attempt, Event, Pause, Presentation, TokenReader, read_clocks
from kiosk.nfc.protocol.budget import MOST_CPU_S
from kiosk.nfc.protocol.certificate import TrustStore
from kiosk.nfc.protocol.faults import ReaderGone
from kiosk.nfc.protocol.token_contact import (
    Authenticated,
    DigestsWanted,
    Failed,
    Order,
    Other,
    StageEnded,
    TokenNamed,
    Wrong,
)
from kiosk.nfc.reader_counters import ReaderCounters
from kiosk.nfc.reader_reports import counted_as, evidence, health
from kiosk.nfc.session import Session
from kiosk.nfc.wall_clock import WallClock
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import ReaderCondition

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


DIGESTS_POLL_S = 0.02  #: a message that comes ends this earlier


class Life(Protocol):
    """Reports to the service manager; `supervision.Supervision` is one."""

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


@dataclass
class _UnderWay:
    """The token that is being read."""

    order: ArmReader
    orders: int  #: what the screen wanted when it began, by `Session.orders`
    steps: Presentation[Attempt]
    digests_until: float | None = None  #: the digests are waited for


class ReaderProcess:
    """Owns the loop. `opener` opens the reader or raises ReaderGone; `stop` ends `run`."""

    def __init__(
        self,
        hub: Hub,
        opener: Callable[[], Antenna],
        store: TrustStore,
        wall: WallClock,
        life: Life,
        *,
        counters: ReaderCounters | None = None,
        pacing: Pacing | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        most_cpu_s: float = MOST_CPU_S,
    ) -> None:
        self._hub, self._opener, self._life = hub, opener, life
        self._counters = counters or ReaderCounters()
        self._pacing = pacing or Pacing()
        self._monotonic = monotonic
        self._session = Session()
        self._reader = TokenReader(
            store,
            wall,
            self._session.pin,
            clocks=lambda: read_clocks(monotonic),
            most_cpu_s=most_cpu_s,
        )
        self._screen: Peer | None = None  # whose visit it is
        self._antenna: Antenna | None = None
        self._state = ReaderState(condition=ReaderCondition.LOST, reason="not opened yet")
        self._next_try = 0.0
        self._seen: Found | Several | None = None
        self._left_behind = False  # it lay there before this visit began: whose it is, nobody knows
        self._tried_orders = -1  # the order for which the token lying there has been read
        self._under_way: _UnderWay | None = None
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
            self._drop_reading()
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
            elif self._under_way is not None:
                self._go_on(self._antenna, self._under_way)
            else:
                self._watch(self._antenna)
        except ReaderGone as fault:
            self._lose(str(fault))

    def _rest_s(self) -> float:
        if self._antenna is None:
            return min(0.2, max(0.0, self._next_try - self._monotonic()))
        if self._under_way is not None:
            waits = self._under_way.digests_until is not None and self._session.digests is None
            return DIGESTS_POLL_S if waits else 0.0
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
        self._send_state(ReaderState(condition=ReaderCondition.READY, model=self._antenna.model))

    def _lose(self, reason: str) -> None:
        self._drop_reading()
        if self._antenna is not None:
            self._counters.lost += 1
            self._antenna.close()
            self._antenna = None
            self._next_try = self._monotonic() + self._pacing.retry_s / 4
        self._session.disarm()
        self._gone()
        self._send_state(ReaderState(condition=ReaderCondition.LOST, reason=reason))

    def _send_state(self, state: ReaderState) -> None:
        if state != self._state:
            if state.condition is ReaderCondition.LOST:
                log.warning("reader: %s", state.reason)
            self._state = state
            self._send(state)

    # -- the channel ---------------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
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
                    where = "" if self._antenna is None else self._antenna.where
                    peer.send(encode(health(self._state, where, self._counters)))
            except ChannelError as refusal:
                log.warning("channel: %s", refusal)
        if self._screen in left and self._session.visit is not None:
            log.warning("channel: the screen went away; its visit is ended")
            self._session.end()
        if had is not None and self._session.visit != had and self._antenna is not None:
            self._field_off(self._antenna)
        if self._session.begun != begun and self._session.visit is not None and self._seen is not None:
            self._left_behind = True
            self._send(Presented(visit=self._session.visit))

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
                self._send(Presented(visit=self._session.visit))
        if self._seen is not None and self._session.order is not None:
            if self._tried_orders != self._session.orders:
                self._tried_orders = self._session.orders
                self._begin_reading(antenna, self._seen, self._session.order)
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
            self._send(Removed(visit=self._session.visit))

    # -- the token that is being read ----------------------------------------------------------------------

    def _begin_reading(self, antenna: Antenna, seen: Found | Several, order: ArmReader) -> None:
        """The token that lies there is read from the next turn on, one step a turn."""
        if self._left_behind:
            self._failed(antenna, order, Failed(ReadFailure.LEFT_BEHIND, "it lay there before the visit"))
        elif self._session.lacks_pin:
            self._failed(antenna, order, Failed(ReadFailure.REMOVED, "the PIN is no longer held"))
        else:
            steps = self._reader.read(antenna, seen, Order(order.device, order.authentication))
            self._under_way = _UnderWay(order, self._session.orders, steps)

    def _go_on(self, antenna: Antenna, reading: _UnderWay) -> None:
        """Take the reading one step further, unless the screen wants something else by now."""
        if reading.orders != self._session.orders:
            log.info("contact: called off (the screen wants something else)")
            self._counters.contact("called_off", ())
            self._drop_reading()
            antenna.rest()
            return
        digests = self._session.digests if reading.digests_until is not None else None
        if reading.digests_until is not None and digests is None:
            if self._monotonic() < reading.digests_until:
                return
            self._session.give_up_digests()
        reading.digests_until = None
        try:
            event = reading.steps.send(digests)
        except StopIteration as end:
            self._under_way = None
            done: Attempt = end.value
            self._counters.contact(counted_as(done.outcome), done.learnt.stages)
            self._conclude(antenna, reading.order, done)
            return
        self._heed(reading, event)

    def _heed(self, reading: _UnderWay, event: Event) -> None:
        visit = reading.order.visit
        match event:
            case Pause():
                pass  # the loop hears the screen
            case TokenNamed(token=token):
                self._session.await_digests()
                self._send(Recognised(visit=visit, token=token.device))
            case StageEnded(stage=stage):
                self._send(StageDone(visit=visit, stage=stage))
            case DigestsWanted():
                reading.digests_until = self._monotonic() + self._pacing.digests_s
            case _:
                assert_never(event)

    def _drop_reading(self) -> None:
        if self._under_way is not None:
            self._under_way.steps.close()
            self._under_way = None

    def _conclude(self, antenna: Antenna, order: ArmReader, done: Attempt) -> None:
        """Report what came of it."""
        match done.outcome:
            case Authenticated() as outcome:
                self._session.disarm()
                self._send(evidence(order, outcome, done.learnt))
                log.info("contact: %s authenticated", outcome.token.device.value)
            case Wrong(kind=kind):
                self._send(WrongTokenSeen(visit=order.visit, kind=kind))
                log.info("contact: another kind of token (%s)", kind.value)
            case Other(device=device):
                self._send(OtherDeviceSeen(visit=order.visit, presented=device))
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
        log.info("contact: %s (%s)", outcome.failure.value, outcome.reason)
        if outcome.failure not in RETRIED or self._session.lacks_pin:
            self._session.disarm()
        self._send(
            ContactFailed(
                visit=order.visit,
                failure=outcome.failure,
                tries_left=outcome.tries_left,
                pin_kept=self._session.pin.held,
            )
        )
        if outcome.failure in (ReadFailure.REMOVED, ReadFailure.UNREADABLE):
            antenna.rest()  # whatever it sends now could be an answer to an earlier command
        if outcome.failure is ReadFailure.REMOVED:
            self._gone()  # should it lie there all the same, that is the next presentation
