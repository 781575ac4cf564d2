"""A fleet of kiosks and one service's outage, in virtual time, with the real back-off, breaker and pace.

    python -m tests.uploader.delivery.fleet --out docs/fleet.svg        (make fleet)

Each kiosk has patients at random (Poisson): a challenge at the first touch, a record a little later; keys
every hour; probes, drains and waits as `kiosk.uploader.delivery.retry` says, in the order in which
`delivery` asks it.
During the outage nobody listens. Counted is every request that the service sees. Left out: the status query
for a record that may have got through (one per kiosk at most), and the clinics' hours.
"""

import argparse
import heapq
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from random import Random

from kiosk.uploader.delivery.breaker import Breaker
from kiosk.uploader.delivery.drain import drain_gap_s
from kiosk.uploader.delivery.retry import LineDown, RetryRules, decide_line
from kiosk.uploader.service.wire import FaultKind, RequestFault
from tests.uploader.delivery.fleet_plot import Curve, draw

GOAL = 3.0  #: times the steady rate, in any window after the return
WINDOW_S = 10
KEYS_S = 3600.0
REFUSED = RequestFault(FaultKind.CONNECT, reached=False)

Gap = Callable[[int, float], float]  #: (records that wait, age of the oldest in s) -> s between two of them


@dataclass(frozen=True)
class Story:
    """What happens; times in seconds."""

    kiosks: int = 5000
    visit_s: float = 300.0  #: between two patients of one kiosk, on average: 96 in eight hours
    commit_after_s: float = 40.0  #: from the first touch to the record
    before_s: float = 900.0
    outage_s: float = 3600.0
    after_s: float = 5400.0
    drain_per_s: float = 2.0  #: the settings' default
    seed: int = 1

    @property
    def back_s(self) -> float:
        return self.before_s + self.outage_s

    @property
    def end_s(self) -> float:
        return self.back_s + self.after_s

    def up(self, at: float) -> bool:
        return not self.before_s <= at < self.back_s


class What(Enum):
    """What falls due at a kiosk."""

    TOUCH = auto()
    COMMIT = auto()
    KEYS = auto()
    PROBE = auto()
    DRAIN = auto()


@dataclass
class Kiosk:
    breaker: Breaker = field(default_factory=Breaker)
    waiting: list[float] = field(default_factory=list)  #: when each was taken
    gap_s: float | None = None  #: draining, at this pace


@dataclass(frozen=True)
class Load:
    """What the service saw."""

    story: Story
    requests: Counter[int]  #: per second
    left: int  #: records still waiting at the end
    drained_s: float  #: after the return, until nothing taken in the outage waited any more

    def windows(self, begin: float, end: float) -> list[float]:
        """Requests per second in each window of ten seconds that begins in this time."""
        seconds = [self.requests[second] for second in range(int(begin), int(end) + WINDOW_S)]
        return [sum(seconds[i : i + WINDOW_S]) / WINDOW_S for i in range(len(seconds) - WINDOW_S)]

    @property
    def steady(self) -> float:
        """Requests per second before the outage."""
        begin = int(self.story.commit_after_s) + 1
        counted = [self.requests[second] for second in range(begin, int(self.story.before_s))]
        return sum(counted) / len(counted)

    @property
    def peak(self) -> float:
        return max(self.windows(self.story.back_s, self.story.end_s - WINDOW_S))

    @property
    def ratio(self) -> float:
        return self.peak / self.steady


class Fleet:
    """Plays one story."""

    def __init__(self, story: Story, rules: RetryRules, gap: Gap) -> None:
        self._story, self._rules, self._gap = story, rules, gap
        self._random = Random(story.seed)
        self._kiosks = [Kiosk() for _ in range(story.kiosks)]
        self._due: list[tuple[float, int, int, What]] = []
        self._count = 0
        self._requests: Counter[int] = Counter()
        self._drained = story.back_s

    def play(self) -> Load:
        """From the beginning to the end."""
        for number in range(self._story.kiosks):
            self._later(self._next_visit(0.0), number, What.TOUCH)
            self._later(self._random.uniform(0.0, KEYS_S), number, What.KEYS)
        while self._due[0][0] < self._story.end_s:
            at, _, number, what = heapq.heappop(self._due)
            self._happens(at, number, what)
        left = sum(len(kiosk.waiting) for kiosk in self._kiosks)
        return Load(self._story, self._requests, left, self._drained - self._story.back_s)

    def _later(self, at: float, number: int, what: What) -> None:
        self._count += 1  # what falls due at one instant happens in the order of asking
        heapq.heappush(self._due, (at, self._count, number, what))

    def _next_visit(self, at: float) -> float:
        return at + self._random.expovariate(1 / self._story.visit_s)

    def _happens(self, at: float, number: int, what: What) -> None:
        kiosk = self._kiosks[number]
        match what:
            case What.TOUCH:
                self._later(self._next_visit(at), number, What.TOUCH)
                self._later(at + self._story.commit_after_s, number, What.COMMIT)
                if kiosk.breaker.closed:
                    self._ask(at, number)
                elif kiosk.breaker.patient_may_probe(at, self._rules):
                    self._probe(at, number)
            case What.COMMIT:
                if not kiosk.breaker.closed or not self._ask(at, number):
                    kiosk.waiting.append(at)
            case What.KEYS:
                self._later(at + KEYS_S, number, What.KEYS)
                if kiosk.breaker.closed:
                    self._ask(at, number)
            case What.PROBE:
                if kiosk.breaker.probe_due(at):
                    self._probe(at, number)
            case What.DRAIN:
                self._drain(at, number)

    def _probe(self, at: float, number: int) -> None:
        kiosk = self._kiosks[number]
        kiosk.breaker = kiosk.breaker.probe(at)
        self._ask(at, number)

    def _ask(self, at: float, number: int) -> bool:
        """One request; False when nobody listens."""
        kiosk = self._kiosks[number]
        if not self._story.up(at):
            down = decide_line(REFUSED, self._rules, self._random.random)
            assert isinstance(down, LineDown)
            kiosk.breaker = kiosk.breaker.line_failed(at, self._rules, self._random.random)
            assert kiosk.breaker.open_until is not None
            self._later(kiosk.breaker.open_until, number, What.PROBE)
            return False
        self._requests[int(at)] += 1
        kiosk.breaker = kiosk.breaker.succeeded()
        if kiosk.waiting and kiosk.gap_s is None:
            kiosk.gap_s = self._gap(len(kiosk.waiting), at - kiosk.waiting[0])
            self._later(at + self._random.random() * kiosk.gap_s, number, What.DRAIN)
        return True

    def _drain(self, at: float, number: int) -> None:
        kiosk = self._kiosks[number]
        assert kiosk.gap_s is not None
        gap, kiosk.gap_s = kiosk.gap_s, None
        if not kiosk.breaker.closed or not kiosk.waiting:
            return
        taken = kiosk.waiting.pop(0)
        kiosk.gap_s = gap
        if not self._ask(at, number):
            kiosk.waiting.insert(0, taken)
            kiosk.gap_s = None
            return
        if taken < self._story.back_s:
            self._drained = at
        self._later(at + gap, number, What.DRAIN)


def spread(story: Story, rules: RetryRules) -> Gap:
    """The kiosk's own pace."""
    return lambda waiting, oldest_s: drain_gap_s(waiting, oldest_s, story.drain_per_s, rules)


def headlong(story: Story) -> Gap:
    """The control: each as fast as the settings allow, as if it were alone."""
    return lambda _waiting, _oldest_s: 1 / story.drain_per_s


def line(name: str, load: Load) -> str:
    """One row of the table."""
    return (
        f"{name:<34} {load.steady:7.1f} {load.peak:8.1f} {load.ratio:7.2f}"
        f" {load.drained_s / 60:9.1f} {load.left:6}"
    )


def main() -> int:
    """Print the table and draw the plot; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description="5,000 kiosks after one hour's outage")
    parser.add_argument("--out", type=Path, help="where to draw the plot (SVG)")
    parser.add_argument("--kiosks", type=int, default=Story.kiosks)
    args = parser.parse_args()
    story, rules = Story(kiosks=args.kiosks), RetryRules()
    print(f"{story.kiosks} kiosks, {story.outage_s / 60:g} min outage; requests per second at the service")
    print(f"{'':<34} {'steady':>7} {'peak 10s':>8} {'times':>7} {'drained':>9} {'left':>6}")
    ours = Fleet(story, rules, spread(story, rules)).play()
    control = Fleet(story, rules, headlong(story)).play()
    print(line(f"a patient every {story.visit_s / 60:g} min", ours))
    for visit_s in (180.0, 600.0):
        other = replace(story, visit_s=visit_s)
        print(line(f"a patient every {visit_s / 60:g} min", Fleet(other, rules, spread(other, rules)).play()))
    print(line("control: 2/s each, not spread", control))
    if args.out is not None:
        end = story.end_s - WINDOW_S
        curves = (
            Curve("control: each kiosk drains at 2/s", "#c0392b", control.windows(0, end)),
            Curve("spread as the kiosk does it", "#1f5fa8", ours.windows(0, end)),
        )
        args.out.write_text(
            draw(curves, ours.steady, GOAL, (story.before_s, story.back_s), story.kiosks), encoding="utf-8"
        )
    met = ours.ratio <= GOAL
    print(f"peak {ours.ratio:.2f} times the steady rate; goal {GOAL:g}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
