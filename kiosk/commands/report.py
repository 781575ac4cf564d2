"""`kiosk report`: a day or a month as one HTML file, for the clinic's folder or its printer."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from kiosk.box.clock import JAPAN
from kiosk.box.release import release_of
from kiosk.channel import AskDay, DayCounts
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.commands.whole_file import names_in, put
from kiosk.config.settings import Settings, load
from kiosk.report.figures import Figures, days_of, figures
from kiosk.report.report_page import Heading, page
from kiosk.report.report_words import LANGUAGES

CAUGHT_UP_DAYS = 7  #: a kiosk that was off for longer is asked by hand


@click.command()
@config_option
@click.option("--day", metavar="YYYY-MM-DD", help="One day; without --day and --month: yesterday.")
@click.option("--month", metavar="YYYY-MM", help="One month.")
@click.option("--lang", "language", type=click.Choice(list(LANGUAGES)), help="Else as in [report].")
@click.option("--out", type=click.Path(path_type=Path), help="The file; else report-PERIOD.html here.")
@click.option(
    "--missing", is_flag=True, help="What [report] folder lacks of the last days and the last month."
)
def report(
    config: Path, day: str | None, month: str | None, language: str | None, out: Path | None, missing: bool
) -> None:
    """Tell a day or a month in one HTML file: visits, times, outages, staff calls. It names nobody."""
    now = datetime.now(JAPAN)
    settings = load(config)
    if missing:
        _write_missing(config, settings, now)
        return
    period = _period(day, month, now.date())
    with UploaderClient(config) as client:
        found = figures(_counts(client, period))
    path = out or Path(period.file)
    put(path, _page(found, settings, now, language))
    click.echo(f"{path}: {period.name}, {path.stat().st_size / 1000:.0f} kB")


@dataclass(frozen=True)
class Period:
    """A day or a month."""

    first: date
    last: date
    name: str

    @property
    def file(self) -> str:
        return f"report-{self.name}.html"


def _write_missing(config: Path, settings: Settings, now: datetime) -> None:
    """For the timer: a kiosk that is off at night catches up; a day without visits has no report."""
    folder = settings.report.folder
    if folder is None:
        click.echo("reports are off: [report] folder is not set")
        return
    today = now.date()
    wanted = [_day(today - timedelta(days=ago)) for ago in range(1, CAUGHT_UP_DAYS + 1)]
    wanted.append(_month(today.replace(day=1) - timedelta(days=1)))
    with UploaderClient(config) as client, names_in(folder) as there:
        for period in wanted:
            if period.file not in there:
                found = figures(_counts(client, period))
                if found.visits:
                    put(folder / period.file, _page(found, settings, now, None))
                    click.echo(f"{folder / period.file}: written")


def _counts(client: UploaderClient, period: Period) -> list[DayCounts]:
    days = days_of(period.first, period.last)
    return [client.ask(AskDay(day=each.isoformat()), DayCounts) for each in days]


def _page(found: Figures, settings: Settings, now: datetime, language: str | None) -> bytes:
    heading = Heading(
        clinic=settings.clinic.name,
        terminal=settings.clinic.terminal,
        when=now.strftime("%Y-%m-%d %H:%M"),
        version=release_of(settings.update.os_release).version,
    )
    return page(found, heading, LANGUAGES[language or settings.report.language]).encode()


def _day(one: date) -> Period:
    return Period(one, one, one.isoformat())


def _month(one: date) -> Period:
    last = one.replace(day=monthrange(one.year, one.month)[1])
    return Period(one.replace(day=1), last, one.isoformat()[:7])


def _period(day: str | None, month: str | None, today: date) -> Period:
    if day is not None and month is not None:
        raise click.UsageError("--day or --month, not both")
    try:
        if month is not None:
            if not re.fullmatch(r"\d{4}-\d{2}", month):
                raise ValueError
            return _month(date.fromisoformat(f"{month}-01"))
        return _day(today - timedelta(days=1) if day is None else date.fromisoformat(day))
    except ValueError:
        raise click.UsageError("--day is such as 2026-11-25, --month such as 2026-11") from None
