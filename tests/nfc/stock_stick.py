"""Stock nfcpy on the virtual field: the smallest transport that `nfc.clf.pn533.init` takes.

Nothing of nfcpy is patched and nothing of the kiosk's own reader is used: these tests check the field with
somebody else's half.
"""

import errno
import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nfc
import nfc.clf.pn533
import nfc.tag
from nfc.clf import RemoteTarget

AID = bytes.fromhex("D392F000260100000001")
AT_ONCE_MS = 100  #: nfcpy's, for an acknowledgement and for settings of the chip
DIGEST_INFO_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


class StockTransport:
    """PN533 frames over the field's socket. A lost connection is EIO, as from libusb for a pulled stick."""

    manufacturer_name = None
    product_name = None

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._waiting = bytearray()
        self.frames: list[bytes] = []

    def write(self, frame: bytes) -> None:
        try:
            self._socket.sendall(bytes(frame))
        except OSError as fault:
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from fault

    def read(self, timeout: int) -> bytearray:
        """A frame. nfcpy's shortest patience, for what a chip does at once, is stretched."""
        end = time.monotonic() + (5000 if timeout == AT_ONCE_MS else timeout) / 1000
        while (size := self._frame_size()) is None or len(self._waiting) < size:
            left = max(0.0, end - time.monotonic())
            if not select.select([self._socket], [], [], left)[0]:
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            data = self._receive()
            if not data:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._waiting += data
        frame = self._waiting[:size]
        del self._waiting[:size]
        self.frames.append(bytes(frame))
        return frame

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(4096)
        except ConnectionError:
            return b""

    def _frame_size(self) -> int | None:
        head = bytes(self._waiting[:8])
        if len(head) < 5:
            return None
        if head[3:5] in (b"\x00\xff", b"\xff\x00"):
            return 6
        if head[3:5] == b"\xff\xff":
            return None if len(head) < 8 else 10 + int.from_bytes(head[5:7], "big")
        return 7 + head[3]

    def wait_for_more(self, seconds: float = 10.0) -> bool:
        """Wait until something can be read, and leave it there; False if nothing came."""
        return bool(self._waiting) or bool(select.select([self._socket], [], [], seconds)[0])

    @property
    def closed(self) -> bool:
        return self._socket.fileno() < 0

    def close(self) -> None:
        self._socket.close()


@contextmanager
def plugged_in(path: Path) -> Iterator[nfc.ContactlessFrontend]:
    """A contactless frontend on the field, as `nfc.ContactlessFrontend("usb")` would be on a stick."""
    transport = StockTransport(path)
    frontend = nfc.ContactlessFrontend()
    try:
        frontend.device = nfc.clf.pn533.init(transport)
        frontend.device._path = "virtual"
        yield frontend
    finally:
        transport.close()


def sense(frontend: nfc.ContactlessFrontend) -> RemoteTarget | None:
    return frontend.sense(RemoteTarget("106B"), RemoteTarget("106A"))


def activate(frontend: nfc.ContactlessFrontend) -> nfc.tag.Tag:
    """The token on the field, activated by stock nfcpy."""
    target = sense(frontend)
    assert target is not None, "nothing on the field"
    tag = nfc.tag.activate(frontend, target)
    assert tag is not None
    return tag


def ask(tag: nfc.tag.Tag, apdu: str) -> bytes:
    """One APDU in hexadecimal and its whole answer, status word included."""
    return bytes(tag.transceive(bytearray.fromhex(apdu)))


def select_application(tag: nfc.tag.Tag) -> bytes:
    return ask(tag, "00A4040C0A" + AID.hex())


def select_file(tag: nfc.tag.Tag, file: int) -> bytes:
    return ask(tag, f"00A4020C02{file:04X}")


def read_file(tag: nfc.tag.Tag, file: int) -> bytes:
    """A whole EF with one extended READ BINARY; asserts success."""
    assert select_file(tag, file) == b"\x90\x00"
    answer = ask(tag, "00B00000000000")
    assert answer[-2:] == b"\x90\x00", answer[-2:].hex()
    return answer[:-2]


def sign(tag: nfc.tag.Tag, digest: bytes) -> bytes:
    """Signature over a SHA-256 digest by the authentication key, RSA; asserts success."""
    assert select_file(tag, 0x0017) == b"\x90\x00"
    data = DIGEST_INFO_SHA256 + digest
    answer = ask(tag, f"802A0080{len(data):02X}{data.hex()}00")
    assert answer[-2:] == b"\x90\x00", answer[-2:].hex()
    return answer[:-2]
