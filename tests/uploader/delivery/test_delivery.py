"""Records on their way: a real uploader process against the simulated service."""

import pytest

from kiosk.channel import (
    AskRecords,
    AskStatus,
    Committed,
    Deferred,
    LineState,
    Records,
    SealingKeys,
    ServiceAnswered,
    Status,
)
from kiosk.qualification.terms import Outcome
from tests.simulator.service.running import RunningService
from tests.uploader.world import RunningUploader, Screen, new_visit, running_uploader


def state_of(screen: Screen, visit: str) -> str:
    listed = screen.ask(AskRecords(), Records).records
    return next(line.state for line in listed if line.visit == visit)


def test_a_record_is_committed_delivered_and_answered(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        visit = screen.visit()
        receipt = screen.wait_for(Committed, visit).receipt
        answered = screen.wait_for(ServiceAnswered, visit)
        assert (answered.outcome, answered.validity, answered.receipt) == (Outcome.VERIFIED, "1", receipt)
        assert service.control.effects(visit) == 1
        status = screen.ask(AskStatus(), Status)
        assert (status.waiting, status.persons_in_memory, status.online) == (0, 1, True)
        assert state_of(screen, visit) == "answered"


def test_the_same_commit_again_gets_the_same_receipt_and_the_answer_again(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        visit = new_visit()
        message = screen.sealed(visit)
        screen.send(message)
        first = screen.wait_for(Committed, visit)
        screen.wait_for(ServiceAnswered, visit)
    with uploader.screen() as screen:
        screen.send(message)
        assert screen.wait_for(Committed, visit) == first
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert service.control.effects(visit) == 1


def test_while_the_service_is_down_records_wait_and_are_answered_when_it_is_back(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.close()
        visits = [new_visit() for _ in range(5)]
        for visit in visits:
            screen.send(screen.sealed(visit))
            screen.wait_for(Committed, visit)
            screen.wait_for(Deferred, visit)
        screen.wait_for(LineState, online=False, waiting=5)
        screen.forget()
        service.control.open()
        for visit in visits:
            assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
        screen.wait_for(LineState, online=True, waiting=0)
    assert [service.control.effects(visit) for visit in visits] == [1] * 5


def test_an_answer_lost_on_the_way_has_one_effect_and_comes_later(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.lose_answer()
        visit = screen.visit()
        screen.wait_for(Deferred, visit)
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert service.control.effects(visit) == 1


def test_a_restart_in_the_middle_of_sending_neither_loses_nor_doubles(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.delay(30.0, operation="qualification")
        visit = screen.visit()
        screen.wait_for(Committed, visit)
        uploader.kill()
    service.control.clear()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
        status = screen.ask(AskStatus(), Status)
        assert status.persons_in_memory == 0, "an answer to the former life's key does not open"
    assert service.control.effects(visit) == 1


def test_records_sealed_to_a_rotated_key_are_still_delivered(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        old = screen.keys()
        service.control.close()
        visit = new_visit()
        screen.send(screen.sealed(visit))
        screen.wait_for(Deferred, visit)
        service.control.rotate_key()
        screen.forget()
        service.control.open()
        new = screen.wait_for(SealingKeys)
        assert new.key_id != old.key_id
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
        after = screen.visit()
        assert screen.wait_for(ServiceAnswered, after).outcome is Outcome.VERIFIED


@pytest.mark.parametrize("kind", ["html", "truncated", "schema", "oversized", "empty"])
def test_nonsense_from_the_service_is_no_answer_and_doubles_nothing(
    uploader: RunningUploader, service: RunningService, kind: str
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.nonsense(kind)
        visit = screen.visit()
        screen.wait_for(Deferred, visit)
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert service.control.effects(visit) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_in_trouble_gets_the_record_later(
    uploader: RunningUploader, service: RunningService, status: int
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.refuse(status, times=2)
        visit = screen.visit()
        screen.wait_for(Deferred, visit)
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert service.control.effects(visit) == 1


def test_a_terminal_that_is_refused_keeps_its_records_until_that_is_mended(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.refuse(403, code="terminal_mismatch", times=3)
        visit = screen.visit()
        screen.wait_for(Deferred, visit)
        assert state_of(screen, visit) in ("pending", "sending")
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
        assert not any(isinstance(each, LineState) and not each.online for each in screen.heard)
    assert service.control.effects(visit) == 1


def test_sigterm_ends_the_process_cleanly(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        screen.keys()
        assert uploader.stop() == 0
    assert "Traceback" not in uploader.log
