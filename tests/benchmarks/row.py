"""What a row of the table is. To add one: a function under `@row(…)` in one of the modules of `MODULES`.

A row's function gets the `Lab` and returns `Measured`, or raises `Unmeasured` where it has no value.
Something costly that several rows look at is a function of the lab too, called through `lab.once`.
"""

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from kiosk.nfc.protocol.faults import ReaderGone
from kiosk.simulator.demo.screen_hand import StoryError
from kiosk.simulator.field.field_client import FieldRefusedError
from kiosk.simulator.service.service_control import ControlError

T = TypeVar("T")


class Unmeasured(Exception):  # noqa: N818  # a result of its own, not an error of the bench
    """The row has no value today; the text is one line that says why."""


#: What can go wrong outside the bench. Anything else is a bug of the bench and ends it.
MISHAPS = (
    Unmeasured,
    StoryError,
    FieldRefusedError,
    ControlError,
    ReaderGone,
    OSError,
    RuntimeError,
    subprocess.SubprocessError,
)


@dataclass(frozen=True)
class Measured:
    """A value in the row's unit, and what one must know to read it."""

    value: float
    note: str = ""


class Lab:
    """Where rows find what they share: a folder, and things made once and closed at the end."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._made: dict[Callable[[Lab], Any], object] = {}

    def once(self, make: Callable[["Lab"], T]) -> T:
        """What `make` gave the first time; a mishap is remembered too, and not tried again."""
        if make not in self._made:
            try:
                self._made[make] = make(self)
            except MISHAPS as fault:
                self._made[make] = Unmeasured(said(fault))
        made = self._made[make]
        if isinstance(made, Unmeasured):
            raise Unmeasured(str(made))
        return cast(T, made)

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Open something that is closed when the bench ends."""
        return self._stack.enter_context(context)

    def callback(self, close: Callable[[], None]) -> None:
        """Have something closed when the bench ends."""
        self._stack.callback(close)

    def subfolder(self, name: str) -> Path:
        """A new folder, gone at the end."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder


@dataclass(frozen=True)
class Goal:
    """What the project's issues ask of a value."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


def at_most(limit: float) -> Goal:
    """The value may not be more."""
    return Goal(limit)


def at_least(limit: float) -> Goal:
    """The value may not be less."""
    return Goal(limit, at_least=True)


@dataclass(frozen=True)
class Row:
    """One line of the table; without a goal where nobody has set one."""

    name: str
    unit: str
    goal: Goal | None
    full: bool
    measure: Callable[[Lab], Measured]


def row(
    name: str, unit: str, *, goal: Goal | None = None, full: bool = False
) -> Callable[[Callable[[Lab], Measured]], Row]:
    """Make a function a row. `full`: measured with `--full` or `--only` alone, for it takes long."""
    return lambda measure: Row(name, unit, goal, full, measure)


def said(fault: BaseException) -> str:
    """A fault as one line."""
    return " ".join(str(fault).split()) or type(fault).__name__


def ms_of(work: Callable[[], object]) -> float:
    """How many milliseconds the work takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest of the values that at least so many percent do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Least, median and most, for a note."""
    least, middle, most = min(values), statistics.median(values), max(values)
    return f"min {least:.{digits}f} / median {middle:.{digits}f} / max {most:.{digits}f} of {len(values)}"
