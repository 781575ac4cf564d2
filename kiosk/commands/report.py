"""`kiosk report`: a day or a month as one HTML file, for the clinic's folder or its printer."""

import os
import re
import tempfile
from calendar import monthrange
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from kiosk.channel import AskDay, DayCounts
from kiosk.commands._uploader_client import UploaderClient, config_option
from kiosk.config import load
from kiosk.health.release import release_of
from kiosk.report.figures import days_of, figures
from kiosk.report.page import Heading, page
from kiosk.report.words import LANGUAGES
from kiosk.uploader.clock import JAPAN


@click.command()
@config_option
@click.option("--day", metavar="YYYY-MM-DD", help="One day; without --day and --month: yesterday.")
@click.option("--month", metavar="YYYY-MM", help="One month.")
@click.option("--lang", "language", type=click.Choice(list(LANGUAGES)), default="ja", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="The file; else report-PERIOD.html here.")
def report(config: Path, day: str | None, month: str | None, language: str, out: Path | None) -> None:
    """Tell a day or a month in one HTML file: visits, times, outages, staff calls. It names nobody."""
    now = datetime.now(JAPAN)
    first, last, name = _period(day, month, now.date())
    settings = load(config)
    with UploaderClient(config) as client:
        counts = [client.ask(AskDay(day=each.isoformat()), DayCounts) for each in days_of(first, last)]
    heading = Heading(
        clinic=settings.clinic.name,
        terminal=settings.clinic.terminal,
        when=now.strftime("%Y-%m-%d %H:%M"),
        version=release_of(settings.update.os_release).version,
    )
    path = out or Path(f"report-{name}.html")
    _put(path, page(figures(counts), heading, LANGUAGES[language]).encode())
    click.echo(f"{path}: {name}, {path.stat().st_size / 1000:.0f} kB")


def _period(day: str | None, month: str | None, today: date) -> tuple[date, date, str]:
    if day is not None and month is not None:
        raise click.UsageError("--day or --month, not both")
    try:
        if month is not None:
            if not re.fullmatch(r"\d{4}-\d{2}", month):
                raise ValueError
            first = date.fromisoformat(f"{month}-01")
            return first, first.replace(day=monthrange(first.year, first.month)[1]), month
        one = today - timedelta(days=1) if day is None else date.fromisoformat(day)
    except ValueError:
        raise click.UsageError("--day is such as 2026-11-25, --month such as 2026-11") from None
    return one, one, one.isoformat()


def _put(path: Path, content: bytes) -> None:
    """Replace the file in one step; raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
