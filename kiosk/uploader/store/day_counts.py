"""A day's counts out of the hourly counters, for `AskDay`."""

from collections import defaultdict
from collections.abc import Mapping

from kiosk.channel import DayCounts, HourCounts, StageCounts
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.ledger import ABOVE, BUCKETS_MS


def day_counts(database: Database, day: str) -> DayCounts:
    """The counts of `day` (YYYY-MM-DD, Japanese time)."""
    hours = (f"{day}T00", f"{day}T23")
    outcomes = _by_hour(database, "SELECT hour, outcome, sum(n) FROM hourly", hours, "GROUP BY hour, outcome")
    calls = _by_hour(database, "SELECT hour, reason, n FROM calls", hours, "")
    line = {
        str(hour): (float(str(offline)), int(str(most)))
        for hour, offline, most in database.rows(
            "SELECT hour, offline_s, waiting_most FROM line_hours WHERE hour BETWEEN ? AND ?", hours
        )
    }
    return DayCounts(
        day=day,
        hours=tuple(
            HourCounts(
                hour=int(hour[-2:]),
                outcomes=dict(outcomes.get(hour, {})),
                calls=dict(calls.get(hour, {})),
                offline_s=line.get(hour, (0.0, 0))[0],
                waiting_most=line.get(hour, (0.0, 0))[1],
            )
            for hour in sorted({*outcomes, *calls, *line})
        ),
        bounds_ms=BUCKETS_MS,
        stages=_stages(database, hours),
        devices=_by(database, "device", hours),
        authentications=_by(database, "authentication", hours),
    )


def _by_hour(
    database: Database, select: str, hours: tuple[str, str], group: str
) -> Mapping[str, Mapping[str, int]]:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for hour, word, n in database.rows(f"{select} WHERE hour BETWEEN ? AND ? {group}", hours):
        found[str(hour)][str(word)] = int(str(n))
    return found


def _by(database: Database, column: str, hours: tuple[str, str]) -> dict[str, int]:
    select = f"SELECT {column}, sum(n) FROM hourly WHERE hour BETWEEN ? AND ? GROUP BY {column}"  # noqa: S608  # two constants
    return {str(word): int(str(n)) for word, n in database.rows(select, hours)}


def _stages(database: Database, hours: tuple[str, str]) -> tuple[StageCounts, ...]:
    places = {bound: place for place, bound in enumerate((*BUCKETS_MS, ABOVE))}
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(places))
    sums: defaultdict[str, float] = defaultdict(float)
    for stage, bound, n, sum_ms in database.rows(
        "SELECT stage, le_ms, sum(n), sum(sum_ms) FROM stage_times WHERE hour BETWEEN ? AND ?"
        " GROUP BY stage, le_ms ORDER BY stage",
        hours,
    ):
        if (place := places.get(int(str(bound)))) is not None:
            counts[str(stage)][place] += int(str(n))
            sums[str(stage)] += float(str(sum_ms))
    return tuple(StageCounts(name=name, counts=tuple(n), sum_ms=sums[name]) for name, n in counts.items())
