"""A damaged file: set aside, saved from, never a start-up loop."""

from pathlib import Path

import pytest

from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.record_list import count_by_state, list_records
from kiosk.uploader.outbox.records import KeptRecord, StoredState
from kiosk.uploader.outbox.salvage import MAX_ASIDE, open_or_salvage
from kiosk.uploader.store.database import OutboxLost
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.audit_events import AuditEvent
from tests.uploader.outbox.records import NOW, answered, entry, open_outbox

PAGE = 4096


def reopened(path: Path) -> Outbox:
    return open_or_salvage(path, lambda file, first: open_outbox(file, first_seq=first or 0))


def filled(path: Path, count: int) -> list[str]:
    outbox = open_outbox(path)
    records = [entry() for _ in range(count)]
    for record in records:
        assert isinstance(outbox.commit(record, NOW, send_now=False), KeptRecord)
    outbox.settle([answered(records[0].id)], NOW)
    Ledger(outbox.database).note(AuditEvent.FALLBACK_ON, "1001", NOW)
    outbox.close()
    return [record.id for record in records]


def test_a_sound_file_is_simply_opened(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    ids = filled(path, 3)
    outbox = reopened(path)
    assert [line.id for line in list_records(outbox.database, limit=10)] == ids
    assert list(tmp_path.iterdir()) == [path] or len(list(tmp_path.glob("*.damaged-*"))) == 0
    outbox.close()


@pytest.mark.parametrize("content", [b"this is no database" * 1000, b"SQLite format 3\x00" + bytes(5000)])
def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(content)
    outbox = reopened(path)
    assert isinstance(outbox.commit(entry(), NOW, send_now=False), KeptRecord)
    outbox.close()
    assert (tmp_path / "outbox.sqlite.damaged-1").read_bytes() == content


def test_every_page_lost_in_turn_leaves_a_working_outbox_and_loses_little(tmp_path: Path) -> None:
    original = tmp_path / "original.sqlite"
    ids = filled(original, 40)
    content = original.read_bytes()
    saved_everywhere = []
    for page in range(len(content) // PAGE):
        folder = tmp_path / f"page-{page}"
        folder.mkdir()
        path = folder / "outbox.sqlite"
        path.write_bytes(content[: page * PAGE] + b"\xa5" * PAGE + content[(page + 1) * PAGE :])
        outbox = reopened(path)
        claimed = {leased.id for leased in outbox.claim(NOW, 100)}
        assert claimed <= set(ids), "nothing that was never committed is sent"
        assert isinstance(outbox.commit(entry(), NOW, send_now=False), KeptRecord)
        quarantined = count_by_state(outbox.database)[StoredState.QUARANTINED]
        saved_everywhere.append(len(claimed) + quarantined)
        outbox.close()
        again = reopened(path)
        again.close()
        assert len(list(folder.glob("*.damaged-*"))) <= 1, "the second start finds nothing to mend"
    # Without page 1 (the schema) or 2 (the root of the records) the way to the rows is lost: they are still
    # in the file that was set aside. Any other page costs at most the rows on it.
    assert min(saved_everywhere[2:]) >= 38, saved_everywhere


def test_a_truncated_file_gives_back_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    ids = filled(path, 40)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 // PAGE * PAGE])
    outbox = reopened(path)
    claimed = {leased.id for leased in outbox.claim(NOW, 100)}
    assert claimed
    assert claimed < set(ids)
    outbox.close()


def test_saved_rows_keep_receipts_and_the_numbers_do_not_start_over(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 10)
    before = open_outbox(path)
    receipts = {line.id: line.receipt for line in list_records(before.database, limit=100)}
    before.close()
    content = path.read_bytes()
    path.write_bytes(content[: -2 * PAGE] + b"\xa5" * 2 * PAGE)
    outbox = reopened(path)
    after = {line.id: line.receipt for line in list_records(outbox.database, limit=100)}
    assert after.items() <= receipts.items()
    new = outbox.commit(entry(), NOW, send_now=False)
    assert isinstance(new, KeptRecord)
    assert new.receipt not in receipts.values()
    outbox.close()


def test_a_salvage_that_was_cut_off_before_the_new_file_had_the_name_is_finished(tmp_path: Path) -> None:
    path, mended = tmp_path / "outbox.sqlite", tmp_path / "outbox.sqlite.mended"
    ids = filled(mended, 5)
    (tmp_path / "outbox.sqlite.damaged-1").write_bytes(b"nonsense")
    (tmp_path / "outbox.sqlite-journal").write_bytes(b"of the damaged file")
    outbox = reopened(path)
    assert [line.id for line in list_records(outbox.database, limit=10)] == ids
    outbox.close()
    assert (tmp_path / "outbox.sqlite.damaged-1-journal").read_bytes() == b"of the damaged file"
    assert not mended.exists()


def test_a_disk_that_damages_again_and_again_is_blamed(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    for number in range(1, MAX_ASIDE + 1):
        (tmp_path / f"outbox.sqlite.damaged-{number}").write_bytes(b"")
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(OutboxLost, match="change the SD card"):
        reopened(path)
