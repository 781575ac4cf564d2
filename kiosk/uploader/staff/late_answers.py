"""What staff see of the records: counts, and each end that no patient was shown. Codes only."""

from datetime import UTC, datetime

from kiosk.channel import LateAnswer, WaitingList
from kiosk.qualification.terms import Outcome
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.record_list import count_by_state
from kiosk.uploader.outbox.records import StoredState
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.named_values import NamedValues, ValueName

MAX_LATE = 50
#: What staff see where the service gave no outcome.
_WITHOUT_ANSWER = {
    StoredState.EXPIRED.value: Outcome.RECORDED,
    StoredState.QUARANTINED.value: Outcome.STAFF_CALLED,
}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def waiting_list(outbox: Outbox) -> WaitingList:
    """All that staff may know now."""
    found = count_by_state(outbox.database)
    database = outbox.database
    return WaitingList(
        waiting=found[StoredState.PENDING] + found[StoredState.SENDING],
        oldest_at=_oldest(database),
        expired=found[StoredState.EXPIRED],
        quarantined=found[StoredState.QUARANTINED],
        held=held(database),
        late=_late(database),
        drill_passed_at=NamedValues(database).get(ValueName.DRILL_PASSED),
    )


def held(database: Database) -> int:
    """How many wait that the service cannot open: it no longer knows the key that they are sealed to."""
    waits = "state IN ('pending', 'sending') AND reason = 'key_unknown'"
    rows = database.rows(f"SELECT count(*) FROM records WHERE {waits}")  # noqa: S608  # a constant
    return int(str(rows[0][0]))


def unseen(database: Database, state: StoredState) -> int:
    """How many of a state staff have not dealt with."""
    rows = database.rows("SELECT count(*) FROM records WHERE desk = 1 AND state = ?", (state.value,))
    return int(str(rows[0][0]))


def rfc3339(ms: int) -> str:
    """Milliseconds since 1970 as the interfaces write times."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _oldest(database: Database) -> str | None:
    rows = database.rows(
        "SELECT taken_at, true_ms FROM records WHERE state IN ('pending', 'sending') AND seq > 0"
        " ORDER BY seq LIMIT 1"
    )
    return _taken(*rows[0]) if rows else None


def _taken(taken_at: object, true_ms: object) -> str:
    return rfc3339(true_ms) if isinstance(true_ms, int) else str(taken_at)[:32]


def _late(database: Database) -> tuple[LateAnswer, ...]:
    rows = database.rows(
        "SELECT id, receipt, taken_at, true_ms, settled_ms, state, outcome, validity FROM records"
        " WHERE desk = 1 ORDER BY seq LIMIT ?",
        (MAX_LATE,),
    )
    return tuple(
        LateAnswer(
            visit=str(visit)[:64],
            receipt=str(receipt)[:12],
            taken_at=_taken(taken_at, true_ms),
            answered_at=rfc3339(settled) if isinstance(settled, int) else _taken(taken_at, true_ms),
            outcome=_WITHOUT_ANSWER.get(str(state)) or _OUTCOMES.get(str(outcome), Outcome.STAFF_CALLED),
            validity=None if validity is None else str(validity),
        )
        for visit, receipt, taken_at, true_ms, settled, state, outcome, validity in rows
    )
