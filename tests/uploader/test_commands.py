"""The command line: what people and programs see of the uploader."""

import base64
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.channel import Committed, Deferred, ServiceAnswered
from kiosk.config.passcodes import verify
from tests.simulator.service.running import INSTITUTION as SERVICE_INSTITUTION
from tests.simulator.service.running import RunningService
from tests.uploader.world import RunningUploader, new_visit, running_uploader, write_config

CODES = iter(f"{number:012d}" for number in range(500_000_000_000, 500_000_001_000))


def kiosk(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiosk", *words], input=stdin, capture_output=True, text=True, check=False
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a refusal says: exit code 1, nothing on stdout, one line on stderr."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def documented(command: str) -> set[str]:
    """The fields of `--json` that docs/fleet.md promises."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")
    table = text.partition(f"`kiosk {command} --json` is the running state")[2].partition("\n\n| ")[2]
    rows = table.partition("\n\n")[0].splitlines()[2:]
    return {field for row in rows for field in re.findall(r"`(\w+)`", row.split("|")[1])}


# ---- status and outbox -------------------------------------------------------------------------------------


def test_status_as_json_has_its_fields(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        visit = screen.visit()
        screen.wait_for(ServiceAnswered, visit)
    done = kiosk("status", "--config", str(uploader.config), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["schema"] == 1
    assert (told["online"], told["outbox"], told["waiting"], told["answered"]) == (True, "ready", 0, 1)
    assert set(told) == documented("status")
    assert told["key_custody_level"] == -1, "a key made without a secret"
    assert told["certificate_not_after"] > 1_700_000_000
    assert "the service answers" in kiosk("status", "--config", str(uploader.config)).stdout


@pytest.mark.parametrize(
    "words", [("status",), ("outbox", "list"), ("outbox", "retry"), ("outbox", "show", "1")]
)
def test_without_an_uploader_one_line_says_so(config: Path, words: tuple[str, ...]) -> None:
    assert "does not answer" in one_line(kiosk(*words, "--config", str(config)))


def test_records_are_listed_shown_exported_and_retried(
    uploader: RunningUploader, service: RunningService, tmp_path: Path
) -> None:
    settings = ("--config", str(uploader.config))
    with uploader.screen() as screen:
        answered = screen.visit()
        screen.wait_for(ServiceAnswered, answered)
        service.control.close()
        waits = new_visit()
        message = screen.sealed(waits)
        screen.send(message)
        receipt = screen.wait_for(Committed, waits).receipt
        screen.wait_for(Deferred, waits)
        listed = kiosk("outbox", "list", *settings).stdout
        assert receipt in listed
        assert len(listed.splitlines()) == 1
        assert len(kiosk("outbox", "list", "--all", *settings).stdout.splitlines()) == 2
        shown = kiosk("outbox", "show", receipt, *settings).stdout
        assert waits in shown
        assert "state     pending" in shown
        assert "no record" in one_line(kiosk("outbox", "show", "0000", *settings))
        out = tmp_path / "export.jsonl"
        done = kiosk("outbox", "export", "--out", str(out), *settings)
        assert "1 sealed records" in done.stdout
        [line] = out.read_text().splitlines()
        exported = json.loads(line)
        assert base64.b64decode(exported["sealed"]) == message.sealed
        assert (exported["id"], exported["key_id"]) == (waits, message.key_id)
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert "there already" in one_line(kiosk("outbox", "export", "--out", str(out), *settings))
        assert "1 records wait" in kiosk("outbox", "retry", *settings).stdout
        service.control.open()
        screen.wait_for(ServiceAnswered, waits)
    assert kiosk("outbox", "list", *settings).stdout == "nothing waits\n"


def test_wrong_settings_are_all_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[clinic]\nname = "x"\ninstitution = "12"\n[outbox]\nmax_records = -1\n')
    done = kiosk("provision", "check", str(bad))
    assert done.returncode == 1
    for key in ("clinic.institution", "clinic.terminal", "outbox.max_records", "service.url"):
        assert key in done.stderr
    assert "Traceback" not in done.stderr


def test_good_settings_are_said_to_be_good(config: Path) -> None:
    assert "is in order" in kiosk("provision", "check", "--enrolled", str(config)).stdout


# ---- passcodes ---------------------------------------------------------------------------------------------


def test_a_passcode_is_hashed_with_fresh_salt() -> None:
    first, second = (kiosk("provision", "passcode", stdin="135790\n").stdout.strip() for _ in range(2))
    assert first != second
    for stored in (first, second):
        assert verify(bytearray(b"135790"), stored)
        assert not verify(bytearray(b"135791"), stored)
        assert "135790" not in stored


@pytest.mark.parametrize("typed", ["", "12345", "1234567890123", "abcdef"])
def test_a_passcode_that_the_pad_cannot_type_is_refused(typed: str) -> None:
    said = one_line(kiosk("provision", "passcode", stdin=f"{typed}\n"))
    assert "6 to 12 digits" in said
    assert not typed or typed not in said


# ---- enrolment ---------------------------------------------------------------------------------------------


@pytest.fixture
def code(service: RunningService) -> str:
    code = next(CODES)
    service.control.issue_code(SERVICE_INSTITUTION, code)
    return code


@pytest.fixture
def new_kiosk(service: RunningService, tmp_path: Path) -> Path:
    """The settings of a kiosk that has neither key nor certificate."""
    own = tmp_path / "new"
    own.mkdir()
    return write_config(own, service.url, service.files.ca, own / "terminal.pem", own / "terminal.key")


def enrol(config: Path, code: str, service: RunningService) -> subprocess.CompletedProcess[str]:
    return kiosk(
        "provision", "enrol", "--config", str(config), "--code", code, "--enrolment-url", service.enrol_url
    )


def test_an_enrolled_kiosk_delivers(
    new_kiosk: Path, code: str, service: RunningService, uploader: RunningUploader
) -> None:
    done = enrol(new_kiosk, code, service)
    assert done.returncode == 0, done.stderr
    key = new_kiosk.parent / "terminal.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_uid == os.geteuid()
    with running_uploader(new_kiosk, uploader.token) as fresh, fresh.screen() as screen:
        visit = screen.visit()
        screen.wait_for(ServiceAnswered, visit)


def test_an_enrolled_kiosk_that_was_never_online_can_record(
    new_kiosk: Path, code: str, service: RunningService, uploader: RunningUploader
) -> None:
    assert enrol(new_kiosk, code, service).returncode == 0
    service.control.close()
    with running_uploader(new_kiosk, uploader.token) as fresh, fresh.screen() as screen:
        visit = screen.visit(challenged=False)
        screen.wait_for(Committed, visit)
        screen.wait_for(Deferred, visit)
        service.control.open()
        screen.wait_for(ServiceAnswered, visit)


def test_after_a_power_cut_the_same_code_gives_the_same_certificate(
    new_kiosk: Path, code: str, service: RunningService
) -> None:
    assert enrol(new_kiosk, code, service).returncode == 0
    certificate = new_kiosk.parent / "terminal.pem"
    key = (new_kiosk.parent / "terminal.key").read_bytes()
    first = certificate.read_bytes()
    certificate.unlink()  # cut between the service's commit and our writing
    (new_kiosk.parent / ".terminal.pem.new").write_bytes(first[:100])  # or in the middle of it
    assert enrol(new_kiosk, code, service).returncode == 0
    assert certificate.read_bytes() == first
    assert (new_kiosk.parent / "terminal.key").read_bytes() == key


def test_a_used_code_does_not_enrol_another_key(new_kiosk: Path, code: str, service: RunningService) -> None:
    assert enrol(new_kiosk, code, service).returncode == 0
    (new_kiosk.parent / "terminal.key").unlink()
    assert "another key" in one_line(enrol(new_kiosk, code, service))


def test_every_refusal_has_its_line(new_kiosk: Path, service: RunningService) -> None:
    expired = next(CODES)
    service.control.issue_code(SERVICE_INSTITUTION, expired, life_s=0.0)
    assert "expired" in one_line(enrol(new_kiosk, expired, service))
    for _ in range(5):
        assert "not one of this institution" in one_line(enrol(new_kiosk, "999999999999", service))
    assert "five wrong codes" in one_line(enrol(new_kiosk, "999999999999", service))
    service.control.issue_code(SERVICE_INSTITUTION, next(CODES))  # lifts the lock
    service.control.close()
    assert "cannot be reached" in one_line(enrol(new_kiosk, "999999999999", service))


@pytest.mark.parametrize("code", ["", "123", "12345678901a", "1234567890123"])
def test_a_malformed_code_is_a_matter_of_usage(new_kiosk: Path, service: RunningService, code: str) -> None:
    done = enrol(new_kiosk, code, service)
    assert done.returncode == 2
    assert not (new_kiosk.parent / "terminal.key").exists()


def test_without_the_ca_nothing_is_sent(new_kiosk: Path, service: RunningService, tmp_path: Path) -> None:
    text = new_kiosk.read_text(encoding="utf-8").replace(str(service.files.ca), str(tmp_path / "no-ca.pem"))
    new_kiosk.write_text(text, encoding="utf-8")
    assert "no-ca.pem" in one_line(enrol(new_kiosk, "123456789012", service))
    assert not (new_kiosk.parent / "terminal.pem").exists()
