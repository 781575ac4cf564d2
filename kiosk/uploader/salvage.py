"""A damaged outbox: the file is set aside, every row that can still be read moves to a new one.

Nothing is discarded and nothing is repeated for ever: the damaged file stays for people to look at, rows
whose content does not hold arrive as quarantined, and after `MAX_ASIDE` files the disk itself is blamed.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from kiosk.uploader.database import OutboxDamaged, OutboxLost
from kiosk.uploader.outbox import Outbox
from kiosk.uploader.records import State, digest

log = logging.getLogger(__name__)

MAX_ASIDE = 20
_MAX_GAP = 20_000  #: row numbers tried one by one between the readable ends of a damaged table
_MAX_FILE = 2**32
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


def open_or_salvage(path: Path, make: Callable[[int | None], Outbox]) -> Outbox:
    """Open the outbox; a damaged file is set aside first. `make` opens it, with the number to count on from
    for a new file, or None for its own choice. Raises OutboxLost when the disk does not allow even that.
    """
    try:
        return make(None)
    except OutboxDamaged as damage:
        log.error("%s; it is set aside and what can be read is saved", damage)
    aside = _set_aside(path)
    records, audit = _read(aside)
    last = max((_whole(row["seq"]) for row in records), default=None)
    outbox = make(None if last is None else last + _SKIP)
    sound = _fill(outbox, records, audit)
    log.error(
        "%d records were saved from %s, %d of them quarantined; keep that file for support",
        len(records),
        aside.name,
        len(records) - sound,
    )
    return outbox


def _set_aside(path: Path) -> Path:
    for number in range(1, MAX_ASIDE + 1):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not aside.exists():
            try:
                journal = path.with_name(path.name + "-journal")
                if (
                    journal.exists() and journal.stat().st_size
                ):  # undoes a half-done transaction when the copy is read
                    journal.rename(aside.with_name(aside.name + "-journal"))
                path.rename(aside)
            except OSError as fault:
                raise OutboxLost(
                    f"{path.name} is damaged and cannot be set aside: {fault.strerror}"
                ) from None
            return aside
    raise OutboxLost(f"{path.name} was damaged {MAX_ASIDE} times: change the SD card")


def _read(aside: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    _lengthen(aside)
    with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        records = {_whole(row["seq"]): row for row in _readable(connection, "records", _RECORD_COLUMNS)}
        audit = {_whole(row["seq"]): row for row in _readable(connection, "audit", _AUDIT_COLUMNS)}
    return [records[seq] for seq in sorted(records)], [audit[seq] for seq in sorted(audit)]


def _lengthen(aside: Path) -> None:
    """Append what was cut off, as zeros: SQLite opens nothing that is shorter than its header says.

    File format: https://www.sqlite.org/fileformat.html 1.3, page size at 16, size in pages at 28.
    """
    with aside.open("r+b") as file:
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
    query = f"SELECT {', '.join(columns)} FROM {table} "  # noqa: S608  # our own names
    ends: list[int | None] = []
    for order in ("ASC", "DESC"):
        last = None
        try:
            for values in connection.execute(query + f"ORDER BY seq {order}"):
                row = dict(zip(columns, values, strict=True))
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
                yield dict(zip(columns, values, strict=True))
        except sqlite3.Error:
            continue


def _fill(outbox: Outbox, records: list[dict[str, Any]], audit: list[dict[str, Any]]) -> int:
    sound = 0
    database = outbox.database
    with database.writing():
        for row in records:
            reason = _fault(row)
            sound += reason is None
            kept = {name: _fitting(row[name], usual) for name, usual in _RECORD_COLUMNS.items()}
            if reason is not None:
                kept |= {"state": State.QUARANTINED.value, "reason": reason}
            elif kept["state"] == State.SENDING.value:
                kept |= {"state": State.PENDING.value, "reached": 1}
            if database.rows("SELECT 1 FROM records WHERE id = ?", (kept["id"],)) or not kept["id"]:
                kept["id"] = f"damaged-{kept['seq']}"
            database.rows(_insert("records", kept), tuple(kept.values()))
        for row in audit:  # as it is: a row that was damaged shows as a broken link of the chain
            kept = {name: _fitting(row[name], usual) for name, usual in _AUDIT_COLUMNS.items()}
            database.rows(_insert("audit", kept), tuple(kept.values()))
    return sound


def _insert(table: str, row: dict[str, Any]) -> str:
    marks = ", ".join("?" * len(row))
    return f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608  # our own names


def _fault(row: dict[str, Any]) -> str | None:
    """Why a row cannot be used as it is, None when it can."""
    if any(
        not isinstance(_fitting(row[name], usual), type(row[name])) for name, usual in _RECORD_COLUMNS.items()
    ):
        return "a field was damaged on the disk"
    try:
        state = State(row["state"])
    except ValueError:
        return "its state was damaged on the disk"
    settled = state in (State.ANSWERED, State.REJECTED) and not row["sealed"]
    if not settled and digest(row["id"], row["suite"], row["key_id"], row["sealed"]) != row["digest"]:
        return "its content no longer fits its checksum"
    return row["reason"] if state is State.QUARANTINED else None


def _fitting(value: Any, usual: Any) -> Any:
    """`value`, or the column's usual one when its type is not the column's."""
    if usual is None:  # the optional columns are texts, and one number
        return value if isinstance(value, str | int) else None
    return value if isinstance(value, type(usual)) else usual


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
