"""A month in an invented clinic, as rows of the hourly counters: patients, an outage, staff calls."""

import random
from calendar import monthrange
from dataclasses import dataclass, field
from typing import TypeVar

from kiosk.uploader.store.database import Database
from kiosk.uploader.store.ledger import ABOVE, BUCKETS_MS

T = TypeVar("T")

#: Opening hours, with how many of a day's patients come then.
DAY = {9: 16, 10: 22, 11: 18, 12: 6, 13: 2, 14: 12, 15: 13, 16: 8, 17: 3}
OUTCOMES = {"verified": 90, "recorded": 1, "not_confirmed": 3, "staff_called": 3, "abandoned": 3}
DEVICES = {"card": 55, "iphone": 30, "android": 13, "": 2}
CHOSEN = {device: share for device, share in DEVICES.items() if device}
METHODS = {"card": "pin", "iphone": "phone", "android": "pin", "": ""}
#: Stage: median in ms, and how far it spreads (sigma of the logarithm).
STAGES = {
    "visit": (24_000, 0.5),
    "token": (900, 0.35),
    "commit": (25, 0.4),
    "answer": (600, 0.7),
    "select": (45, 0.2),
    "counter": (25, 0.2),
    "verify": (130, 0.2),
    "certificate": (280, 0.2),
    "sign": (330, 0.2),
}
CALLS = {"help": 46, "pin_blocked": 12, "pin_one_left": 17, "certificate_expired": 14, "token_fault": 6}


@dataclass
class Counts:
    """Rows by their primary keys."""

    hourly: dict[tuple[str, str, str, str, str], int] = field(default_factory=dict)
    stages: dict[tuple[str, str, int], list[float]] = field(default_factory=dict)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    line: dict[str, tuple[float, int]] = field(default_factory=dict)


def a_month(month: str, visits: int, seed: int = 1) -> Counts:
    """So many visits in the month (YYYY-MM), Monday to Saturday; the line is down on the 13th from 10:20."""
    chance, counts = random.Random(seed), Counts()
    year, number = int(month[:4]), int(month[5:])
    first, length = monthrange(year, number)
    days = [day for day in range(1, length + 1) if (first + day - 1) % 7 != 6]
    down = {f"{month}-13T10": (2400.0, 31), f"{month}-13T11": (3600.0, 58), f"{month}-13T12": (900.0, 64)}
    counts.line.update(down | {f"{month}-24T15": (180.0, 2)})
    for _ in range(visits):
        hour = f"{month}-{chance.choice(days):02}T{_pick(chance, DAY):02}"
        outcome = "recorded" if hour in down else _pick(chance, OUTCOMES)
        device = _pick(chance, DEVICES if outcome == "abandoned" else CHOSEN)
        key = (hour, outcome, "home_consent", device, METHODS[device])
        counts.hourly[key] = counts.hourly.get(key, 0) + 1
        if outcome == "staff_called":
            call = (hour, _pick(chance, CALLS))
            counts.calls[call] = counts.calls.get(call, 0) + 1
        for stage, (median, spread) in STAGES.items():
            ms = median * chance.lognormvariate(0, spread)
            bound = next((bound for bound in BUCKETS_MS if ms <= bound), ABOVE)
            row = counts.stages.setdefault((hour, stage, bound), [0, 0.0])
            row[0] += 1
            row[1] += ms
    return counts


def _pick(chance: random.Random, weights: dict[T, int]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


def fill(database: Database, counts: Counts) -> None:
    """Put them where the uploader counts."""
    with database.writing():
        for hourly, n in counts.hourly.items():
            database.rows("INSERT INTO hourly VALUES (?, ?, ?, ?, ?, ?)", (*hourly, n))
        for stage, (times, total) in counts.stages.items():
            database.rows("INSERT INTO stage_times VALUES (?, ?, ?, ?, ?)", (*stage, int(times), total))
        for call, n in counts.calls.items():
            database.rows("INSERT INTO calls VALUES (?, ?, ?)", (*call, n))
        for hour, (offline_s, most) in counts.line.items():
            database.rows("INSERT INTO line_hours VALUES (?, ?, ?)", (hour, offline_s, most))
