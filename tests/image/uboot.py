"""Tier `raspi3b`: U-Boot from the card's FAT partition, its script and counters, in QEMU's Pi 3B.

QEMU's model has no GPU firmware: U-Boot is given to it as the kernel, as `config.txt` gives it to the
firmware. From there on every byte comes from the card.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.image.machine import Build, MachineError, in_tools

CARD_BYTES = 4 * 1024**3  #: QEMU's SD controller wants a power of two
SLOT = re.compile(r"KIOSK slot (\w), attempts left A=(\d+) B=(\d+)")
LOADED = re.compile(
    SLOT.pattern + r"(?s:.*)Starting kernel"
)  #: kernel and initial RAM disk came off the card


@dataclass(frozen=True)
class Attempt:
    """What U-Boot said of one start."""

    slot: str
    left_a: int
    left_b: int


def starts(build: Build, card: Path, folder: Path, limit_s: float, sign: re.Pattern[str] = SLOT) -> Attempt:
    """Power on until U-Boot has chosen and counted, or as far as `sign`; then pull the plug. Raises
    MachineError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "serial.log"
    log.unlink(missing_ok=True)
    command = ["qemu-system-aarch64", "-M", "raspi3b", "-kernel", str(folder / "u-boot.bin")]
    command += [
        "-dtb",
        str(folder / "board.dtb"),
        "-drive",
        f"if=sd,format=raw,file={card}",
        "-display",
        "none",
    ]
    command += ["-serial", "null", "-serial", f"file:{log}"]
    shared = [folder, card.parent, build.disk]
    process = subprocess.Popen(
        in_tools(build.tools, command, shared),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            if found := sign.search(text):
                return Attempt(found[1], int(found[2]), int(found[3]))
            if process.poll() is not None:
                break
            time.sleep(1)
        raise MachineError(f"U-Boot did not come as far as {sign.pattern!r}; serial line:\n{text[-1500:]}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def take_out(build: Build, card: Path, folder: Path, at: int) -> None:
    """U-Boot and the board's device tree, from the card's FAT partition."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, goal in (("u-boot.bin", "u-boot.bin"), ("bcm2837-rpi-3-b.dtb", "board.dtb")):
        command = ["mcopy", "-o", "-i", f"{card}@@{at}", f"::/{name}", str(folder / goal)]
        subprocess.run(in_tools(build.tools, command, [folder, card.parent]), check=True)
