"""A folder that the clinic's other programs use as well. Functions here may block: a share can be slow.

The one rule that keeps programs from losing each other's files: the kiosk deletes, moves and locks nothing
outside its own work folder. What it has put into the folder belongs to who takes it from there.
"""

import contextlib
import logging
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.uploader.oqs.document import MAX_BYTES

log = logging.getLogger(__name__)

_MODE = 0o640  #: for the folder's group; on a share the mount's own modes count
_ZIP_RATIO = 200  #: XML of this kind packs to a twentieth
#: What zipfile and the decompressors behind it raise for an archive that is half written, damaged, encrypted
#: or odd: a damaged deflate stream is a zlib.error, a name in Shift_JIS under the UTF-8 flag a
#: UnicodeDecodeError (a ValueError), sizes that contradict each other a struct.error or an OverflowError.
_NO_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    LookupError,
)


@dataclass(frozen=True)
class Put:
    """The file is in the folder."""

    name: str


@dataclass(frozen=True)
class NotPut:
    """The file is surely not in the folder. `taken`: another one has its name."""

    reason: str
    taken: bool = False


@dataclass(frozen=True)
class PutUnknown:
    """The move was given to the share and its end not heard: the file may be there, or taken already."""

    reason: str


PutOutcome = Put | NotPut | PutUnknown


class Unready(Enum):
    """Why a file has no content now."""

    ABSENT = "it is not there"
    LOCKED = "another program holds it"
    UNREACHABLE = "the folder cannot be reached"
    TOO_LARGE = "it is too large"
    NO_ARCHIVE = "it is no readable archive"


@dataclass(frozen=True)
class Folder:
    """`work` lies on the same file system and is this kiosk's alone. `elsewhere`: the folder is a share, and
    not mounted while it lies on one of these paths' file systems; then nothing is put there.
    """

    path: Path
    work: Path
    elsewhere: tuple[Path, ...] = ()

    def clean(self) -> int:
        """Remove what a crash left in the work folder; returns how many files. Raises OSError."""
        if not self.work.exists():
            return 0
        leftovers = [entry for entry in self.work.iterdir() if entry.is_file()]
        for leftover in leftovers:
            leftover.unlink()
        return len(leftovers)

    def put(self, name: str, data: bytes) -> PutOutcome:
        """Write in the work folder, flush, move: who sees the file sees all of it. No file is replaced."""
        made, final = self.work / name, self.path / name
        try:
            if not self.path.is_dir():
                return NotPut("the folder is not there")
            if not self._mounted():
                return NotPut("the share is not mounted")
            if os.path.lexists(final):
                return NotPut("another file has this name", taken=True)
            self.work.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(made, data)
        except OSError as fault:
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)
            return NotPut(_said(fault))
        return self._move(made, final)

    def fault(self) -> str | None:
        """Why nothing can be put there now; None when it can. Tried with a file in the work folder."""
        try:
            if not self.path.is_dir():
                return "the folder is not there"
            if not self._mounted():
                return "the share is not mounted"
            if not os.access(self.path, os.W_OK):
                return "the folder may not be written"
            self.work.mkdir(mode=0o700, parents=True, exist_ok=True)
            trial = self.work / "trial"
            _write(trial, b"")
            trial.unlink()
        except OSError as fault:
            return _said(fault)
        return None

    def still_there(self, names: Collection[str]) -> frozenset[str]:
        """Which of these files nobody has taken yet. Raises OSError."""
        return frozenset(name for name in names if os.path.lexists(self.path / name))

    def _mounted(self) -> bool:
        device = self.path.stat().st_dev
        return all(path.stat().st_dev != device for path in self.elsewhere)

    def _move(self, made: Path, final: Path) -> PutOutcome:
        try:
            made.rename(final)
        except OSError as fault:
            return self.moved_all_the_same(made, final, fault)
        _sync_folder(self.path)
        return Put(final.name)

    def moved_all_the_same(self, made: Path, final: Path, fault: OSError) -> PutOutcome:
        """What became of a move that failed: a share may have done it and lost the reply."""
        try:
            if os.path.lexists(made):
                made.unlink()
                return NotPut(_said(fault))
            if os.path.lexists(final):
                return Put(final.name)
        except OSError:
            pass
        return PutUnknown(_said(fault))

    def look(self, name: str) -> bytes | Unready:
        """The content of a file, or of the one file in the archive NAME.zip; it stays where it is."""
        try:
            if not name.endswith(".zip"):
                return _content(self.path / name)
        except FileNotFoundError:
            pass
        except OSError as fault:
            return _unready(fault)
        try:
            return _unpacked((self.path / name).with_suffix(".zip"))
        except FileNotFoundError:
            return Unready.ABSENT if self.path.is_dir() else Unready.UNREACHABLE
        except OSError as fault:
            return _unready(fault)
        except _NO_ARCHIVE:
            return Unready.NO_ARCHIVE


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, _MODE)  # the process's umask is stricter
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(path: Path) -> None:
    """So that the move outlives a power cut; a share does not know it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _content(path: Path) -> bytes | Unready:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    return Unready.TOO_LARGE if len(data) > MAX_BYTES else data


def _unpacked(path: Path) -> bytes | Unready:
    with zipfile.ZipFile(path) as archive:
        files = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".xml")]
        if len(files) != 1:
            return Unready.NO_ARCHIVE
        [file] = files
        if file.file_size > min(MAX_BYTES, _ZIP_RATIO * max(file.compress_size, 1)):
            return Unready.TOO_LARGE
        with archive.open(file) as content:
            data = content.read(MAX_BYTES + 1)
    return Unready.TOO_LARGE if len(data) > MAX_BYTES else data


def _unready(fault: OSError) -> Unready:
    return Unready.LOCKED if isinstance(fault, PermissionError | BlockingIOError) else Unready.UNREACHABLE


def _said(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__


def clean(folder: Folder) -> int | str:
    """`Folder.clean` as a value: how many files were removed, or why that was not possible."""
    try:
        return folder.clean()
    except OSError as fault:
        return _said(fault)


def say_cleaned(came: int | str) -> None:
    """Log what cleaning gave."""
    if isinstance(came, str):
        log.error("a work folder in the clinic's folders cannot be cleaned: %s", came)
    elif came:
        log.warning("%d unfinished files of an earlier life were removed from a work folder", came)
