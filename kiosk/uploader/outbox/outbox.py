"""The outbox: sealed requests wait here until the service has answered. `schema.sql` tells the states.

Every statement that writes the table `records` stands in this file (a test holds it), so that whoever asks
how a record may change has one file to read. What only looks at records is in record_list.py.

What `commit` has returned as `KeptRecord` survives any power cut. Delivery is at least once; the record's id
as idempotency key makes it once in effect. Methods raise `OutboxLost` when the disk does not take or give
data: the caller closes the outbox, says so and opens it again later.
"""

import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.qualification.codes import outcome_of
from kiosk.qualification.terms import Outcome
from kiosk.uploader.outbox.records import (
    Entry,
    FinalAnswer,
    Full,
    KeptRecord,
    Leased,
    NotTaken,
    Rejected,
    Settled,
    Settlement,
    StoredState,
    Untried,
    Waits,
    digest,
    receipt_for,
)
from kiosk.uploader.store.database import PRAGMAS, Database, OutboxLost

KEEP_SETTLED = 20_000  #: answered and rejected rows kept for late answers, months of a busy clinic; no blobs
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Outbox:
    """The records. `first_seq` (random) is where a new file begins to count: the receipt numbers of a file
    that replaces a lost one do not repeat those just given out, and tell nothing about the number of visits.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_records: int,
        now: Moment,
        first_seq: int,
        keep_settled: int = KEEP_SETTLED,
        pragmas: dict[str, str | int] | None = None,
    ) -> None:
        self._max = max_records
        self._keep = keep_settled
        self._life = str(uuid.uuid4())
        self.database = Database(path, PRAGMAS if pragmas is None else pragmas)
        try:
            self._begin_life(now, first_seq)
        except OutboxLost:
            self.close()
            raise

    def _begin_life(self, now: Moment, first_seq: int) -> None:
        with self.database.writing():
            if not self._rows("SELECT 1 FROM sqlite_sequence WHERE name = 'records'"):
                self._rows("INSERT INTO sqlite_sequence (name, seq) VALUES ('records', ?)", first_seq)
            self._rows("DELETE FROM records WHERE seq < 0")  # a drill's dummy (drill.py): never sent
            # Leases of a former life: that attempt may have reached the service.
            self._rows(
                "UPDATE records SET state = 'pending', lease = NULL, reached = 1 WHERE state = 'sending'"
            )
            # A monotonic instant of another boot means nothing here: due now.
            self._rows(
                "UPDATE records SET try_boot = NULL, try_ms = 0 WHERE state = 'pending' AND try_boot <> ?",
                now.boot_id,
            )

    def _rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self.database.rows(sql, values)

    def close(self) -> None:
        self.database.close()

    # ---- taking ------------------------------------------------------------------------------------------

    def commit(self, entry: Entry, now: Moment, *, send_now: bool) -> KeptRecord | Full | NotTaken:
        """Keep a record; on return it is on the disk. The same record again gives the same receipt.

        With `send_now` it is leased in the same transaction: one sync less while a patient waits.
        """
        if not _UUID.fullmatch(entry.id) or not entry.sealed or not entry.suite or not entry.key_id:
            return NotTaken("the record is not well formed")
        with self.database.writing():
            known = self._rows(
                "SELECT receipt, digest, outcome, validity FROM records WHERE id = ?", entry.id
            )
            if known:
                return _again(known[0], entry)
            if self.waiting() >= self._max:
                return Full(f"{self._max} records wait for the service; no more can be taken")
            return self._insert(entry, now, send_now)

    def _insert(self, entry: Entry, now: Moment, send_now: bool) -> KeptRecord:
        seq = _int(self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'records'")[0][0]) + 1
        return self._insert_at(seq, receipt_for(seq, self._max), entry, now, send_now)

    def _insert_at(self, seq: int, receipt: str, entry: Entry, now: Moment, send_now: bool) -> KeptRecord:
        state = StoredState.SENDING if send_now else StoredState.PENDING
        columns = {
            "seq": seq,
            "id": entry.id,
            "receipt": receipt,
            "state": state.value,
            "suite": entry.suite,
            "key_id": entry.key_id,
            "sealed": entry.sealed,
            "digest": entry.digest,
            "mode": entry.mode,
            "challenged": int(entry.challenged),
            "taken_at": entry.taken_at,
            "clock_trusted": int(entry.clock_trusted),
            "boot_id": now.boot_id,
            "mono_ms": now.mono_ms,
            "wall_ms": now.wall_ms,
            "attempts": int(send_now),
            "lease": self._life if send_now else None,
        }
        self._insert_row("INSERT INTO records", columns)
        if not send_now:
            return KeptRecord(receipt)
        leased = Leased(entry.id, receipt, entry.suite, entry.key_id, entry.sealed, 1, ask_first=False)
        return KeptRecord(receipt, leased)

    def commit_drill(self, entry: Entry, now: Moment) -> Leased:
        """Keep a drill's dummy, leased at once. It uses up no receipt number and nothing but `sealed` and
        `erase_drill` sees it: its row number is negative.
        """
        with self.database.writing():
            self._rows("DELETE FROM records WHERE seq < 0")
            kept = self._insert_at(-1, "drill", entry, now, send_now=True)
        assert kept.leased is not None, "sent now"
        return kept.leased

    def erase_drill(self) -> None:
        """Overwrite and drop the dummy; `secure_delete` leaves zeros in the file."""
        with self.database.writing():
            self._rows("DELETE FROM records WHERE seq < 0")

    # ---- sending -----------------------------------------------------------------------------------------

    def claim(self, now: Moment, limit: int, only: Collection[str] = ()) -> list[Leased]:
        """Lease up to `limit` records that are due (among `only` these, if any are named), those first that
        have been due for longest: one that comes due again and again stops no other. Damaged ones are set
        aside.
        """
        due = "state = 'pending' AND (try_boot IS NULL OR try_ms <= ?)"
        if only:
            due += f" AND id IN ({', '.join('?' * len(only))})"
        if not self._rows(f"SELECT 1 FROM records WHERE {due} LIMIT 1", now.mono_ms, *only):  # noqa: S608
            return []
        leased: list[Leased] = []
        with self.database.writing():
            for row in self._rows(
                "SELECT seq, id, receipt, suite, key_id, sealed, digest, attempts, reached"  # noqa: S608
                f" FROM records WHERE {due} ORDER BY try_ms, seq LIMIT ?",
                now.mono_ms,
                *only,
                limit,
            ):
                seq, record, receipt, suite, key_id, sealed, kept_digest, attempts, reached = row
                assert isinstance(sealed, bytes), "the column is STRICT BLOB"
                if digest(str(record), str(suite), str(key_id), sealed) != kept_digest:
                    self._quarantine(_int(seq), "its content no longer fits its checksum", now)
                    continue
                self._rows(
                    "UPDATE records SET state = 'sending', lease = ?, attempts = attempts + 1 WHERE seq = ?",
                    self._life,
                    seq,
                )
                leased.append(
                    Leased(
                        id=str(record),
                        receipt=str(receipt),
                        suite=str(suite),
                        key_id=str(key_id),
                        sealed=sealed,
                        attempts=_int(attempts) + 1,
                        ask_first=bool(reached),
                    )
                )
        return leased

    def _quarantine(self, seq: int, reason: str, now: Moment) -> None:
        self._rows(
            "UPDATE records SET state = 'quarantined', lease = NULL, reason = ?, settled_ms = ?, desk = 1"
            " WHERE seq = ?",
            reason,
            now.best_ms,
            seq,
        )

    def settle(self, settlements: Sequence[Settlement], now: Moment) -> None:
        """Note what came of attempts, all in one transaction."""
        with self.database.writing():
            for settlement in settlements:
                self._settle(settlement, now)
            self._prune()

    def _settle(self, settlement: Settlement, now: Moment) -> None:
        match settlement:
            case FinalAnswer(id=record, answer=answer, late=late):
                codes = answer.codes
                self._rows(
                    "UPDATE records SET state = 'answered', lease = NULL, sealed = x'', segment = ?,"
                    " status = ?, validity = ?, code = ?, outcome = ?, settled_ms = ?, reason = NULL,"
                    " desk = ? WHERE id = ? AND state IN ('sending', 'pending', 'expired')",
                    codes.segment.value,
                    None if codes.status is None else codes.status.value,
                    None if codes.validity is None else codes.validity.value,
                    answer.processing_code,
                    outcome_of(codes).value,
                    now.best_ms,
                    int(late),
                    record,
                )
            case Rejected(id=record, code=code, late=late):
                self._rows(
                    "UPDATE records SET state = 'rejected', lease = NULL, sealed = x'', code = ?,"
                    " outcome = ?, settled_ms = ?, reason = NULL, desk = ?"
                    " WHERE id = ? AND state IN ('sending', 'pending')",
                    code,
                    Outcome.STAFF_CALLED.value,
                    now.best_ms,
                    int(late),
                    record,
                )
            case Waits(id=record, after_s=after_s, reached=reached, reason=reason):
                self._rows(
                    "UPDATE records SET state = 'pending', lease = NULL, reached = max(reached, ?),"
                    " reason = ?, try_boot = ?, try_ms = ? WHERE id = ? AND state = 'sending'",
                    int(reached),
                    reason,
                    now.boot_id if after_s > 0 else None,
                    now.mono_ms + int(after_s * 1000),
                    record,
                )
            case Untried(id=record):
                self._rows(
                    "UPDATE records SET state = 'pending', lease = NULL, attempts = attempts - 1"
                    " WHERE id = ? AND state = 'sending'",
                    record,
                )
            case _:
                assert_never(settlement)

    def _prune(self) -> None:
        """Drop the oldest settled rows; by number, because no clock here may decide over deletion."""
        last = _int(self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'records'")[0][0])
        self._rows(
            "DELETE FROM records WHERE seq <= ? AND state IN ('answered', 'rejected')", last - self._keep
        )

    def expire(self, now: Moment, max_age_s: float) -> list[str]:
        """Give up those that wait for longer than `max_age_s`; returns their receipt numbers."""
        old = [row for row in self._ages(now) if row[2] > max_age_s]
        if not old:
            return []
        with self.database.writing():
            for seq, _, _ in old:
                self._rows(
                    "UPDATE records SET state = 'expired', settled_ms = ?, reason = 'waited for too long',"
                    " desk = 1 WHERE seq = ?",
                    now.best_ms,
                    seq,
                )
        return [receipt for _, receipt, _ in old]

    def _ages(self, now: Moment, limit: int = -1) -> Iterable[tuple[int, str, float]]:
        for seq, receipt, boot, mono, wall, trusted in self._rows(
            "SELECT seq, receipt, boot_id, mono_ms, ifnull(true_ms, wall_ms),"
            " clock_trusted OR true_ms IS NOT NULL FROM records"
            " WHERE state = 'pending' ORDER BY seq LIMIT ?",
            limit,
        ):
            age = now.age_s(str(boot), _int(mono), _int(wall), bool(trusted))
            yield _int(seq), str(receipt), age

    def make_due(self) -> int:
        """Forget the back-off of all that wait; returns how many there are."""
        with self.database.writing():
            self._rows("UPDATE records SET try_boot = NULL, try_ms = 0 WHERE state = 'pending'")
        return self.waiting()

    def next_due_s(self, now: Moment) -> float | None:
        """Seconds until the next record is due, None when none waits for its attempt."""
        due = "state = 'pending' AND (try_boot IS NULL OR try_ms <= ?)"
        if self._rows(f"SELECT 1 FROM records WHERE {due} LIMIT 1", now.mono_ms):  # noqa: S608  # a constant
            return 0.0  # without looking at all of a long backlog, at every turn of its draining
        row = self._rows(
            "SELECT min(CASE WHEN try_boot IS NULL THEN 0 ELSE try_ms END) FROM records"
            " WHERE state = 'pending'"
        )[0][0]
        return None if row is None else max(0.0, (_int(row) - now.mono_ms) / 1000)

    # ---- looking -----------------------------------------------------------------------------------------

    def waiting(self) -> int:
        """How many records have no answer yet and are still sent."""
        waits = "state IN ('pending', 'sending') AND seq > 0"
        return _int(self._rows(f"SELECT count(*) FROM records WHERE {waits}")[0][0])  # noqa: S608

    def oldest_s(self, now: Moment) -> float | None:
        """How long the one that was taken first has been waiting."""
        return next((age for _, _, age in self._ages(now, limit=1)), None)

    # ---- what is not the way of a record -------------------------------------------------------------------

    def mark_seen(self, record: str) -> bool:
        """Note that staff have dealt with it; False when there was nothing (more) to deal with."""
        with self.database.writing():
            seen = self._rows(
                "UPDATE records SET desk = 2 WHERE id = ? AND desk = 1 RETURNING seq",
                record,
            )
        return bool(seen)

    def mend_times(self, now: Moment) -> None:
        """Derive the wall times of this boot's untrusted rows; the first synchronisation of a boot counts."""
        offset = now.wall_ms - now.mono_ms
        untrusted = "boot_id = ? AND clock_trusted = 0"
        with self.database.writing():
            self._rows(
                "INSERT OR IGNORE INTO boots SELECT ?, ?"  # noqa: S608  # a constant
                f" WHERE EXISTS (SELECT 1 FROM audit WHERE {untrusted})"
                f" OR EXISTS (SELECT 1 FROM records WHERE {untrusted})",
                now.boot_id,
                offset,
                now.boot_id,
                now.boot_id,
            )
            self._rows(
                "UPDATE records SET true_ms = mono_ms + (SELECT offset_ms FROM boots WHERE boot_id = ?)"  # noqa: S608
                f" WHERE {untrusted} AND true_ms IS NULL",
                now.boot_id,
                now.boot_id,
            )

    def restore(self, row: Mapping[str, object]) -> None:
        """Put back a row that was saved from a damaged file; within a transaction of the caller's. A row
        whose number is taken already is left out, one without an id of its own gets one.
        """
        columns = dict(row)
        if not columns["id"] or self._rows("SELECT 1 FROM records WHERE id = ?", columns["id"]):
            columns["id"] = f"damaged-{columns['seq']}"
        self._insert_row("INSERT OR IGNORE INTO records", columns)

    def _insert_row(self, insert: str, columns: Mapping[str, object]) -> None:
        marks = ", ".join("?" * len(columns))
        self._rows(f"{insert} ({', '.join(columns)}) VALUES ({marks})", *columns.values())


def _again(row: tuple[object, ...], entry: Entry) -> KeptRecord | NotTaken:
    receipt, kept_digest, outcome, validity = row
    if kept_digest != entry.digest:
        return NotTaken("another record already has this id")
    settled = None
    if outcome is not None:
        settled = Settled(Outcome(str(outcome)), None if validity is None else str(validity))
    return KeptRecord(str(receipt), None, settled)


def _int(value: object) -> int:
    assert isinstance(value, int), "the column is STRICT INTEGER"
    return value
