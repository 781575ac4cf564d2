"""The virtual stick, spoken to as QEMU does: descriptors, the chip's frames in and out, unplugging."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.tokens.hierarchy import default_folder, ensure_hierarchy
from tests.image import usbredir
from tests.image.usbredir import ACK, BULK_IN, BULK_OUT, Frames, VirtualStick

GET_FIRMWARE_VERSION = bytes.fromhex("0000ff02fed4022a00")
LIMIT_S = 30


class Guest:
    """QEMU's side of usbredir, as much of it as a driver makes it use."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._peer: socket.socket | None = None

    def accept(self) -> None:
        self._peer, _ = self._listener.accept()
        self._peer.settimeout(LIMIT_S)
        kind, body = self.receive(wide=False)
        assert kind == usbredir.HELLO
        assert body.startswith(b"kiosk virtual PN533")
        hello = b"test".ljust(64, b"\0") + struct.pack("<I", usbredir.CAPABILITIES)
        self.send(usbredir.HELLO, 0, hello, wide=False)

    def send(self, kind: int, number: int, body: bytes, wide: bool = True) -> None:
        assert self._peer is not None
        self._peer.sendall(struct.pack("<IIQ" if wide else "<III", kind, len(body), number) + body)

    def receive(self, wide: bool = True) -> tuple[int, bytes]:
        head = self._exactly(16 if wide else 12)
        kind, length = struct.unpack("<II", head[:8])
        return kind, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        assert self._peer is not None
        data = b""
        while len(data) < count:
            more = self._peer.recv(count - len(data))
            assert more, "the stick has gone"
            data += more
        return data

    def until(self, wanted: int) -> bytes:
        while True:
            kind, body = self.receive()
            if kind == wanted:
                return body

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()
        self._listener.close()


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[tuple[Guest, VirtualStick]]:
    hierarchy = ensure_hierarchy(default_folder())
    side = Guest(tmp_path / "nfc.sock")
    with VirtualField(FieldSettings(tmp_path / "field.sock"), hierarchy):
        accepting = threading.Thread(target=side.accept)
        accepting.start()
        stick = VirtualStick(tmp_path / "nfc.sock", tmp_path / "field.sock")
        accepting.join(LIMIT_S)
        yield side, stick
        stick.unplug()
        side.close()


def test_the_device_shows_itself_as_the_reader(guest: tuple[Guest, VirtualStick]) -> None:
    side, _ = guest
    told = side.until(usbredir.CONNECT)
    assert struct.unpack("<HH", told[4:8]) == (usbredir.VENDOR, usbredir.PRODUCT)
    side.send(usbredir.CONTROL, 7, struct.pack("<BBBBHHH", 0x80, 6, 0x80, 0, 0x0100, 0, 18))
    answer = side.until(usbredir.CONTROL)
    assert answer[10:] == usbredir.DEVICE


def test_an_unknown_descriptor_is_stalled(guest: tuple[Guest, VirtualStick]) -> None:
    side, _ = guest
    side.send(usbredir.CONTROL, 7, struct.pack("<BBBBHHH", 0x80, 6, 0x80, 0, 0x0600, 0, 10))
    assert side.until(usbredir.CONTROL)[3] == usbredir.STALLED


def bulk(endpoint: int, length: int, data: bytes = b"") -> bytes:
    return struct.pack("<BBHIH", endpoint, 0, length, 0, 0) + data


def test_a_command_reaches_the_chip_and_its_frames_come_back_one_by_one(
    guest: tuple[Guest, VirtualStick],
) -> None:
    side, _ = guest
    side.send(usbredir.BULK, 1, bulk(BULK_IN, 300))
    side.send(usbredir.BULK, 2, bulk(BULK_OUT, len(GET_FIRMWARE_VERSION), GET_FIRMWARE_VERSION))
    side.send(usbredir.BULK, 3, bulk(BULK_IN, 300))
    frames: list[bytes] = []
    while len(frames) < 2:
        body = side.until(usbredir.BULK)
        if body[0] == BULK_IN:
            frames.append(body[10:])
    assert frames[0] == ACK
    assert frames[1][5:7] == b"\xd5\x03"


def test_a_transfer_that_is_cancelled_ends(guest: tuple[Guest, VirtualStick]) -> None:
    side, _ = guest
    side.send(usbredir.BULK, 9, bulk(BULK_IN, 300))
    side.send(usbredir.CANCEL, 9, b"")
    assert side.until(usbredir.BULK)[1] == usbredir.CANCELLED


def test_frames_are_cut_where_they_end() -> None:
    normal = bytes.fromhex("0000ff06fad50333020707e800")
    extended = b"\0\0\xff\xff\xff\x01\x04\xfb" + bytes(0x104) + b"\0\0"
    stream = ACK + normal + extended + ACK
    for step in (1, 3, 64, len(stream)):
        frames = Frames()
        found = [f for at in range(0, len(stream), step) for f in frames.feed(stream[at : at + step])]
        assert found == [ACK, normal, extended, ACK]
