"""The hand-over through the real uploader process, with a real service at its other end."""

from pathlib import Path

import pytest

from kiosk.channel import AskCheck, AskStatus, CheckResult, Deferred, LineState, ServiceAnswered, Status
from kiosk.qualification.terms import Outcome
from kiosk.simulator.service.invented_answers import PERSONS
from tests.simulator.service.running import RunningService
from tests.system.privacy import of_persons, search
from tests.uploader.oqs.clinic import files_in, wait_for, write_clinic_config
from tests.uploader.oqs.samples import must_read
from tests.uploader.world import INSTITUTION, Token, new_visit, running_uploader

HANDOVER = """
[handover]
folder = "face"
share = false
encoding = "shift_jis"
"""


@pytest.fixture
def config(service: RunningService, tmp_path: Path) -> Path:
    (tmp_path / "face").mkdir()
    return write_clinic_config(tmp_path, service, HANDOVER)


def test_a_verified_visit_is_in_the_folder(config: Path, token: Token, tmp_path: Path) -> None:
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        visit = screen.visit()
        assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
        wait_for(lambda: bool(files_in(tmp_path / "face")))
        wait_for(lambda: screen.ask(AskStatus(), Status).handed_over == 1)
        parts = screen.ask(AskCheck(), CheckResult).parts
        assert [part.fault for part in parts if part.part == "folders"] == [None]
        assert uploader.stop() == 0
    [file] = files_in(tmp_path / "face")
    got = must_read(file.read_bytes())
    assert got.message.header.ArbitraryFileIdentifier == visit
    assert got.message.header.MedicalInstitutionCode == INSTITUTION
    valid = got.message.valid
    assert valid is not None
    assert valid.Name in {person.name for person in PERSONS}
    assert (valid.Name or "").encode("cp932") in file.read_bytes()
    secrets = list(of_persons())
    assert search("the file itself", file.read_bytes(), secrets), "the control: the search can find"
    others = [each for each in tmp_path.rglob("*") if each.is_file() and each != file]
    assert {"outbox.sqlite", "uploader.log"} <= {each.name for each in others}
    assert [found for each in others for found in search(each.name, each.read_bytes(), secrets)] == []


def test_a_visit_that_is_not_verified_is_not(
    config: Path, service: RunningService, token: Token, tmp_path: Path
) -> None:
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.keys()
        service.control.next_validity("2")
        assert screen.wait_for(ServiceAnswered, screen.visit()).outcome is Outcome.NOT_CONFIRMED
        last = screen.visit()
        screen.wait_for(ServiceAnswered, last)
        wait_for(lambda: bool(files_in(tmp_path / "face")))
        uploader.stop()
    [file] = files_in(tmp_path / "face")
    assert must_read(file.read_bytes()).message.header.ArbitraryFileIdentifier == last


def test_what_is_answered_when_the_patient_has_gone_is_left_to_staff(
    config: Path, service: RunningService, token: Token, tmp_path: Path
) -> None:
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.keys()
        service.control.close()
        visit = new_visit()
        screen.send(screen.sealed(visit))
        screen.wait_for(Deferred, visit)
        service.control.open()
        screen.wait_for(ServiceAnswered, visit)
        screen.wait_for(LineState, online=True, waiting=0)
        uploader.stop()
    assert files_in(tmp_path / "face") == []


def test_a_crash_while_a_file_is_made_leaves_no_person_after_the_next_start(
    config: Path, token: Token, tmp_path: Path
) -> None:
    work = tmp_path / "face" / "kiosk-work" / "K001"
    work.mkdir(parents=True)
    (work / "OQSsiquc01res_face_K001_20261124170000.xml").write_text(PERSONS[0].name)
    with running_uploader(config, token) as uploader:
        wait_for(lambda: not any(work.iterdir()))
        uploader.wait_for_log("1 unfinished files")
        uploader.stop()
