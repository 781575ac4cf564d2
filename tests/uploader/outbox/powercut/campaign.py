"""The runs of the power-cut test: the outbox as it is, cuts during recovery and salvage, and the controls."""

import json
import multiprocessing
import pickle
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk.uploader.store.database import PRAGMAS
from tests.uploader.outbox.powercut.disk import Disk, Mark, Operation
from tests.uploader.outbox.powercut.oracle import RECORDS, Expected, contents
from tests.uploader.outbox.powercut.recorder import Recorder, build_shim
from tests.uploader.outbox.powercut.replay import Sample, Share, Tally, be_silent, lay, opened, replay
from tests.uploader.outbox.powercut.workload import NAME

PAGE = 4096
MIXED = 3  #: chance mixtures at each boundary, beside lost, kept and torn
ENOUGH_FAULTS = 20  #: one is enough to fail
_PACKAGE = "tests.uploader.outbox.powercut"

Pragmas = dict[str, str | int]


@dataclass(frozen=True)
class Control:
    """Settings that must lose, shown by the cuts at every so many-th boundary."""

    pragmas: Pragmas
    every: int


#: Each loses acknowledged records in this harness, or the harness sees nothing. The exclusive lock keeps a
#: DELETE journal from being deleted, so that control takes the normal one, as a program without it would.
CONTROLS: dict[str, Control] = {
    "control: WAL, NORMAL": Control({"journal_mode": "wal", "synchronous": 1}, every=2),
    "control: DELETE, FULL": Control(
        {"locking_mode": "normal", "journal_mode": "delete", "synchronous": 2}, every=1
    ),
    # Most cuts damage the file, and to salvage one takes a second.
    "control: synchronous OFF": Control({"synchronous": 0}, every=12),
}


@dataclass(frozen=True)
class Size:
    """How much is done."""

    steps: int  #: of the workload
    samples: int  #: states whose recovery is recorded and cut again
    control_steps: int
    processes: int = 2
    every: int = 1
    seed: int = 20_270_115


class Campaign:
    """Works in `folder`; each run returns what came of it."""

    def __init__(self, folder: Path, size: Size) -> None:
        self._folder, self._size = folder.resolve(), size
        self._shim = build_shim(self._folder)

    def outbox(self) -> Tally:
        """The outbox as it is."""
        steps = self._record("outbox", PRAGMAS, self._size.steps)
        every = max(1, self._size.steps * 40 // max(1, self._size.samples))
        return self._replay("outbox", steps, PRAGMAS, self._size.every, sample_every=every)

    def control(self, name: str) -> Tally:
        """The same outbox with settings that are known to lose."""
        control = CONTROLS[name]
        pragmas = PRAGMAS | control.pragmas
        steps = self._record("control", pragmas, self._size.control_steps)
        return self._replay("control", steps, pragmas, control.every, enough_faults=None)

    def recovery(self, found: Sequence[Sample]) -> Tally:
        """The power fails again while the outbox recovers from former cuts."""
        samples = random.Random(self._size.seed).sample(list(found), min(len(found), self._size.samples))
        return self._recover("recovery", samples)

    def salvage(self, pages: int) -> Tally:
        """The power fails while a damaged file is salvaged; `pages`: how many are damaged in turn."""
        self._record("sound", PRAGMAS, min(150, self._size.steps))
        sound = (self._folder / "sound" / NAME).read_bytes()
        last = len(sound) // PAGE
        samples = [
            self._mended(sound[: page * PAGE] + b"\xa5" * PAGE + sound[(page + 1) * PAGE :])
            for page in range(2, last, max(1, (last - 2) // pages))
        ]
        return self._recover("salvage", samples)

    def _mended(self, damaged: bytes) -> Sample:
        """What an undisturbed salvage saves from this file is what a disturbed one must save too."""
        files, folder = {NAME: damaged}, self._folder / "mended"
        lay(folder, files)
        outbox = opened(folder, PRAGMAS)
        saved = {key: value for key, value in contents(outbox.database).items() if key.startswith(RECORDS)}
        outbox.close()
        return Sample(files, Expected(saved, mended=True))

    def _recover(self, name: str, samples: Sequence[Sample]) -> Tally:
        states = self._folder / f"{name}.samples"
        states.write_bytes(pickle.dumps(list(samples)))
        steps = self._recorder(name).run(
            f"{_PACKAGE}.recover", [str(self._folder / name), str(states), json.dumps(PRAGMAS)]
        )
        return self._replay(name, steps, PRAGMAS, 1)

    def _recorder(self, name: str) -> Recorder:
        folder = self._folder / name
        lay(folder, {})
        return Recorder(self._shim, folder, self._folder / f"{name}.trace")

    def _record(self, name: str, pragmas: Pragmas, steps: int) -> list[Operation | Mark]:
        recorder = self._recorder(name)
        arguments = [str(recorder.folder), str(self._size.seed), str(steps), json.dumps(pragmas)]
        recorded = recorder.run(f"{_PACKAGE}.workload", arguments)
        disk = Disk()
        for step in recorded:
            if not isinstance(step, Mark):
                disk.apply(step)
        found = {each.name: each.read_bytes() for each in recorder.folder.iterdir()}
        assert disk.files == found, "the recording does not give the files that are there"
        return recorded

    def _replay(
        self,
        name: str,
        steps: Sequence[Operation | Mark],
        pragmas: Pragmas,
        every: int,
        sample_every: int | None = None,
        enough_faults: int | None = ENOUGH_FAULTS,
    ) -> Tally:
        recording = self._folder / f"{name}.recording"
        recording.write_bytes(pickle.dumps(list(steps)))
        count = self._size.processes
        first = Share(
            recording, pragmas, 0, count * every, MIXED, self._size.seed, sample_every, enough_faults
        )
        shares = [replace(first, number=number * every) for number in range(count)]
        total = Tally()
        if count == 1:
            total.add(replay(first))
            return total
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), be_silent) as pool:
            for tally in pool.map(replay, shares):
                total.add(tally)
        return total
