"""What the outbox promises, on a real file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.channel import VisitEnded
from kiosk.qualification.devices import Device
from kiosk.qualification.sealing import SealingKey, SuiteName
from kiosk.qualification.terms import Authentication, Mode, Outcome
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.record_list import count_by_state, list_records, sealed_record
from kiosk.uploader.outbox.records import (
    Full,
    KeptRecord,
    NotTaken,
    Rejected,
    Settled,
    StoredState,
    Untried,
    Waits,
    receipt_for,
)
from kiosk.uploader.outbox.service_keys import keep_keys, kept_keys
from kiosk.uploader.service.wire import ServiceKeys
from kiosk.uploader.store.database import PRAGMAS, OutboxLost
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.audit_events import AuditEvent
from tests.uploader.outbox.records import NOW, answered, entry, later, open_outbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    outbox = open_outbox(path, max_records=3)
    yield outbox
    outbox.close()


def kept(result: KeptRecord | Full | NotTaken) -> KeptRecord:
    assert isinstance(result, KeptRecord)
    return result


def states(outbox: Outbox) -> dict[str, StoredState]:
    return {line.id: line.state for line in list_records(outbox.database, limit=100)}


# ---- taking ------------------------------------------------------------------------------------------------


def test_the_same_commit_again_has_one_effect_and_the_same_receipt(outbox: Outbox) -> None:
    record = entry()
    first = kept(outbox.commit(record, NOW, send_now=False))
    assert kept(outbox.commit(record, NOW, send_now=True)) == first
    assert outbox.waiting() == 1


def test_another_content_under_the_same_id_is_refused(outbox: Outbox) -> None:
    record = entry()
    kept(outbox.commit(record, NOW, send_now=False))
    assert isinstance(outbox.commit(entry(record.id), NOW, send_now=False), NotTaken)
    sealed = sealed_record(outbox.database, record.id)
    assert sealed is not None
    assert sealed.sealed == record.sealed


def test_a_commit_again_after_the_answer_tells_the_answer(outbox: Outbox) -> None:
    record = entry()
    first = kept(outbox.commit(record, NOW, send_now=True))
    outbox.settle([answered(record.id)], NOW)
    again = kept(outbox.commit(record, NOW, send_now=True))
    assert again == KeptRecord(first.receipt, None, Settled(Outcome.VERIFIED, "1"))


@pytest.mark.parametrize(
    "record", ["", "not-a-uuid", "../../etc/passwd", "0190A000-0000-7000-8000-000000000001"]
)
def test_an_id_that_is_no_uuid_is_refused(outbox: Outbox, record: str) -> None:
    malformed = entry("x")
    malformed = type(malformed)(**{**malformed.__dict__, "id": record})
    assert isinstance(outbox.commit(malformed, NOW, send_now=False), NotTaken)


def test_at_the_count_cap_patients_are_refused_until_one_is_answered(outbox: Outbox) -> None:
    records = [entry() for _ in range(3)]
    for record in records:
        kept(outbox.commit(record, NOW, send_now=False))
    assert isinstance(outbox.commit(entry(), NOW, send_now=False), Full)
    kept(outbox.commit(records[0], NOW, send_now=False))  # what is kept already is not refused
    outbox.settle([answered(records[1].id)], NOW)
    kept(outbox.commit(entry(), NOW, send_now=False))


def test_two_that_wait_never_share_a_receipt_number() -> None:
    for cap in (1, 500, 4500, 4501, 100_000):
        numbers = [receipt_for(seq, cap) for seq in range(7, 7 + 2 * cap)]
        assert len(set(numbers)) == len(numbers)
    assert receipt_for(1, 500) == "1000"
    assert receipt_for(9000, 500) == "9999"
    assert receipt_for(9001, 500) == "1000"


@given(st.integers(1, 10**9), st.integers(1, 100_000))
def test_receipt_numbers_of_one_outbox_are_equally_long(seq: int, cap: int) -> None:
    assert len(receipt_for(seq, cap)) == len(receipt_for(1, cap))
    assert not receipt_for(seq, cap).startswith("0")


# ---- sending -----------------------------------------------------------------------------------------------


def test_a_record_that_is_due_again_and_again_stops_no_other(outbox: Outbox) -> None:
    """The service keeps the first "in progress": it is due every half second, the others once."""
    records = [entry() for _ in range(3)]
    for each in records:
        outbox.commit(each, NOW, send_now=False)
    sent = []
    for n in range(4):
        [leased] = outbox.claim(later(n), 1)
        sent.append(leased.id)
        outbox.settle([Waits(leased.id, 0.5, reached=True, reason="at work")], later(n))
    assert sent[:3] == [each.id for each in records]
    assert sent[3] == records[0].id


def test_records_are_claimed_once_the_oldest_first(outbox: Outbox) -> None:
    records = [entry() for _ in range(3)]
    for record in records:
        outbox.commit(record, NOW, send_now=False)
    assert [leased.id for leased in outbox.claim(NOW, 2)] == [record.id for record in records[:2]]
    assert [leased.id for leased in outbox.claim(NOW, 2)] == [records[2].id]
    assert outbox.claim(NOW, 2) == []


def test_a_record_is_due_again_on_the_monotonic_clock_only(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    outbox.settle([Waits(record.id, 60.0, reached=True, reason="later")], NOW)
    assert outbox.claim(later(59.9), 1) == []
    assert outbox.next_due_s(later(20)) == 40.0
    [leased] = outbox.claim(later(60), 1)
    assert leased.attempts == 2
    assert leased.ask_first


def test_what_surely_did_not_reach_the_service_is_sent_without_asking(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    outbox.settle([Waits(record.id, 0.0, reached=False, reason="no line")], NOW)
    [leased] = outbox.claim(NOW, 1)
    assert not leased.ask_first


def test_once_reached_is_reached_for_good(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    outbox.settle([Waits(record.id, 0.0, reached=True, reason="lost")], NOW)
    outbox.claim(NOW, 1)
    outbox.settle([Waits(record.id, 0.0, reached=False, reason="no line")], NOW)
    assert outbox.claim(NOW, 1)[0].ask_first


def test_a_lease_given_back_is_no_attempt(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=False)
    outbox.claim(NOW, 1)
    outbox.settle([Untried(record.id)], NOW)
    [leased] = outbox.claim(NOW, 1)
    assert (leased.attempts, leased.ask_first) == (1, False)


def test_leases_of_a_former_life_are_taken_back_and_asked_about(path: Path) -> None:
    record = entry()
    first = open_outbox(path)
    first.commit(record, NOW, send_now=True)
    first.close()
    second = open_outbox(path)
    [leased] = second.claim(NOW, 5)
    assert (leased.id, leased.ask_first) == (record.id, True)
    second.close()


def test_after_a_reboot_everything_is_due_although_the_monotonic_clock_began_anew(path: Path) -> None:
    record = entry()
    first = open_outbox(path)
    first.commit(record, NOW, send_now=True)
    first.settle([Waits(record.id, 300.0, reached=True, reason="later")], NOW)
    first.close()
    rebooted = later(-990, boot="boot-2")
    second = open_outbox(path, now=rebooted)
    assert [leased.id for leased in second.claim(rebooted, 5)] == [record.id]
    second.close()


def test_staff_may_ask_for_everything_at_once(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    outbox.settle([Waits(record.id, 300.0, reached=True, reason="later")], NOW)
    assert outbox.make_due() == 1
    assert [leased.id for leased in outbox.claim(NOW, 5)] == [record.id]


# ---- settling ----------------------------------------------------------------------------------------------


def test_the_blob_is_overwritten_in_the_file_once_the_answer_is_committed(outbox: Outbox, path: Path) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    assert record.sealed[:64] in path.read_bytes()
    outbox.settle([answered(record.id)], NOW)
    assert sealed_record(outbox.database, record.id) is None
    content = path.read_bytes()
    assert not any(record.sealed[at : at + 16] in content for at in range(0, len(record.sealed) - 16, 16))


def test_a_rejected_record_tells_the_code_and_keeps_no_blob(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    outbox.settle([Rejected(record.id, "bad_signature")], NOW)
    [line] = list_records(outbox.database, limit=10)
    assert (line.state, line.code, line.outcome) == (StoredState.REJECTED, "bad_signature", "staff_called")
    assert sealed_record(outbox.database, record.id) is None


def test_an_answer_is_not_undone_by_a_late_failure(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=True)
    outbox.settle([answered(record.id)], NOW)
    outbox.settle([Waits(record.id, 0.0, reached=True, reason="late")], NOW)
    outbox.settle([Rejected(record.id, "late")], NOW)
    assert states(outbox) == {record.id: StoredState.ANSWERED}


def test_at_the_age_cap_a_record_is_kept_listed_and_no_longer_sent(outbox: Outbox) -> None:
    record = entry()
    receipt = kept(outbox.commit(record, NOW, send_now=False)).receipt
    assert outbox.expire(later(86_399), 86_400) == []
    assert outbox.expire(later(86_401), 86_400) == [receipt]
    assert outbox.claim(later(86_402), 5) == []
    assert states(outbox) == {record.id: StoredState.EXPIRED}
    assert sealed_record(outbox.database, record.id) is not None
    assert outbox.waiting() == 0, "it does not fill the outbox for ever"


def test_an_answer_that_comes_after_expiry_still_counts(outbox: Outbox) -> None:
    record = entry()
    outbox.commit(record, NOW, send_now=False)
    outbox.expire(later(90_000), 86_400)
    outbox.settle([answered(record.id)], later(90_001))
    assert states(outbox) == {record.id: StoredState.ANSWERED}


def test_old_settled_rows_go_and_waiting_ones_stay(path: Path) -> None:
    outbox = open_outbox(path, keep_settled=10)
    waits = entry()
    outbox.commit(waits, NOW, send_now=False)
    for _ in range(30):
        record = entry(size=10)
        outbox.commit(record, NOW, send_now=True)
        outbox.settle([answered(record.id)], NOW)
    counts = count_by_state(outbox.database)
    assert (counts[StoredState.PENDING], counts[StoredState.ANSWERED]) == (1, 10)
    outbox.close()


def test_a_record_damaged_on_the_disk_is_quarantined_and_the_others_are_sent(path: Path) -> None:
    bad, good = entry(), entry()
    outbox = open_outbox(path)
    outbox.commit(bad, NOW, send_now=False)
    outbox.commit(good, NOW, send_now=False)
    outbox.close()
    content = bytearray(path.read_bytes())
    content[content.index(bad.sealed[:32]) + 5] ^= 0x10  # one bit, as a failing card would
    path.write_bytes(content)
    outbox = open_outbox(path)
    assert [leased.id for leased in outbox.claim(NOW, 5)] == [good.id]
    line = next(line for line in list_records(outbox.database, limit=10) if line.id == bad.id)
    assert line.state is StoredState.QUARANTINED
    assert "checksum" in line.reason
    outbox.close()


# ---- the file ----------------------------------------------------------------------------------------------


def test_every_pragma_is_read_back(outbox: Outbox) -> None:
    found = {name: outbox.database.rows(f"PRAGMA {name}")[0][0] for name in PRAGMAS}
    assert found == PRAGMAS
    assert (found["journal_mode"], found["synchronous"]) == ("truncate", 3)


@pytest.mark.parametrize("name", ["journal_mode", "synchronous", "secure_delete"])
def test_a_pragma_that_does_not_hold_fails_loudly(path: Path, name: str) -> None:
    disobeyed = PRAGMAS | {name: "a_value_that_SQLite_does_not_know"}
    with pytest.raises(OutboxLost, match=f"SQLite keeps {name}"):
        open_outbox(path, pragmas=disobeyed)


def test_a_second_uploader_on_the_same_file_is_refused(outbox: Outbox, path: Path) -> None:
    with pytest.raises(OutboxLost, match="only one uploader"):
        open_outbox(path)


def test_a_file_of_a_newer_program_is_left_alone(path: Path) -> None:
    open_outbox(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutboxLost, match="newer program"):
        open_outbox(path)


def test_the_numbers_go_on_after_a_restart(path: Path) -> None:
    first = open_outbox(path, first_seq=4000)
    one = kept(first.commit(entry(), NOW, send_now=False)).receipt
    first.close()
    second = open_outbox(path, first_seq=77)
    two = kept(second.commit(entry(), NOW, send_now=False)).receipt
    second.close()
    assert (one, two) == ("5000", "5001")


def test_the_services_keys_are_kept(outbox: Outbox) -> None:
    assert kept_keys(outbox.database) is None
    suite = SuiteName.X25519_SHA256_CHACHA20POLY1305
    keys = ServiceKeys("s", (SealingKey("k2", suite, bytes(32)), SealingKey("k1", suite, bytes(32))))
    keep_keys(outbox.database, keys)
    keep_keys(outbox.database, keys)
    assert kept_keys(outbox.database) == keys


# ---- audit and counters ------------------------------------------------------------------------------------


def note(ledger: Ledger, staff: str = "1001") -> bool:
    return ledger.note(AuditEvent.VISUAL_CHECK, staff, NOW, visit=entry().id)


@pytest.mark.parametrize("statement", ["UPDATE audit SET staff = '1'", "DELETE FROM audit"])
def test_the_audit_table_takes_neither_change_nor_removal(outbox: Outbox, statement: str) -> None:
    ledger = Ledger(outbox.database)
    assert note(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        outbox.database.rows(statement)
    assert ledger.broken_link() is None


def test_an_audit_row_taken_out_behind_our_back_shows(outbox: Outbox) -> None:
    ledger = Ledger(outbox.database)
    for _ in range(4):
        assert note(ledger)
    outbox.database.rows("DROP TRIGGER audit_is_not_shortened")
    outbox.database.rows("DELETE FROM audit WHERE seq = 2")
    assert ledger.broken_link() == 3


def test_the_audit_table_takes_no_free_text(outbox: Outbox) -> None:
    assert not note(Ledger(outbox.database), "架空 花子")


def ended(outcome: Outcome) -> VisitEnded:
    return VisitEnded(
        visit=entry().id,
        outcome=outcome,
        mode=Mode.HOME_CONSENT,
        device=Device.CARD,
        authentication=Authentication.PIN,
        stages_ms={"verified": 740.0, "signed": 1200.0},
    )


def test_visits_are_counted_by_the_hour_and_their_stages_in_buckets(outbox: Outbox) -> None:
    ledger = Ledger(outbox.database)
    for outcome in (Outcome.VERIFIED, Outcome.VERIFIED, Outcome.RECORDED):
        ledger.count(ended(outcome), NOW)
    assert ledger.outcomes_today(NOW) == {"verified": 2, "recorded": 1}
    assert ledger.outcomes_today(later(86_400)) == {}
    assert outbox.database.rows("SELECT stage, le_ms, n, sum_ms FROM stage_times ORDER BY stage") == [
        ("signed", 1500, 3, 3600.0),
        ("verified", 750, 3, 2220.0),
    ]
