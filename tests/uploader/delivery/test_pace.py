"""The pace of a backlog: spread, and never in the way of who stands here."""

from pathlib import Path

from kiosk.channel import AskStatus, Committed, Deferred, LineState, ServiceAnswered, Status
from kiosk.qualification.terms import Outcome
from kiosk.simulator.service.service_pki import ClientFiles
from tests.simulator.service.running import RunningService
from tests.uploader.world import Token, new_visit, running_uploader, sealed_request, write_config


def test_a_patient_does_not_wait_behind_the_backlog_although_the_service_takes_its_time(
    service: RunningService, client: ClientFiles, tmp_path: Path, token: Token
) -> None:
    config = write_config(
        tmp_path, service.url, service.files.ca, client.certificate, client.key, drain_per_s=0.05
    )
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        keys = screen.keys()
        service.control.close()
        backlog = [new_visit() for _ in range(3)]
        for visit in backlog:
            screen.send(screen.sealed(visit))
            screen.wait_for(Committed, visit)
            screen.wait_for(Deferred, visit)
        screen.forget()
        service.control.open()
        screen.wait_for(LineState, online=True)
        service.control.next_segment("2", settle_after=2)
        patient = new_visit()
        screen.send(sealed_request(token, keys, patient))
        assert screen.wait_for(ServiceAnswered, patient).outcome is Outcome.VERIFIED
        assert screen.ask(AskStatus(), Status).waiting >= 2, "the backlog has its own, slow pace"
