"""What the image test found: a table of figures, and what must hold and did not."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.image.machine import MachineError


@dataclass(frozen=True)
class Sizes:
    """How much of each campaign is done."""

    tokens: tuple[str, ...]  #: whole visits
    states: int  #: crash states of first boot, visits and later delivery
    boots: int  #: of them really started
    update_states: int
    update_boots: int
    kills: int


SMALL = Sizes(("card",), 20, 1, 8, 1, 2)
FULL = Sizes(("card", "iphone", "android"), 240, 10, 80, 2, 25)


@dataclass
class Report:
    """What was found; `failed` is what must hold and did not."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.begun:5.0f} s] {text}", flush=True)

    def figure(self, name: str, value: str, met: bool | None = None) -> None:
        """A row of the table; `met` is None for what has no goal."""
        self.rows.append((name, value, {None: "-", True: "yes", False: "NO"}[met]))
        self.say(f"{name}: {value}")
        if met is False:
            self.failed.append(f"{name}: {value}")

    def part(self, work: Callable[[], None]) -> None:
        """One part of the test; when it fails, the next ones still run."""
        try:
            work()
        except (MachineError, RuntimeError, OSError, subprocess.SubprocessError) as fault:
            self.failed.append(str(fault))
            self.say(f"FAILED: {fault}")

    def table(self) -> str:
        width = max(len(name) for name, _, _ in self.rows)
        return "\n".join(f"{name:{width}}  {value:>28}  {met}" for name, value, met in self.rows)


def done(report: Report, out: Path) -> int:
    """Print and keep the table; the exit code."""
    text = report.table() if report.rows else ""
    print(f"\n{text}\n\nphotographs: {out / 'photographs'}")
    for each in report.failed:
        print(f"NOT MET: {each}")
    (out / "report.txt").write_text(text + "\n", encoding="utf-8")
    rows = [{"name": name, "value": value, "met": met} for name, value, met in report.rows]
    (out / "report.json").write_text(
        json.dumps({"rows": rows, "failed": report.failed}, indent=1), encoding="utf-8"
    )
    return 1 if report.failed else 0
