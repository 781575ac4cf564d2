"""How the reader has fared since this process began: counts and times, never of persons."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kiosk.channel import StageHistogram, StageTime
from kiosk.channel.reader_messages import STAGE_BOUNDS_MS


@dataclass
class Traffic:
    """Blocks to activated tokens, the reader's side."""

    blocks: int = 0  #: sent, repetitions included
    repeated: int = 0  #: sent again because nothing usable was heard
    unanswered: int = 0  #: after which nothing was heard
    damaged: int = 0  #: after which something was, and could not be used


@dataclass
class ReaderCounters:
    """Kept over every opening of the reader."""

    traffic: Traffic = field(default_factory=Traffic)
    opened: int = 0
    lost: int = 0
    resets: int = 0
    stale_frames: int = 0  #: thrown away at opening
    contacts: Counter[str] = field(default_factory=Counter)  #: by outcome
    _stages: dict[str, list[int]] = field(default_factory=dict)

    def contact(self, outcome: str, stages: Iterable[StageTime]) -> None:
        """Note how a contact ended and what its stages took."""
        self.contacts[outcome] += 1
        for stage in stages:
            counts = self._stages.setdefault(stage.name, [0] * (len(STAGE_BOUNDS_MS) + 1))
            counts[bisect_left(STAGE_BOUNDS_MS, stage.ms)] += 1

    def stages(self) -> tuple[StageHistogram, ...]:
        """How often each stage took how long."""
        return tuple(StageHistogram(name=name, counts=tuple(counts)) for name, counts in self._stages.items())
