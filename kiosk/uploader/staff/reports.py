"""What the uploader tells about itself to the command line: counts and codes, nobody's data."""

from kiosk.box.clock import Moment
from kiosk.channel import AskRecords, CommandDone, RecordLine, Records, SealedRecord, Status
from kiosk.qualification.terms import FallbackReason
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.identity.certificates import CertificateView
from kiosk.uploader.outbox import record_list
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import StoredState
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.states import OutboxCondition

MAX_LINES = 100  #: a line stays below 600 bytes, a packet below 64 KiB
_MAX_REASON = 120


def status(
    outbox: Outbox | None,
    delivery: Delivery,
    condition: OutboxCondition,
    reason: str,
    persons: int,
    certificate: CertificateView,
    fallback: FallbackReason | None,
    handed: tuple[int, int] | None,
    now: Moment,
) -> Status:
    """The state of outbox and line. `handed`: answers handed over, and given up; None while that is off."""
    counts = dict.fromkeys(StoredState, 0) if outbox is None else record_list.count_by_state(outbox.database)
    keys, heard_s = delivery.keys, delivery.line.view.heard_s
    return Status(
        online=delivery.line.online,
        waiting=counts[StoredState.PENDING] + counts[StoredState.SENDING],
        answered=counts[StoredState.ANSWERED],
        rejected=counts[StoredState.REJECTED],
        expired=counts[StoredState.EXPIRED],
        quarantined=counts[StoredState.QUARANTINED],
        outbox=condition,
        outcomes_today={} if outbox is None else Ledger(outbox.database).outcomes_today(now),
        oldest_s=None if outbox is None else outbox.oldest_s(now),
        line_reason=delivery.line.view.reason,
        outbox_reason=reason,
        sealing_key=None if keys is None else keys.keys[0].key_id,
        certificate_days=certificate.days,
        certificate_fault=certificate.fault,
        fallback=fallback,
        persons_in_memory=persons,
        certificate_not_after=certificate.not_after_s,
        last_answer_s=None if heard_s is None else now.mono_ms / 1000 - heard_s,
        clock_trusted=now.trusted,
        key_custody_level=certificate.custody,
        retries=dict(delivery.retries),
        handed_over=None if handed is None else handed[0],
        not_handed_over=0 if handed is None else handed[1],
    )


def records(outbox: Outbox, asked: AskRecords) -> Records:
    """One page of the list."""
    listed = record_list.list_records(
        outbox.database,
        limit=max(1, min(asked.limit, MAX_LINES)),
        states=[StoredState(state) for state in asked.states],
        before=asked.before,
    )
    return Records(
        records=tuple(
            RecordLine(
                seq=line.seq,
                visit=line.id[:64],
                receipt=line.receipt[:12],
                state=line.state.value,
                taken_at=line.taken_at[:32],
                attempts=line.attempts,
                outcome=line.outcome,
                validity=line.validity,
                code=line.code,
                reason=line.reason[:_MAX_REASON],
            )
            for line in listed
        )
    )


def sealed(outbox: Outbox, visit: str) -> SealedRecord | CommandDone:
    """One record as it is sealed, or why not."""
    entry = record_list.sealed_record(outbox.database, visit)
    if entry is None:
        return CommandDone(reason="there is no sealed content of that record (any more)")
    return SealedRecord(
        visit=entry.id,
        suite=entry.suite,
        key_id=entry.key_id,
        sealed=entry.sealed,
        taken_at=entry.taken_at,
    )
