"""The process in a bad world: not enrolled, damaged file, caps, foreign packets."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.channel import (
    AskRecords,
    AskStatus,
    AuditNote,
    CommitRefused,
    Committed,
    Deferred,
    LineState,
    OutboxState,
    Records,
    RetryNow,
    SealingKeys,
    ServiceAnswered,
    Status,
    VisitEnded,
)
from kiosk.channel import CommandDone as DoneMessage
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode, Outcome
from kiosk.simulator.service.service_pki import ClientFiles
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.states import OutboxCondition
from tests.simulator.service.running import RunningService
from tests.uploader.world import RunningUploader, Token, new_visit, running_uploader, write_config


@pytest.fixture
def late_client(client: ClientFiles, tmp_path: Path) -> ClientFiles:
    """Where the settings look for certificate and key; nothing is there yet."""
    return ClientFiles(tmp_path / "late" / "terminal.pem", tmp_path / "late" / "terminal.key")


@pytest.fixture
def not_enrolled(
    service: RunningService, late_client: ClientFiles, tmp_path: Path, token: Token
) -> Iterator[RunningUploader]:
    config = write_config(tmp_path, service.url, service.files.ca, late_client.certificate, late_client.key)
    with running_uploader(config, token) as running:
        yield running


def test_without_a_certificate_it_stays_up_says_what_to_do_and_goes_on_when_there_is_one(
    not_enrolled: RunningUploader, client: ClientFiles, late_client: ClientFiles
) -> None:
    with not_enrolled.screen() as screen:
        screen.wait_for(LineState, online=False)
        screen.wait_for(OutboxState, condition=OutboxCondition.READY)
        status = screen.ask(AskStatus(), Status)
        assert "kiosk provision enrol" in status.line_reason
        assert status.sealing_key is None
        screen.forget()
        late_client.key.parent.mkdir()
        shutil.copy2(client.key, late_client.key)
        shutil.copy2(client.certificate, late_client.certificate)
        screen.wait_for(LineState, online=True)
        visit = screen.visit()
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert not_enrolled.log.count("kiosk provision enrol") == 1, "said once, not at every attempt"


def test_the_count_cap_refuses_politely_and_says_full(
    service: RunningService, client: ClientFiles, tmp_path: Path, token: Token
) -> None:
    config = write_config(
        tmp_path, service.url, service.files.ca, client.certificate, client.key, max_records=2
    )
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        keys = screen.keys()
        service.control.close()
        for _ in range(2):
            visit = new_visit()
            screen.send(screen.sealed(visit))
            screen.wait_for(Committed, visit)
        screen.wait_for(OutboxState, condition=OutboxCondition.FULL)
        visit = new_visit()
        screen.send(screen.sealed(visit, keys=keys))
        assert "2 records wait" in screen.wait_for(CommitRefused, visit).reason
        screen.forget()
        service.control.open()
        screen.wait_for(OutboxState, condition=OutboxCondition.READY)


def test_a_damaged_file_is_set_aside_at_start_and_the_rest_is_delivered(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.close()
        visits = [new_visit() for _ in range(20)]
        for visit in visits:
            screen.send(screen.sealed(visit))
            screen.wait_for(Committed, visit)
    assert uploader.stop() == 0
    content = bytearray(uploader.outbox.read_bytes())
    page = len(content) // 4096 - 2
    content[page * 4096 : page * 4096 + 100] = b"\xa5" * 100
    uploader.outbox.write_bytes(content)
    service.control.open()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        screen.wait_for(OutboxState, condition=OutboxCondition.READY)
        screen.wait_for(LineState, online=True, waiting=0)
        listed = screen.ask(AskRecords(), Records).records
        assert sum(line.state == "answered" for line in listed) >= 18
        assert "set aside" in again.log
    assert (uploader.folder / "outbox.sqlite.damaged-1").exists()


def test_packets_that_are_no_messages_are_refused_and_nothing_else_happens(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.keys()
        for packet in (b"", b"\x01", b"{}", b'{"v":1,"type":"nonsense"}', b"x" * 70_000, b"\xff" * 100):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as raw:
                raw.connect(str(uploader.folder / "run" / "uploader.sock"))
                raw.send(packet)
        assert screen.ask(AskStatus(), Status).outbox is OutboxCondition.READY
    assert "Traceback" not in uploader.log


def test_counters_and_audit_notes_are_taken(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.wait_for(OutboxState, condition=OutboxCondition.READY)
        screen.send(AuditNote(event=AuditEvent.VISUAL_CHECK, staff="1001"))
        screen.send(
            VisitEnded(
                visit=new_visit(),
                outcome=Outcome.ABANDONED,
                mode=Mode.HOME_CONSENT,
                device=Device.IPHONE,
                authentication=Authentication.PHONE,
                stages_ms={"presented": 12.5},
            )
        )
        assert screen.ask(AskStatus(), Status).outcomes_today == {"abandoned": 1}


def test_no_challenge_is_told_when_there_is_none_to_be_had(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.close()
        visit = screen.visit(challenged=False)
        screen.wait_for(Deferred, visit)
        screen.wait_for(LineState, online=False)


def test_a_challenge_does_not_wait_behind_a_slow_delivery(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.delay(1.5, operation="qualification")
        first = screen.visit()
        screen.wait_for(Committed, first)
        second = new_visit()
        assert len(screen.challenge(second)) == 32
        assert not any(isinstance(message, ServiceAnswered) for message in screen.heard)


def test_staff_may_ask_for_a_retry(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.keys()
        assert "0 records wait" in screen.ask(RetryNow(), DoneMessage).reason


def test_a_service_of_another_name_gets_no_records(
    service: RunningService, client: ClientFiles, tmp_path: Path, token: Token
) -> None:
    config = write_config(
        tmp_path, service.url, service.files.ca, client.certificate, client.key, service="another"
    )
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        uploader.wait_for_log("service.name")
        assert screen.ask(AskStatus(), Status).sealing_key is None
        assert not any(isinstance(message, SealingKeys) for message in screen.heard)


def test_a_rejected_record_calls_staff(uploader: RunningUploader, service: RunningService) -> None:
    with uploader.screen() as screen:
        service.control.refuse(400, code="bad_signature")
        visit = screen.visit()
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.STAFF_CALLED
        [line] = screen.ask(AskRecords(), Records).records
        assert (line.state, line.code) == ("rejected", "bad_signature")


def test_a_processing_answer_is_waited_for(uploader: RunningUploader, service: RunningService) -> None:
    with uploader.screen() as screen:
        service.control.next_segment("2", settle_after=2)
        visit = screen.visit()
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
        assert not any(isinstance(message, Deferred) for message in screen.heard)


@pytest.mark.parametrize("validity", ["2", "3", "4", "5", "6"])
def test_every_other_validity_is_not_confirmed(
    uploader: RunningUploader, service: RunningService, validity: str
) -> None:
    with uploader.screen() as screen:
        service.control.next_validity(validity)
        visit = screen.visit()
        answered = screen.wait_for(ServiceAnswered, visit)
        assert (answered.outcome, answered.validity) == (Outcome.NOT_CONFIRMED, validity)
