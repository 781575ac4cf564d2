"""`kiosk uploader`: the process that keeps the outbox and speaks to the service."""

import os
import signal
from pathlib import Path
from types import FrameType

import click

from kiosk.channel import UPLOADER_SOCKET
from kiosk.config import load
from kiosk.seqpacket import Hub, Listener, allowed_uids
from kiosk.supervision import Supervision
from kiosk.uploader.clock import Clock
from kiosk.uploader.custody import device_secret
from kiosk.uploader.from_settings import credentials_of
from kiosk.uploader.process import Uploader


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
