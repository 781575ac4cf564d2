"""The records as the command line and the staff pages see them: counted, listed, and one sealed content."""

from collections.abc import Iterable

from kiosk.uploader.outbox.records import Entry, Listed, StoredState
from kiosk.uploader.store.database import Database


def count_by_state(database: Database) -> dict[StoredState, int]:
    """How many records stand in each state."""
    found = {
        str(state): _int(n)
        for state, n in database.rows("SELECT state, count(*) FROM records WHERE seq > 0 GROUP BY state")
    }
    return {state: found.get(state.value, 0) for state in StoredState}


def list_records(
    database: Database, *, limit: int, states: Iterable[str] = (), before: int | None = None
) -> list[Listed]:
    """List records without their content, the newest last: the last `limit` before sequence `before`."""
    wanted = [StoredState(state).value for state in states] or [state.value for state in StoredState]
    marks = ", ".join("?" * len(wanted))
    rows = database.rows(
        "SELECT seq, id, receipt, state, taken_at, attempts, validity, code, outcome, reason FROM records"  # noqa: S608
        f" WHERE state IN ({marks}) AND seq > 0 AND seq < ? ORDER BY seq DESC LIMIT ?",
        (*wanted, 2**62 if before is None else before, limit),
    )
    return [_line(row) for row in reversed(rows)]


def sealed_record(database: Database, record: str) -> Entry | None:
    """Return one record with its sealed content, for export; None when there is none (any more)."""
    rows = database.rows(
        "SELECT id, suite, key_id, sealed, mode, taken_at, clock_trusted, challenged FROM records"
        " WHERE id = ? AND length(sealed) > 0",
        (record,),
    )
    if not rows:
        return None
    found, suite, key_id, sealed, mode, taken_at, trusted, challenged = rows[0]
    assert isinstance(sealed, bytes), "the column is STRICT BLOB"
    return Entry(
        str(found),
        str(suite),
        str(key_id),
        sealed,
        str(mode),
        str(taken_at),
        bool(trusted),
        bool(challenged),
    )


def _line(row: tuple[object, ...]) -> Listed:
    seq, record, receipt, state, taken_at, attempts, validity, code, outcome, reason = row
    return Listed(
        seq=_int(seq),
        id=str(record),
        receipt=str(receipt),
        state=StoredState(str(state)),
        taken_at=str(taken_at),
        attempts=_int(attempts),
        validity=None if validity is None else str(validity),
        code=None if not code else str(code),
        outcome=None if outcome is None else str(outcome),
        reason="" if reason is None else str(reason),
    )


def _int(value: object) -> int:
    assert isinstance(value, int), "the column is STRICT INTEGER"
    return value
