"""Run by the disk tests in a mount namespace of its own: a full, then a read-only, then a healed disk.

Prints one word per step; the test compares them.
"""

import subprocess
import sys
from pathlib import Path

from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import KeptRecord
from kiosk.uploader.store.database import OutboxLost
from tests.uploader.outbox.records import NOW, entry, open_outbox


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def step(name: str, outbox: Outbox) -> bool:
    """Commit once; say what came of it."""
    try:
        result = outbox.commit(entry(), NOW, send_now=False)
    except OutboxLost as lost:
        outbox.close()
        sys.stdout.write(f"{name}: lost: {lost}\n")
        return False
    assert isinstance(result, KeptRecord)
    return True


def main() -> None:
    folder = Path(sys.argv[1])
    path = folder / "outbox.sqlite"
    mount("-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder))
    kept = 0
    outbox = open_outbox(path)
    while step("full", outbox):
        kept += 1
    mount("-o", "remount,size=2m", str(folder))
    outbox = open_outbox(path)
    sys.stdout.write(f"healed: {outbox.waiting() == kept} {step('healed', outbox)}\n")
    outbox.close()
    mount("-o", "remount,ro", str(folder))
    try:
        open_outbox(path).close()
        sys.stdout.write("read-only: opened\n")
    except OutboxLost as lost:
        sys.stdout.write(f"read-only: lost: {lost}\n")
    mount("-o", "remount,rw", str(folder))
    outbox = open_outbox(path)
    sys.stdout.write(f"writable: {outbox.waiting() == kept + 1} {step('writable', outbox)}\n")
    outbox.close()


if __name__ == "__main__":
    main()
