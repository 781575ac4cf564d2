"""Our reader on the virtual field, without a process around it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.nfc.antenna import Antenna, Found, TokenLink
from kiosk.nfc.pn533 import open_reader
from kiosk.nfc.protocol.apdu import CommandApdu, ResponseApdu
from kiosk.nfc.protocol.faults import ReaderStuck
from kiosk.nfc.protocol.tokens import AID
from kiosk.simulator.field.field import VirtualField

SELECT = CommandApdu(0x00, 0xA4, 0x04, 0x0C, AID)
WHOLE = CommandApdu(0x00, 0xB0, 0x00, 0x00, ne=65536)
SELECT_CERTIFICATE = CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x00\x0a")


def opened(field: VirtualField) -> Antenna:
    """The reader, opened; tried again as the process does it, where a busy machine was too slow for it."""
    until = time.monotonic() + 20
    while True:
        try:
            return Antenna(open_reader(f"virtual:{field.settings.path}", 4))
        except ReaderStuck:
            if time.monotonic() > until:
                raise


@contextmanager
def ours(field: VirtualField) -> Iterator[Antenna]:
    antenna = opened(field)
    try:
        yield antenna
    finally:
        antenna.close()


def linked(antenna: Antenna) -> TokenLink:
    found = None
    until = time.monotonic() + 5
    while found is None and time.monotonic() < until:
        found = antenna.look()
    assert isinstance(found, Found)
    return antenna.activate(found)


def ask(link: TokenLink, command: CommandApdu) -> ResponseApdu:
    return ResponseApdu.decode(link.exchange(command, lambda: 10.0))


def certificate(link: TokenLink) -> bytes:
    assert ask(link, SELECT).ok
    assert ask(link, SELECT_CERTIFICATE).ok
    answer = ask(link, WHOLE)
    assert answer.ok
    return answer.data
