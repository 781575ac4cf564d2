"""Does the reader grow? A process of its own polls and authenticates, with every modelled time at zero.

    python -m tests.benchmarks.reader_growth POLLS AUTHENTICATIONS

prints what it grew by after the first tenth, which warms caches up: resident memory, open descriptors,
threads. The virtual chip and the card live in the same process, so their growth would show as well.
"""

import gc
import json
import resource
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from kiosk.nfc.antenna import Antenna, Found
from kiosk.nfc.pn533 import Pn533
from kiosk.nfc.presentation import TokenReader
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Authenticated, Order
from kiosk.nfc.reader_counters import ReaderCounters
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.chip.chip import Chip
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.radio.radio import Placement, RadioField
from kiosk.simulator.tokens.hierarchy import Hierarchy, default_folder, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime, JpkiToken, TokenKind
from tests.benchmarks.authentication import hierarchy
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, row
from tests.nfc.memory_stick import MemoryStick
from tests.nfc.unwatched import read_unwatched

POLLS, AUTHENTICATIONS = 100_000, 10_000
PIN = b"1234"
ORDER = Order(Device.CARD, Authentication.PIN)
MOST_S = 1800.0


@dataclass(frozen=True)
class Grown:
    """What one run grew by; `seconds` of this process's computing."""

    rss_mb: float
    handles: int
    threads: int
    seconds: float


def _rss_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class ReaderPlace:
    """A reader in memory, and one card that comes and goes."""

    def __init__(self, keys: Hierarchy) -> None:
        self._field = RadioField(INSTANT, RadioMeter(), lambda: 100.0)
        self._token = JpkiToken(
            TokenKind.CARD, keys.authentication(TokenKind.CARD), keys.signature, time=ComputingTime(0, 0)
        )
        self._random = Random(0)
        self._counters = ReaderCounters()
        chip = Pn533(MemoryStick(Chip(self._field), lambda _, frame: frame), 4, sleep=lambda _: None)
        self._antenna = Antenna(chip, traffic=self._counters.traffic, sleep=lambda _: None)
        self._pin = Pin()
        store = load_trust_folder(keys.trust)
        self._reader = TokenReader(store, WallClock(trusted=lambda: True), self._pin)

    def poll(self) -> None:
        """Look once at an empty field, and rest, as the process does at the start screen."""
        assert self._antenna.look(spare=True) is None
        self._antenna.rest()

    def authenticate(self) -> None:
        """A card comes, is read to its signature, and goes."""
        face = RadioFace(self._random.choice("AB"))  # type: ignore[arg-type]  # one letter of the two
        self._field.place(Placement(Picc(self._token, face, self._random), "card", 0.0))
        self._pin.take(bytearray(PIN))
        found = self._antenna.look()
        if not isinstance(found, Found):
            raise AssertionError("the card was not found")
        done = read_unwatched(self._reader, self._antenna, found, ORDER)
        if not isinstance(done.outcome, Authenticated):
            raise AssertionError(f"not authenticated: {done.outcome}")
        self._counters.contact("authenticated", done.learnt.stages)
        self._field.clear()
        assert not self._antenna.there(found)
        self._antenna.rest()


def run(polls: int, authentications: int) -> Grown:
    """Do it, in turns of a thousandth each."""
    desk = ReaderPlace(ensure_hierarchy(default_folder()))
    turns = 1000
    before = (0.0, 0, 0)
    for turn in range(turns):
        if turn == turns // 10:
            before = (_rss_mb(), _handles(), threading.active_count())
        for _ in range(polls // turns):
            desk.poll()
        for _ in range(authentications // turns):
            desk.authenticate()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Grown(
        _rss_mb() - before[0],
        _handles() - before[1],
        threading.active_count() - before[2],
        used.ru_utime + used.ru_stime,
    )


def grown(lab: Lab) -> Grown:
    """In a process of its own."""
    lab.once(hierarchy)
    command = [sys.executable, "-m", "tests.benchmarks.reader_growth", str(POLLS), str(AUTHENTICATIONS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_S, check=False)
    if done.returncode:
        raise Unmeasured(done.stderr.strip().splitlines()[-1])
    return Grown(**json.loads(done.stdout))


@row("reader_growth_mb", "MB", goal=at_most(1.0), full=True)
def reader_growth(lab: Lab) -> Measured:
    """Resident memory gained by a day's polls and years of authentications."""
    done = lab.once(grown)
    if done.handles > 0 or done.threads > 0:
        raise Unmeasured(f"it grew by {done.handles} descriptors and {done.threads} threads")
    return Measured(
        done.rss_mb,
        f"{POLLS:,} empty polls and {AUTHENTICATIONS:,} authentications, chip and card in the same process, "
        f"all modelled times zero; after the first tenth; descriptors {done.handles:+d}, threads "
        f"{done.threads:+d}; {done.seconds:.0f} s of computing",
    )


if __name__ == "__main__":
    print(json.dumps(asdict(run(int(sys.argv[1]), int(sys.argv[2])))))
