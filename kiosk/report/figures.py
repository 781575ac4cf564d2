"""The report's figures out of the days' counts. No clock, no file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kiosk.channel import DayCounts

OUTCOMES = ("verified", "recorded", "not_confirmed", "staff_called", "abandoned")  #: as they are stacked
#: Parts of a visit, then of the dialogue with the token, in the order in which they come to pass.
PARTS = ("visit", "token", "select", "counter", "verify", "certificate", "sign", "end", "commit", "answer")
SHARES = (50, 90, 95)  #: percentiles


@dataclass(frozen=True)
class Slot:
    """One bar of the time axis: an hour of a day, or a day of a month."""

    label: str
    outcomes: Counter[str]
    offline_minutes: float
    waiting_most: int

    @property
    def visits(self) -> int:
        return self.outcomes.total()


@dataclass(frozen=True)
class StageFigures:
    """How long one part took: percentiles in ms, read out of the histogram. None: longer than every bound."""

    name: str
    n: int
    mean_ms: float
    percentiles: tuple[float | None, ...]


@dataclass(frozen=True)
class Figures:
    """All that the report shows."""

    days: tuple[date, ...]
    slots: tuple[Slot, ...]
    by_hour: tuple[float, ...]  #: mean visits in each of the 24 hours, on days with visits
    outcomes: Counter[str]
    calls: Counter[str]
    devices: Counter[str]
    stages: tuple[StageFigures, ...]
    offline_minutes: float
    waiting_most: int
    days_open: int

    @property
    def visits(self) -> int:
        return self.outcomes.total()


def days_of(first: date, last: date) -> tuple[date, ...]:
    """Every day from `first` to `last`."""
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def figures(counts: Sequence[DayCounts]) -> Figures:
    """`counts`: one for each day, in order; one day is shown by its hours, more by their days."""
    days = tuple(date.fromisoformat(day.day) for day in counts)
    slots = _hours(counts[0]) if len(counts) == 1 else tuple(_day(day) for day in counts)
    outcomes = sum((slot.outcomes for slot in slots), Counter[str]())
    days_open = sum(any(hour.outcomes for hour in day.hours) for day in counts)
    visits = [0] * 24
    calls: Counter[str] = Counter()
    devices: Counter[str] = Counter()
    for day in counts:
        devices.update(day.devices)
        for hour in day.hours:
            visits[hour.hour] += sum(hour.outcomes.values())
            calls.update(hour.calls)
    return Figures(
        days=days,
        slots=slots,
        by_hour=tuple(n / max(1, days_open) for n in visits),
        outcomes=outcomes,
        calls=calls,
        devices=devices,
        stages=_stages(counts),
        offline_minutes=sum(slot.offline_minutes for slot in slots),
        waiting_most=max((slot.waiting_most for slot in slots), default=0),
        days_open=days_open,
    )


def _hours(day: DayCounts) -> tuple[Slot, ...]:
    known = {hour.hour: hour for hour in day.hours}
    busy = sorted(known) or [9]
    # The usual hours of a clinic always, more where something happened.
    shown = range(min(8, busy[0]), max(18, busy[-1]) + 1)
    slots = []
    for number in shown:
        hour = known.get(number)
        if hour is None:
            slots.append(Slot(str(number), Counter(), 0.0, 0))
        else:
            minutes = hour.offline_s / 60
            slots.append(Slot(str(number), Counter(hour.outcomes), minutes, hour.waiting_most))
    return tuple(slots)


def _day(day: DayCounts) -> Slot:
    outcomes: Counter[str] = Counter()
    for hour in day.hours:
        outcomes.update(hour.outcomes)
    return Slot(
        label=str(int(day.day[-2:])),
        outcomes=outcomes,
        offline_minutes=sum(hour.offline_s for hour in day.hours) / 60,
        waiting_most=max((hour.waiting_most for hour in day.hours), default=0),
    )


def _stages(counts: Sequence[DayCounts]) -> tuple[StageFigures, ...]:
    histograms: dict[str, list[int]] = {}
    sums: Counter[str] = Counter()
    bounds = counts[0].bounds_ms
    for day in counts:
        for stage in day.stages:
            if day.bounds_ms != bounds:
                continue
            histogram = histograms.setdefault(stage.name, [0] * len(stage.counts))
            for place, n in enumerate(stage.counts):
                histogram[place] += n
            sums[stage.name] += int(stage.sum_ms)
    order = [*PARTS, *sorted(set(histograms) - set(PARTS))]
    return tuple(
        StageFigures(
            name=name,
            n=(n := sum(histograms[name])),
            mean_ms=sums[name] / n,
            percentiles=tuple(percentile(histograms[name], bounds, share) for share in SHARES),
        )
        for name in order
        if sum(histograms.get(name, []))
    )


def percentile(histogram: Sequence[int], bounds: Sequence[int], share: int) -> float | None:
    """Where `share` percent are not above, evenly spread within a bucket, as Prometheus reads a histogram."""
    wanted, seen, low = sum(histogram) * share / 100, 0, 0.0
    for n, high in zip(histogram, bounds, strict=False):
        if seen + n >= wanted and n:
            return low + (high - low) * (wanted - seen) / n
        seen, low = seen + n, float(high)
    return None
