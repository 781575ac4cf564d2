"""Fallback operation and the desk's list, on a real process with a real service."""

import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from kiosk import channel
from kiosk.channel import (
    AnswerSeen,
    AskStatus,
    AskWaitingList,
    AuditNote,
    Committed,
    Deferred,
    LineState,
    ServiceAnswered,
    SetFallback,
    SetPreferences,
    StaffPreferences,
    Status,
    WaitingList,
)
from kiosk.qualification.terms import FallbackReason, Outcome
from kiosk.simulator.service.service_pki import ClientFiles
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import KeptRecord, Rejected
from kiosk.uploader.staff.late_answers import waiting_list
from kiosk.uploader.staff.preferences import Preferences
from kiosk.uploader.store.audit_sentences import RULES, fault_of, sentence
from kiosk.uploader.store.database import statements
from kiosk.visit.audit_events import AuditEvent
from tests.simulator.service.running import RunningService
from tests.uploader.outbox.records import NOW, answered, entry, later, open_outbox
from tests.uploader.world import RunningUploader, Screen, Token, new_visit, running_uploader, write_config

STAFF = "1001"


def audit(path: Path) -> list[tuple[str, str]]:
    """Read after the process has ended: it holds the file alone."""
    with closing(sqlite3.connect(path)) as connection:
        return [(event, staff) for event, staff in connection.execute("SELECT event, staff FROM audit")]


@pytest.fixture
def quick(service: RunningService, client: ClientFiles, tmp_path: Path) -> Path:
    """Settings by which fallback operation begins soon."""
    return write_config(
        tmp_path, service.url, service.files.ca, client.certificate, client.key, fallback_after_s=0.2
    )


def recorded_offline(screen: Screen, service: RunningService) -> str:
    """A visit whose patient is told "recorded"."""
    screen.keys()
    service.control.close()
    visit = new_visit()
    screen.send(screen.sealed(visit))
    screen.wait_for(Deferred, visit)
    return visit


# ---- fallback operation ------------------------------------------------------------------------------------


def test_staffs_fallback_survives_a_restart_and_only_staff_end_it(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.wait_for(LineState, online=True)
        screen.send(SetFallback(staff=STAFF, reason=FallbackReason.FACE_READER))
        screen.wait_for(LineState, online=True, fallback=FallbackReason.FACE_READER)
        visit = screen.visit()
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED, "sending goes on"
    uploader.kill()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        screen.wait_for(LineState, fallback=FallbackReason.FACE_READER)
        screen.keys()
        screen.forget()
        screen.send(SetFallback(staff="1002", reason=None))
        screen.wait_for(LineState, fallback=None)
        again.stop()
    assert audit(uploader.outbox) == [
        ("fallback_on:face_reader", STAFF),
        ("fallback_off:face_reader", "1002"),
    ]


def test_offline_is_entered_by_itself_survives_a_restart_and_is_left_when_the_service_answers(
    quick: Path, service: RunningService, token: Token
) -> None:
    with running_uploader(quick, token) as uploader, uploader.screen() as screen:
        screen.keys()
        service.control.close()
        screen.send(screen.sealed(new_visit()))
        screen.wait_for(LineState, fallback=FallbackReason.OFFLINE)
    with running_uploader(quick, token) as again, again.screen() as screen:
        assert screen.wait_for(LineState).fallback is FallbackReason.OFFLINE
        service.control.open()
        screen.wait_for(LineState, online=True, fallback=None)
        again.stop()
    assert audit(uploader.outbox) == [("fallback_on:offline", "kiosk"), ("fallback_off:offline", "kiosk")]


def test_the_services_answer_does_not_end_what_staff_began(
    quick: Path, service: RunningService, token: Token
) -> None:
    with running_uploader(quick, token) as uploader, uploader.screen() as screen:
        screen.keys()
        screen.send(SetFallback(staff=STAFF, reason=FallbackReason.DISASTER))
        service.control.close()
        screen.send(screen.sealed(new_visit()))
        screen.wait_for(LineState, online=False, fallback=FallbackReason.DISASTER)
        uploader.wait_for_log("fallback operation: disaster")
        service.control.open()
        screen.wait_for(LineState, online=True, waiting=0, fallback=FallbackReason.DISASTER)


def test_staff_cannot_claim_to_be_offline(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.wait_for(LineState, online=True)
        screen.send(SetFallback(staff=STAFF, reason=FallbackReason.OFFLINE))
        screen.ask(AskStatus(), Status)
        assert not any(isinstance(each, LineState) and each.fallback for each in screen.heard)


# ---- the desk's list ---------------------------------------------------------------------------------------


def test_an_answer_after_recorded_is_listed_until_staff_have_seen_it(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        at_once = screen.visit()
        screen.wait_for(ServiceAnswered, at_once)
        visit = recorded_offline(screen, service)
        waiting = screen.ask(AskWaitingList(staff=STAFF), WaitingList)
        assert (waiting.waiting, waiting.late) == (1, ())
        assert waiting.oldest_at is not None
        service.control.next_validity("3")
        service.control.open()
        screen.wait_for(ServiceAnswered, visit)
        [late] = screen.ask(AskWaitingList(staff=STAFF), WaitingList).late
        assert (late.visit, late.outcome, late.validity) == (visit, Outcome.NOT_CONFIRMED, "3")
        assert late.receipt == screen.wait_for(Committed, visit).receipt
    uploader.kill()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        assert len(screen.ask(AskWaitingList(staff=STAFF), WaitingList).late) == 1
        assert screen.ask(AnswerSeen(staff=STAFF, visit=visit), WaitingList).late == ()
        again.kill()
    with running_uploader(uploader.config, uploader.token) as last, last.screen() as screen:
        assert screen.ask(AskWaitingList(staff=STAFF), WaitingList).late == ()
        last.stop()
    looks = [("desk_opened", STAFF)]
    assert audit(uploader.outbox) == [*looks, *looks, ("answer_seen", STAFF), *looks], (
        "once a look and process"
    )


def test_an_answer_slower_than_the_patients_patience_is_late(
    service: RunningService, config: Path, token: Token
) -> None:
    config.write_text(config.read_text(encoding="utf-8") + "[timing]\nanswer_s = 0.2\n", encoding="utf-8")
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        service.control.delay(0.6)
        visit = screen.visit()
        screen.wait_for(ServiceAnswered, visit)
        assert [late.visit for late in screen.ask(AskWaitingList(staff=STAFF), WaitingList).late] == [visit]


def test_what_was_under_way_when_the_process_died_is_late(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        service.control.lose_answer(times=None)
        visit = screen.visit()
        screen.wait_for(Committed, visit)
        uploader.kill()
    service.control.clear()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        screen.wait_for(LineState, online=True, waiting=0)
        assert [late.visit for late in screen.ask(AskWaitingList(staff=STAFF), WaitingList).late] == [visit]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return open_outbox(tmp_path / "outbox.sqlite")


def test_each_end_without_an_answer_reaches_the_desk(outbox: Outbox) -> None:
    rejected, expired, damaged, fine = (entry() for _ in range(4))
    for each in (rejected, expired, damaged, fine):
        assert isinstance(outbox.commit(each, NOW, send_now=each in (rejected, fine)), KeptRecord)
    outbox.settle([Rejected(rejected.id, "bad_signature", late=True), answered(fine.id)], NOW)
    outbox.database.rows("UPDATE records SET sealed = x'00' WHERE id = ?", (damaged.id,))
    assert len(outbox.claim(later(1), 5)) == 1
    outbox.database.rows("UPDATE records SET state = 'pending' WHERE id = ?", (expired.id,))
    assert outbox.expire(later(90_000), 86_400) != []
    told = {late.visit: late.outcome for late in waiting_list(outbox).late}
    assert told == {
        rejected.id: Outcome.STAFF_CALLED,
        expired.id: Outcome.RECORDED,
        damaged.id: Outcome.STAFF_CALLED,
    }
    assert outbox.mark_seen(expired.id)
    assert not outbox.mark_seen(expired.id)
    assert not outbox.mark_seen(fine.id)
    assert len(waiting_list(outbox).late) == 2
    outbox.close()


def test_the_list_is_the_oldest_fifty(outbox: Outbox) -> None:
    records = [entry() for _ in range(60)]
    for record in records:
        outbox.commit(record, NOW, send_now=True)
    outbox.settle([Rejected(record.id, "bad_signature", late=True) for record in records], NOW)
    assert [late.visit for late in waiting_list(outbox).late] == [record.id for record in records[:50]]
    outbox.close()


# ---- volume and languages ----------------------------------------------------------------------------------


def test_volume_and_languages_are_kept_told_to_all_and_audited(uploader: RunningUploader) -> None:
    with uploader.screen() as screen, uploader.screen() as other:
        assert screen.wait_for(StaffPreferences) == StaffPreferences()
        other.wait_for(StaffPreferences)
        screen.send(SetPreferences(staff=STAFF, volume=2, languages=("ja",)))
        for each in (screen, other):
            each.wait_for(StaffPreferences, volume=2, languages=("ja",))
        screen.send(SetPreferences(staff=STAFF, volume=0, languages=("ja",)))
        screen.wait_for(StaffPreferences, volume=0, languages=("ja",))
    uploader.kill()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        screen.wait_for(StaffPreferences, volume=0, languages=("ja",))
        again.stop()
    assert audit(uploader.outbox) == [
        ("volume_set:2", STAFF),
        ("languages_set", STAFF),
        ("volume_set:0", STAFF),
    ]


@pytest.mark.parametrize(
    "nonsense",
    [
        SetPreferences(staff=STAFF, volume=99, languages=("ja",)),
        SetPreferences(staff=STAFF, volume=-1, languages=("ja",)),
        SetPreferences(staff=STAFF, volume=3, languages=()),
        SetPreferences(staff=STAFF, volume=3, languages=("ja'); --",)),
        SetPreferences(staff=STAFF, volume=3, languages=tuple(f"x{n}" for n in range(99))),
    ],
)
def test_nonsense_is_not_kept(outbox: Outbox, nonsense: SetPreferences) -> None:
    preferences = Preferences()
    preferences.keep(SetPreferences(staff=STAFF, volume=3, languages=("ja", "en")), outbox.database, NOW)
    preferences.keep(nonsense, outbox.database, NOW)
    assert preferences.chosen.languages in (("ja", "en"), ("ja",))
    assert preferences.chosen.volume == 3
    outbox.close()


# ---- files of older and newer programs ---------------------------------------------------------------------


def test_a_file_of_the_first_schema_is_brought_up_to_date_with_its_records(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    schema = resources.files("kiosk.uploader.store").joinpath("schema.sql").read_text("utf-8")
    with closing(sqlite3.connect(path)) as old:
        for statement in statements(schema):
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        insert_as_before(old)
        old.commit()
    outbox = open_outbox(path)
    assert outbox.waiting() == 1
    assert waiting_list(outbox).late == ()
    outbox.close()


def test_a_program_of_the_first_schema_goes_on_with_our_file(outbox: Outbox) -> None:
    path = outbox.database.path
    outbox.close()
    with closing(sqlite3.connect(path)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        insert_as_before(old)
        old.execute("UPDATE records SET state = 'expired', settled_ms = 1 WHERE seq = 7")
        old.commit()
    again = open_outbox(path)
    assert again.waiting() == 0
    assert waiting_list(again).expired == 1
    again.close()


def insert_as_before(connection: sqlite3.Connection) -> None:
    """The columns that the first program names."""
    connection.execute(
        "INSERT INTO records (seq, id, receipt, state, suite, key_id, sealed, digest, mode, challenged,"
        " taken_at, clock_trusted, boot_id, mono_ms, wall_ms, attempts, lease)"
        " VALUES (7, 'v', '1007', 'pending', 's', 'k', x'01', x'02', 'home_consent', 1,"
        " '2027-01-15T08:00:00.000Z', 1, 'boot-0', 1, 1, 0, NULL)"
    )


# ---- registered events -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "staff", "visit"),
    [
        ("something_new", STAFF, None),
        ("fallback_on:weather", STAFF, None),
        ("visual_check:line", STAFF, None),
        ("visual_check", "架空 花子", None),
        ("visual_check", "", None),
        ("desk_opened", STAFF, "019a9f60-5d2c-7c3e-9b1f-3c1d2e4f5a6b"),
        ("visual_check", STAFF, "架空 花子"),
    ],
)
def test_what_is_not_registered_is_not_written(event: str, staff: str, visit: str | None) -> None:
    assert fault_of(event, staff, visit) is not None


def test_every_registered_event_reads_as_a_sentence() -> None:
    assert set(RULES) == set(AuditEvent)
    for event, rule in RULES.items():
        for name in [event.value, *(f"{event.value}:{word}" for word in rule.words)]:
            assert fault_of(name, STAFF, "v-1" if rule.visit else None) is None
            text = sentence(name, STAFF, "v-1" if rule.visit else None)
            assert "{" not in text
            assert text != name


def test_an_unregistered_note_is_refused_by_the_process_with_a_reason(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.keys()
        known = channel.encode(AuditNote(event=AuditEvent.DESK_OPENED, staff=STAFF))
        screen.send_packet(known.replace(AuditEvent.DESK_OPENED.encode(), b"something_new"))
        uploader.wait_for_log("channel: a packet was refused")
    uploader.stop()
    assert audit(uploader.outbox) == []


def test_a_database_opened_twice_gains_nothing_the_second_time(outbox: Outbox) -> None:
    path, schema = outbox.database.path, outbox.database.rows("SELECT sql FROM sqlite_master")
    outbox.close()
    again = open_outbox(path)
    assert again.database.rows("SELECT sql FROM sqlite_master") == schema
    again.close()
