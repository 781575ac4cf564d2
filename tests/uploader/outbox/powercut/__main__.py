"""`make powercut`: the power fails at every write of the real outbox, and nothing acknowledged is lost.

What is tested is the shipped code (`kiosk/uploader/outbox/`, uploader/store/database.py) on the sqlite3
module that Python brings. A small library is preloaded under it (shim.c) that writes down every write, sync,
truncate, unlink and rename with its data. Of the three ways to see these calls, this is the honest and quick
one: an APSW VFS would need a connection of APSW's own SQLite, which is not the one that ships; FUSE needs
libfuse, a device and rights that not every machine gives, and sees what the kernel makes of the calls. The
recording is checked: played back whole, it gives the very files that are on the disk, byte for byte; a call
that the library does not know ends the recorded process.

The recording is then played back to each boundary between two operations, the power fails there (disk.py),
and the outbox starts on what is left as the uploader starts it (`open_or_salvage`). It must then hold all
that was acknowledged, and of the transaction under way everything or nothing (oracle.py); every table is
compared.
Rows that must not lose anything have 0 in each column; the controls must lose.
"""

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.uploader.outbox.powercut.campaign import CONTROLS, Campaign, Size
from tests.uploader.outbox.powercut.oracle import Verdict
from tests.uploader.outbox.powercut.replay import Tally, be_silent

ENOUGH = 50_000  #: cuts of the first row
FULL = Size(steps=480, samples=30, control_steps=60)
COLUMNS = (Verdict.LOST, Verdict.CAME_BACK, Verdict.UNDONE, Verdict.DAMAGED, Verdict.NO_START)


class Table:
    """Prints a row as soon as it is known and keeps the judgement."""

    def __init__(self) -> None:
        self.good = True
        self.cuts = 0
        names = "".join(f"{verdict.value:>11}" for verdict in COLUMNS)
        print(f"{'':30}{'boundaries':>11}{'cuts':>8}{names}{'seconds':>9}", flush=True)

    def row(self, name: str, run: Callable[[], Tally], *, must_lose: bool = False) -> Tally:
        """Run and print one row."""
        began = time.monotonic()
        tally = run()
        numbers = "".join(f"{tally.verdicts[verdict]:>11}" for verdict in COLUMNS)
        if must_lose:
            good = tally.verdicts[Verdict.LOST] > 0
        else:
            good = 0 < tally.cuts == tally.verdicts[Verdict.SOUND]
            self.cuts += tally.cuts
        self.good &= good
        say = "" if good else "   FAILED: it should lose" if must_lose else "   FAILED"
        seconds = time.monotonic() - began
        print(f"{name:30}{tally.boundaries:>11}{tally.cuts:>8}{numbers}{seconds:>9.1f}{say}", flush=True)
        if not good:
            for line in tally.told:
                print(f"    {line}")
        return tally


def main() -> int:
    """Run everything; 0 only if all holds."""
    parser = argparse.ArgumentParser(prog="make powercut", description="Power cuts on the real outbox.")
    parser.add_argument("--steps", type=int, default=FULL.steps, help="steps of the recorded clinic")
    parser.add_argument("--seed", type=int, default=FULL.seed)
    asked = parser.parse_args()
    size = Size(asked.steps, FULL.samples, FULL.control_steps, seed=asked.seed)
    be_silent()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="powercut-") as folder:
        campaign = Campaign(Path(folder), size)
        plain = table.row("outbox (TRUNCATE, EXTRA)", campaign.outbox)
        table.row("cut again while recovering", lambda: campaign.recovery(plain.samples))
        table.row("cut while salvaging", lambda: campaign.salvage(pages=8))
        for name in CONTROLS:
            table.row(name, functools.partial(campaign.control, name), must_lose=True)
    residues = ", ".join(f"{count} {residue.value}" for residue, count in plain.residues.items())
    print(f"{table.cuts} cuts without the controls; what was not synced at the first row's cuts: {residues}")
    if asked.steps >= FULL.steps and plain.cuts < ENOUGH:
        print(f"FAILED: fewer than {ENOUGH} cuts")
        return 1
    print("all as it should be" if table.good else "FAILED")
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
