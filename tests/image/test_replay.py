"""Crash states from a log of writes: what was flushed is there, what was not may be missing."""

import struct
from pathlib import Path

import pytest

from tests.image.replay import (
    ENTRY,
    FLUSH,
    MAGIC,
    SUPER,
    Cut,
    LogError,
    Part,
    Replayer,
    cuts,
    partition,
    writes,
)

SECTOR = 512
SIZE = 64 * SECTOR
PART = Part(8 * SECTOR, 32 * SECTOR)


def log_of(path: Path, *entries: tuple[int, bytes, int]) -> Path:
    """A log as QEMU writes it: place in sectors, bytes, flags."""
    data = SUPER.pack(MAGIC, 1, len(entries), SECTOR).ljust(SECTOR, b"\0")
    for place, body, flags in entries:
        data += ENTRY.pack(place, len(body) // SECTOR, flags, len(body)).ljust(SECTOR, b"\0") + body
    path.write_bytes(data)
    return path


def sector(letter: bytes) -> bytes:
    return letter * SECTOR


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Path]:
    before = tmp_path / "before.img"
    before.write_bytes(bytes(SIZE))
    log = log_of(
        tmp_path / "log",
        (8, sector(b"a"), 0),
        (0, sector(b"x"), 0),  # another partition's
        (8, b"", FLUSH),
        (9, sector(b"b"), 0),
        (10, sector(b"c"), 0),
        (8, b"", FLUSH),
    )
    return before, log


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return bytes(data[at] for at in range(0, 3 * SECTOR, SECTOR))


def test_what_was_flushed_is_there_and_the_rest_may_be(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    before, log = recorded
    replayer = Replayer(before, PART, log, tmp_path / "part.img")
    out = tmp_path / "state.img"
    assert read(replayer.state(Cut(3, (), 3), out)) == b"a\0\0"
    assert read(replayer.state(Cut(3, (4,), 5), out)) == b"a\0c"  # the later one alone
    assert read(replayer.state(Cut(6, (), 6), out)) == b"abc"
    assert out.stat().st_size == PART.size


def test_cuts_are_spread_over_the_flushes_and_say_what_they_owe(recorded: tuple[Path, Path]) -> None:
    entries = writes(recorded[1])
    found = list(cuts(entries, 8, seed=1))
    assert {cut.sure for cut in found} == {3, 6}
    assert all(cut.sure <= cut.until for cut in found)
    acknowledged = entries[5].end
    assert [cut.holds(entries, acknowledged) for cut in found] == [cut.sure == 6 for cut in found]
    # Written since the last flush, and nothing more: what was acknowledged lay in that flush.
    assert all(cut.holds(entries, entries[4].end) for cut in found)
    assert not Cut(0, (), 5).holds(entries, entries[4].end)


def test_cuts_keep_to_their_phase(recorded: tuple[Path, Path]) -> None:
    entries = writes(recorded[1])
    assert {cut.sure for cut in cuts(entries, 4, seed=1, first=3)} == {6}
    early = list(cuts(entries, 9, seed=1, last=5))
    assert {cut.sure for cut in early} == {3}
    assert {cut.until for cut in early} == {3, 4, 5}
    assert list(cuts(entries, 4, seed=1, first=0, last=2)) == []  # nothing was flushed there


def test_cuts_that_leave_a_partition_alike_are_known(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    before, log = recorded
    replayer = Replayer(before, PART, log, tmp_path / "part.img")
    alike = [replayer.writes_in(Cut(*cut)) for cut in ((1, (), 1), (2, (), 2), (3, (1,), 3))]
    assert alike == [(1,)] * 3
    assert replayer.writes_in(Cut(3, (4,), 5)) != replayer.writes_in(Cut(6, (), 6))


def test_a_torn_last_entry_is_left_out(recorded: tuple[Path, Path]) -> None:
    log = recorded[1]
    whole = len(writes(log))
    with log.open("ab") as file:
        file.write(ENTRY.pack(12, 4, 0, 0).ljust(SECTOR, b"\0") + sector(b"d"))
    assert len(writes(log)) == whole


def test_something_else_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(bytes(4096))
    with pytest.raises(LogError):
        writes(tmp_path / "no")


def test_a_partition_is_found_in_the_table(tmp_path: Path) -> None:
    table = bytearray(512)
    table[446 + 16 + 8 : 446 + 32] = struct.pack("<II", 2048, 4096)
    (tmp_path / "disk").write_bytes(table)
    assert partition(tmp_path / "disk", 2) == Part(2048 * 512, 4096 * 512)
