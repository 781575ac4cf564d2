"""`kiosk reader` on a transport that blocks for ever at its next write once a file is there.

    python -m tests.nfc.blocking_reader SETTINGS FILE

What a wedged USB host controller does; libusb's own time-out is one of the things that may fail.
"""

import sys
import threading
from pathlib import Path

from kiosk.box.supervision import Supervision
from kiosk.channel import READER_SOCKET
from kiosk.channel.seqpacket import Hub, Listener, allowed_uids
from kiosk.config.settings import load
from kiosk.nfc.antenna import Antenna
from kiosk.nfc.pn533 import Pn533
from kiosk.nfc.reader_process import ReaderProcess
from kiosk.nfc.transport import VirtualTransport
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.nfc.wall_clock import WallClock


class BlockingTransport(VirtualTransport):
    """Never returns from the write after the file has appeared."""

    def __init__(self, path: str, word: Path) -> None:
        super().__init__(path)
        self._word = word

    def write(self, frame: bytes | bytearray) -> None:
        if self._word.exists():
            threading.Event().wait()
        super().write(frame)


def main(config: str, word: str) -> None:
    settings = load(Path(config))
    device = settings.reader.device.removeprefix("virtual:")
    ReaderProcess(
        Hub(Listener(settings.run / READER_SOCKET, allowed_uids(()))),
        lambda: Antenna(Pn533(BlockingTransport(device, Path(word)), 4)),
        load_trust_folder(settings.reader.trust),
        WallClock(trusted=lambda: True),
        Supervision(),
    ).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
