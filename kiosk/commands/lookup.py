"""`kiosk lookup`: consented results asked of the 資格確認端末 after an outage; docs/clinic-folders.md."""

import json
from datetime import datetime
from pathlib import Path

import click

from kiosk.box.clock import JAPAN
from kiosk.channel import AskLookUps, CommandDone, LookUpLine, LookUpLines, StartLookUp
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.uploader.oqs.characters import flags
from kiosk.uploader.oqs.document import DocumentRefused, read
from kiosk.uploader.oqs.folder import Folder, Unready

_DAY = "%Y%m%d"


@click.group()
def lookup() -> None:
    """Look up consented results at the 資格確認端末, list what was looked up, or show a file."""


@lookup.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_lookups(config: Path, as_json: bool) -> None:
    """List the look-ups, the newest last: how many results are whose, never whose."""
    with UploaderClient(config) as client:
        lines = client.ask(AskLookUps(), LookUpLines).lines
    for line in lines:
        fields = {name: getattr(line, name) for name in line.__struct_fields__}
        click.echo(json.dumps(fields, ensure_ascii=False) if as_json else _row(line))
    if not lines and not as_json:
        click.echo("nothing was looked up")


def _row(line: LookUpLine) -> str:
    counts = f"{line.found} found, {line.uncertain} uncertain, {line.others} others"
    days = line.date_from if line.date_from == line.date_to else f"{line.date_from}-{line.date_to}"
    return f"{line.id:>4}  {line.kind:<6}  {days:<17}  {line.stage:<6}  {counts}  {line.reason}".rstrip()


@lookup.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def show(file: Path) -> None:
    """Show what a file of the clinic's folders says: every element by its Japanese name, codes with their
    meaning, what is not known as it is, odd characters marked.

    For who tries the exchange with the receipt computer's maker. It names whom the file names.
    """
    data = Folder(file.parent, file.parent).look(file.name)
    if isinstance(data, Unready):
        raise click.ClickException(f"{file.name}: {data.value}")
    got = read(data)
    if isinstance(got, DocumentRefused):
        raise click.ClickException(f"{file.name} is refused: {got.reason.value}")
    told = "" if got.as_named else "、ファイルの記述とは異なります"
    click.echo(f"文字コード: {got.code.ja}{told}")
    for name, text in got.message.shown():
        click.echo(f"{name}: {text}")
    for flag in flags(got.message):
        click.echo(f"注意 {flag.element}: {flag.oddity.value}")


@lookup.command()
@config_option
@click.option("--from", "first", metavar="YYYYMMDD", help="First day of consent; today without it.")
@click.option("--to", "last", metavar="YYYYMMDD", help="Last day; the first without it.")
def start(config: Path, first: str | None, last: str | None) -> None:
    """Begin a look-up now; it goes on by itself."""
    first = first or datetime.now(JAPAN).strftime(_DAY)
    last = last or first
    for day in (first, last):
        _check(day)
    if last < first:
        raise click.UsageError("--to lies before --from")
    with UploaderClient(config) as client:
        if say := client.ask(StartLookUp(date_from=first, date_to=last), CommandDone).reason:
            raise click.ClickException(say)
    click.echo(f"begun for {first}-{last}; `kiosk lookup list` tells what came of it")


def _check(day: str) -> None:
    try:
        good = datetime.strptime(day, _DAY).strftime(_DAY) == day  # a day has no zone
    except ValueError:
        good = False
    if not good:
        raise click.UsageError(f"{day[:20]} is no day; write it as 20261125")
