"""What a crash state owes, how far its first boot had come, which states are started."""

import shutil
import sqlite3
import struct
from pathlib import Path

import pytest

from kiosk.config.settings import Settings
from kiosk.provisioning.first_boot_steps import FirstBootPaths, first_boot
from tests.image import crash
from tests.image.crash import Campaign, Card, FatFile, Owed, Stage, State
from tests.image.recording import Recording
from tests.image.replay import FLUSH, Cut
from tests.image.test_replay import log_of, sector
from tests.provisioning.test_first_boot import CODE, written

SECTOR = 512
FAT, DATA = 2, 40  #: first sectors
PEM = b"-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"  #: no key, in the form of one


class PowerCutError(Exception):
    """The power fails here."""


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """A card with a FAT and a data partition, and writes to both."""
    disk = bytearray(64 * SECTOR)
    for number, start, count in ((1, FAT, 8), (4, DATA, 8)):
        at = 446 + 16 * (number - 1)
        disk[at + 8 : at + 16] = struct.pack("<II", start, count)
    disk[FAT * SECTOR : (FAT + 1) * SECTOR] = sector(b"w")
    before = tmp_path / "before.img"
    before.write_bytes(disk)
    log = log_of(
        tmp_path / "log",
        (DATA, sector(b"k"), 0),
        (DATA, b"", FLUSH),
        (DATA + 1, sector(b"r"), 0),
        (DATA, b"", FLUSH),
        (FAT, sector(b"c"), 0),
        (DATA, b"", FLUSH),
    )
    return Recording(before, log)


def first_letter(image: Path, name: str) -> bytes:
    assert name == "kiosk.toml"
    return image.read_bytes()[:1]


def test_a_state_owes_what_was_promised_before_its_last_flush(recording: Recording, tmp_path: Path) -> None:
    campaign = Campaign(recording, first_letter, tmp_path)
    entries = campaign.entries
    recording.asked_at = entries[1].end
    recording.promise("one", entries[3].end)
    owed = [campaign.owed(Cut(sure, (), sure)) for sure in (0, 1, 2, 3, 4, 6)]
    assert [each.key for each in owed] == [False, False, True, True, True, True]
    assert [each.records for each in owed] == [(), (), (), (), ("one",), ("one",)]


def test_the_cards_file_is_read_again_only_where_something_was_written(
    recording: Recording, tmp_path: Path
) -> None:
    asked: list[str] = []

    def read(image: Path, name: str) -> bytes | None:
        asked.append(name)
        return first_letter(image, name)

    file = FatFile(recording, read, "kiosk.toml", tmp_path)
    cuts = (Cut(0, (), 0), Cut(2, (), 2), Cut(4, (), 4), Cut(4, (4,), 5), Cut(6, (), 6))
    assert [file.after(cut) for cut in cuts] == [b"w", b"w", b"w", b"c", b"c"]
    assert len(asked) == 3  # the one that may be written, and the one that surely is, are two


# ---- the first boot ----------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> FirstBootPaths:
    card, kept = tmp_path / "card", tmp_path / "lib/kiosk"
    card.mkdir()
    kept.mkdir(parents=True)
    (card / "kiosk.toml").write_text(written(), encoding="utf-8")
    (card / "service-ca.pem").write_text("a certificate", encoding="utf-8")
    return FirstBootPaths(card, kept)


def boot(places: FirstBootPaths, *files: str, until: str = "") -> None:
    """The first boot as far as the enrolment, which leaves these files and goes on unless it is cut off."""

    def enrol(settings: Settings, path: Path, code: str, url: str) -> None:
        folder = places.kept.parent / "kiosk-uploader"
        folder.mkdir(exist_ok=True)
        for name in files:
            (folder / name).write_bytes(PEM)
        if until == "enrolled":
            raise PowerCutError

    if until:
        with pytest.raises(PowerCutError):
            first_boot(places, enrol, lambda _: None)
    else:
        first_boot(places, enrol, lambda _: None)


def seen(places: FirstBootPaths, has_asked: bool = True) -> tuple[Stage, list[str]]:
    return crash.first_boot(places.kept.parent.parent, has_asked)


def test_each_stage_is_known_and_none_is_a_fault(places: FirstBootPaths) -> None:
    assert seen(places, has_asked=False) == (Stage.NOTHING, [])
    boot(places, "terminal.key", until="enrolled")
    assert seen(places) == (Stage.KEY, [])
    boot(places, "terminal.key", "terminal.pem", until="enrolled")
    assert seen(places) == (Stage.CERTIFICATE, [])
    boot(places, "terminal.key", "terminal.pem")
    assert seen(places) == (Stage.DONE, [])
    places.to_wipe.touch()
    assert seen(places) == (Stage.IN_FORCE, [])


def test_a_key_that_was_promised_and_is_gone_is_a_fault(places: FirstBootPaths) -> None:
    stage, [fault] = seen(places)
    assert stage is Stage.NOTHING
    assert "key is not there" in fault


def test_a_key_must_be_whole_and_what_seals_it_there(tmp_path: Path) -> None:
    assert crash.key_faults(PEM, tmp_path) == []
    assert (
        crash.key_faults(PEM[:-10], tmp_path) == crash.key_faults(b"", tmp_path) == ["the key is not whole"]
    )
    sealed = PEM.replace(b"PRIVATE", b"ENCRYPTED PRIVATE")
    assert len(crash.key_faults(sealed, tmp_path)) == 2
    (tmp_path / "host.key").touch()
    (tmp_path / "device.sealed").touch()
    assert "does not open it" in crash.key_faults(sealed, tmp_path)[0]


def test_settings_that_came_too_early_or_are_torn_are_faults(places: FirstBootPaths) -> None:
    boot(places, "terminal.key")
    places.in_force.write_text("[clinic", encoding="utf-8")
    places.taken.unlink()
    assert [fault.partition(":")[0] for fault in seen(places)[1]] == [
        "settings in force cannot be read",
        "settings in force without a certificate",
        "settings in force, and what the card shall read is not known",
    ]


def test_the_cards_file_must_fit_the_stage(places: FirstBootPaths) -> None:
    before = places.written.read_bytes()
    boot(places, "terminal.key", "terminal.pem")
    after = places.written.read_bytes()
    differ = [n for n, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    middle = differ[len(differ) // 2]
    torn = after[:middle] + before[middle:]
    assert torn not in (before, after)
    good = [(before, Stage.KEY), (after, Stage.DONE), (torn, Stage.IN_FORCE)]
    bad = [(after, Stage.KEY), (before, Stage.DONE), (None, Stage.DONE), (b"[", Stage.DONE)]
    assert CODE.encode() in before
    assert [crash.card_faults(Card(before, now), stage) for now, stage in good] == [[]] * 3
    assert all(crash.card_faults(Card(before, now), stage) for now, stage in bad)


# ---- records -----------------------------------------------------------------------------------------------


def test_records_are_read_with_a_hot_journal_and_damage_is_told(tmp_path: Path) -> None:
    path, left = tmp_path / "outbox.sqlite", tmp_path / "left.sqlite"
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("CREATE TABLE records (id TEXT)")
        database.execute("INSERT INTO records VALUES ('one')")
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO records VALUES ('two')")
        database.execute("PRAGMA cache_spill = 1")
        shutil.copyfile(path, left)
        journal = path.with_name("outbox.sqlite-journal")
        if journal.exists():
            shutil.copyfile(journal, left.with_name("left.sqlite-journal"))
        database.execute("ROLLBACK")
    database.close()
    assert crash.records_in(left) == ({"one"}, [])
    assert crash.records_in(tmp_path / "none.sqlite") == (set(), [])
    raw = bytearray(path.read_bytes())
    raw[4096:4200] = b"\xff" * 104
    path.write_bytes(raw)
    found, damage = crash.records_in(path)
    assert damage
    assert crash.missing(Owed(("one",)), found) or damage


def test_a_missing_record_is_counted_as_lost() -> None:
    owed = Owed(("one", "two"))
    state = State(Cut(1, (), 1), tuple(crash.missing(owed, {"two"})), Stage.DONE, 1, owed)
    assert state.lost == 1
    assert state.faults == ("acknowledged record one is missing",)


# ---- which are started -------------------------------------------------------------------------------------


def state(number: int, phase: str, stage: Stage) -> State:
    return State(Cut(number, (), number), (), stage, 0, Owed(), phase)


def some(states: list[State], count: int) -> list[State]:
    return crash.sample(states, count, lambda each: each, lambda each: (each.phase, each.stage))


def test_the_sample_has_every_phase_and_stage_and_the_rare_ones_first() -> None:
    many = [state(number, "first boot", Stage.NOTHING) for number in range(40)]
    rare = [state(40, "first boot", Stage.KEY), state(41, "first boot", Stage.CERTIFICATE)]
    visits = [state(number, "visits", Stage.DONE) for number in range(42, 72)]
    states = [*many, *rare, *visits]
    chosen = some(states, 6)
    assert [each.cut.sure for each in chosen] == sorted(each.cut.sure for each in chosen)
    assert {each.cut.sure for each in rare} <= {each.cut.sure for each in chosen}
    assert sum(each.phase == "visits" for each in chosen) == 2
    assert some(states, 2) == rare
    assert some(states, 100) == states
    assert some(states, 0) == []
    assert [each.cut.sure for each in some(many, 3)] == [10, 20, 30]  # not three beside each other
