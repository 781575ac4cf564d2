"""A disk that may lose its power: what was written, what of it is surely there, what a cut may leave.

The model is pessimistic, as POSIX allows: only a sync of a file makes its writes and its length durable, only
a sync of the folder makes names durable. Unsynced writes may be kept, lost or torn in any combination and
however old they are; names change in order, as in every journalling file system. What is torn is torn at 512
bytes (the sector that a card keeps whole; SQLite's powersafe overwrite relies on no more than that).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

SECTOR = 512


@dataclass(frozen=True)
class Created:
    """A name came to be, for an empty file."""

    name: str
    inode: int


@dataclass(frozen=True)
class Written:
    """Bytes were written into a file."""

    inode: int
    at: int
    data: bytes


@dataclass(frozen=True)
class Truncated:
    """A file was given this length."""

    inode: int
    size: int


@dataclass(frozen=True)
class Synced:
    """A file's content and length became durable."""

    inode: int


@dataclass(frozen=True)
class FolderSynced:
    """The names became durable."""


@dataclass(frozen=True)
class Unlinked:
    """A name went."""

    name: str


@dataclass(frozen=True)
class Renamed:
    """A name became another one; what had that name before is gone."""

    name: str
    to: str


@dataclass(frozen=True)
class Mark:
    """What the process said about itself; not on the disk."""

    text: bytes


Operation = Created | Written | Truncated | Synced | FolderSynced | Unlinked | Renamed
Change = Written | Truncated
Naming = Created | Unlinked | Renamed
Files = dict[str, bytes]  #: name to content


class Residue(Enum):
    """What becomes of the unsynced at one cut."""

    LOST = "lost"
    KEPT = "kept"
    TORN = "torn"
    MIXED = "mixed"


class Disk:
    """The files of one folder, empty in the beginning."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._files: dict[int, _File] = {}
        self._naming: list[Naming] = []

    def apply(self, operation: Operation) -> None:
        """Do what the process did."""
        match operation:
            case Written(inode=inode) | Truncated(inode=inode):
                self._files[inode].pending.append(operation)
            case Synced(inode=inode):
                self._files[inode].settle()
            case Created(inode=inode):
                self._files[inode] = _File(bytearray())  # a number may come back after an unlink
                self._naming.append(operation)
            case Unlinked() | Renamed():
                self._naming.append(operation)
            case FolderSynced():
                self._names = _renamed(self._names, self._naming)
                self._naming.clear()

    @property
    def files(self) -> Files:
        """What is there while the power is on."""
        names = _renamed(self._names, self._naming)
        return {
            name: self._files[inode].after_cut(Residue.KEPT, random.Random(0))
            for name, inode in names.items()
        }

    def settle(self) -> None:
        """Make everything durable."""
        self._names = _renamed(self._names, self._naming)
        self._naming.clear()
        for file in self._files.values():
            file.settle()

    def cuts(self, mixed: int, chance: random.Random) -> Iterator[tuple[Residue, Files]]:
        """What the disk may hold if the power fails now; no two alike. `mixed`: how many chance mixtures."""
        seen: set[int] = set()
        residues = [Residue.LOST, Residue.KEPT, Residue.TORN, *[Residue.MIXED] * mixed]
        if not self._naming and not any(file.pending for file in self._files.values()):
            residues = [Residue.KEPT]
        for residue in residues:
            files = self._after_cut(residue, chance)
            sight = hash(tuple(files.items()))
            if sight not in seen:
                seen.add(sight)
                yield residue, files

    def _after_cut(self, residue: Residue, chance: random.Random) -> Files:
        match residue:
            case Residue.LOST:
                kept = 0
            case Residue.KEPT:
                kept = len(self._naming)
            case Residue.TORN | Residue.MIXED:
                kept = chance.randint(0, len(self._naming))
        names = _renamed(self._names, self._naming[:kept])
        return {name: self._files[inode].after_cut(residue, chance) for name, inode in sorted(names.items())}


def _renamed(names: dict[str, int], naming: list[Naming]) -> dict[str, int]:
    names = dict(names)
    for change in naming:
        match change:
            case Created(name=name, inode=inode):
                names[name] = inode
            case Unlinked(name=name):
                del names[name]
            case Renamed(name=name, to=to):
                names[to] = names.pop(name)
    return names


@dataclass
class _File:
    """One file: what is durable, and what was done since the last sync."""

    durable: bytearray
    pending: list[Change] = field(default_factory=list)

    def settle(self) -> None:
        for change in self.pending:
            _change(self.durable, change)
        self.pending.clear()

    def after_cut(self, residue: Residue, chance: random.Random) -> bytes:
        if residue is Residue.LOST or not self.pending:
            return bytes(self.durable)
        content = bytearray(self.durable)
        for change in self.pending:
            for part in _left_of(change, residue, chance):
                _change(content, part)
        return bytes(content)


def _left_of(change: Change, residue: Residue, chance: random.Random) -> Iterator[Change]:
    """What is left of one change that was not synced."""
    if residue is Residue.MIXED:
        residue = chance.choice((Residue.KEPT, Residue.KEPT, Residue.LOST, Residue.LOST, Residue.TORN))
    if residue is Residue.KEPT:
        yield change
    elif residue is Residue.TORN:
        match change:
            case Written(inode=inode, at=at, data=data):
                for begin, end in _sectors(at, len(data)):
                    if chance.random() < 0.5:
                        yield Written(inode, begin, data[begin - at : end - at])
            case Truncated():
                if chance.random() < 0.5:
                    yield change


def _sectors(at: int, length: int) -> Iterator[tuple[int, int]]:
    end = at + length
    while at < end:
        following = min((at // SECTOR + 1) * SECTOR, end)
        yield at, following
        at = following


def _change(content: bytearray, change: Change) -> None:
    match change:
        case Written(at=at, data=data):
            if len(content) < at:
                content.extend(bytes(at - len(content)))
            content[at : at + len(data)] = data
        case Truncated(size=size):
            if size < len(content):
                del content[size:]
            else:
                content.extend(bytes(size - len(content)))
