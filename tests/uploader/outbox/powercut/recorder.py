"""Runs a program under the recording shim and reads what it wrote down."""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.uploader.outbox.powercut.disk import (
    Created,
    FolderSynced,
    Mark,
    Operation,
    Renamed,
    Synced,
    Truncated,
    Unlinked,
    Written,
)

_HEAD = struct.Struct("<cQQI")  # as in shim.c
_SOURCE = Path(__file__).with_name("shim.c")
_TRACE, _FOLDER = "POWERCUT_TRACE", "POWERCUT_FOLDER"


def compiler() -> str | None:
    """The C compiler, None when there is none; `make` installs one."""
    return shutil.which("cc") or shutil.which("gcc")


def build_shim(folder: Path) -> Path:
    """Compile the shim into `folder`."""
    found = compiler()
    if found is None:
        raise FileNotFoundError("no C compiler: install gcc (`make test` does)")
    shim = folder / "shim.so"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([found, *flags, "-o", str(shim), str(_SOURCE), "-ldl"], check=True)
    return shim


@dataclass(frozen=True)
class Recorder:
    """Records what programs do below `folder`, which must be a real path."""

    shim: Path
    folder: Path
    trace: Path

    def run(self, module: str, arguments: Sequence[str]) -> list[Operation | Mark]:
        """Run `python -m MODULE` to its end; raises CalledProcessError when it fails."""
        self.trace.unlink(missing_ok=True)
        environ = {_TRACE: str(self.trace), _FOLDER: str(self.folder), "LD_PRELOAD": str(self.shim)}
        subprocess.run([sys.executable, "-m", module, *arguments], env={**os.environ, **environ}, check=True)
        return list(_parsed(self.trace.read_bytes(), str(self.folder)))


class Marker:
    """The recorded process's own pen: writes marks between what the shim writes."""

    def __init__(self) -> None:
        self._file = os.open(os.environ[_TRACE], os.O_WRONLY | os.O_APPEND)

    def mark(self, text: bytes) -> None:
        """Append one mark."""
        os.write(self._file, _HEAD.pack(b"M", 0, 0, len(text)) + text)


def _parsed(trace: bytes, folder: str) -> Iterator[Operation | Mark]:
    def name(path: bytes) -> str:
        inside = path.decode().removeprefix(folder + "/")
        assert "/" not in inside, f"{path!r} is not a file of the recorded folder"
        return inside

    at = 0
    while at < len(trace):
        kind, inode, number, length = _HEAD.unpack_from(trace, at)
        at += _HEAD.size
        data = trace[at : at + length]
        assert len(data) == length, "the trace was cut off"
        at += length
        match kind:
            case b"C":
                yield Created(name(data), inode)
            case b"W":
                yield Written(inode, number, data)
            case b"T":
                yield Truncated(inode, number)
            case b"S":
                yield Synced(inode)
            case b"D":
                yield FolderSynced()
            case b"U":
                yield Unlinked(name(data))
            case b"R":
                old, _, new = data.partition(b"\0")
                yield Renamed(name(old), name(new))
            case b"M":
                yield Mark(data)
            case _:
                raise AssertionError(f"the trace holds {kind!r}")
