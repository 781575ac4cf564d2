"""`make soak`: prints what came of the visits and by what the process grew. Exit code 1: it was wrong."""

import argparse
import logging
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil

from kiosk.channel.seqpacket import Hub, Listener, connect
from kiosk.nfc.reader_process import Pacing, ReaderProcess
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock
from kiosk.simulator.field.pocket import Pocket
from kiosk.simulator.radio.radio import FrameLoss
from kiosk.simulator.tokens.hierarchy import Hierarchy, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime
from tests.soak.patient import Odds, Patient
from tests.soak.stick import Place

NO_PAUSE = Pacing(visit_s=0, idle_s=0, present_s=0, idle_present_s=0, retry_s=0, digests_s=2)
WARM_UP = 0.1  #: part of the visits after which growth is counted: allocators and caches have settled
MOST_GROWTH_BYTES = 1_000_000


@dataclass(frozen=True)
class Size:
    """What the process holds."""

    rss: int
    handles: int
    threads: int

    @classmethod
    def now(cls) -> "Size":
        own = psutil.Process()
        return cls(own.memory_info().rss, own.num_fds(), threading.active_count())


@dataclass(frozen=True)
class Report:
    """What came of a soak."""

    visits: int
    seconds: float
    modelled_s: float
    outcomes: Counter[str]
    messages: Counter[str]
    frames: int
    lost: int
    removals: int
    unplugs: int
    wrong: tuple[str, ...]
    warm: Size
    end: Size

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong and nothing grew."""
        return (
            not self.wrong
            and self.end.rss - self.warm.rss < MOST_GROWTH_BYTES
            and (self.end.handles, self.end.threads) == (self.warm.handles, self.warm.threads)
        )


def soak(folder: Path, hierarchy: Hierarchy, visits: int, seed: int, odds: Odds) -> Report:
    """Run so many visits through the real reader process over the virtual chip, in this thread."""
    place, random = Place(), Random(seed)
    place.radio.loss = FrameLoss(probability=odds.lost_frames, random=Random(seed + 1))
    pocket = Pocket(hierarchy, ComputingTime(0, 0), place.clock, Random(seed + 2))
    patient = Patient(place, pocket, odds, random, visits)
    process = ReaderProcess(
        Hub(Listener(folder / "reader.sock", frozenset({os.getuid()}))),
        place.open,
        load_trust_folder(hierarchy.trust),
        WallClock(trusted=lambda: True),
        patient,
        pacing=NO_PAUSE,
        monotonic=place.clock,
    )
    peer = connect(folder / "reader.sock")
    assert peer is not None
    patient.sit_down(peer)
    patient.finished = process.stop
    sizes: list[Size] = []
    warm_at = max(1, round(visits * WARM_UP))
    patient.on_end = lambda count: sizes.append(Size.now()) if count in (warm_at, visits) else None
    began = time.monotonic()
    process.run()
    peer.close()
    return Report(
        visits,
        time.monotonic() - began,
        place.clock.now,
        patient.outcomes,
        patient.messages,
        place.radio.meter.radio_frames,
        place.radio.meter.lost_frames,
        patient.removals,
        patient.unplugs,
        tuple(patient.wrong),
        sizes[0],
        sizes[-1],
    )


def tell(report: Report) -> None:
    """Print it."""
    print(f"{report.visits:,} visits in {report.seconds:.0f} s, {report.modelled_s / 60:,.0f} min modelled")
    share = report.lost / report.frames if report.frames else 0
    print(f"frames in the air {report.frames:,}, lost {report.lost:,} ({share:.1%} of all, polls included)")
    print(f"early removals {report.removals:,}, unplugs {report.unplugs:,}")
    for title, counts in (("outcomes", report.outcomes), ("messages", report.messages)):
        print(f"{title}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    warm, end = report.warm, report.end
    print(
        f"after the first {WARM_UP:.0%}: memory {(end.rss - warm.rss) / 1000:+,.0f} kB, "
        f"handles {end.handles - warm.handles:+d}, threads {end.threads - warm.threads:+d}"
    )
    print(f"wrong: {len(report.wrong)}")
    for line in report.wrong[:20]:
        print(f"  {line}")


def main() -> int:
    """Parse, soak, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--visits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        hierarchy = ensure_hierarchy(Path(folder) / "pki")
        report = soak(Path(folder), hierarchy, options.visits, options.seed, Odds())
    tell(report)
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
