"""What must be true of a card after a power cut: it mounts, and holds every record that was acknowledged."""

import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.config import ConfigError, load
from tests.image.replay import Cut, Part, Replayer, cuts

CORRECTED = 1  #: e2fsck: errors were corrected; from 4 on some were not


@dataclass(frozen=True)
class Promise:
    """A record that was acknowledged when the log of writes had this size."""

    record: str
    log_size: int


@dataclass(frozen=True)
class State:
    """One crash state, looked at."""

    cut: Cut
    faults: tuple[str, ...]
    records: int  #: in the outbox
    in_force: bool  #: the settings had been taken
    owed: int  #: records that had been acknowledged


def look(partition: Path, cut: Cut, promises: tuple[str, ...]) -> State:
    """Check one state of the data partition; `promises` are the records that it owes."""
    done = subprocess.run(["e2fsck", "-p", str(partition)], capture_output=True, text=True, check=False)
    if done.returncode > CORRECTED:
        return State(
            cut, (f"e2fsck -p: {done.returncode}: {done.stdout.strip()[-200:]}",), 0, False, len(promises)
        )
    with mounted(partition) as folder:
        faults: list[str] = []
        settings = folder / "lib/kiosk/kiosk.toml"
        in_force = settings.exists()
        if in_force:
            try:
                load(settings)
            except ConfigError as fault:
                faults.append(f"settings in force cannot be read: {fault}")
            if not (folder / "lib/kiosk-uploader/terminal.pem").exists():
                faults.append("settings in force without a certificate")
        found, damage = _records(folder / "lib/kiosk-uploader/outbox.sqlite")
        faults += damage
        faults += [f"acknowledged record {record} is missing" for record in promises if record not in found]
    return State(cut, tuple(faults), len(found), in_force, len(promises))


def _records(outbox: Path) -> tuple[set[str], list[str]]:
    """The record ids in an outbox, opened as the uploader does: with its hot journal."""
    if not outbox.exists():
        return set(), []
    with sqlite3.connect(outbox) as database:
        try:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            tables = {
                row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            rows = database.execute("SELECT id FROM records").fetchall() if "records" in tables else []
        except sqlite3.DatabaseError as fault:
            return set(), [f"outbox: {fault}"]
    database.close()
    return {str(row[0]) for row in rows}, [] if verdict == "ok" else [f"outbox: {verdict}"]


@contextmanager
def mounted(partition: Path) -> Iterator[Path]:
    """The file system in a file; mounting replays its journal, as the box does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["mount", "-o", "loop,noatime", str(partition), name], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", name], check=True)


def campaign(
    before: Path, part: Part, log: Path, work: Path, promises: tuple[Promise, ...], count: int, seed: int
) -> list[State]:
    """Look at `count` crash states of a recorded run."""
    replayer = Replayer(before, part, log, work / "partition.img")
    states = []
    for cut in cuts(replayer.entries, count, seed):
        file = replayer.state(cut, work / "state.img")
        owed = tuple(each.record for each in promises if cut.holds(replayer.entries, each.log_size))
        states.append(look(file, cut, owed))
    return states
