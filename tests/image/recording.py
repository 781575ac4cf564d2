"""A card's life as the record of its writes: what was promised when, and where each phase ended.

Every promise carries the size that the log had when it was given: whatever was flushed by then must be there
in every crash state of a later moment (replay.py).
"""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.image.replay import Write

FIRST_BOOT, VISITS, DELIVERY, INSTALL = "first boot", "visits", "later delivery", "update"


@dataclass(frozen=True)
class Promise:
    """A record that was acknowledged when the log of writes had this size."""

    record: str
    log_size: int


@dataclass
class Recording:
    """`before` is the card when the log began."""

    before: Path
    log: Path
    ends: dict[str, int] = field(default_factory=dict)  #: phase → size of the log at its end
    promises: list[Promise] = field(default_factory=list)
    asked_at: int | None = None  #: size of the log when the kiosk asked for its certificate: it had its key

    def size(self) -> int:
        return self.log.stat().st_size

    def end(self, phase: str) -> None:
        """A phase ends now."""
        self.ends[phase] = self.size()

    def promise(self, record: str, size: int) -> None:
        self.promises.append(Promise(record, size))

    def spans(self, entries: tuple[Write, ...]) -> dict[str, tuple[int, int]]:
        """Phase → its first entry, and the one after its last."""
        found, first = {}, 0
        for phase, size in self.ends.items():
            last = sum(entry.end <= size for entry in entries)
            found[phase] = (first, last)
            first = last
        return found

    def keep(self, path: Path, ports: tuple[int, int]) -> None:
        """Write it down, with the ports that the card knows the service by."""
        text = asdict(self) | {"before": str(self.before), "log": str(self.log), "ports": ports}
        path.write_text(json.dumps(text, indent=1), encoding="utf-8")


def kept(path: Path) -> tuple[Recording, tuple[int, int]]:
    """What `keep` wrote. Raises OSError."""
    told = json.loads(path.read_text(encoding="utf-8"))
    recording = Recording(
        Path(told["before"]),
        Path(told["log"]),
        told["ends"],
        [Promise(**each) for each in told["promises"]],
        told["asked_at"],
    )
    main, enrol = told["ports"]
    return recording, (main, enrol)


class Watch:
    """Notes the size of the log at the moment when something became true. A context manager."""

    def __init__(self, true: Callable[[], bool], recording: Recording, every_s: float = 0.2) -> None:
        self._true, self._recording, self._every_s = true, recording, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.size: int | None = None

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(self._every_s):
            if self._true():
                # Afterwards: a promise may be noted too late, never too early.
                self.size = self._recording.size()
                return
