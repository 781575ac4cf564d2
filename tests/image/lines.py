"""The GPIO lines of the machine, watched from outside: every change of a level, with its moment.

`header.dts` gives the machine a block of GPIO lines whose registers are a page of its memory. QEMU keeps that
memory in a memfd, which a watcher maps too: a process of its own (`python -m tests.image.lines`) that looks
thousands of times a second, so that no work of the test makes it miss a change. Without a pause it would take
a processor from the machine, whose wave is a thread's work.
"""

import contextlib
import mmap
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from kiosk.indicators.patterns import Levels
from kiosk.indicators.pin_map import PinMap
from tests.image.machine import MEMORY_MIB, QEMU, Build, MachineError, in_tools

HERE = Path(__file__).resolve().parent
MEMORY_AT, LINES_AT = 0x4000_0000, 0x7FF0_0000  #: `virt`'s memory; header.dts
MEMFD = "memory-backend-memfd"  #: QEMU's name for it, seen as the link of the file descriptor
CHANGE = struct.Struct("<dI")
LOOK_S = 0.0001
#: No half wave of a tone lasts that long, even when an emulated processor is late with it.
TONE_ENDS_S = 0.06
#: The LEDs' lines are written one after the other; shorter than that, it was no state of them.
SETTLES_S = 0.06


@dataclass(frozen=True)
class Change:
    """The levels of all lines from this moment on (time.monotonic)."""

    at: float
    levels: int


@dataclass(frozen=True)
class Lit:
    """The LEDs showed this for so long."""

    at: float
    levels: Levels
    seconds: float


@dataclass(frozen=True)
class Sounded:
    """The buzzer's line went up and down for so long, `edges` times up."""

    at: float
    seconds: float
    edges: int
    hz: float  #: by the median of the periods


def header(build: Build, folder: Path, board: Sequence[str]) -> tuple[str, ...]:
    """QEMU's options for a machine with the header; `board` are those that decide its own device tree."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "header.dts").write_bytes((HERE / "header.dts").read_bytes())
    assert LINES_AT < MEMORY_AT + MEMORY_MIB * 1024 * 1024
    names = {name: str(folder / name) for name in ("header.dts", "header.dtbo", "virt.dtb", "header.dtb")}
    for command in (
        [QEMU, *board, "-machine", f"dumpdtb={names['virt.dtb']}"],
        ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", names["header.dtbo"], names["header.dts"]],
        ["fdtoverlay", "-i", names["virt.dtb"], "-o", names["header.dtb"], names["header.dtbo"]],
    ):
        done = subprocess.run(
            in_tools(build.tools, command, [folder]), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise MachineError(f"{command[0]}: {done.stderr.strip()[-300:]}")
    memory = f"{MEMFD},id=ram,size={MEMORY_MIB}M,share=on"
    return ("-dtb", names["header.dtb"], "-object", memory, "-machine", "memory-backend=ram")


class Watcher:
    """Notes every change of the lines of a running QEMU; a context manager."""

    def __init__(self, qemu: int, notes: Path) -> None:
        self._notes = notes
        notes.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.image.lines", str(qemu), str(notes)]
        self._process = subprocess.Popen(command, cwd=HERE.parents[1])

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def changes(self) -> tuple[Change, ...]:
        """All so far."""
        if self._process.poll() is not None:
            raise MachineError("the watcher of the lines has ended")
        data = self._notes.read_bytes() if self._notes.exists() else b""
        whole = len(data) // CHANGE.size * CHANGE.size
        return tuple(Change(*each) for each in CHANGE.iter_unpack(data[:whole]))


def lit(changes: Sequence[Change], board: PinMap, begin: float, end: float) -> tuple[Lit, ...]:
    """What the LEDs showed between two moments; the first and the last are cut there."""
    found: list[Lit] = []
    for each in _levels(changes, board, begin, end):
        if each.seconds < SETTLES_S and found:
            found[-1] = Lit(found[-1].at, found[-1].levels, each.at + each.seconds - found[-1].at)
        elif found and found[-1].levels == each.levels:
            found[-1] = Lit(found[-1].at, each.levels, each.at + each.seconds - found[-1].at)
        else:
            found.append(each)
    return tuple(found)


def _levels(changes: Sequence[Change], board: PinMap, begin: float, end: float) -> list[Lit]:
    found: list[Lit] = []
    shown: Levels | None = None
    since = begin
    for change in (*changes, Change(end, 0)):
        if shown is not None and change.at > begin:
            at = min(change.at, end)
            if found and found[-1].levels == shown:
                found[-1] = Lit(found[-1].at, shown, at - found[-1].at)
            else:
                found.append(Lit(since, shown, at - since))
            since = at
        if change.at >= end:
            break
        one, two, three, four = (
            bool(change.levels >> pin & 1) is board.leds_active_high for pin in board.leds
        )
        shown = one, two, three, four
    return found


def sounded(changes: Sequence[Change], pin: int, begin: float, end: float) -> tuple[Sounded, ...]:
    """The tones between two moments."""
    ups: list[float] = []
    level = 0
    for change in changes:
        now = change.levels >> pin & 1
        if now > level and begin <= change.at < end:
            ups.append(change.at)
        level = now
    tones: list[Sounded] = []
    first = 0
    for after in range(1, len(ups) + 1):
        if after < len(ups) and ups[after] - ups[after - 1] < TONE_ENDS_S:
            continue
        tone = ups[first:after]
        periods = [later - earlier for earlier, later in pairwise(tone)]
        hz = 1 / median(periods) if periods else 0.0
        tones.append(Sounded(tone[0], tone[-1] - tone[0], len(tone), hz))
        first = after
    return tuple(tones)


def memory_of(process: int, limit_s: float = 60) -> Path:
    """The memfd that a QEMU keeps its machine's memory in; it takes a moment to make it."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        for link in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                if MEMFD in str(link.readlink()):
                    return link
        time.sleep(0.1)
    raise MachineError("QEMU has no memory that can be shared")


def watch(process: int, notes: Path) -> None:
    """Write every change down, until the signal to end."""
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    with memory_of(process).open("r+b") as file:
        memory = mmap.mmap(
            file.fileno(), mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ, offset=LINES_AT - MEMORY_AT
        )
    register = memoryview(memory).cast("I")
    seen = -1
    with notes.open("wb", buffering=0) as file:
        while going:
            now = register[0]
            if now != seen:
                file.write(CHANGE.pack(time.monotonic(), now))
                seen = now
            time.sleep(LOOK_S)


if __name__ == "__main__":
    watch(int(sys.argv[1]), Path(sys.argv[2]))
