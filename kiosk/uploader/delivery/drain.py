"""Draining: the records that wait are sent at a pace, the oldest first, while patients go before them."""

from collections.abc import Collection

from kiosk.box.clock import Moment
from kiosk.uploader.delivery.delivery_rules import DeliveryRules
from kiosk.uploader.delivery.lanes import Deliver, Lanes
from kiosk.uploader.delivery.retry import Dice, RetryRules
from kiosk.uploader.outbox.outbox import Outbox

_BATCH = 32  #: leased at once when draining is not paced


def drain_gap_s(waiting: int, oldest_s: float, per_s: float, rules: RetryRules) -> float:
    """Return the seconds between two records of a backlog: never closer than `per_s` allows, and the whole of
    it spread over half the time that it took to gather, at most `drain_spread_s`.

    Thousands of kiosks come back from one outage together. At a pace that each finds modest they bring the
    service 17 times its usual load (tests/uploader/delivery/fleet.py); spread so, less than three times.
    Ask once, when draining begins: towards the end few wait, and the last would wait for ever longer.
    """
    spread = min(oldest_s / 2, rules.drain_spread_s)
    return max(1 / per_s, spread / max(waiting, 1))


class Drain:
    """Belongs to the main loop: `step` at every turn while the service is worth trying."""

    def __init__(self, rules: DeliveryRules, lanes: Lanes, dice: Dice) -> None:
        self._rules, self._lanes, self._dice = rules, lanes, dice
        self._next_s = 0.0
        self._gap_s: float | None = None  # while a backlog drains

    def stop(self) -> None:
        """The line is down: what drains afterwards is a backlog of its own, with a pace of its own."""
        self._gap_s = None

    def hurry(self, now: Moment) -> None:
        """Begin at once, at the fastest pace that the settings allow: staff ask for it."""
        if self._rules.drain_per_s > 0:
            self._gap_s, self._next_s = 1 / self._rules.drain_per_s, now.mono_ms / 1000

    def step(self, outbox: Outbox, awaited: Collection[str], now: Moment) -> float:
        """Send what is due; returns the seconds until something may be due again. `awaited`: the visits
        whose patients may still be here.
        """
        seconds, lane = now.mono_ms / 1000, self._lanes.backlog
        paced = self._rules.drain_per_s > 0
        if paced and awaited:  # the service was still at work on it, and its patient is still here
            for record in outbox.claim(now, _BATCH, only=awaited):
                self._lanes.for_patient().give(Deliver(record, record.ask_first))
        if lane.depth > (0 if paced else _BATCH // 2):
            return 1.0
        if seconds < self._next_s:
            return self._next_s - seconds
        due = outbox.next_due_s(now)
        if due is None or due > 0:
            self._gap_s = None
            return 60.0 if due is None else due
        if paced and self._gap_s is None:
            self._begin(outbox, now)
            return self._next_s - seconds
        for record in outbox.claim(now, 1 if paced else _BATCH):
            lane.give(Deliver(record, record.ask_first))
        self._next_s = seconds + (self._gap_s or 0.0)
        return 1.0  # what comes back wakes us

    def _begin(self, outbox: Outbox, now: Moment) -> None:
        """Choose the pace of this backlog. The first waits as well: a fleet comes back together."""
        oldest_s = outbox.oldest_s(now) or 0.0
        self._gap_s = drain_gap_s(outbox.waiting(), oldest_s, self._rules.drain_per_s, self._rules.retry)
        self._next_s = now.mono_ms / 1000 + self._dice() * self._gap_s
