"""The measured rows for people and for programs, and what is known of the machine they were measured on."""

import datetime as dt
import os
import platform
import sqlite3
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pygame

from tests.benchmarks.row import Row

NOTE_WIDTH = 108


@dataclass(frozen=True)
class Line:
    """A row with what came of it; `value` is None if it could not be measured, and the note says why."""

    row: Row
    value: float | None
    note: str

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal. Not measured is not met."""
        if self.row.goal is None:
            return None
        return self.value is not None and self.row.goal.met(self.value)

    def data(self) -> dict[str, object]:
        """The entry of `bench.json`."""
        return {
            "name": self.row.name,
            "value": None if self.value is None else round(self.value, 4),
            "unit": self.row.unit,
            "goal": None if self.row.goal is None else str(self.row.goal),
            "met": self.met,
            "note": self.note,
        }


def shown(line: Line) -> str:
    """The line of the table, with its note below it."""
    value = "not measured" if line.value is None else _figure(line.value)
    goal = "" if line.row.goal is None else str(line.row.goal)
    met = {True: "yes", False: "NO", None: "-"}[line.met]
    text = f"{line.row.name:32} {value:>12} {line.row.unit:10} {goal:>8}  {met}"
    indent = " " * 4
    return "\n".join(
        [text, *textwrap.wrap(line.note, NOTE_WIDTH, initial_indent=indent, subsequent_indent=indent)]
    )


def heading() -> str:
    """The head of the table."""
    head = f"{'name':32} {'value':>12} {'unit':10} {'goal':>8}  met"
    return f"{head}\n{'-' * len(head)}"


def _figure(value: float) -> str:
    """Three decimals below 10, fewer above: more would be noise."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def machine() -> dict[str, object]:
    """What the figures depend on; no names of hosts or people."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "pygame": pygame.version.ver,
        "sdl": ".".join(str(part) for part in pygame.version.SDL),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return "unknown"


def report(machine_then: dict[str, object], lines: Sequence[Line]) -> dict[str, object]:
    """The content of `bench.json`."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": {**machine_then, "load_1min_after": round(os.getloadavg()[0], 2)},
        "rows": [line.data() for line in lines],
    }
