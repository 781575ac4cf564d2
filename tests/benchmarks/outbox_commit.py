"""A commit of the outbox against the same bytes written by plain sqlite3, in turns on the same disk."""

import os
import sqlite3
import statistics
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kiosk.box.clock import Clock
from kiosk.qualification.sealing import SuiteName
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import Entry, KeptRecord
from kiosk.uploader.store.database import PRAGMAS
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, ms_of, row, spread

COMMITS = 200
WARM_UP = 10
SEALED_BYTES = 4096  #: of the size of a sealed request: certificate, signature, transcript, HPKE's 48 bytes
FIRST_SEQ = 1000
OTHER_COLUMNS = 330  #: ids, digest, receipt, times and names of one record, in bytes


@dataclass(frozen=True)
class Commits:
    """Milliseconds per commit."""

    ours: list[float]
    raw: list[float]
    file_system: str


def _entry() -> Entry:
    return Entry(
        id=str(uuid.uuid4()),
        suite=next(iter(SuiteName)).value,
        key_id="bench",
        sealed=os.urandom(SEALED_BYTES),
        mode="home_consent",
        taken_at="2026-01-01T00:00:00Z",
        clock_trusted=True,
        challenged=True,
    )


def _raw(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for name, wanted in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
    connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT")
    return connection


def _insert(connection: sqlite3.Connection, content: bytes) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rows (content) VALUES (?)", (content,))
    connection.execute("COMMIT")


def commits(lab: Lab) -> Commits:
    """Write to both in turns; the order within a turn changes, so that neither always comes second."""
    folder = lab.subfolder("outbox")
    clock = Clock()
    ours: list[float] = []
    raw: list[float] = []
    outbox = Outbox(folder / "outbox.sqlite", max_records=2 * COMMITS, now=clock.now(), first_seq=FIRST_SEQ)
    with closing(outbox), closing(_raw(folder / "raw.sqlite")) as plain:

        def ours_once() -> None:
            entry, now = _entry(), clock.now()
            began = time.perf_counter()
            kept = outbox.commit(entry, now, send_now=True)
            ours.append((time.perf_counter() - began) * 1000)
            if not isinstance(kept, KeptRecord):
                raise Unmeasured(f"the outbox did not take a record: {kept}")

        def raw_once() -> None:
            content = os.urandom(SEALED_BYTES + OTHER_COLUMNS)
            raw.append(ms_of(partial(_insert, plain, content)))

        for turn in range(COMMITS + WARM_UP):
            for once in (ours_once, raw_once) if turn % 2 else (raw_once, ours_once):
                once()
    return Commits(ours[WARM_UP:], raw[WARM_UP:], file_system_of(folder))


def file_system_of(folder: Path) -> str:
    """The type of the file system that a folder lies on (proc(5), mountinfo)."""
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[2] == wanted:
            return rest.split()[0]
    return "unknown"


@row("outbox_commit_vs_sqlite", "ratio", goal=at_most(1.5))
def outbox_commit_vs_sqlite(lab: Lab) -> Measured:
    """The price of the outbox's own work over the disk's."""
    done = lab.once(commits)
    return Measured(
        statistics.median(done.ours) / statistics.median(done.raw),
        f"one record of {SEALED_BYTES} sealed bytes, same pragmas, in turns on {done.file_system}; medians "
        f"compared; ours ms: {spread(done.ours, 2)}; plain sqlite3 ms: {spread(done.raw, 2)}",
    )
