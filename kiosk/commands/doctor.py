"""`kiosk doctor`: every part by name, what is wrong, how to mend it. At installation and before failure."""

import json
import time
from pathlib import Path

import click

from kiosk.channel import AskCheck, CheckResult, DrillProgress, RunDrill
from kiosk.commands import reader_health
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.config.settings import ConfigError, load
from kiosk.health import installed
from kiosk.health import sentences as told
from kiosk.health.finding import Finding, State, fault, ok

SCHEMA = 1  #: raised when a field changes its meaning or goes; new parts and fields may come without
WAIT_S = 1.0  #: for each of the two processes; the whole is to take three seconds at most
DRILL_S = 15.0
WHO = "kiosk"  #: in the audit table: not a member of staff
_MARKS = {State.OK: "ok   ", State.FAULT: "FAULT", State.UNKNOWN: "-    "}


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs: a stable form.")
@click.option("--drill", is_flag=True, help="Also take a dummy record through everything, as staff can.")
def doctor(config: Path, as_json: bool, drill: bool) -> None:
    """Look at every part of this kiosk; exit code 1 when something has to be mended."""
    findings = _look(config, drill)
    if as_json:
        parts = [each.document() for each in findings]
        click.echo(json.dumps({"schema": SCHEMA, "ok": told.all_well(findings), "parts": parts}, indent=1))
    else:
        click.echo("\n".join(line for each in findings for line in _lines(each)))
    if not told.all_well(findings):
        names = ", ".join(each.part for each in findings if each.state is State.FAULT)
        raise click.ClickException(f"to be mended: {names}")


def _lines(found: Finding) -> list[str]:
    first = f"{_MARKS[found.state]} {found.part:15} {found.say}"
    return [first, f"      {'':15} → {found.mend}"] if found.mend else [first]


def _look(config: Path, drill: bool) -> list[Finding]:
    try:
        settings = load(config)
    except ConfigError as wrong:
        mend = f"mend {config}; kiosk provision check {config}"
        return [fault("settings", "unusable", str(each), mend) for each in wrong.faults]
    return [
        ok("settings", f"{settings.clinic.name}, terminal {settings.clinic.terminal}"),
        *installed.look(settings),
        told.of_reader(reader_health.ask_reader(config, WAIT_S)),
        *_uploader(config, drill),
    ]


def _uploader(config: Path, drill: bool) -> list[Finding]:
    try:
        with UploaderClient(config, WAIT_S) as client:
            findings = [ok("uploader", "answers"), *told.of_check(client.ask(AskCheck(), CheckResult))]
            if drill:
                findings.append(told.of_drill(_drilled(client)))
            return findings
    except click.ClickException as silent:
        return told.without_uploader(silent.message)


def _drilled(client: UploaderClient) -> DrillProgress | None:
    client.send(RunDrill(staff=WHO))
    end = time.monotonic() + DRILL_S
    for message in client.follow(DRILL_S):
        if isinstance(message, DrillProgress) and message.passed is not None:
            return message
        if time.monotonic() > end:
            break
    return None
