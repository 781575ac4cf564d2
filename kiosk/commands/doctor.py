"""`kiosk doctor`: every part by name, what is wrong, how to mend it. At installation and before failure."""

import json
import time
from pathlib import Path

import click

from kiosk.channel import AskCheck, CheckResult, DrillProgress, RunDrill
from kiosk.commands import reader_health
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.config.settings import ConfigError, load
from kiosk.health import installed, sentences
from kiosk.health.finding import PartFinding, PartState, fault, ok
from kiosk.nfc.trust_folder import TrustFolderError, load_trust_folder

SCHEMA = 1  #: raised when a field changes its meaning or goes; new parts and fields may come without
WAIT_S = 1.0  #: for each of the two processes; the whole is to take three seconds at most
DRILL_S = 15.0
WHO = "kiosk"  #: in the audit table: not a member of staff
_MARKS = {PartState.OK: "ok   ", PartState.FAULT: "FAULT", PartState.UNKNOWN: "-    "}


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs: a stable form.")
@click.option("--drill", is_flag=True, help="Also take a dummy record through everything, as staff can.")
def doctor(config: Path, as_json: bool, drill: bool) -> None:
    """Look at every part of this kiosk; exit code 1 when something has to be mended."""
    findings = _look(config, drill)
    if as_json:
        parts = [each.document() for each in findings]
        document = {"schema": SCHEMA, "ok": sentences.all_well(findings), "parts": parts}
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo("\n".join(line for each in findings for line in _lines(each)))
    if not sentences.all_well(findings):
        names = ", ".join(each.part for each in findings if each.state is PartState.FAULT)
        raise click.ClickException(f"to be mended: {names}")


def _lines(found: PartFinding) -> list[str]:
    first = f"{_MARKS[found.state]} {found.part:15} {found.text}"
    return [first, f"      {'':15} → {found.mend}"] if found.mend else [first]


def _look(config: Path, drill: bool) -> list[PartFinding]:
    try:
        settings = load(config)
    except ConfigError as wrong:
        mend = f"mend {config}; kiosk provision check {config}"
        return [fault("settings", "unusable", str(each), mend) for each in wrong.faults]
    return [
        ok("settings", f"{settings.clinic.name}, terminal {settings.clinic.terminal}"),
        *installed.look(settings, _trust(settings.reader.trust)),
        sentences.of_reader(reader_health.ask_reader(config, WAIT_S)),
        *_uploader(config, drill),
    ]


def _trust(folder: Path) -> PartFinding:
    try:
        return ok("trust", f"{len(load_trust_folder(folder))} CA certificates in {folder}")
    except TrustFolderError as wrong:
        return fault("trust", "unusable", str(wrong), "put the JPKI CA certificates into [reader] trust")


def _uploader(config: Path, drill: bool) -> list[PartFinding]:
    try:
        with UploaderClient(config, WAIT_S) as client:
            findings = [ok("uploader", "answers"), *sentences.of_check(client.ask(AskCheck(), CheckResult))]
            if drill:
                findings.append(sentences.of_drill(_drilled(client)))
            return findings
    except click.ClickException as silent:
        return sentences.without_uploader(silent.message)


def _drilled(client: UploaderClient) -> DrillProgress | None:
    client.send(RunDrill(staff=WHO))
    end = time.monotonic() + DRILL_S
    for message in client.follow(DRILL_S):
        if isinstance(message, DrillProgress) and message.passed is not None:
            return message
        if time.monotonic() > end:
            break
    return None
