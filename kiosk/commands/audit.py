"""`kiosk audit`: who of the staff did what when, for keeping; and whether an export is whole."""

import fnmatch
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from kiosk.box.clock import JAPAN
from kiosk.channel import AskAudit, AuditNote, AuditRow, AuditRows
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.commands.whole_file import names_in, put
from kiosk.config.clinic_settings import Clinic
from kiosk.config.settings import Settings, load
from kiosk.uploader.store.audit_chain import VERSION, Broken, verify
from kiosk.uploader.store.audit_sentences import sentence
from kiosk.visit.audit_events import KIOSK, AuditEvent


@click.group()
def audit() -> None:
    """Export the audit table; verify an export."""


@audit.command()
@config_option
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Leave out what is older (Japanese time).")
@click.option("--out", type=click.Path(path_type=Path), help="File to make; must not exist. Else stdout.")
@click.option("--missing", is_flag=True, help="What the exports in [report] folder lack, as today's file.")
def export(config: Path, since: datetime | None, out: Path | None, missing: bool) -> None:
    """Write the table as JSON lines: staff numbers and events, no patient.

    The kiosk itself deletes nothing: the table ends when its SD card is changed or fails. Keep exports for
    five years, elsewhere; with --since they can be made month by month, and each follows from the one before.
    """
    settings = load(config)
    if missing:
        _export_missing(config, settings, datetime.now(JAPAN).date())
        return
    with UploaderClient(config) as client:
        client.send(AuditNote(event=AuditEvent.AUDIT_EXPORTED, staff=KIOSK))
        before, rows = _since(_pages(client), None if since is None else _ms(since))
    text = _text(settings.clinic, before, rows)
    if out is None:
        click.echo(text, nl=False)
    else:
        _write_new(out, text)
        click.echo(f"{len(rows)} rows written to {out}")


def _export_missing(config: Path, settings: Settings, today: date) -> None:
    """For the timer, at most once a day; with nothing new there is no file. Not noted: nobody did it."""
    folder, terminal = settings.report.folder, settings.clinic.terminal
    if folder is None:
        click.echo("exports by themselves are off: [report] folder is not set")
        return
    name = f"audit-{terminal}-{today.isoformat()}.jsonl"
    with UploaderClient(config) as client, names_in(folder) as there:
        kept = sorted(fnmatch.filter(there, f"audit-{terminal}-????-??-??.jsonl"))
        if name in kept:
            return
        seq, before = _end_of(folder / kept[-1]) if kept else (0, "")
        if rows := list(_pages(client, seq)):
            put(folder / name, _text(settings.clinic, before, rows).encode())
            click.echo(f"{folder / name}: {len(rows)} rows")


def _end_of(file: Path) -> tuple[int, str]:
    """The last row's number and hash."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    found = verify(lines)
    if isinstance(found, Broken) or not found.rows:
        raise click.ClickException(
            f"{file}: is no whole export; move it away, and the next one holds all rows"
        )
    last = json.loads(lines[-2])
    return int(last["seq"]), str(last["chain"])


def _text(clinic: Clinic, before: str, rows: Sequence[AuditRow]) -> str:
    head = {
        "kind": "audit",
        "v": VERSION,
        "institution": clinic.institution,
        "terminal": clinic.terminal,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "before": before,
    }
    end = {"kind": "end", "rows": len(rows), "chain": rows[-1].chain.hex() if rows else before}
    lines = (head, *(_line(row) for row in rows), end)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@audit.command("verify")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
def verify_files(files: tuple[Path, ...]) -> None:
    """Tell whether exports are whole. Several, oldest first: each must also follow from the one before."""
    known: frozenset[str] | None = None
    for file in files:
        found = verify(file.read_text(encoding="utf-8", errors="replace").splitlines())
        if isinstance(found, Broken):
            raise click.ClickException(f"{file}: line {found.line}: {found.reason}")
        if known is not None and found.before not in known:
            raise click.ClickException(f"{file}: does not follow from the export before it")
        known = found.chains
        click.echo(f"{file}: whole, {found.rows} rows")


def _pages(client: UploaderClient, after: int = 0) -> Iterator[AuditRow]:
    while rows := client.ask(AskAudit(after=after), AuditRows).rows:
        yield from rows
        after = rows[-1].seq


def _since(rows: Iterator[AuditRow], since_ms: int | None) -> tuple[str, list[AuditRow]]:
    """The rows from the first that is not older, and the hash that it follows from."""
    before, kept = "", list[AuditRow]()
    for row in rows:
        if kept or since_ms is None or _time_ms(row) >= since_ms:
            kept.append(row)
        else:
            before = row.chain.hex()
    return before, kept


def _time_ms(row: AuditRow) -> int:
    return row.wall_ms if row.true_ms is None else row.true_ms


def _ms(day: datetime) -> int:
    return int(day.replace(tzinfo=JAPAN).timestamp() * 1000)


def _line(row: AuditRow) -> dict[str, Any]:
    moment = datetime.fromtimestamp(_time_ms(row) / 1000, JAPAN)
    return {
        "seq": row.seq,
        "time": moment.isoformat(timespec="seconds"),
        "sentence": sentence(row.event, row.staff, row.visit),
        "event": row.event,
        "staff": row.staff,
        "visit": row.visit,
        "boot_id": row.boot_id,
        "mono_ms": row.mono_ms,
        "wall_ms": row.wall_ms,
        "clock_trusted": row.clock_trusted,
        "true_ms": row.true_ms,
        "chain": row.chain.hex(),
    }


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{path}: is there already; name another file") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
