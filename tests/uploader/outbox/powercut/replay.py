"""Plays a recording back, cuts the power at every boundary and starts the outbox on what is left."""

import json
import logging
import pickle
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.box.clock import Moment
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import KeptRecord
from kiosk.uploader.outbox.salvage import open_or_salvage
from kiosk.uploader.store.database import OutboxLost
from tests.uploader.outbox.powercut.disk import Disk, Files, Mark, Operation, Residue
from tests.uploader.outbox.powercut.oracle import Contents, Expected, Verdict, changed, contents
from tests.uploader.outbox.powercut.workload import BEGINS, ENDS, NAME, open_at
from tests.uploader.outbox.records import entry

AFTER_CUT = Moment("boot-after-cut", 5_000, 1_800_000_000_000, trusted=False)
LAYING = b"laying"  #: mark: from here to AFRESH no power fails
AFRESH = b"afresh "  #: mark: everything written so far was there before
_MOST_TOLD = 2  #: of each verdict, by each process
#: In memory where there is such a folder: the checks sync too, and only the recording's syncs matter.
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Boundary:
    """Between two operations of a recording: what the process had promised by then."""

    index: int
    after: Operation | None
    expected: Expected


@dataclass(frozen=True)
class Sample:
    """A state worth recovering from under the recorder: what a cut left, and what it must come back to."""

    files: Files
    expected: Expected


@dataclass
class Tally:
    """What came of a replay."""

    boundaries: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    residues: Counter[Residue] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def cuts(self) -> int:
        return sum(self.residues.values())

    def note(self, boundary: Boundary, residue: Residue, verdict: Verdict, why: str) -> None:
        """Count one cut."""
        self.verdicts[verdict] += 1
        self.residues[residue] += 1
        if verdict is not Verdict.SOUND and self.verdicts[verdict] <= _MOST_TOLD:
            after = type(boundary.after).__name__
            self.told.append(
                f"{verdict.value} at boundary {boundary.index} (after {after}), {residue.value}: {why}"
            )

    def add(self, other: "Tally") -> None:
        """Take another share's counts in."""
        self.boundaries += other.boundaries
        self.verdicts += other.verdicts
        self.residues += other.residues
        self.told += other.told
        self.samples += other.samples


@dataclass(frozen=True)
class Share:
    """One process's part of a replay: every `of`-th boundary, beginning with `number`."""

    recording: Path
    pragmas: dict[str, str | int]
    number: int
    of: int
    mixed: int
    seed: int
    sample_every: int | None = None
    enough_faults: int | None = None  #: then the rest is not looked at: to salvage takes a second each


def be_silent() -> None:
    """For a process of its own: a control sets hundreds of damaged files aside and says so."""
    logging.disable(logging.CRITICAL)


def replay(share: Share) -> Tally:
    """Cut the power at each boundary of the share."""
    tally = Tally()
    steps: list[Operation | Mark] = pickle.loads(share.recording.read_bytes())
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        for boundary, disk in boundaries(steps):
            faults = tally.cuts - tally.verdicts[Verdict.SOUND]
            if share.enough_faults is not None and faults >= share.enough_faults:
                break
            if boundary.index % share.of != share.number:
                continue
            tally.boundaries += 1
            chance = random.Random(f"{share.seed} {boundary.index}")
            for residue, files in disk.cuts(share.mixed, chance):
                tally.note(boundary, residue, *start(Path(folder) / "cut", files, boundary.expected, share))
                if share.sample_every and _worth_a_sample(files) and chance.random() * share.sample_every < 1:
                    tally.samples.append(Sample(files, boundary.expected))
    return tally


def boundaries(steps: Sequence[Operation | Mark]) -> Iterator[tuple[Boundary, Disk]]:
    """Every boundary with the disk as it then is: before the first operation, and after each one.

    A boundary counts with all that the process said before its next operation: after the last sync of a
    transaction the power may fail when it is already acknowledged, so then it must be there.
    """
    disk, index = Disk(), 0
    acknowledged: Contents = {}
    expected: Expected | None = None
    last: Operation | None = None
    upcoming = _ends(steps)
    for step in steps:
        match step:
            case Mark(text=text) if text == BEGINS:
                expected = Expected(acknowledged, changed(acknowledged, next(upcoming)))
            case Mark(text=text) if text == LAYING:
                expected = None
            case Mark(text=text) if text.startswith(AFRESH):
                disk.settle()
                expected = _read(json.loads(text.removeprefix(AFRESH)))
            case Mark():
                assert expected is not None, "a transaction ends that did not begin"
                assert expected.under_way is not None, "a transaction ends that did not begin"
                acknowledged = expected.under_way
                expected = Expected(acknowledged)
            case _:
                if expected is not None:
                    yield Boundary(index, last, expected), disk
                disk.apply(step)
                last, index = step, index + 1
    if expected is not None:
        yield Boundary(index, last, expected), disk


def _ends(steps: Sequence[Operation | Mark]) -> Iterator[bytes]:
    for step in steps:
        if isinstance(step, Mark) and step.text.startswith(ENDS):
            yield step.text.removeprefix(ENDS)


def _read(told: list[Any]) -> Expected:
    def contents_of(each: dict[str, list[Any]]) -> Contents:
        return {key: (state, total) for key, (state, total) in each.items()}

    acknowledged, under_way, mended = told
    return Expected(contents_of(acknowledged), None if under_way is None else contents_of(under_way), mended)


def _worth_a_sample(files: Files) -> bool:
    return len(files.get(f"{NAME}-journal", b"")) > 512  # there is something to roll back


def opened(folder: Path, pragmas: dict[str, str | int]) -> Outbox:
    """Start the outbox as the uploader does."""
    path = folder / NAME
    return open_or_salvage(
        path, lambda file, first: open_at(file, AFTER_CUT, pragmas, first, max_waiting=500)
    )


def start(folder: Path, files: Files, expected: Expected, share: Share) -> tuple[Verdict, str]:
    """Start the outbox on these files as the uploader would, look at it, take one more record."""
    lay(folder, files)
    try:
        outbox = opened(folder, share.pragmas)
        try:
            verdict, why = expected.judge(contents(outbox.database))
            if not expected.mended and verdict in (Verdict.SOUND, Verdict.UNDONE) and _set_aside(folder):
                verdict, why = Verdict.DAMAGED, "the file had to be set aside"
            more = outbox.commit(entry(size=100), AFTER_CUT, send_now=True)
        finally:
            outbox.close()
    except (OutboxLost, sqlite3.Error) as fault:
        return Verdict.NO_START, str(fault)
    if verdict is Verdict.SOUND and not isinstance(more, KeptRecord):
        return Verdict.NO_START, f"the next record was not taken: {more}"
    return verdict, why


def lay(folder: Path, files: Files) -> None:
    """Make `folder` hold these files and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _set_aside(folder: Path) -> bool:
    return any(".damaged-" in each.name for each in folder.iterdir())
