"""Look-ups on the disk: what must be known to resume a wait, and which visits a look-up is for.

Codes, names of files and numbers of receipts; nobody's data.
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from kiosk.box.clock import JAPAN
from kiosk.uploader.oqs.exchange import LookUp, LookUpKind, LookUpStage
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.named_values import NamedValues, ValueName

KEPT = 50  #: ended look-ups that stay listed
_COLUMNS = tuple(field.name for field in dataclasses.fields(LookUp))
_NAMES = ", ".join(_COLUMNS)


@dataclass(frozen=True)
class Late:
    """A visit whose patient was told "recorded" and that staff have not dealt with."""

    seq: int
    visit: str
    receipt: str
    date: str | None  #: yyyyMMdd in Japanese time; None: the clock was not set when it was taken


class LookUps:
    """Reads and writes them; shares the outbox's connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, kind: LookUpKind, date_from: str, date_to: str, identifier: str) -> LookUp:
        """Note a new one, before anything is sent for it."""
        with self._database.writing():
            new = LookUp(0, kind, date_from, date_to, identifier)
            values = [_plain(getattr(new, name)) for name in _COLUMNS[1:]]
            marks = ", ".join("?" * len(values))
            row = self._database.rows(
                f"INSERT INTO lookups ({', '.join(_COLUMNS[1:])}) VALUES ({marks}) RETURNING id",  # noqa: S608  # our own names
                tuple(values),
            )[0]
            self._database.rows(
                "DELETE FROM lookups WHERE id <= ? AND stage IN ('done', 'failed')",
                (int(str(row[0])) - KEPT,),
            )
        return dataclasses.replace(new, id=int(str(row[0])))

    def save(self, state: LookUp) -> None:
        """Note where it stands; on return it is on the disk."""
        with self._database.writing():
            self._database.rows(
                f"UPDATE lookups SET {', '.join(f'{name} = ?' for name in _COLUMNS[1:])} WHERE id = ?",  # noqa: S608
                (*(_plain(getattr(state, name)) for name in _COLUMNS[1:]), state.id),
            )

    def active(self) -> LookUp | None:
        """The one that has not ended."""
        rows = self._database.rows(
            f"SELECT {_NAMES} FROM lookups WHERE stage IN ('ready', 'sent') ORDER BY id LIMIT 1"  # noqa: S608
        )
        return _lookup(rows[0]) if rows else None

    def last(self, count: int) -> list[LookUp]:
        """The newest ones, the newest last."""
        rows = self._database.rows(f"SELECT {_NAMES} FROM lookups ORDER BY id DESC LIMIT ?", (count,))  # noqa: S608
        return [_lookup(row) for row in reversed(rows)]

    def late(self) -> list[Late]:
        """The visits that staff have not dealt with, of the mode in which there is a consent."""
        rows = self._database.rows(
            "SELECT seq, id, receipt, taken_at, true_ms, clock_trusted FROM records"
            " WHERE desk = 1 AND seq > 0 AND mode = 'home_consent' ORDER BY seq"
        )
        return [
            Late(int(str(seq)), str(visit), str(receipt), _date(taken_at, true_ms, trusted))
            for seq, visit, receipt, taken_at, true_ms, trusted in rows
        ]

    def covered(self) -> int:
        """Number of the newest record that a look-up was begun for by itself."""
        number = NamedValues(self._database).get(ValueName.LOOKED_UP)
        return int(number) if number is not None and number.isdecimal() else 0

    def cover(self, seq: int) -> None:
        """Note that one was begun."""
        NamedValues(self._database).put(ValueName.LOOKED_UP, str(seq))


def _date(taken_at: object, true_ms: object, trusted: object) -> str | None:
    if isinstance(true_ms, int):
        when = datetime.fromtimestamp(true_ms / 1000, JAPAN)
    elif not trusted:
        return None
    else:
        try:
            when = datetime.fromisoformat(str(taken_at)).astimezone(JAPAN)
        except ValueError:
            return None
    return when.strftime("%Y%m%d")


def _plain(value: object) -> object:
    return value.value if isinstance(value, LookUpKind | LookUpStage) else value


def _lookup(row: tuple[object, ...]) -> LookUp:
    found = dict(zip(_COLUMNS, row, strict=True))
    found |= {"kind": LookUpKind(str(found["kind"])), "stage": LookUpStage(str(found["stage"]))}
    return LookUp(**found)  # type: ignore[arg-type]
