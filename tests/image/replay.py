"""Power cuts from a record of every write: QEMU's blklogwrites (the log format of Linux' dm-log-writes).

A disk may keep what it was given in any order until it is told to flush. So a crash state is: everything
before some flush, and any part of what came after it up to the cut. The states are drawn with a seed.
"""

import random
import struct
import subprocess
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = 0x6A736677736872  #: Documentation/admin-guide/device-mapper/log-writes.rst
FLUSH, FUA, DISCARD = 1, 2, 4
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
CHUNK = 1 << 20
EMPTY = bytes(CHUNK)
BOOT, SLOT_A, SLOT_B, DATA = 1, 2, 3, 4  #: partitions of the card (genimage.cfg)


class LogError(ValueError):
    """This is no log of writes."""


@dataclass(frozen=True)
class Write:
    """One entry: where it goes on the disk, and where its bytes lie in the log."""

    offset: int
    length: int
    flags: int
    data_at: int
    end: int  #: size of the log when it was complete

    @property
    def flushes(self) -> bool:
        return bool(self.flags & FLUSH)


def writes(log: Path) -> tuple[Write, ...]:
    """All complete entries of a log."""
    with log.open("rb") as file:
        head = file.read(SUPER.size)
        if len(head) < SUPER.size or SUPER.unpack(head)[0] != MAGIC:
            raise LogError(f"{log} is no log of writes")
        sector = SUPER.unpack(head)[3]
        size = log.stat().st_size
        found = []
        at = sector
        while at + sector <= size:
            file.seek(at)
            place, count, flags, _ = ENTRY.unpack(file.read(ENTRY.size))
            if place == count == flags == 0:
                break
            body = 0 if flags & DISCARD else count * sector
            if at + sector + body > size:
                break
            found.append(Write(place * sector, count * sector, flags, at + sector, at + sector + body))
            at += sector + body
    return tuple(found)


@dataclass(frozen=True)
class Cut:
    """A crash state: all writes before `sure`, and `also` of those between `sure` and `until`."""

    sure: int
    also: tuple[int, ...]
    until: int

    def holds(self, entries: tuple[Write, ...], log_size: int) -> bool:
        """Whether what was flushed when the log had this size is certainly in this state: its last flush is.
        What was written after that flush was promised to nobody.
        """
        flushed = bisect_right(entries, log_size, key=lambda entry: entry.end)
        while flushed and not entries[flushed - 1].flushes:
            flushed -= 1
        return self.sure >= flushed


def cuts(
    entries: tuple[Write, ...], count: int, seed: int, first: int = 0, last: int | None = None
) -> Iterator[Cut]:
    """`count` crash states, evenly spread over the flushes from entry `first` to before `last`."""
    chance = random.Random(seed)
    end = len(entries) if last is None else last
    flushes = [n for n in range(first, end) if entries[n].flushes]
    for number in range(count if flushes else 0):
        at = number * (len(flushes) - 1) // max(1, count - 1)
        place = flushes[at]
        following = flushes[at + 1] if at + 1 < len(flushes) else end
        until = chance.randint(place + 1, following) if following > place + 1 else place + 1
        loose = [n for n in range(place + 1, until) if chance.random() < 0.5]
        yield Cut(place + 1, tuple(loose), until)


@dataclass(frozen=True)
class Part:
    """A partition of the recorded disk."""

    begin: int  #: bytes
    size: int

    def within(self, entry: Write) -> bool:
        return self.begin <= entry.offset and entry.offset + entry.length <= self.begin + self.size


def whole(disk: Path) -> Part:
    """All of a disk, as a card that is put into another box."""
    return Part(0, disk.stat().st_size)


def partition(disk: Path, number: int) -> Part:
    """Where a partition of an MBR disk lies."""
    with disk.open("rb") as file:
        table = file.read(512)[446:510]
    start, count = struct.unpack("<II", table[16 * (number - 1) + 8 : 16 * number])
    return Part(start * 512, count * 512)


def to_the_end(disk: Path, number: int) -> Part:
    """From where a partition begins to the end of the disk: as far as the data partition grows."""
    begin = partition(disk, number).begin
    return Part(begin, disk.stat().st_size - begin)


class Replayer:
    """Makes one partition as each crash state left it; goes forward, so that each write is done once."""

    def __init__(self, before: Path, part: Part, log: Path, goal: Path) -> None:
        """`before` is the disk when the log began; the partition's own file is `goal`."""
        self.entries = writes(log)
        self._log, self._part, self._goal = log, part, goal
        self._done = 0
        self._ours = [n for n, entry in enumerate(self.entries) if entry.length and part.within(entry)]
        copy_range(before, part, goal)

    def writes_in(self, cut: Cut) -> tuple[int, ...]:
        """The same for two cuts after which this partition is the same: how many writes to it are sure, and
        which others happened.
        """
        ours = set(self._ours).intersection(cut.also)
        return (bisect_left(self._ours, cut.sure), *sorted(ours))

    def state(self, cut: Cut, out: Path) -> Path:
        """The partition after a cut, as the file `out`. Cuts must come in order."""
        assert cut.sure >= self._done, "forward only"
        with self._goal.open("r+b") as disk, self._log.open("rb") as log:
            for number in self._between(self._done, cut.sure):
                self._apply(disk, log, self.entries[number])
        self._done = cut.sure
        subprocess.run(["cp", "--sparse=always", str(self._goal), str(out)], check=True)
        with out.open("r+b") as disk, self._log.open("rb") as log:
            for number in cut.also:
                self._apply(disk, log, self.entries[number])
        return out

    def _between(self, first: int, end: int) -> list[int]:
        return self._ours[bisect_left(self._ours, first) : bisect_left(self._ours, end)]

    def _apply(self, disk: BinaryIO, log: BinaryIO, entry: Write) -> None:
        if not entry.length or not self._part.within(entry):
            return
        disk.seek(entry.offset - self._part.begin)
        if entry.flags & DISCARD:
            for at in range(0, entry.length, CHUNK):
                disk.write(bytes(min(CHUNK, entry.length - at)))
            return
        log.seek(entry.data_at)
        left = entry.length
        while left > 0:
            chunk = log.read(min(CHUNK, left))
            disk.write(chunk)
            left -= len(chunk)


def copy_range(disk: Path, part: Part, goal: Path) -> None:
    """Copy a partition into a file of its own, with holes where it is empty."""
    with disk.open("rb") as source, goal.open("wb") as out:
        source.seek(part.begin)
        left = part.size
        while left > 0 and (chunk := source.read(min(CHUNK, left))):
            out.seek(len(chunk), 1) if chunk == EMPTY[: len(chunk)] else out.write(chunk)
            left -= len(chunk)
        out.truncate(part.size)
