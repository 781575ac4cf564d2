"""What time it is, as far as this box can know: boot, monotonic clock, wall clock and whether to trust it."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

#: Japan has one time zone and no summer time; the box's own zone may be unset.
JAPAN = timezone(timedelta(hours=9), "JST")


@dataclass(frozen=True)
class Moment:
    """One instant on all clocks. Only times of the same boot may be subtracted on `mono_ms`."""

    boot_id: str
    mono_ms: int
    wall_ms: int  #: since 1970, UTC
    trusted: bool  #: the wall clock has been synchronised since boot
    floor_ms: int = 0  #: it is surely later than this

    @property
    def best_ms(self) -> int:
        """The wall time as well as it is known: a clock that lost its time is at least past the floor."""
        return max(self.wall_ms, self.floor_ms)

    @property
    def hour(self) -> str:
        """The hour for the counters, in Japanese time."""
        return datetime.fromtimestamp(self.best_ms / 1000, JAPAN).strftime("%Y-%m-%dT%H")

    def age_s(self, boot_id: str, mono_ms: int, wall_ms: int, trusted: bool) -> float:
        """Return how old something is that was noted with these readings.

        Of another boot and without trusted clocks, only a lower bound is known: this boot is as old as its
        monotonic clock says. Something is then sent for longer rather than given up too early.
        """
        if boot_id == self.boot_id:
            return max(0, self.mono_ms - mono_ms) / 1000
        since_boot = self.mono_ms / 1000
        if trusted and self.trusted:
            return max(since_boot, (self.wall_ms - wall_ms) / 1000)
        return since_boot


class Clock:
    """Reads the clocks. `synchronized` is the file by which systemd-timesyncd says that it has set the time
    (systemd-timesyncd.service(8)); `boot_id` as in random(4); `built` a file as old as this program.

    It cannot be earlier than the program was built: a clock that says so is not believed, whatever the file
    says. While it is not synchronised, the time last seen on the disk is a floor too; a synchronised clock
    goes before that one, so that one wrong synchronisation does not make all later ones unbelievable.
    """

    def __init__(
        self,
        boot_id: Path = Path("/proc/sys/kernel/random/boot_id"),
        synchronized: Path = Path("/run/systemd/timesync/synchronized"),
        built: Path = Path(__file__),
    ) -> None:
        self._boot_id = boot_id.read_text(encoding="ascii").strip()
        self._synchronized = synchronized
        self._built_ms = built.stat().st_mtime_ns // 1_000_000
        self._seen_ms = 0

    def saw(self, wall_ms: int) -> None:
        """A time that was believed, perhaps by an earlier boot."""
        self._seen_ms = wall_ms

    def now(self) -> Moment:
        """One reading of all clocks."""
        wall_ms = time.time_ns() // 1_000_000
        trusted = wall_ms >= self._built_ms and self._synchronized.exists()
        return Moment(
            boot_id=self._boot_id,
            mono_ms=time.monotonic_ns() // 1_000_000,
            wall_ms=wall_ms,
            trusted=trusted,
            floor_ms=self._built_ms if trusted else max(self._built_ms, self._seen_ms),
        )
