"""The sealed client key in the running uploader: enrolled, renewed, taken over from before, locked."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.channel import AskCheck, AskStatus, CheckResult, Committed, LineState, Status
from kiosk.commands.provision import provision
from kiosk.uploader.service.custody import CREDENTIAL, HOST_KEY, PLAIN, is_locked, is_sealed
from kiosk.uploader.service.tls import next_of
from tests.simulator.service.running import RunningService
from tests.uploader.identity.test_renewal import credentials, days, put_next, serial, write_short
from tests.uploader.world import INSTITUTION, Token, running_uploader, write_config

CODES = iter(f"{number:012d}" for number in range(700_000_000_000, 700_000_000_100))
SECRET = "5ec2e7" * 10
OTHER = "07e5ec" * 10


def given(folder: Path, secret: str) -> dict[str, str]:
    """What the service manager puts into the environment."""
    place = folder / "credentials"
    place.mkdir(exist_ok=True)
    (place / CREDENTIAL).write_text(secret, encoding="ascii")
    return {"CREDENTIALS_DIRECTORY": str(place)}


def flags(config: Path) -> Path:
    """Settings whose mark of a good slot is in the test's own folder."""
    folder = config.parent / "update"
    folder.mkdir()
    text = config.read_text(encoding="utf-8") + f'[update]\nflags = "{folder / "wanted"}"\n'
    config.write_text(text, encoding="utf-8")
    return folder / "good"


@pytest.fixture
def code(service: RunningService) -> str:
    return new_code(service)


def new_code(service: RunningService) -> str:
    code = next(CODES)
    service.control.issue_code(INSTITUTION, code)
    return code


def enrol(config: Path, service: RunningService, code: str, secret: str) -> str:
    words = ["enrol", "--config", str(config), "--code", "-", "--enrolment-url", service.enrol_url]
    done = CliRunner().invoke(provision, [*words, "--sealed"], input=f"{code}\n{secret}\n")
    return "" if done.exit_code == 0 else done.output


def test_a_key_of_the_version_before_is_followed_by_a_sealed_one_once_the_new_version_stays(
    service: RunningService, tmp_path: Path, token: Token
) -> None:
    config = write_short(service, tmp_path, days(-70, 30))
    good = flags(config)
    mine = credentials(service, tmp_path)
    more = given(tmp_path, SECRET)
    with running_uploader(config, token, more) as uploader, uploader.screen() as screen:
        assert screen.ask(AskStatus(), Status).key_custody_level == PLAIN, "taken as it is"
        uploader.wait_for_log("certificate was renewed")
        assert uploader.stop() == 0
    assert not is_sealed(mine.key), "the older version may come back, and must be able to read it"
    shutil.rmtree(tmp_path / "client")
    write_short(service, tmp_path, days(-70, 30))
    config.write_text(config.read_text(encoding="utf-8").partition("[update]")[0], encoding="utf-8")
    shutil.rmtree(good.parent)
    flags(config).touch()
    (tmp_path / "uploader.log").unlink()
    with running_uploader(config, token, more) as uploader, uploader.screen() as screen:
        uploader.wait_for_log("certificate was renewed")
        status = screen.ask(AskStatus(), Status)
        assert (status.key_custody_level, status.certificate_fault) == (HOST_KEY, None)
        screen.visit()
        screen.wait_for(LineState, online=True, waiting=0)
    assert is_sealed(mine.key)
    assert not is_locked(mine.key, SECRET.encode())
    assert SECRET not in uploader.log


def test_an_enrolled_key_is_sealed_and_delivers(
    service: RunningService, code: str, tmp_path: Path, token: Token
) -> None:
    key = tmp_path / "terminal.key"
    config = write_config(tmp_path, service.url, service.files.ca, tmp_path / "terminal.pem", key)
    assert enrol(config, service, code, SECRET) == ""
    before = key.read_bytes()
    (tmp_path / "terminal.pem").unlink()
    assert enrol(config, service, code, SECRET) == "", "after a power cut the same code and the same key do"
    assert key.read_bytes() == before
    assert not is_locked(key, SECRET.encode())
    with running_uploader(config, token, given(tmp_path, SECRET)) as uploader, uploader.screen() as screen:
        screen.visit()
        screen.wait_for(LineState, online=True, waiting=0)
        assert screen.ask(AskStatus(), Status).key_custody_level == HOST_KEY


@pytest.mark.parametrize("secret", [None, OTHER])
def test_a_key_that_cannot_be_opened_is_told_and_kept_while_patients_are_recorded(
    service: RunningService, code: str, tmp_path: Path, token: Token, secret: str | None
) -> None:
    key = tmp_path / "terminal.key"
    config = write_config(tmp_path, service.url, service.files.ca, tmp_path / "terminal.pem", key)
    assert enrol(config, service, code, SECRET) == ""
    kept = {path: path.read_bytes() for path in (key, tmp_path / "terminal.pem")}
    more = {} if secret is None else given(tmp_path, secret)
    with running_uploader(config, token, more) as uploader, uploader.screen() as screen:
        screen.wait_for(LineState, online=False)
        screen.visit(challenged=False)
        screen.wait_for(Committed)
        parts = {item.part: item.fault for item in screen.ask(AskCheck(), CheckResult).parts}
        assert (parts["line"], parts["certificate"]) == ("key_locked", "key_locked")
        assert "new activation code" in screen.ask(AskStatus(), Status).line_reason
        assert uploader.log.count("cannot open its client key") == 1, "said once, not at every attempt"
        assert uploader.process.poll() is None
    assert {path: path.read_bytes() for path in kept} == kept
    with running_uploader(config, token, given(tmp_path, SECRET)) as uploader, uploader.screen() as screen:
        screen.wait_for(LineState, online=True, waiting=0)
        del uploader


def test_nothing_of_a_renewal_is_thrown_away_while_the_key_cannot_be_opened(
    service: RunningService, code: str, tmp_path: Path, token: Token
) -> None:
    config = write_config(
        tmp_path, service.url, service.files.ca, tmp_path / "terminal.pem", tmp_path / "terminal.key"
    )
    assert enrol(config, service, code, SECRET) == ""
    mine = credentials(service, tmp_path, tmp_path, SECRET.encode())
    put_next(service.files, mine)
    renewed = serial(next_of(mine).certificate)
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.wait_for(LineState, online=False)
        del uploader
    assert serial(next_of(mine).certificate) == renewed
    with running_uploader(config, token, given(tmp_path, SECRET)) as uploader:
        uploader.wait_for_log("certificate was renewed")
    assert serial(mine.certificate) == renewed
    assert not is_locked(mine.key, SECRET.encode())


def test_a_new_code_and_a_new_secret_replace_a_key_that_is_lost(
    service: RunningService, code: str, tmp_path: Path, token: Token
) -> None:
    key = tmp_path / "terminal.key"
    config = write_config(tmp_path, service.url, service.files.ca, tmp_path / "terminal.pem", key)
    assert enrol(config, service, code, SECRET) == ""
    lost = key.read_bytes()
    words = ["enrol", "--config", str(config), "--code", code, "--enrolment-url", service.enrol_url]
    refused = CliRunner().invoke(provision, words)
    assert refused.exit_code == 1
    assert "the secret that opens it was not handed over" in refused.output
    assert key.read_bytes() == lost
    assert enrol(config, service, new_code(service), OTHER) == ""
    assert key.read_bytes() != lost
    with running_uploader(config, token, given(tmp_path, OTHER)) as uploader, uploader.screen() as screen:
        screen.visit()
        screen.wait_for(LineState, online=True, waiting=0)
        del uploader
