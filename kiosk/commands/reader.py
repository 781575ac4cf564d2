"""`kiosk reader`: the process that owns the reader and the dialogue with the token."""

import signal
from pathlib import Path

import click

from kiosk.box.supervision import Supervision
from kiosk.channel import READER_SOCKET
from kiosk.channel.seqpacket import Hub, Listener, allowed_uids
from kiosk.config.settings import load
from kiosk.nfc.opening import Opening
from kiosk.nfc.reader_counters import ReaderCounters
from kiosk.nfc.reader_process import ReaderProcess
from kiosk.nfc.trust_folder import TrustFolderError, load_trust_folder
from kiosk.nfc.wall_clock import WallClock


@click.command()
@click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="The settings, kiosk.toml."
)
def reader(path: Path) -> None:
    """The reader process: watches for tokens and reads them when the screen asks."""
    settings = load(path)
    try:
        store = load_trust_folder(settings.reader.trust)
    except TrustFolderError as fault:
        raise click.ClickException(str(fault)) from None
    counters = ReaderCounters()
    allowed = allowed_uids(settings.run_users) | {0}  # root: whoever mends the box
    process = ReaderProcess(
        Hub(Listener(settings.run / READER_SOCKET, allowed)),
        Opening(settings.reader.device, settings.reader.type_b_modulation, counters),
        store,
        WallClock(trusted=settings.clock.trust_file.exists),
        Supervision(),
        counters=counters,
        most_cpu_s=settings.reader.computing_s,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop())
    process.run()
