"""`kiosk outbox`: what waits and what came of it, by receipt number. Never who it was."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from kiosk.channel import AskRecords, AskSealed, CommandDone, RecordLine, Records, RetryNow, SealedRecord
from kiosk.commands.uploader_client import UploaderClient, config_option

_PAGE = 100
_SENDABLE = ("pending", "sending", "expired", "quarantined")


@click.group()
def outbox() -> None:
    """List, show, retry or export records."""


@outbox.command("list")
@config_option
@click.option("--all", "everything", is_flag=True, help="Also those that are answered.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_records(config: Path, everything: bool, as_json: bool) -> None:
    """List what waits, was refused, expired or is damaged; the newest last."""
    with UploaderClient(config) as client:
        lines = [line for line in _pages(client) if everything or line.state != "answered"]
    for line in reversed(lines):
        click.echo(json.dumps(_fields(line), ensure_ascii=False) if as_json else _row(line))
    if not lines and not as_json:
        click.echo("nothing waits")


def _pages(client: UploaderClient) -> Iterator[RecordLine]:
    """All records, the newest first."""
    before: int | None = None
    while page := client.ask(AskRecords(limit=_PAGE, before=before), Records).records:
        yield from reversed(page)
        before = page[0].seq


def _find(client: UploaderClient, name: str) -> RecordLine:
    """A record by id or receipt number; the newest of that number."""
    for line in _pages(client):
        if name in (line.visit, line.receipt):
            return line
    raise click.ClickException(f"{name}: no record has this receipt number or id")


def _fields(line: RecordLine) -> dict[str, object]:
    return {name: getattr(line, name) for name in line.__struct_fields__}


def _row(line: RecordLine) -> str:
    result = line.code if line.state == "rejected" else line.validity
    said = " ".join(part for part in (result or "", line.reason) if part)
    return f"{line.receipt:>6}  {line.state:<11}  {line.taken_at}  {line.attempts:>3} tries  {said}".rstrip()


@outbox.command()
@config_option
@click.argument("record")
def show(config: Path, record: str) -> None:
    """Show one record, by receipt number or id. Its content stays sealed."""
    with UploaderClient(config) as client:
        line = _find(client, record)
    for name, value in _fields(line).items():
        click.echo(f"{name:<9} {'' if value is None else value}".rstrip())


@outbox.command()
@config_option
def retry(config: Path) -> None:
    """Try to deliver at once, without waiting for the back-off."""
    with UploaderClient(config) as client:
        click.echo(client.ask(RetryNow(), CommandDone).reason)


@outbox.command()
@config_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to make; must not exist.")
def export(config: Path, out: Path) -> None:
    """Write what is not delivered to a file, sealed as it is: only the service can open it.

    One JSON object per line, with the fields of POST /v1/qualifications and the record's id. Answers about
    persons are never exported: they are not on this device's disk.
    """
    with UploaderClient(config) as client:
        waiting = [line for line in _pages(client) if line.state in _SENDABLE]
        found = (_sealed(client, line.visit) for line in reversed(waiting))
        bodies = [_body(record) for record in found if record is not None]  # None: answered meanwhile
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{out}: is there already; name another file") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(body) + "\n" for body in bodies)
    click.echo(f"{len(bodies)} sealed records written to {out}; only the service can open them")


def _body(record: SealedRecord) -> dict[str, object]:
    return {
        "id": record.visit,
        "taken_at": record.taken_at,
        "v": 1,
        "suite": record.suite,
        "key_id": record.key_id,
        "sealed": base64.b64encode(record.sealed).decode(),
    }


def _sealed(client: UploaderClient, visit: str) -> SealedRecord | None:
    try:
        return client.ask(AskSealed(visit=visit), SealedRecord)
    except click.ClickException:
        return None
