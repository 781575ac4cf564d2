"""Memory of a process through which many records went. Run as a module it is that process."""

import os
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

from kiosk.box.clock import Clock
from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
)
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import Entry, FinalAnswer, KeptRecord
from kiosk.uploader.service.wire import Answer
from tests.benchmarks.outbox_delivery import QUICK_PRAGMAS
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, row

RECORDS = 100_000
WARM_UP = 5_000  #: until SQLite's page cache is full and Python's own memory has settled
SEALED_BYTES = 2_600
FIRST_SEQ = 1000
LIMIT_S = 1200.0
_CODES = ResultCodes(SegmentOfResult.NORMAL, ProcessingResultStatus.NORMAL, QualificationValidity.VALID)


def _rss_kb() -> int:
    """Resident memory of this process: proc_pid_status(5)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise Unmeasured("/proc tells no resident memory")


def _pass_through(outbox: Outbox, clock: Clock, count: int) -> None:
    for _ in range(count):
        entry = Entry(
            id=str(uuid.uuid4()),
            suite="X25519-HKDF-SHA256-ChaCha20Poly1305",
            key_id="bench",
            sealed=os.urandom(SEALED_BYTES),
            mode="home_consent",
            taken_at="2026-01-01T00:00:00Z",
            clock_trusted=True,
            challenged=True,
        )
        now = clock.now()
        if not isinstance(outbox.commit(entry, now, send_now=True), KeptRecord):
            raise Unmeasured("the outbox did not take a record")
        outbox.settle([FinalAnswer(entry.id, Answer(entry.id, _CODES, "", None))], now)


def main() -> None:
    """Print the kilobytes of growth."""
    clock = Clock()
    path = Path(sys.argv[1])
    outbox = Outbox(path, max_records=500, now=clock.now(), first_seq=FIRST_SEQ, pragmas=QUICK_PRAGMAS)
    with closing(outbox):
        _pass_through(outbox, clock, WARM_UP)
        before = _rss_kb()
        _pass_through(outbox, clock, int(sys.argv[2]))
        sys.stdout.write(f"{_rss_kb() - before}\n")


@row("outbox_growth_mb", "MB", goal=at_most(1))
def outbox_growth_mb(lab: Lab) -> Measured:
    """100,000 records committed, answered and in time pruned."""
    path = lab.subfolder("growth") / "outbox.sqlite"
    command = [sys.executable, "-m", "tests.benchmarks.outbox_growth", str(path), str(RECORDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return Measured(
        int(done.stdout) / 1024,
        f"resident memory after {RECORDS} records committed and answered, less that after {WARM_UP}; syncs "
        f"off, the file ends at {path.stat().st_size / 1e6:.1f} MB",
    )


if __name__ == "__main__":
    main()
