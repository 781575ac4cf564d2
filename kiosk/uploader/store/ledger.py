"""The audit table and the hourly counters, in the same file as the records.

Neither names a patient. The audit rows are chained: each holds a hash over the row before and itself, so a
row taken out of the middle shows (`broken_link`).
"""

import logging
import re

from kiosk.box.clock import Moment
from kiosk.channel import AuditRow, StaffWasCalled, VisitEnded
from kiosk.uploader.store.audit_chain import link
from kiosk.uploader.store.audit_sentences import AuditWord, fault_of, name_of
from kiosk.uploader.store.database import Database
from kiosk.visit.audit_events import AuditEvent

log = logging.getLogger(__name__)

#: Upper bounds of the histogram of stage times, ms; Prometheus-like, the last bucket is open. None may
#: go: older files hold rows of it.
BUCKETS_MS = (
    *(25, 50, 75, 100, 150, 200, 300, 500, 750),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000),
)
ABOVE = -1  #: the bucket above all bounds
_MAX_STAGES = 32
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Ledger:
    """Writes and reads the two; shares the outbox's connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self,
        event: AuditEvent,
        staff: str,
        now: Moment,
        *,
        visit: str | None = None,
        word: AuditWord | None = None,
    ) -> bool:
        """Append to the audit table; False when such a row must not be (audit_sentences.py)."""
        name = name_of(event, word)
        if (fault := fault_of(name, staff, visit)) is not None:
            log.warning("an audit note was refused: %s", fault)
            return False
        with self._database.writing():
            last = self._database.rows("SELECT chain FROM audit ORDER BY seq DESC LIMIT 1")
            before = last[0][0] if last else b""
            assert isinstance(before, bytes), "the column is STRICT BLOB"
            row = (
                name,
                staff,
                visit,
                now.boot_id,
                now.mono_ms,
                now.wall_ms,
                int(now.trusted),
            )
            self._database.rows(
                "INSERT INTO audit (event, staff, visit, boot_id, mono_ms, wall_ms, clock_trusted, chain)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, link(before, row)),
            )
        return True

    def broken_link(self) -> int | None:
        """Return the first audit row that does not follow from the one before, None when all do."""
        before = b""
        for seq, *row, chain in self._database.rows(
            "SELECT seq, event, staff, visit, boot_id, mono_ms, wall_ms, clock_trusted, chain"
            " FROM audit ORDER BY seq"
        ):
            if link(before, tuple(row)) != chain:
                assert isinstance(seq, int), "the column is the row id"
                return seq
            before = chain
        return None

    def page(self, after: int, most: int) -> tuple[AuditRow, ...]:
        """Rows after a sequence number, oldest first. A time of a boot that did not know it is mended."""
        rows = self._database.rows(
            "SELECT seq, event, staff, visit, audit.boot_id, mono_ms, wall_ms, clock_trusted, chain,"
            " CASE WHEN clock_trusted = 0 THEN mono_ms + offset_ms END"
            " FROM audit LEFT JOIN boots ON boots.boot_id = audit.boot_id WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, most),
        )
        return tuple(
            AuditRow(
                seq=int(str(seq)),
                event=str(event)[:64],
                staff=str(staff)[:64],
                visit=None if visit is None else str(visit)[:64],
                boot_id=str(boot)[:64],
                mono_ms=int(str(mono)),
                wall_ms=int(str(wall)),
                clock_trusted=bool(trusted),
                chain=chain if isinstance(chain, bytes) else b"",
                true_ms=true if isinstance(true, int) else None,
            )
            for seq, event, staff, visit, boot, mono, wall, trusted, chain, true in rows
        )

    def count(self, ended: VisitEnded, now: Moment) -> None:
        """Count one visit and the time of its stages."""
        device = "" if ended.device is None else ended.device.value
        authentication = "" if ended.authentication is None else ended.authentication.value
        with self._database.writing():
            self._database.rows(
                "INSERT INTO hourly VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
                (now.hour, ended.outcome.value, ended.mode.value, device, authentication),
            )
            for stage, ms in list(ended.stages_ms.items())[:_MAX_STAGES]:
                if _NAME.fullmatch(stage) and 0 <= ms < 1e9:
                    bucket = next((bound for bound in BUCKETS_MS if ms <= bound), ABOVE)
                    self._database.rows(
                        "INSERT INTO stage_times VALUES (?, ?, ?, 1, ?)"
                        " ON CONFLICT DO UPDATE SET n = n + 1, sum_ms = sum_ms + excluded.sum_ms",
                        (now.hour, stage, bucket, float(ms)),
                    )

    def count_call(self, call: StaffWasCalled, now: Moment) -> None:
        """Count one call for staff."""
        with self._database.writing():
            self._database.rows(
                "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
                (now.hour, call.reason.value),
            )

    def outcomes_today(self, now: Moment) -> dict[str, int]:
        """How today's visits (Japanese time) ended."""
        rows = self._database.rows(
            "SELECT outcome, sum(n) FROM hourly WHERE hour LIKE ? GROUP BY outcome", (f"{now.hour[:10]}T%",)
        )
        return {str(outcome): int(str(n)) for outcome, n in rows}
