"""The look-up through the real uploader process: after an outage, by staff, and over a crash."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from kiosk.box.clock import JAPAN
from kiosk.channel import AskLookUps, Deferred, LookUpLine, LookUpLines, ServiceAnswered
from kiosk.qualification.terms import Mode
from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.simulator.terminal.terminal_folder import Manners, TerminalFolder
from kiosk.uploader.oqs.messages import Unit
from tests.simulator.service.running import RunningService
from tests.uploader.oqs.clinic import files_in, wait_for, write_clinic_config
from tests.uploader.oqs.samples import must_read
from tests.uploader.world import INSTITUTION, Screen, Token, new_visit, running_uploader

SECTIONS = """
[clock]
trust_file = "/"
[handover]
folder = "face"
share = false
late = true
[lookup]
message = "online"
folder = "OQS"
share = false
ask_every_s = 0.05
poll_s = 0.05
"""


@pytest.fixture
def config(service: RunningService, tmp_path: Path) -> Path:
    (tmp_path / "face").mkdir()
    return write_clinic_config(tmp_path, service, SECTIONS)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[TerminalFolder]:
    with TerminalFolder(tmp_path / "OQS", INSTITUTION) as running:
        yield running


def consented(visit: str) -> list[tuple[str, Unit]]:
    """The visit's result on the day of its consent: today, or tomorrow where midnight is near."""
    one = result(PERSONS[2], reference=visit)
    unit = Unit(ProcessingResultStatus="1", QualificationValidity="1", ResultList=(one,))
    today = datetime.now(JAPAN)
    return [(day.strftime("%Y%m%d"), unit) for day in (today, today + timedelta(days=1))]


def recorded_in_an_outage(screen: Screen, service: RunningService) -> str:
    """A visit with consent whose patient is told "recorded"."""
    screen.keys()
    service.control.close()
    visit = new_visit()
    screen.send(msgspec.structs.replace(screen.sealed(visit), mode=Mode.HOME_CONSENT))
    screen.wait_for(Deferred, visit)
    return visit


def lookups(screen: Screen) -> tuple[LookUpLine, ...]:
    return screen.ask(AskLookUps(), LookUpLines).lines


def kiosk(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_after_an_outage_and_a_restart_the_person_is_found_at_the_terminal(
    config: Path, service: RunningService, token: Token, terminal: TerminalFolder, tmp_path: Path
) -> None:
    """The answer to the record is sealed to a life that is over; the terminal's result takes its place."""
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        visit = recorded_in_an_outage(screen, service)
        uploader.kill()
    terminal.consented = consented(visit)
    terminal.manners = Manners(at_work=1, half_s=0.1, foreign=True)
    service.control.open()
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.wait_for(ServiceAnswered, visit)
        wait_for(lambda: [line.stage for line in lookups(screen)] == ["done"])
        [line] = lookups(screen)
        assert (line.found, line.uncertain, line.others, line.asks) == (1, 0, 0, 2)
        wait_for(lambda: bool(files_in(tmp_path / "face")))
        listed = kiosk("lookup", "list", "--config", str(config))
        uploader.stop()
    [file] = files_in(tmp_path / "face")
    message = must_read(file.read_bytes()).message
    assert message.header.ArbitraryFileIdentifier == visit
    assert message.valid == result(PERSONS[2], reference=visit)
    assert "done" in listed.stdout
    assert "1 found, 0 uncertain, 0 others" in listed.stdout
    for name in ("outbox.sqlite", "uploader.log"):
        content = (tmp_path / name).read_bytes()
        for text in (PERSONS[2].name, PERSONS[2].kana, PERSONS[2].number):
            assert text.encode() not in content, name
            assert text.encode("cp932") not in content, name


def test_a_wait_survives_a_crash_and_the_request_is_sent_once(
    config: Path, service: RunningService, token: Token, terminal: TerminalFolder
) -> None:
    terminal.manners = Manners(silent=True)
    with running_uploader(config, token) as uploader, uploader.screen():
        done = kiosk("lookup", "start", "--config", str(config), "--from", "20261125")
        assert done.returncode == 0, done.stderr
        wait_for(lambda: bool(terminal.taken))
        again = kiosk("lookup", "start", "--config", str(config))
        assert (again.returncode, again.stderr) == (1, "Error: one is under way\n")
        uploader.kill()
    [(name, request)] = terminal.taken
    terminal.manners = Manners()
    terminal.answer(name, request)
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        wait_for(lambda: [line.stage for line in lookups(screen)] == ["done"])
        uploader.wait_for_log(f"waiting again for the answer to {name}")
        assert uploader.stop() == 0
    assert [taken[:14] for taken, _ in terminal.taken] == ["OQSmuonq01req_", "OQSmuonq02req_"]
    with closing(sqlite3.connect(uploader.outbox)) as connection:
        events = [event for (event,) in connection.execute("SELECT event FROM audit")]
    assert "looked_up:done" in events


@pytest.mark.parametrize(
    ("words", "say"),
    [
        (("--from", "2026-11-25"), "is no day"),
        (("--from", "20261131"), "is no day"),
        (("--from", "20261125", "--to", "20261124"), "lies before"),
    ],
)
def test_days_that_are_none_are_refused_before_anything_is_asked(
    config: Path, words: tuple[str, ...], say: str
) -> None:
    done = kiosk("lookup", "start", "--config", str(config), *words)
    assert done.returncode == 2
    assert say in done.stderr
