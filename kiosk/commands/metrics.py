"""`kiosk metrics`: writes the metrics file for node-exporter. Off unless the settings name one."""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import click

from kiosk.box import readings as box
from kiosk.box.release import Release, release_of
from kiosk.channel import AskStatus, Status
from kiosk.commands import reader_health
from kiosk.commands.uploader_client import UploaderClient, config_option
from kiosk.config.settings import Settings, load
from kiosk.health.installed import UNITS
from kiosk.health.metrics import MachineReadings, Snapshot, exposition, write

log = logging.getLogger(__name__)


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Print them once and end, whatever the settings say.")
def metrics(config: Path, once: bool) -> None:
    """Write the metrics of this kiosk to [metrics] file, every [metrics] every_s seconds, until SIGTERM."""
    settings = load(config)
    release = release_of(settings.update.os_release)
    if once:
        click.echo(exposition(snapshot(config, settings, release)), nl=False)
        return
    file = settings.metrics.file
    if file is None:
        click.echo("metrics are off: [metrics] file is not set")
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stop.set())
    signal.signal(signal.SIGINT, lambda _signal, _frame: stop.set())
    os.umask(0o022)  # node-exporter reads it as another user
    while not stop.is_set():
        try:
            write(snapshot(config, settings, release), file)
        except OSError as fault:
            log.warning("metrics: %s: %s", file, fault.strerror or fault)
        stop.wait(settings.metrics.every_s)


def snapshot(config: Path, settings: Settings, release: Release) -> Snapshot:
    """Ask everybody once."""
    try:
        with UploaderClient(config) as client:
            status: Status | None = client.ask(AskStatus(), Status)
    except click.ClickException:
        status = None
    return Snapshot(
        now_s=time.time(),
        version=release.version,
        image=release.image,
        status=status,
        reader=reader_health.ask_reader(config),
        machine=MachineReadings(
            celsius=box.celsius(),
            throttled_flags=box.throttled_flags(),
            undervoltage=box.undervoltage(),
            card_bytes_written=box.card_bytes_written(),
            data_free_bytes=_free(settings.outbox.path.parent),
            restarts=_restarts(),
        ),
    )


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _restarts() -> dict[str, int]:
    """How often the service manager has restarted our units; nothing where there is none."""
    command = ["systemctl", "show", "--property=Id,NRestarts", *(f"{unit}.service" for unit in UNITS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = {}
    for block in done.stdout.split("\n\n"):
        shown = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if shown.get("NRestarts", "").isdigit():
            found[shown.get("Id", "").removesuffix(".service")] = int(shown["NRestarts"])
    return found
