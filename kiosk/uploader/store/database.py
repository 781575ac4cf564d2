"""The SQLite file beneath the outbox: opening it safely, transactions, and what can go wrong with a disk.

The pragmas are the durability promise: DELETE/FULL and WAL/NORMAL lose acknowledged rows at a power cut,
TRUNCATE/EXTRA does not (docs/facts/reliability.md). So each is read back, and a file that does not obey is
not used.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

USER_VERSION = 1

PRAGMAS: dict[str, str | int] = {
    "locking_mode": "exclusive",  # a second uploader on the same file is refused, not interleaved
    "journal_mode": "truncate",
    "synchronous": 3,  # EXTRA
    "secure_delete": 1,  # what is overwritten or deleted becomes zeros in the file
    "cell_size_check": 1,  # damage is noticed where it is read
    "trusted_schema": 0,
    "temp_store": 2,  # memory
    "mmap_size": 0,
}

#: Columns that came after the first schema.sql, with defaults, so that older programs may go on inserting.
ADDED_COLUMNS = (
    # What staff know of an end that no patient was shown: 0 nothing to know, 1 to be dealt with, 2 seen.
    ("records", "desk", "INTEGER NOT NULL DEFAULT 0"),
    # The wall time of the commit, once it was known: where clock_trusted is 0, beside wall_ms.
    ("records", "true_ms", "INTEGER"),
)

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF  #: extended result codes carry the primary one in the low byte
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_READONLY: "the disk is read-only: restart; if that does not help, change the SD card",
    sqlite3.SQLITE_IOERR: "the disk does not take data: check free space, else change the SD card",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: its folder must exist and belong to the uploader",
    sqlite3.SQLITE_BUSY: "another program holds the file: only one uploader may run",
    sqlite3.SQLITE_PERM: "the file may not be written: it must belong to the uploader's user",
}


class OutboxLost(Exception):  # noqa: N818  # a state of the outbox, as in OutboxCondition.LOST
    """The file cannot be used now. Close it, tell people, try again later; the text is one line."""


class OutboxDamaged(OutboxLost):
    """The file's content is no longer a sound database."""


class Database:
    """One connection with the pragmas of the outbox. Every sqlite3.Error leaves here as OutboxLost."""

    def __init__(self, path: Path, pragmas: dict[str, str | int]) -> None:
        with _translated(path):
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, cached_statements=64)
        # A damaged text must be readable enough to be quarantined.
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self._path = path
        try:
            self._set_up(pragmas)
        except OutboxLost:
            self.close()
            raise

    @property
    def path(self) -> Path:
        return self._path

    def _set_up(self, pragmas: dict[str, str | int]) -> None:
        for name, wanted in pragmas.items():
            self.rows(f"PRAGMA {name} = {wanted}")
        with self.writing():  # takes the exclusive lock, and proves that the disk takes a write
            version = int(str(self.rows("PRAGMA user_version")[0][0]))
            if version == 0:
                self._run("schema.sql")
            if version > USER_VERSION:
                raise OutboxLost(f"{self._path.name} was written by a newer program: update this kiosk")
            self._add()
            self.rows(f"PRAGMA user_version = {USER_VERSION}")
        for name, wanted in pragmas.items():
            found = self.rows(f"PRAGMA {name}")
            if not found or found[0][0] != wanted:
                is_now = found[0][0] if found else "nothing"
                raise OutboxLost(f"{self._path.name}: SQLite keeps {name} at {is_now} instead of {wanted}")
        if (verdict := self.rows("PRAGMA quick_check(1)")[0][0]) != "ok":
            raise OutboxDamaged(f"{self._path.name} is damaged: {' '.join(str(verdict).split())[:80]}")

    def _run(self, name: str) -> None:
        for statement in statements(
            resources.files("kiosk.uploader.store").joinpath(name).read_text("utf-8")
        ):
            self.rows(statement)

    def _add(self) -> None:
        """Bring a file of an older program up to date; both programs can open it afterwards."""
        for table, name, kind in ADDED_COLUMNS:
            if all(row[1] != name for row in self.rows(f"PRAGMA table_info({table})")):
                self.rows(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        self._run("additions.sql")

    def rows(self, sql: str, values: tuple[object, ...] | dict[str, object] = ()) -> list[tuple[object, ...]]:
        """Run one statement and return what it yields."""
        with _translated(self._path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, on the disk when the block ends. Blocks do not nest."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            with _translated(self._path):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close; a transaction under way is undone."""
        self._connection.close()


def statements(script: str) -> Iterator[str]:
    """Split a script into statements; executescript would commit each one alone. Comments stay out of the
    file: SQLite keeps each statement's text, and the fewer pages that takes the fewer can be damaged.
    """
    part = ""
    for line in script.splitlines():
        code = " ".join(line.partition("--")[0].split())
        if not code:
            continue
        part += code + " "
        if sqlite3.complete_statement(part):
            yield part
            part = ""


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as fault:
        code = getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
        name = getattr(fault, "sqlite_errorname", type(fault).__name__)
        if code in _DAMAGE:
            raise OutboxDamaged(f"{path.name} is damaged ({name})") from fault
        if code in _REASONS:
            raise OutboxLost(f"{path.name}: {_REASONS[code]} ({name})") from fault
        raise  # a bug of ours: a wrong statement, a constraint
