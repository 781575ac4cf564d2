"""The report as one HTML file without anything from outside. No clock, no file."""

from collections import Counter
from dataclasses import dataclass
from html import escape
from importlib import resources

from kiosk.report import charts
from kiosk.report.figures import OUTCOMES, SHARES, Figures, StageFigures
from kiosk.report.report_words import ReportWords, weekday


@dataclass(frozen=True)
class Heading:
    """Whose report it is, and when it was made (local time, as text)."""

    clinic: str
    terminal: str
    when: str
    version: str


def page(found: Figures, heading: Heading, words: ReportWords) -> str:
    """The whole file."""
    title = f"{words.title}: {period(found, words)}"
    made = words.made.format(
        clinic=heading.clinic, terminal=heading.terminal, when=heading.when, version=heading.version
    )
    style = resources.files("kiosk.report").joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join((_summary(found, words), *_sections(found, words)))
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n{charts.patterns()}\n"
        f"<h1>{escape(period(found, words))}<small>{escape(words.title)}</small></h1>\n"
        f"<p class=made>{escape(made)}</p>\n{body}\n<footer>{escape(words.privacy)}</footer>\n</html>\n"
    )


def period(found: Figures, words: ReportWords) -> str:
    """The day or the month by name."""
    first = found.days[0]
    template = words.day if len(found.days) == 1 else words.month
    return template.format(
        year=first.year, month=first.month, day=first.day, weekday=weekday(words, first.weekday())
    )


def _summary(found: Figures, words: ReportWords) -> str:
    if not found.visits:
        return f"<p class=total>{escape(words.nothing)}</p>"
    parts = "".join(
        f"<li>{charts.swatch(outcome)}{escape(words.outcomes[outcome])} <b>{n}</b>"
        f" <span>{100 * n / found.visits:.0f}%</span></li>"
        for outcome in OUTCOMES
        if (n := found.outcomes[outcome])
    )
    total = escape(words.summary.format(visits=f"{found.visits:,}"))
    return f"<p class=total>{total}</p>\n<ul class=legend>{parts}</ul>"


def _sections(found: Figures, words: ReportWords) -> list[str]:
    one_day = len(found.days) == 1
    labels = [slot.label for slot in found.slots]
    unit = words.hour_axis if one_day else words.day_axis
    sections = []
    if found.visits:
        name = words.visits_by_hour if one_day else words.visits_by_day
        sections.append(_section(name, charts.visits(found.slots, unit, name)))
        if not one_day:
            sections.append(_mean_hours(found, words))
        sections.append(_section(words.stages, _stage_table(found.stages, words)))
    sections.append(_section(words.lines, _lines(found, labels, unit, words)))
    calls = _counted(found.calls, words.reasons) or f"<p>{escape(words.calls_none)}</p>"
    sections.append(_section(words.calls.format(total=found.calls.total()), calls))
    if found.devices.total():
        sections.append(_section(words.devices, _counted(found.devices, words.device)))
    return sections


def _section(name: str, content: str) -> str:
    return f"<section><h2>{escape(name)}</h2>\n{content}\n</section>"


def _mean_hours(found: Figures, words: ReportWords) -> str:
    busy = [hour for hour, n in enumerate(found.by_hour) if n]
    shown = range(min(8, *busy), max(18, *busy) + 1)
    name = words.mean_by_hour.format(days=found.days_open)
    drawn = charts.bars(
        [found.by_hour[hour] for hour in shown],
        [str(hour) for hour in shown],
        words.hour_axis,
        name,
        show=lambda mean: f"{mean:.1f}" if mean < 100 else f"{mean:.0f}",
    )
    return _section(name, drawn)


def _lines(found: Figures, labels: list[str], unit: str, words: ReportWords) -> str:
    if not found.offline_minutes:
        offline = f"<p>{escape(words.offline_none)}</p>"
    else:
        total = words.minutes.format(n=found.offline_minutes)
        name = words.offline.format(total=total)
        values = [slot.offline_minutes for slot in found.slots]
        offline = f"<h3>{escape(name)}</h3>" + charts.bars(values, labels, unit, name, fill="url(#slant)")
    if not found.waiting_most:
        return offline
    values = [float(slot.waiting_most) for slot in found.slots]
    waiting = charts.bars(values, labels, unit, words.waiting)
    return f"{offline}\n<h3>{escape(words.waiting)}</h3>{waiting}"


def _stage_table(stages: tuple[StageFigures, ...], words: ReportWords) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in words.stages_head)
    rows = "".join(
        f"<tr><th>{escape(words.parts.get(stage.name, stage.name))}</th><td>{stage.n:,}</td>"
        f"<td>{_seconds(stage.mean_ms, words)}</td>"
        + "".join(f"<td>{_seconds(ms, words)}</td>" for ms in stage.percentiles)
        + f"<td class=drawn>{charts.spread(stage.percentiles, _spoken(stage, words))}</td></tr>"
        for stage in stages
    )
    return (
        f"<table class=stages><tr>{heads}<th class=drawn>{charts.spread_axis()}</th></tr>{rows}</table>\n"
        f"<p class=note>{escape(words.stages_note)}</p>"
    )


def _spoken(stage: StageFigures, words: ReportWords) -> str:
    pairs = zip(SHARES, stage.percentiles, strict=True)
    return ", ".join(f"{share} %: {_seconds(ms, words)}" for share, ms in pairs)


def _seconds(ms: float | None, words: ReportWords) -> str:
    if ms is None:
        return words.above
    return f"{ms / 1000:.2f} s" if ms < 10_000 else f"{ms / 1000:.0f} s"


def _counted(counts: Counter[str], names: dict[str, str]) -> str:
    """A table, the most frequent first."""
    most = max(counts.values(), default=0)
    rows = "".join(
        f"<tr><th>{escape(names.get(word, word))}</th><td>{n:,}</td>"
        f"<td class=drawn>{charts.share(n, most, str(n))}</td></tr>"
        for word, n in counts.most_common()
        if n
    )
    return f"<table>{rows}</table>" if rows else ""
