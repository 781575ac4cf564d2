"""Steps with a cache: a step is made again only when what it is made of has changed.

A result lies in `CACHE/NAME-HASH/`; the hash is of the step's inputs and of the steps that it needs. A step
that was interrupted leaves a folder `….part`, which the next run throws away.
"""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

DONE = ".done"
BAR_CELLS = 24
AT_ONCE = 2  #: steps that are made side by side; several of their programs have threads of their own
KEPT = 2  #: results of a step that are kept: of this commit and of the one before


@dataclass(frozen=True)
class Step:
    """One piece of work. `make(out, results)` fills the folder `out`; `results` are folders by name."""

    name: str
    inputs: tuple[str | Path, ...]  #: texts as they are; files and folders by what they hold
    needs: tuple["Step", ...]
    make: Callable[[Path, dict[str, Path]], object]
    helped_by: tuple["Step", ...] = ()  #: made before, but without a part in what comes out

    def digest(self) -> str:
        """What the result depends on, as hexadecimal digits."""
        told = hashlib.sha256(self.name.encode())
        for each in self.inputs:
            told.update(each.encode() if isinstance(each, str) else tree_digest(each))
        for step in self.needs:
            told.update(step.digest().encode())
        return told.hexdigest()[:16]

    def folder(self, cache: Path) -> Path:
        return cache / f"{self.name}-{self.digest()}"

    def ready(self, cache: Path) -> bool:
        return (self.folder(cache) / DONE).exists()

    def in_order(self) -> list["Step"]:
        """This step and all that it needs, each after its own needs."""
        found: dict[str, Step] = {}
        for step in (*self.helped_by, *self.needs):
            found.update({each.name: each for each in step.in_order()})
        found[self.name] = self
        return list(found.values())


def tree_digest(path: Path) -> bytes:
    """SHA-256 over names, modes (executable or not) and contents of a file or a folder."""
    told = hashlib.sha256()
    for file in sorted(_files(path)):
        told.update(f"{file.relative_to(path.parent)}\0{file.stat().st_mode & 0o100}\0".encode())
        told.update(hashlib.sha256(file.read_bytes()).digest())
    return told.digest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return [p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts]


class Workshop:
    """Runs steps, keeps their results, and tells how far it is."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        self._times_file = cache / "times.json"
        self._times: dict[str, float] = {}
        if self._times_file.exists():
            self._times = json.loads(self._times_file.read_text(encoding="utf-8"))

    def run(self, goal: Step) -> dict[str, Path]:
        """Make `goal` and what it needs, independent steps side by side; returns the folder of every step."""
        steps = goal.in_order()
        results = {step.name: step.folder(self.cache) for step in steps}
        waiting = [step for step in steps if not step.ready(self.cache)]
        for number, step in enumerate(steps, 1):
            if step not in waiting:
                print(f"{bar(number, len(steps))} {step.name}: kept from before", flush=True)
        made = len(steps) - len(waiting)
        running: dict[Future[float], Step] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while waiting or running:
                busy = list(running.values())
                for step in [each for each in waiting if not _held_up(each, [*waiting, *busy])]:
                    if len(running) < AT_ONCE:
                        self._tell(bar(made + len(running) + 1, len(steps)), step, [*busy, *waiting])
                        waiting.remove(step)
                        running[pool.submit(self._make, step, results)] = step
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    self._note(running.pop(done), done.result())
                    made += 1
        return results

    def _tell(self, drawn: str, step: Step, left: list[Step]) -> None:
        if step.name in self._times:
            to_go = sum(self._times.get(each.name, 0) for each in left)
            say = f"took {told(self._times[step.name])} last time; at most {told(to_go)} to go"
        else:
            say = "first time on this machine"
        print(f"{drawn} {step.name}: {say}", flush=True)

    def _make(self, step: Step, results: dict[str, Path]) -> float:
        out = results[step.name]
        part = out.with_name(f"{out.name}.part")
        remove(part)
        part.mkdir()
        begun = time.monotonic()
        step.make(part, results)
        seconds = time.monotonic() - begun
        (part / DONE).write_text(f"{seconds:.1f}\n", encoding="utf-8")
        remove(out)
        part.rename(out)
        self._forget_old(step, out)
        return seconds

    def _note(self, step: Step, seconds: float) -> None:
        self._times[step.name] = round(seconds, 1)
        self._times_file.write_text(json.dumps(self._times, indent=1, sort_keys=True), encoding="utf-8")
        print(f"    {step.name}: {told(seconds)}", flush=True)

    def _forget_old(self, step: Step, out: Path) -> None:
        others = [p for p in self.cache.glob(f"{step.name}-????????????????") if p != out]
        others.sort(key=lambda p: p.stat().st_mtime, reverse=True)
        for old in others[KEPT - 1 :]:
            remove(old)


def _held_up(step: Step, unfinished: list[Step]) -> bool:
    return any(each in unfinished for each in (*step.needs, *step.helped_by))


def bar(number: int, count: int) -> str:
    """How far it is: [####....] 2/4."""
    filled = BAR_CELLS * number // count
    return f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {number}/{count}"


def told(seconds: float) -> str:
    """A time as people say it: 45 s, 12 min."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def remove(folder: Path) -> None:
    """Take a folder away, whoever made what is in it."""
    if folder.exists():
        shutil.rmtree(folder)


class BuildError(Exception):
    """The image cannot be built; one line that says why and what to do."""


def fail(say: str) -> None:
    """End the program with one line."""
    print(f"Error: {say}", file=sys.stderr)
    raise SystemExit(1)
