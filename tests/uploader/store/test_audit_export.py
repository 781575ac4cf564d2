"""`kiosk audit`: what is exported can be kept, and what was done to it afterwards shows."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.channel import AuditNote, LineState, SetFallback
from kiosk.commands.audit import audit
from kiosk.qualification.terms import FallbackReason
from kiosk.uploader.store.audit_chain import Broken, Whole, verify
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.audit_events import AuditEvent
from tests.uploader.outbox.records import NOW, open_outbox
from tests.uploader.world import RunningUploader, new_visit


@pytest.fixture
def exported(uploader: RunningUploader, tmp_path: Path) -> Path:
    """An export of a few deeds."""
    with uploader.screen() as screen:
        screen.wait_for(LineState)
        screen.send(AuditNote(event=AuditEvent.VISUAL_CHECK, staff="1001", visit=new_visit()))
        screen.send(SetFallback(staff="1002", reason=FallbackReason.LINE))
        screen.wait_for(LineState, fallback=FallbackReason.LINE)
        screen.send(SetFallback(staff="1002", reason=None))
        screen.send(AuditNote(event=AuditEvent.PASSCODE_REFUSED, staff="1003"))
        out = tmp_path / "audit.jsonl"
        done = CliRunner().invoke(audit, ["export", "--config", str(uploader.config), "--out", str(out)])
        assert (done.exit_code, done.output) == (0, f"5 rows written to {out}\n"), done.output
    return out


def verified(*files: Path) -> tuple[int, str]:
    done = CliRunner().invoke(audit, ["verify", *map(str, files)])
    return done.exit_code, done.output


def test_an_export_says_who_did_what_when_and_is_whole(exported: Path) -> None:
    head, *rows, end = map(json.loads, exported.read_text(encoding="utf-8").splitlines())
    assert (head["kind"], head["terminal"], end["rows"]) == ("audit", "K001", 5)
    assert [row["event"] for row in rows] == [
        "visual_check",
        "fallback_on:line",
        "fallback_off:line",
        "passcode_refused",
        "audit_exported",
    ]
    assert rows[1]["sentence"] == "staff 1002 began fallback operation: line"
    assert rows[0]["time"].endswith("+09:00")
    assert verified(exported) == (0, f"{exported}: whole, 5 rows\n")
    assert exported.stat().st_mode & 0o777 == 0o600


def lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", range(7))
def test_every_removed_line_shows(exported: Path, line: int) -> None:
    lines = lines_of(exported)
    assert isinstance(verify(lines), Whole)
    assert isinstance(verify(lines[:line] + lines[line + 1 :]), Broken)


FIELDS = ["seq", "sentence", "event", "staff", "visit", "boot_id", "mono_ms", "wall_ms", "clock_trusted"]


@pytest.mark.parametrize("field", [*FIELDS, "chain"])
def test_every_altered_field_shows(exported: Path, field: str) -> None:
    lines = lines_of(exported)
    row = json.loads(lines[2])
    value = row[field]
    row[field] = (not value) if isinstance(value, bool) else value - 5 if isinstance(value, int) else "1009"
    broken = verify([*lines[:2], json.dumps(row), *lines[3:]])
    assert isinstance(broken, Broken)
    assert broken.line == 3


def test_a_row_put_twice_or_moved_shows(exported: Path) -> None:
    lines = lines_of(exported)
    assert isinstance(verify([*lines[:2], lines[1], *lines[2:]]), Broken)
    assert isinstance(verify([lines[0], lines[2], lines[1], *lines[3:]]), Broken)
    assert isinstance(verify([*lines, lines[1]]), Broken)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"kind": "audit", "v": 2}', '{"kind": "end"}'])
def test_what_is_no_export_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "export"
    file.write_text(text, encoding="utf-8")
    code, said = verified(file)
    assert code == 1
    assert len(said.splitlines()) == 1


def test_exports_follow_from_each_other_or_show_that_something_is_missing(
    uploader: RunningUploader, exported: Path, tmp_path: Path
) -> None:
    command = ["export", "--config", str(uploader.config), "--since"]
    overlapping, apart = tmp_path / "overlapping.jsonl", tmp_path / "apart.jsonl"
    overlapping.write_text(CliRunner().invoke(audit, [*command, "2000-01-01"]).output, encoding="utf-8")
    apart.write_text(CliRunner().invoke(audit, [*command, "2999-01-01"]).output, encoding="utf-8")
    assert [len(lines_of(each)) for each in (exported, overlapping, apart)] == [5 + 2, 6 + 2, 0 + 2]
    assert verified(exported, overlapping)[0] == 0
    assert verified(exported, apart)[0] == 1, "exports in between were noted and are in neither"


def test_the_timer_s_exports_follow_from_each_other(
    uploader: RunningUploader, exported: Path, tmp_path: Path
) -> None:
    def missing() -> str:
        done = CliRunner().invoke(audit, ["export", "--config", str(uploader.config), "--missing"])
        assert done.exit_code == 0, done.output
        return done.output

    assert "off" in missing()
    folder = uploader.config.parent / "reports"
    folder.mkdir()
    with uploader.config.open("a", encoding="utf-8") as settings:
        settings.write('[report]\nfolder = "reports"\n')
    assert missing().endswith(": 5 rows\n")
    assert missing() == "", "today's is there"
    [first] = folder.iterdir()
    assert verified(exported, first)[0] == 0
    first = first.rename(first.with_name("audit-K001-2026-01-31.jsonl"))
    assert missing() == "", "that it exports by itself is no deed, and nothing else was done"
    with uploader.screen() as screen:
        screen.wait_for(LineState)
        screen.send(SetFallback(staff="1002", reason=FallbackReason.LINE))
        screen.wait_for(LineState, fallback=FallbackReason.LINE)
        assert missing().endswith(": 1 rows\n")
    [_, second] = sorted(folder.iterdir())
    assert verified(first, second) == (0, f"{first}: whole, 5 rows\n{second}: whole, 1 rows\n")


def test_the_timer_does_not_go_on_from_an_export_that_was_altered(
    uploader: RunningUploader, exported: Path
) -> None:
    with uploader.config.open("a", encoding="utf-8") as settings:
        settings.write('[report]\nfolder = "."\n')
    altered = uploader.config.parent / "audit-K001-2026-01-31.jsonl"
    altered.write_text(exported.read_text(encoding="utf-8").replace("1003", "1002"), encoding="utf-8")
    done = CliRunner().invoke(audit, ["export", "--config", str(uploader.config), "--missing"])
    assert done.exit_code == 1
    assert "is no whole export; move it away" in done.output
    altered.unlink()
    done = CliRunner().invoke(audit, ["export", "--config", str(uploader.config), "--missing"])
    assert done.output.endswith(": 5 rows\n")


def test_times_of_a_boot_without_a_clock_are_mended_beside_the_raw_ones(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.sqlite")
    lost = type(NOW)("boot-1", mono_ms=5_000, wall_ms=0, trusted=False)
    Ledger(outbox.database).note(AuditEvent.DESK_OPENED, "1001", lost)
    with outbox.database.writing():
        outbox.database.rows("INSERT INTO boots VALUES ('boot-1', 1800000000000)")
    [row] = Ledger(outbox.database).page(0, 10)
    assert (row.wall_ms, row.true_ms) == (0, 1_800_000_005_000)
    assert Ledger(outbox.database).broken_link() is None
    outbox.close()
