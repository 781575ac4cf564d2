"""What an outbox holds, in short, and whether it is what it must be after a cut."""

import json
import zlib
from dataclasses import dataclass
from enum import Enum

from kiosk.uploader.store.database import Database

#: Key to (state of a record or "", check sum of the rest). A record's key is its id.
Contents = dict[str, tuple[str, int]]

RECORDS = "records"
SETTLED = ("answered", "rejected")
_KEYS = {RECORDS: ("id",), "audit": ("seq",), "service_keys": ("position",), "sqlite_sequence": ("name",)}
#: Of a start, not of what was promised: leases end with the process, due times with the boot.
_FLEETING = frozenset({"lease", "try_boot", "try_ms"})


class Verdict(Enum):
    """What a start after a cut found; the worst of what applies."""

    SOUND = "sound"
    UNDONE = "undone"  #: neither what was acknowledged nor that and the transaction under way
    DAMAGED = "damaged"  #: the file had to be set aside
    CAME_BACK = "came back"  #: an answered record waits to be sent again
    LOST = "lost"  #: an acknowledged record is not there
    NO_START = "no start"


def contents(database: Database) -> Contents:
    """Everything in the file, table by table, as the start after a power cut is to find it."""
    found: Contents = {}
    for (table,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        columns = [str(row[1]) for row in database.rows(f"PRAGMA table_info({table})")]
        for values in database.rows(f"SELECT * FROM {table}"):
            row = dict(zip(columns, values, strict=True))
            if table == RECORDS:
                row = _at_rest(row)
            key = [row[name] for name in _KEYS.get(str(table), tuple(columns))]
            found[f"{table} {key}"] = (str(row.get("state", "")), _sum(row))
    return found


def _at_rest(row: dict[str, object]) -> dict[str, object]:
    """A record as the next start makes it: what was being sent waits, and may have got through."""
    row = {name: value for name, value in row.items() if name not in _FLEETING}
    return row | {"state": "pending", "reached": 1} if row["state"] == "sending" else row


def _sum(row: dict[str, object]) -> int:
    total = 0
    for value in row.values():
        part = value if isinstance(value, bytes) else repr(value).encode()
        total = zlib.crc32(part, zlib.crc32(b"%d" % len(part), total))
    return total


@dataclass(frozen=True)
class Expected:
    """What may be found: `acknowledged`, or with a transaction under way that and its effect.

    `mended`: the file was damaged before, so it is to be set aside, and only the records are looked at: row
    numbers go on elsewhere, and counters are not saved.
    """

    acknowledged: Contents
    under_way: Contents | None = None
    mended: bool = False

    def judge(self, found: Contents) -> tuple[Verdict, str]:
        """Return the verdict and, unless sound, what differs first."""
        if self.mended:
            found = {key: value for key, value in found.items() if key.startswith(RECORDS)}
        if found in (self.acknowledged, self.under_way):
            return Verdict.SOUND, ""
        verdict, why = Verdict.UNDONE, "something else than before or after the transaction under way"
        for key, (state, total) in self.acknowledged.items():
            if found.get(key) == (state, total) or (self.under_way or {}).get(key) == found.get(key, ()):
                continue
            if key not in found:
                if self.under_way is not None and key not in self.under_way:
                    continue  # being deleted
                if key.startswith(RECORDS):
                    return Verdict.LOST, f"{key} is gone"
                why = f"{key} is gone"
            elif state in SETTLED and found[key][0] not in SETTLED:
                verdict, why = Verdict.CAME_BACK, f"{key} was {state} and is {found[key][0]}"
            elif verdict is Verdict.UNDONE:
                why = f"{key} was {state} and is another {found[key][0]}"
        return verdict, why


def changes(before: Contents, after: Contents) -> bytes:
    """The difference, for a mark."""
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    return json.dumps([changed, [key for key in before if key not in after]]).encode()


def changed(before: Contents, difference: bytes) -> Contents:
    """`before` with a difference applied."""
    new, gone = json.loads(difference)
    after = {key: value for key, value in before.items() if key not in gone}
    return after | {key: (state, total) for key, (state, total) in new.items()}
