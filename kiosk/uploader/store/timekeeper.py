"""What the disk knows about time: the floor for a clock that starts in the past, and the times of a boot that
began without knowing the time, mended once it is known.

Raw readings stay as they are; what is derived from them stands beside (`records.true_ms`), or is derived
where it is read (`boots`, for the audit table, whose rows never change).
"""

from kiosk.box.clock import Clock, Moment
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.named_values import NamedValues, ValueName

EVERY_S = 600.0  #: between two notes of the time on the disk


class Timekeeper:
    """Belongs to the main loop: `opened` with each outbox, `step` at every turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_s = 0.0

    def opened(self, database: Database) -> None:
        """Take the floor from the disk."""
        seen = NamedValues(database).get(ValueName.LAST_SEEN)
        if seen is not None and seen.isdecimal():
            self._clock.saw(int(seen))
        self._due_s = 0.0

    def step(self, database: Database, now: Moment) -> bool:
        """Note the time now and then while the clock is to be believed; True when that was done: what was
        written before it was believed can be mended then (`Outbox.mend_times`).
        """
        seconds = now.mono_ms / 1000
        if not now.trusted or seconds < self._due_s:
            return False
        self._due_s = seconds + EVERY_S
        NamedValues(database).put(ValueName.LAST_SEEN, str(now.wall_ms))
        self._clock.saw(now.wall_ms)
        return True
