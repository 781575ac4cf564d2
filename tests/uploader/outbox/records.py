"""Outboxes and records to try them with."""

import secrets
from pathlib import Path

from kiosk.box.clock import Moment
from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
)
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import Entry, FinalAnswer
from kiosk.uploader.service.wire import Answer
from kiosk.uploader.store.database import PRAGMAS
from tests.uploader.world import new_visit

NOW = Moment("boot-1", mono_ms=1_000_000, wall_ms=1_800_000_000_000, trusted=True)


def later(seconds: float, boot: str = "boot-1") -> Moment:
    return Moment(boot, NOW.mono_ms + int(seconds * 1000), NOW.wall_ms + int(seconds * 1000), NOW.trusted)


def entry(record: str | None = None, *, size: int = 2600) -> Entry:
    return Entry(
        id=record or new_visit(),
        suite="X25519-HKDF-SHA256-ChaCha20Poly1305",
        key_id="k1",
        sealed=secrets.token_bytes(size),
        mode="home_consent",
        taken_at="2027-01-15T08:00:00.000Z",
        clock_trusted=True,
        challenged=True,
    )


def open_outbox(
    path: Path,
    *,
    max_records: int = 500,
    now: Moment = NOW,
    first_seq: int = 0,
    keep_settled: int = 20_000,
    pragmas: dict[str, str | int] | None = None,
) -> Outbox:
    return Outbox(
        path,
        max_records=max_records,
        now=now,
        first_seq=first_seq,
        keep_settled=keep_settled,
        pragmas=PRAGMAS if pragmas is None else pragmas,
    )


def answered(record: str, validity: QualificationValidity = QualificationValidity.VALID) -> FinalAnswer:
    codes = ResultCodes(SegmentOfResult.NORMAL, ProcessingResultStatus.NORMAL, validity)
    return FinalAnswer(record, Answer(record, codes, "", None))
