"""The drill goes the whole way and leaves one date; the daily check says what is to mend."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.channel import (
    AskCheck,
    AskRecords,
    AskStatus,
    AskWaitingList,
    CheckItem,
    CheckResult,
    DrillProgress,
    LineState,
    Records,
    RunDrill,
    Status,
    WaitingList,
)
from kiosk.simulator.service.service_pki import ClientFiles
from kiosk.uploader.outbox.record_list import count_by_state, list_records
from kiosk.uploader.outbox.records import StoredState
from tests.simulator.service.running import RunningService
from tests.uploader.outbox.records import NOW, entry, later, open_outbox
from tests.uploader.world import RunningUploader, Screen, Token, new_visit, running_uploader, write_config

STAFF = "1001"
STEPS = ["seal", "commit", "refuse", "deliver", "erase"]


def drilled(screen: Screen) -> DrillProgress:
    """Run one and return its end."""
    screen.forget()
    screen.send(RunDrill(staff=STAFF))
    while True:
        end = [each for each in screen.heard if isinstance(each, DrillProgress) and each.passed is not None]
        if end:
            return end[0]
        screen.poll(1.0)


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def test_a_drill_passes_through_every_step_and_reaches_no_service(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        before = service.control.requests()
        assert drilled(screen).passed is True
        steps = [
            each.step for each in screen.heard if isinstance(each, DrillProgress) and each.passed is None
        ]
        assert steps == STEPS
        assert service.control.requests() == before
        board = screen.ask(AskWaitingList(staff=STAFF), WaitingList)
        assert (board.waiting, board.late) == (0, ())
        assert board.drill_passed_at is not None
        assert screen.ask(AskRecords(), Records).records == ()
        status = screen.ask(AskStatus(), Status)
        assert status.online, "a refused drill says nothing about the real line"
        assert status.outcomes_today == {}


def test_a_drill_leaves_a_date_and_an_audit_line_and_nothing_else(
    uploader: RunningUploader, service: RunningService
) -> None:
    del service
    with uploader.screen() as screen:
        screen.keys()
        uploader.stop()
    before = tables(uploader.outbox)
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        screen.keys()
        assert drilled(screen).passed
        again.stop()
    after = tables(uploader.outbox)
    changed = {name for name in after if after[name] != before[name] and name != "service_keys"}
    assert changed == {"standing", "audit", "sqlite_sequence"}
    assert after["records"] == []
    [row] = after["audit"]
    assert row[1:4] == ("drill_passed", STAFF, None)
    assert [name for name, _ in after["standing"]] == ["drill_passed"]
    receipts = [[row for row in each["sqlite_sequence"] if row[0] == "records"] for each in (before, after)]
    assert receipts[0] == receipts[1], "no receipt number was used up"


def test_the_erased_dummy_is_in_no_page_of_the_file(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.sqlite")
    dummy = entry()
    outbox.commit_drill(dummy, NOW)
    path = outbox.database.path
    needles = (dummy.sealed[100:132], dummy.sealed[-32:], dummy.id.encode(), dummy.digest)
    assert all(needle in path.read_bytes() for needle in needles), "it really is written"
    outbox.erase_drill()
    remains = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert not any(needle in remains for needle in needles)
    outbox.close()


def test_nothing_but_the_drill_sees_its_dummy(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.sqlite", max_records=1)
    outbox.commit(entry(), NOW, send_now=True)
    outbox.commit_drill(entry(), NOW)
    assert outbox.waiting() == 1
    assert sum(count_by_state(outbox.database).values()) == 1
    assert len(list_records(outbox.database, limit=10)) == 1
    assert outbox.claim(later(1000), 10) == []
    assert outbox.expire(later(1_000_000), 10) == []
    outbox.close()


def test_a_dummy_that_a_killed_drill_left_is_erased_at_the_next_start(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.sqlite")
    dummy = entry()
    outbox.commit_drill(dummy, NOW)
    outbox.close()
    again = open_outbox(tmp_path / "outbox.sqlite")
    assert count_by_state(again.database)[StoredState.PENDING] == 0
    again.close()
    assert dummy.sealed[:32] not in (tmp_path / "outbox.sqlite").read_bytes()


@pytest.mark.parametrize("step", STEPS)
def test_kill_in_the_middle_of_a_drill_leaves_nothing_to_send(
    uploader: RunningUploader, service: RunningService, step: str
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        screen.send(RunDrill(staff=STAFF))
        screen.wait_for(DrillProgress, step=step)
        uploader.kill()
    effects = service.control.effect_totals()
    with running_uploader(uploader.config, uploader.token) as again, again.screen() as screen:
        screen.wait_for(LineState, online=True)
        assert screen.ask(AskRecords(), Records).records == ()
        assert drilled(screen).passed
        again.stop()
    assert tables(uploader.outbox)["records"] == []
    assert service.control.effect_totals() == effects


def test_a_drill_while_the_line_is_down_and_records_wait_touches_neither(
    uploader: RunningUploader, service: RunningService
) -> None:
    with uploader.screen() as screen:
        screen.keys()
        service.control.close()
        visit = new_visit()
        screen.send(screen.sealed(visit))
        screen.wait_for(LineState, online=False, waiting=1)
        assert drilled(screen).passed
        [line] = screen.ask(AskRecords(), Records).records
        assert (line.visit, line.state) == (visit, "pending")


def test_a_kiosk_that_is_not_enrolled_fails_the_drill_and_says_why(
    service: RunningService, tmp_path: Path, token: Token
) -> None:
    absent = tmp_path / "absent"
    config = write_config(tmp_path, service.url, service.files.ca, absent / "t.pem", absent / "t.key")
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.wait_for(LineState, online=False)
        end = drilled(screen)
        assert (end.step, end.passed) == ("seal", False)
        parts = checked(screen)
        assert (parts["line"].fault, parts["certificate"].fault) == ("not_enrolled", "missing")
        uploader.stop()
    [row] = tables(uploader.outbox)["audit"]
    assert row[1:3] == ("drill_failed:seal", STAFF)


# ---- the daily check ---------------------------------------------------------------------------------------


def checked(screen: Screen) -> dict[str, CheckItem]:
    return {item.part: item for item in screen.ask(AskCheck(), CheckResult).parts}


@pytest.fixture
def synchronised(config: Path, tmp_path: Path) -> Path:
    """Settings of a kiosk whose clock is synchronised."""
    (tmp_path / "synchronised").touch()
    text = config.read_text(encoding="utf-8") + '[clock]\ntrust_file = "synchronised"\n'
    config.write_text(text, encoding="utf-8")
    return config


def test_a_kiosk_in_order_has_no_fault(synchronised: Path, token: Token) -> None:
    with running_uploader(synchronised, token) as uploader, uploader.screen() as screen:
        screen.keys()
        parts = checked(screen)
        assert {part: item.fault for part, item in parts.items()} == dict.fromkeys(
            ("line", "clock", "certificate", "outbox", "disk")
        )
        certificate, disk = parts["certificate"].value, parts["disk"].value
        assert certificate is not None
        assert 364 < certificate < 366
        assert disk is not None
        assert disk > 0


def test_every_part_names_its_fault(synchronised: Path, service: RunningService, token: Token) -> None:
    with running_uploader(synchronised, token) as uploader, uploader.screen() as screen:
        screen.keys()
        service.control.close()
        screen.send(screen.sealed(new_visit()))
        screen.wait_for(LineState, online=False)
        (uploader.folder / "synchronised").unlink()
        (uploader.folder / "client" / "terminal.key").chmod(0o644)
        parts = checked(screen)
        assert parts["line"].fault == "unreachable"
        assert parts["line"].value is not None
        assert parts["clock"].fault == "untrusted"
        assert parts["certificate"].fault == "key_unsafe"
        assert (parts["outbox"].fault, parts["outbox"].value) == (None, 1)


def test_a_full_outbox_and_a_refused_terminal_are_named(
    service: RunningService, client: ClientFiles, tmp_path: Path, token: Token
) -> None:
    config = write_config(
        tmp_path, service.url, service.files.ca, client.certificate, client.key, max_records=1
    )
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        screen.keys()
        service.control.refuse(401, code="revoked", operation="any", times=None)
        screen.send(screen.sealed(new_visit()))
        screen.ask(AskStatus(), Status)
        uploader.wait_for_log("refuses this kiosk")
        parts = checked(screen)
        assert (parts["outbox"].fault, parts["outbox"].value) == ("full", 1)


def test_a_lost_outbox_is_part_of_the_check(synchronised: Path, token: Token, tmp_path: Path) -> None:
    with running_uploader(synchronised, token) as uploader, uploader.screen() as screen:
        screen.keys()
        uploader.stop()
        shutil.move(uploader.outbox, tmp_path / "away")
    uploader.outbox.mkdir()
    with running_uploader(synchronised, token) as again, again.screen() as screen:
        assert checked(screen)["outbox"].fault == "lost"
        end = drilled(screen)
        assert (end.step, end.passed) == ("commit", False)
