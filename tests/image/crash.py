"""What must be true of a card after a power cut: it mounts, holds what was promised, and can go on."""

import re
import sqlite3
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from kiosk.config.settings import ConfigError, load
from kiosk.uploader.service.custody import load_key
from tests.image import host_key
from tests.image.recording import Recording
from tests.image.replay import BOOT, DATA, Cut, Part, Replayer, cuts, partition, to_the_end

Found = TypeVar("Found")
KEY = re.compile(
    rb"-----BEGIN (ENCRYPTED )?PRIVATE KEY-----\n[\w+/=\n]+-----END (ENCRYPTED )?PRIVATE KEY-----\n"
)
CORRECTED = 1  #: e2fsck: errors were corrected; from 4 on some were not
#: Reads a file of a FAT partition: image, name → bytes, None when there is no such file or no such partition.
ReadFat = Callable[[Path, str], bytes | None]


class Stage(StrEnum):
    """How far the first boot had come."""

    NOTHING = "nothing yet"
    KEY = "key without certificate"
    CERTIFICATE = "certificate, settings not in force"
    IN_FORCE = "in force, card not yet wiped"
    DONE = "in force"


@dataclass(frozen=True)
class Owed:
    """What had been promised before the cut."""

    records: tuple[str, ...] = ()
    key: bool = False  #: the service has been asked for a certificate: the code is spent for this key alone


@dataclass(frozen=True)
class Card:
    """What staff wrote on the card, and what stands there after the cut."""

    written: bytes
    now: bytes | None


@dataclass(frozen=True)
class State:
    """One crash state, looked at."""

    cut: Cut
    faults: tuple[str, ...]
    stage: Stage
    records: int  #: in the outbox
    owed: Owed
    phase: str = ""

    @property
    def lost(self) -> int:
        """Acknowledged records that are gone."""
        return sum(fault.startswith("acknowledged record") for fault in self.faults)


def look(data: Path, cut: Cut, owed: Owed, card: Card | None = None, phase: str = "") -> State:
    """Check one state of the data partition, and of the card's file if that was replayed too."""
    done = subprocess.run(["e2fsck", "-p", str(data)], capture_output=True, text=True, check=False)
    if done.returncode > CORRECTED:
        said = f"e2fsck -p: {done.returncode}: {done.stdout.strip()[-200:]}"
        return State(cut, (said, *missing(owed, set())), Stage.NOTHING, 0, owed, phase)
    with mounted(data) as folder:
        stage, faults = first_boot(folder, owed.key)
        found, damage = records_in(folder / "lib/kiosk-uploader/outbox.sqlite")
    if card is not None:
        faults += card_faults(card, stage)
    faults += [*damage, *missing(owed, found)]
    return State(cut, tuple(faults), stage, len(found), owed, phase)


def missing(owed: Owed, found: set[str]) -> list[str]:
    return [f"acknowledged record {record} is missing" for record in owed.records if record not in found]


def first_boot(folder: Path, has_asked: bool) -> tuple[Stage, list[str]]:
    place, kept = folder / "lib/kiosk-uploader", folder / "lib/kiosk"
    has_key, certified = (place / "terminal.key").exists(), (place / "terminal.pem").exists()
    settings = kept / "kiosk.toml"
    faults = []
    if has_asked and not has_key:
        faults.append("the service was asked for a certificate, and the key is not there")
    faults += (
        key_faults((place / "terminal.key").read_bytes(), folder / "lib/kiosk-secret") if has_key else []
    )
    if not settings.exists():
        stage = Stage.CERTIFICATE if certified else Stage.KEY if has_key else Stage.NOTHING
        return stage, faults
    try:
        load(settings)
    except ConfigError as fault:
        faults.append(f"settings in force cannot be read: {fault}")
    if not certified:
        faults.append("settings in force without a certificate")
    if not (kept / "taken.toml").exists():
        faults.append("settings in force, and what the card shall read is not known")
    return Stage.IN_FORCE if (kept / "to-wipe").exists() else Stage.DONE, faults


def key_faults(pem: bytes, secret: Path) -> list[str]:
    """A key must be whole, and if it is sealed, what lies there must open it (docs/keys.md)."""
    found = KEY.fullmatch(pem)
    if found is None:
        return ["the key is not whole"]
    if not found[1]:
        return []
    needed = [secret / host_key.HOST_KEY, secret / host_key.SEALED]
    lost = [f"the key is sealed, and {each.name} is not there" for each in needed if not each.exists()]
    if lost:
        return lost
    opened = host_key.opened(secret)
    if opened is None or load_key(pem, opened) is None:
        return ["the key is sealed, and what lies there does not open it"]
    return []


def card_faults(card: Card, stage: Stage) -> list[str]:
    """The card's file: as staff wrote it, being overwritten, or without its secrets."""
    if card.now is None:
        return ["kiosk.toml on the card cannot be read"]
    if stage is Stage.IN_FORCE:
        return []  # the next start overwrites it again
    if stage is not Stage.DONE:
        return (
            [] if card.now == card.written else ["kiosk.toml was changed before the settings were in force"]
        )
    try:
        code = tomllib.loads(card.now.decode())["first_boot"]["activation_code"]
    except (ValueError, KeyError) as fault:
        return [f"kiosk.toml on the card is no longer a settings file: {fault}"]
    return ["the activation code is still on the card, and nothing says that it is to go"] if code else []


def records_in(outbox: Path) -> tuple[set[str], list[str]]:
    """The record ids in an outbox, opened as the uploader does: with its hot journal."""
    if not outbox.exists():
        return set(), []
    with closing(sqlite3.connect(outbox)) as database:
        try:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            tables = {
                row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            rows = database.execute("SELECT id FROM records").fetchall() if "records" in tables else []
        except sqlite3.DatabaseError as fault:
            return set(), [f"outbox: {fault}"]
    return {str(row[0]) for row in rows}, [] if verdict == "ok" else [f"outbox: {verdict}"]


@contextmanager
def mounted(partition: Path) -> Iterator[Path]:
    """The file system in a file; mounting replays its journal, as the box does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["mount", "-o", "loop,noatime", str(partition), name], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", name], check=True)


class FatFile:
    """A file of the card's FAT partition in each crash state; read again only where something was written."""

    def __init__(self, recording: Recording, read: ReadFat, name: str, work: Path) -> None:
        work.mkdir(exist_ok=True)
        part = partition(recording.before, BOOT)
        self._replayer = Replayer(recording.before, part, recording.log, work / f"{name}-fat.img")
        self._state, self._read, self._name = work / f"{name}-state.img", read, name
        self._last: tuple[tuple[int, ...], bytes | None] | None = None

    def after(self, cut: Cut) -> bytes | None:
        """Cuts must come in order."""
        same = self._replayer.writes_in(cut)
        if self._last is None or self._last[0] != same:
            image = self._replayer.state(cut, self._state)
            self._last = (same, self._read(image, self._name))
        return self._last[1]


class Campaign:
    """Crash states of a recorded life, looked at one after the other."""

    def __init__(self, recording: Recording, read: ReadFat, work: Path) -> None:
        self._recording = recording
        self._work = work
        part: Part = to_the_end(recording.before, DATA)
        self._data = Replayer(recording.before, part, recording.log, work / "data.img")
        self._card = FatFile(recording, read, "kiosk.toml", work)
        written = self._card.after(Cut(0, (), 0))
        assert written is not None, "a card without settings"
        self._written = written
        self.entries = self._data.entries

    def owed(self, cut: Cut) -> Owed:
        recording = self._recording
        records = tuple(each.record for each in recording.promises if cut.holds(self.entries, each.log_size))
        asked = recording.asked_at is not None and cut.holds(self.entries, recording.asked_at)
        return Owed(records, asked)

    def after(self, cut: Cut, phase: str) -> State:
        """Cuts must come in order."""
        card = Card(self._written, self._card.after(cut))
        file = self._data.state(cut, self._work / "data-state.img")
        return look(file, cut, self.owed(cut), card, phase)

    def run(self, counts: dict[str, int], seed: int) -> Iterator[State]:
        """So many states of each phase."""
        for phase, (first, last) in self._recording.spans(self.entries).items():
            for cut in cuts(self.entries, counts.get(phase, 0), seed, first, last):
                yield self.after(cut, phase)


def sample(
    found: Sequence[Found], count: int, state: Callable[[Found], State], kind: Callable[[Found], object]
) -> list[Found]:
    """Some of what was found, from every kind, the rare ones first; in the order of their cuts."""
    groups: dict[object, list[Found]] = {}
    for each in found:
        groups.setdefault(kind(each), []).append(each)
    rare_first = [spread(group) for group in sorted(groups.values(), key=len)]
    in_turn = [group[turn] for turn in range(count) for group in rare_first if turn < len(group)]
    cuts = {id(each): state(each).cut for each in found}
    return sorted(in_turn[:count], key=lambda each: (cuts[id(each)].sure, cuts[id(each)].until))


def spread(group: list[Found]) -> list[Found]:
    """The same, so that whoever takes the first few has them from all over: middle, quarters, …"""
    if len(group) < 3:
        return group
    middle = len(group) // 2
    low, high = spread(group[:middle]), spread(group[middle + 1 :])
    mixed = [each for pair in zip(low, high, strict=False) for each in pair]
    return [group[middle], *mixed, *low[len(high) :], *high[len(low) :]]
