"""Changed settings on the card, through the uploader process: told, wished for, left."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from kiosk.channel import (
    AskAudit,
    AskChallenge,
    AuditRows,
    CardSettings,
    ChangedFile,
    LeaveSettings,
    SettingChange,
    SettingFault,
    TakeSettings,
    VisitEnded,
)
from kiosk.channel.changed_settings_messages import CHANGED_FILE, MOST
from kiosk.qualification.terms import Mode, Outcome
from kiosk.uploader.updates.flags import SETTINGS
from tests.uploader.world import RunningUploader, Screen, Token, new_visit, start_uploader, write_config

STAFF = "1001"
FILE = ChangedFile(
    offer="0123456789abcdef",
    changes=(SettingChange(section="clinic", key="name", old="架空クリニック", new="架空クリニック 本院"),),
)
PATIENCE_S = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wanted").mkdir()
    return tmp_path


def tell(folder: Path, file: ChangedFile) -> None:
    """As root does: renamed into place."""
    fresh = folder / "fresh.json"
    fresh.write_bytes(msgspec.json.encode(file))
    fresh.rename(folder / CHANGED_FILE)


@pytest.fixture
def uploader(folder: Path, token: Token) -> Iterator[RunningUploader]:
    tell(folder, FILE)
    config = write_config(
        folder, "https://127.0.0.1:9", folder / "ca.pem", folder / "terminal.pem", folder / "terminal.key"
    )
    with config.open("a", encoding="utf-8") as file:
        file.write('[update]\nflags = "wanted"\n')
    running = start_uploader(config, token, {})
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def screen(uploader: RunningUploader) -> Iterator[Screen]:
    with uploader.screen() as screen:
        until(screen, lambda told: told.file == FILE)
        yield screen


def until(screen: Screen, holds: Callable[[CardSettings], bool]) -> CardSettings:
    end = time.monotonic() + PATIENCE_S
    while True:
        screen.poll(0.2)
        told = [each for each in screen.heard if isinstance(each, CardSettings)]
        if told and holds(told[-1]):
            return told[-1]
        assert time.monotonic() < end, f"told {told}"


def until_there(path: Path) -> str:
    end = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < end, f"no {path.name}"
        time.sleep(0.05)
    return path.read_text(encoding="utf-8")


def noted(screen: Screen) -> list[tuple[str, str]]:
    rows = screen.ask(AskAudit(after=0), AuditRows).rows
    return [(row.event, row.staff) for row in rows if row.event.startswith("settings_")]


def test_what_staff_take_is_wished_for_by_its_offer_and_noted(folder: Path, screen: Screen) -> None:
    screen.send(TakeSettings(staff=STAFF, offer=FILE.offer))
    assert until(screen, lambda told: told.taking) == CardSettings(file=FILE, taking=True)
    assert until_there(folder / "wanted" / SETTINGS) == FILE.offer
    assert noted(screen) == [("settings_taken", STAFF)]


def test_a_visit_that_goes_on_is_waited_for(folder: Path, screen: Screen) -> None:
    visit = new_visit()
    screen.send(AskChallenge(visit=visit))
    screen.send(TakeSettings(staff=STAFF, offer=FILE.offer))
    until(screen, lambda told: told.taking)
    time.sleep(3.0)
    assert not (folder / "wanted" / SETTINGS).exists()
    screen.send(
        VisitEnded(
            visit=visit,
            outcome=Outcome.ABANDONED,
            mode=Mode.HOME_CONSENT,
            device=None,
            authentication=None,
            stages_ms={},
        )
    )
    until_there(folder / "wanted" / SETTINGS)


def test_another_offer_than_the_present_one_is_not_wished_for(folder: Path, screen: Screen) -> None:
    for offer in ("another", ""):
        screen.send(TakeSettings(staff=STAFF, offer=offer))
    screen.send(LeaveSettings(staff=STAFF))
    assert until(screen, lambda told: told.left) == CardSettings(file=FILE, left=True)
    assert not (folder / "wanted" / SETTINGS).exists()
    assert noted(screen) == [("settings_left", STAFF)]


def test_what_root_says_anew_ends_the_taking(folder: Path, screen: Screen) -> None:
    screen.send(TakeSettings(staff=STAFF, offer=FILE.offer))
    until(screen, lambda told: told.taking)
    faulty = ChangedFile(offer="", faults=(SettingFault(ja="3 行目 直す", en="line 3: mend"),))
    tell(folder, faulty)
    assert until(screen, lambda told: told.file == faulty) == CardSettings(file=faulty, failed=True)
    (folder / CHANGED_FILE).unlink()
    assert until(screen, lambda told: told.file is None) == CardSettings()


def test_a_folder_of_wishes_that_is_gone_is_a_failure_that_is_told(folder: Path, screen: Screen) -> None:
    (folder / "wanted").rmdir()
    screen.send(TakeSettings(staff=STAFF, offer=FILE.offer))
    assert until(screen, lambda told: told.failed) == CardSettings(file=FILE, failed=True)
    assert noted(screen) == []


def test_nonsense_is_passed_over_and_the_most_of_it_fits_a_message(folder: Path, screen: Screen) -> None:
    (folder / CHANGED_FILE).write_text("nonsense", encoding="utf-8")
    assert until(screen, lambda told: told.file is None) == CardSettings()
    long = SettingChange(section="network", key="k" * 20, old="字" * 40, new="字" * 40)
    most = ChangedFile(
        offer="0", changes=(long,) * MOST, faults=(SettingFault(ja="字" * 150, en="x" * 150),) * MOST
    )
    tell(folder, most)
    assert until(screen, lambda told: told.file is not None).file == most
