"""Folders shared with other programs: whole files only, nobody's file replaced or removed."""

import io
import os
import stat
import zipfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from kiosk.uploader.oqs.document import MAX_BYTES
from kiosk.uploader.oqs.folder import Folder, NotPut, Put, PutUnknown, Unready

NAME = "OQSsiquc01res_face_K001_20261125090000.xml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "face").mkdir()
    return Folder(tmp_path / "face", tmp_path / "work" / "K001")


def test_a_file_comes_whole_and_leaves_nothing_in_the_work_folder(folder: Folder) -> None:
    assert folder.put(NAME, b"<x/>") == Put(NAME)
    assert (folder.path / NAME).read_bytes() == b"<x/>"
    assert list(folder.work.iterdir()) == []
    assert stat.S_IMODE((folder.path / NAME).stat().st_mode) == 0o640
    assert stat.S_IMODE(folder.work.stat().st_mode) == 0o700


def test_nobodys_file_is_replaced(folder: Folder) -> None:
    (folder.path / NAME).write_bytes(b"another program's")
    assert folder.put(NAME, b"<x/>") == NotPut("another file has this name", taken=True)
    assert (folder.path / NAME).read_bytes() == b"another program's"


def test_a_missing_folder_is_told_and_not_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "away", tmp_path / "work")
    assert folder.put(NAME, b"<x/>") == NotPut("the folder is not there")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_put_on_the_own_disk_while_the_share_is_away(tmp_path: Path) -> None:
    (tmp_path / "face").mkdir()
    folder = Folder(tmp_path / "face", tmp_path / "face" / "kiosk-work", (tmp_path,))
    assert folder.put(NAME, b"<x/>") == NotPut("the share is not mounted")
    assert list((tmp_path / "face").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no second file system here")
def test_a_mounted_share_is_another_file_system(tmp_path: Path) -> None:
    place = Path("/dev/shm") / f"kiosk-test-{os.getpid()}"
    place.mkdir()
    try:
        folder = Folder(place, place / "kiosk-work", (tmp_path,))
        assert folder.put(NAME, b"<x/>") == Put(NAME)
    finally:
        for each in sorted(place.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() else each.unlink()
        place.rmdir()


def test_a_move_across_file_systems_is_not_done_by_copying(tmp_path: Path) -> None:
    """It would be seen half."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("no second file system here")
    work = Path("/dev/shm") / f"kiosk-test-{os.getpid()}-work"
    try:
        (tmp_path / "face").mkdir()
        assert isinstance(Folder(tmp_path / "face", work).put(NAME, b"<x/>"), NotPut)
        assert list((tmp_path / "face").iterdir()) == []
        assert list(work.iterdir()) == []
    finally:
        work.rmdir()


def test_what_a_crash_left_is_removed_and_nothing_else(folder: Folder) -> None:
    folder.work.mkdir(parents=True)
    (folder.work / NAME).write_bytes(b"half a per")
    (folder.path / NAME).write_bytes(b"handed over before")
    assert folder.clean() == 1
    assert list(folder.work.iterdir()) == []
    assert (folder.path / NAME).exists()
    assert folder.clean() == 0


def test_a_move_whose_reply_was_lost_is_known_by_what_is_there(folder: Folder) -> None:
    folder.work.mkdir(parents=True)
    made = folder.work / NAME
    fault = TimeoutError(110, "Connection timed out")
    made.write_bytes(b"<x/>")
    assert folder.moved_all_the_same(made, folder.path / NAME, fault) == NotPut("Connection timed out")
    assert not made.exists(), "what is not moved is not left"
    (folder.path / NAME).write_bytes(b"<x/>")
    assert folder.moved_all_the_same(made, folder.path / NAME, fault) == Put(NAME)
    (folder.path / NAME).unlink()  # moved and taken already, or lost: nobody knows
    assert folder.moved_all_the_same(made, folder.path / NAME, fault) == PutUnknown("Connection timed out")


def test_a_file_is_looked_at_where_it_lies(folder: Folder) -> None:
    assert folder.look(NAME) is Unready.ABSENT
    (folder.path / NAME).write_bytes(b"<x/>")
    assert folder.look(NAME) == b"<x/>"
    assert folder.look(NAME) == b"<x/>", "it is still there"
    (folder.path / NAME).unlink()
    (folder.path / NAME).mkdir()
    assert folder.look(NAME) is Unready.UNREACHABLE
    assert Folder(folder.path / "away", folder.work).look(NAME) is Unready.UNREACHABLE


def test_a_file_too_large_is_not_taken_into_memory(folder: Folder) -> None:
    with (folder.path / NAME).open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert folder.look(NAME) is Unready.TOO_LARGE


def test_an_archive_with_one_result_stands_for_it(folder: Folder) -> None:
    archive = folder.path / NAME.replace(".xml", ".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("folder/result.xml", b"<XmlMsg/>")
        made.writestr("read.me", b"")
    assert folder.look(NAME) == b"<XmlMsg/>"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])  # still being written
    assert folder.look(NAME) is Unready.NO_ARCHIVE


def test_an_archive_that_swells_is_refused(folder: Folder) -> None:
    with zipfile.ZipFile(folder.path / NAME.replace(".xml", ".zip"), "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("result.xml", b" " * 8_000_000)
    assert folder.look(NAME) is Unready.TOO_LARGE


def test_an_archive_of_several_results_is_not_guessed_at(folder: Folder) -> None:
    with zipfile.ZipFile(folder.path / NAME.replace(".xml", ".zip"), "w") as made:
        made.writestr("one.xml", b"<XmlMsg/>")
        made.writestr("two.xml", b"<XmlMsg/>")
    assert folder.look(NAME) is Unready.NO_ARCHIVE


def zipped(name: str = NAME, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as made:
        made.writestr(name, b"<x>" + b"".join(b"<y>%d</y>" % n for n in range(2000)) + b"</x>")
    return held.getvalue()


def damaged(archive: bytes, dice: Random) -> bytes:
    """Bytes changed, a page that has not come yet, an end that is missing, noise in the middle."""
    data = bytearray(archive)
    match dice.randrange(4):
        case 0:
            for _ in range(dice.randint(1, 4)):
                data[dice.randrange(len(data))] = dice.randrange(256)
        case 1:
            at = dice.randrange(len(data))
            data[at : at + 4096] = bytes(len(data[at : at + 4096]))
        case 2:
            del data[dice.randrange(len(data)) :]
        case _:
            at = dice.randrange(len(data))
            data[at:at] = dice.randbytes(dice.randint(1, 60))
    return bytes(data)


@pytest.mark.parametrize(
    "kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_or_half_copied_archive_is_waited_for(folder: Folder, kind: int) -> None:
    """What the clinic's machines leave there ends nothing: it is no archive yet, or has other content."""
    dice, whole = Random(kind), zipped(kind=kind)
    archive = folder.path / NAME.replace(".xml", ".zip")
    found: Counter[str] = Counter()
    for _ in range(1500):
        archive.write_bytes(damaged(whole, dice))
        seen = folder.look(NAME)
        found[type(seen).__name__ if isinstance(seen, bytes) else seen.name] += 1
    assert found["NO_ARCHIVE"] > 500, found
    archive.write_bytes(whole)
    assert isinstance(folder.look(NAME), bytes)


def test_a_name_in_shift_jis_under_the_utf_8_flag_is_no_archive(folder: Folder) -> None:
    """As Windows archivers write it; `flag_bits` 0x800 promises UTF-8 (APPNOTE.TXT, 4.4.4)."""
    plain = zipped("x" * 8 + ".xml")
    name = "資格確認".encode("shift_jis") + b".xml"
    spoiled = bytearray(plain.replace(b"x" * 8 + b".xml", name))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        spoiled[spoiled.index(signature) + offset + 1] |= 0x08
    (folder.path / NAME.replace(".xml", ".zip")).write_bytes(bytes(spoiled))
    assert folder.look(NAME) is Unready.NO_ARCHIVE
