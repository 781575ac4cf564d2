"""A damaged outbox: every row that can still be read moves to a new file, the damaged one is set aside.

Nothing is discarded and nothing is repeated for ever: the damaged file stays for people to look at, rows
whose content does not hold arrive as quarantined, and after `MAX_ASIDE` files the disk itself is blamed.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import StoredState, digest
from kiosk.uploader.store.database import OutboxDamaged, OutboxLost
from kiosk.uploader.store.named_values import NamedValues, ValueName

log = logging.getLogger(__name__)

MAX_ASIDE = 20
_MAX_GAP = 20_000  #: row numbers tried one by one between the readable ends of a damaged table
_MAX_FILE = 2**32
_MENDED = ".mended"  #: the second file, beside the damaged one
_JOURNAL = "-journal"
_SKIP = 1_000  #: the new file counts on from here: numbers of unreadable rows are not given out again
_RECORD_COLUMNS: dict[str, Any] = {
    "seq": 0,
    "id": "",
    "receipt": "",
    "state": "",
    "suite": "",
    "key_id": "",
    "sealed": b"",
    "digest": b"",
    "mode": "",
    "challenged": 0,
    "taken_at": "",
    "clock_trusted": 0,
    "boot_id": "",
    "mono_ms": 0,
    "wall_ms": 0,
    "attempts": 0,
    "reached": 1,
    "segment": None,
    "status": None,
    "validity": None,
    "code": None,
    "outcome": None,
    "settled_ms": None,
    "reason": None,
    "desk": 0,
    "true_ms": None,
}
_AUDIT_COLUMNS: dict[str, Any] = {
    "seq": 0,
    "event": "",
    "staff": "",
    "visit": None,
    "boot_id": "",
    "mono_ms": 0,
    "wall_ms": 0,
    "clock_trusted": 0,
    "chain": b"",
}


def open_or_salvage(path: Path, make: Callable[[Path, int | None], Outbox]) -> Outbox:
    """Open the outbox; a damaged file is set aside first. `make` opens a path, with the number to count on
    from for a new file, or None for its own choice. Raises OutboxLost when the disk does not allow even that.

    The power may fail at any point: the damaged file keeps its name until everything that can be read of it
    is safe in a second file, and that one gets the name as soon as the damaged one has given it up.
    """
    try:
        _finish(path)
        try:
            return make(path, None)
        except OutboxDamaged as damage:
            log.error("%s; it is set aside and what can be read is saved", damage)
        aside = _place_aside(path)
        count, sound = _mend(path, make)
        path.rename(aside)
        _finish(path)
    except OSError as fault:
        raise OutboxLost(f"{path.name} cannot be set aside: {fault.strerror}") from None
    log.error(
        "%d records were saved from %s, %d of them quarantined; keep that file for support",
        count,
        aside.name,
        count - sound,
    )
    return make(path, None)


def _mend(path: Path, make: Callable[[Path, int | None], Outbox]) -> tuple[int, int]:
    """Save what can be read into the second file; returns how many records, and how many of them sound."""
    mended = _beside(path, _MENDED)
    for leftover in (mended, _beside(mended, _JOURNAL)):  # of an attempt that did not come to its end
        leftover.unlink(missing_ok=True)
    records, audit, values = _read(path)
    last = max((_whole(row["seq"]) for row in records), default=None)
    with closing(make(mended, None if last is None else last + _SKIP)) as outbox:
        sound = _fill(outbox, records, audit)
        _fill_values(outbox, values)
    _beside(mended, _JOURNAL).unlink(missing_ok=True)
    return len(records), sound


def _finish(path: Path) -> None:
    """Give the second file the name, if the damaged one has given it up. Its journal goes after it: beside
    the new file SQLite would play it back.
    """
    mended = _beside(path, _MENDED)
    if path.exists() or not mended.exists():
        return
    journal = _beside(path, _JOURNAL)
    asides = [aside for aside in _asides(path) if aside.exists()]
    if asides and journal.exists() and journal.stat().st_size:
        journal.rename(_beside(asides[-1], _JOURNAL))
    journal.unlink(missing_ok=True)
    mended.rename(path)
    _sync_folder(path.parent)


def _place_aside(path: Path) -> Path:
    """Return the first name for a damaged file that is free; raises OutboxLost when there is none."""
    for aside in _asides(path):
        if not aside.exists():
            return aside
    raise OutboxLost(f"{path.name} was damaged {MAX_ASIDE} times: change the SD card")


def _asides(path: Path) -> list[Path]:
    return [_beside(path, f".damaged-{number}") for number in range(1, MAX_ASIDE + 1)]


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(damaged: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, str]]:
    _lengthen(damaged)
    with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        records = {_whole(row["seq"]): row for row in _readable(connection, "records", _RECORD_COLUMNS)}
        audit = {_whole(row["seq"]): row for row in _readable(connection, "audit", _AUDIT_COLUMNS)}
        values = _readable_values(connection)
    return [records[seq] for seq in sorted(records)], [audit[seq] for seq in sorted(audit)], values


def _readable_values(connection: sqlite3.Connection) -> dict[str, str]:
    """The named values; none where the damage is there: staff set them again."""
    try:
        rows = connection.execute("SELECT name, value FROM standing").fetchall()
    except sqlite3.Error:
        return {}
    return {name: value for name, value in rows if isinstance(name, str) and isinstance(value, str)}


def _lengthen(damaged: Path) -> None:
    """Append what was cut off, as zeros: SQLite opens nothing that is shorter than its header says.

    File format: https://www.sqlite.org/fileformat.html 1.3, page size at 16, size in pages at 28.
    """
    with damaged.open("r+b") as file:
        head = file.read(32)
        if len(head) == 32 and head.startswith(b"SQLite format 3\x00"):
            page = int.from_bytes(head[16:18], "big")
            wanted = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
            if file.seek(0, 2) < wanted <= _MAX_FILE:
                file.truncate(wanted)


def _readable(
    connection: sqlite3.Connection, table: str, columns: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Read from both ends up to the damage, then try the numbers between one by one."""
    present = _present(connection, table, columns)
    query = f"SELECT {', '.join(present)} FROM {table} "  # noqa: S608  # our own names
    ends: list[int | None] = []
    for order in ("ASC", "DESC"):
        last = None
        try:
            for values in connection.execute(query + f"ORDER BY seq {order}"):
                row = columns | dict(zip(present, values, strict=True))
                last = _whole(row["seq"])
                yield row
        except sqlite3.Error:
            ends.append(last)
            continue
        return
    low, high = ends
    if low is None and high is None:
        low, high = 0, _MAX_GAP
    first = 0 if low is None else low + 1
    end = first + _MAX_GAP if high is None else min(high, first + _MAX_GAP)
    for seq in range(first, end):
        try:
            for values in connection.execute(query + "WHERE seq = ?", (seq,)):
                yield columns | dict(zip(present, values, strict=True))
        except sqlite3.Error:
            continue


def _present(connection: sqlite3.Connection, table: str, columns: dict[str, Any]) -> list[str]:
    """Those of the columns that the file has: an older program's file lacks what was added later."""
    try:
        found = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    except sqlite3.Error:
        found = set()
    return [name for name in columns if name in found] or list(columns)


def _fill(outbox: Outbox, records: list[dict[str, Any]], audit: list[dict[str, Any]]) -> int:
    sound = 0
    database = outbox.database
    with database.writing():
        for row in records:
            if _whole(row["seq"]) < 0:  # a drill's dummy
                continue
            reason = _fault(row)
            sound += reason is None
            kept = {name: _fitting(row[name], usual) for name, usual in _RECORD_COLUMNS.items()}
            if reason is not None:
                kept |= {"state": StoredState.QUARANTINED.value, "reason": reason, "desk": kept["desk"] or 1}
            elif kept["state"] == StoredState.SENDING.value:
                kept |= {"state": StoredState.PENDING.value, "reached": 1}
            outbox.restore(kept)
        for row in audit:  # as it is: a row that was damaged shows as a broken link of the chain
            kept = {name: _fitting(row[name], usual) for name, usual in _AUDIT_COLUMNS.items()}
            marks = ", ".join("?" * len(kept))
            insert = f"INSERT OR IGNORE INTO audit ({', '.join(kept)}) VALUES ({marks})"  # noqa: S608  # our own names
            database.rows(insert, tuple(kept.values()))
    return sound


def _fill_values(outbox: Outbox, found: dict[str, str]) -> None:
    values = NamedValues(outbox.database)
    for name in ValueName:
        if name.value in found:
            values.put(name, found[name.value])


def _fault(row: dict[str, Any]) -> str | None:
    """Why a row cannot be used as it is, None when it can."""
    if any(
        not isinstance(_fitting(row[name], usual), type(row[name])) for name, usual in _RECORD_COLUMNS.items()
    ):
        return "a field was damaged on the disk"
    try:
        state = StoredState(row["state"])
    except ValueError:
        return "its state was damaged on the disk"
    settled = state in (StoredState.ANSWERED, StoredState.REJECTED) and not row["sealed"]
    if not settled and digest(row["id"], row["suite"], row["key_id"], row["sealed"]) != row["digest"]:
        return "its content no longer fits its checksum"
    return row["reason"] if state is StoredState.QUARANTINED else None


def _fitting(value: Any, usual: Any) -> Any:
    """`value`, or the column's usual one when its type is not the column's."""
    if usual is None:  # the optional columns are texts, and one number
        return value if isinstance(value, str | int) else None
    return value if isinstance(value, type(usual)) else usual


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
