"""`kiosk uploader`: the process that keeps the outbox and speaks to the service."""

import os
import signal
from pathlib import Path
from types import FrameType

import click

from kiosk.box.clock import Clock
from kiosk.box.supervision import Supervision
from kiosk.channel import UPLOADER_SOCKET
from kiosk.channel.seqpacket import Hub, Listener, allowed_uids
from kiosk.config.settings import load
from kiosk.uploader.process import Uploader
from kiosk.uploader.service.credentials import credentials_of
from kiosk.uploader.service.custody import device_secret


@click.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The settings, kiosk.toml.")
def uploader(config: Path) -> None:
    """Run the uploader process until SIGTERM."""
    os.umask(0o077)
    settings = load(config)
    allowed = allowed_uids(settings.run_users) | {0}  # root: the command line of whoever mends the box
    listener = Listener(settings.run / UPLOADER_SOCKET, allowed)
    clock = Clock(synchronized=settings.clock.trust_file)
    credentials = credentials_of(settings, device_secret(os.environ))
    process = Uploader(settings, credentials, Hub(listener), clock, Supervision())

    def stop(_signal: int, _frame: FrameType | None) -> None:
        process.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    process.run()
