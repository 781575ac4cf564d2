"""How long the parts of a visit took."""

from collections.abc import Callable, Iterable

from kiosk.channel import StageTime


class StageTimes:
    """The stages of the present or last visit in milliseconds, measured between marks."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._marks: dict[str, float] = {}
        self._ms: dict[str, float] = {}

    def begin(self) -> None:
        """A visit begins."""
        self._marks, self._ms = {"began": self._monotonic()}, {}

    def mark(self, name: str) -> None:
        """Something happened now."""
        self._marks[name] = self._monotonic()

    def mark_once(self, name: str) -> None:
        """Something happened now, if it did not happen before."""
        self._marks.setdefault(name, self._monotonic())

    def measure(self, stage: str, since: str) -> None:
        """The stage took from that mark until now."""
        if (start := self._marks.get(since)) is not None:
            self._ms[stage] = round((self._monotonic() - start) * 1000, 2)

    def add(self, stages: Iterable[StageTime]) -> None:
        """Take what the reader measured."""
        self._ms.update({stage.name: stage.ms for stage in stages})

    def has(self, stage: str) -> bool:
        return stage in self._ms

    @property
    def ms(self) -> dict[str, float]:
        """Stage → milliseconds."""
        return dict(self._ms)
