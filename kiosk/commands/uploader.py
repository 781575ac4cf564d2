"""`kiosk uploader`: the process that keeps the outbox and speaks to the service."""

import os
import signal
from pathlib import Path
from types import FrameType

import click

from kiosk.config import load
from kiosk.seqpacket import Hub, Listener
from kiosk.supervision import Supervision
from kiosk.uploader.clock import Clock
from kiosk.uploader.process import Uploader

SOCKET = "uploader.sock"


@click.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The settings, kiosk.toml.")
def uploader(config: Path) -> None:
    """Run the uploader process until SIGTERM."""
    os.umask(0o077)
    settings = load(config)
    listener = Listener(settings.run / SOCKET, frozenset({os.getuid(), 0}))
    process = Uploader(settings, Hub(listener), Clock(), Supervision())

    def stop(_signal: int, _frame: FrameType | None) -> None:
        process.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    process.run()
