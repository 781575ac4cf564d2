"""The date, for certificates: the wall clock, and whether it may be believed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

#: systemd-timesyncd touches it at the first synchronisation, systemd-timesyncd.service(8)
CLOCK_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


def clock_synchronised() -> bool:
    """Whether the system's clock has been set by the network since the start."""
    return CLOCK_SYNCHRONISED.exists()


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class WallClock:
    """The wall clock, and whether it may be believed."""

    now: Callable[[], datetime] = now_utc
    trusted: Callable[[], bool] = clock_synchronised

    def believed(self) -> datetime | None:
        """The time, None while nobody has set the clock."""
        return self.now() if self.trusted() else None
