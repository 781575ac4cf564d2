"""`kiosk status`: how outbox and line stand."""

import json
from pathlib import Path
from typing import Any

import click

from kiosk.channel import AskStatus, Status
from kiosk.commands import reader_health
from kiosk.commands.uploader_client import UploaderClient, config_option

SCHEMA = 1  #: raised when a field changes its meaning or goes; new fields may come without


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs: a stable form.")
def status(config: Path, as_json: bool) -> None:
    """Tell how many records wait, what came of the others, and whether the service answers.

    Exit code 1 when the uploader does not run or its outbox cannot be used.
    """
    with UploaderClient(config) as client:
        told = client.ask(AskStatus(), Status)
    reader = reader_health.ask_reader(config)
    if as_json:
        whole = {**document(told), "reader": reader_health.document(reader)}
        click.echo(json.dumps(whole, ensure_ascii=False))
    else:
        click.echo("\n".join((_for_people(told), *reader_health.lines(reader))))
    if told.outbox.value == "lost":
        raise click.ClickException(f"the outbox cannot be used: {told.outbox_reason}")


def document(told: Status) -> dict[str, Any]:
    """The JSON of `--json`."""
    return {
        "schema": SCHEMA,
        "online": told.online,
        "line": told.line_reason,
        "outbox": told.outbox.value,
        "outbox_reason": told.outbox_reason,
        "waiting": told.waiting,
        "oldest_s": told.oldest_s,
        "answered": told.answered,
        "rejected": told.rejected,
        "expired": told.expired,
        "quarantined": told.quarantined,
        "outcomes_today": told.outcomes_today,
        "sealing_key": told.sealing_key,
        "certificate_days": None if told.certificate_days is None else round(told.certificate_days, 1),
        "certificate_fault": told.certificate_fault,
        "fallback": None if told.fallback is None else told.fallback.value,
        "persons_in_memory": told.persons_in_memory,
        "certificate_not_after": told.certificate_not_after,
        "last_answer_s": told.last_answer_s,
        "clock_trusted": told.clock_trusted,
        "retries": told.retries,
        "key_custody_level": told.key_custody_level,
        "handed_over": told.handed_over,
        "not_handed_over": told.not_handed_over,
    }


def _for_people(told: Status) -> str:
    line = "the service answers" if told.online else f"offline: {told.line_reason}"
    oldest = "" if told.oldest_s is None else f", the oldest for {told.oldest_s / 60:.0f} min"
    today = ", ".join(f"{name} {n}" for name, n in sorted(told.outcomes_today.items())) or "none"
    outbox = told.outbox.value + (f" ({told.outbox_reason})" if told.outbox_reason else "")
    return "\n".join(
        (
            f"line     {line}",
            f"fallback {'no' if told.fallback is None else told.fallback.value}",
            f"outbox   {outbox}",
            f"waiting  {told.waiting}{oldest}",
            f"settled  {told.answered} answered, {told.rejected} rejected,"
            f" {told.expired} expired, {told.quarantined} quarantined",
            f"today    {today}",
            f"certificate {_certificate(told)}",
            f"key      {told.sealing_key or 'not known yet: nothing can be recorded'}",
            *_handed(told),
        )
    )


def _handed(told: Status) -> tuple[str, ...]:
    if told.handed_over is None:
        return ()
    return (f"handed   {told.handed_over} to the receipt computer, {told.not_handed_over} left to staff",)


def _certificate(told: Status) -> str:
    days = "" if told.certificate_days is None else f"{told.certificate_days:.0f} days left"
    return ", ".join(part for part in (told.certificate_fault or "", days) if part)
