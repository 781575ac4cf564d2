"""A virtual PN533 as a USB device of a virtual machine: usbredir on QEMU's side, the simulator's field on
the other.

usbredir 0.7 (https://gitlab.freedesktop.org/spice/usbredir, docs/usb-redirection-protocol.md) carries the
USB packets of one device over a socket. We are its usb-host side: descriptors and control transfers are
answered here, what the guest writes to the bulk OUT endpoint goes to the field as the chip's frames, and the
chip's frames come back on bulk IN, one frame to a transfer as the stick sends them. Nothing in the guest is
changed.
"""

import queue
import socket
import struct
import threading
from pathlib import Path

VENDOR, PRODUCT, RELEASE = 0x04E6, 0x5591, 0x0207  #: SCL3711, which nfcpy drives
BULK_OUT, BULK_IN, PACKET = 0x04, 0x84, 64

# packet types
HELLO, CONNECT, DISCONNECT, RESET, INTERFACES, ENDPOINTS = range(6)
SET_CONFIGURATION, GET_CONFIGURATION, CONFIGURATION_STATUS, SET_ALT, GET_ALT, ALT_STATUS = range(6, 12)
CANCEL, FILTER_REJECT, FILTER_FILTER, DISCONNECT_ACK = range(21, 25)
CONTROL, BULK = 100, 101
# capabilities, as bits
WITH_RELEASE, WITH_ACK, WITH_PACKET_SIZE, WITH_64_BIT_IDS, WITH_32_BIT_LENGTHS = 1, 3, 4, 5, 6
CAPABILITIES = sum(
    1 << bit for bit in (WITH_RELEASE, WITH_ACK, WITH_PACKET_SIZE, WITH_64_BIT_IDS, WITH_32_BIT_LENGTHS)
)
# statuses
SUCCESS, CANCELLED, STALLED = 0, 1, 4

DEVICE = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, VENDOR, PRODUCT, RELEASE, 1, 2, 0, 1)
CONFIGURATION = (
    struct.pack("<BBHBBBBB", 9, 2, 32, 1, 1, 0, 0x80, 50)
    + struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 2, 0xFF, 0, 0, 0)
    + struct.pack("<BBBBHB", 7, 5, BULK_OUT, 2, PACKET, 4)
    + struct.pack("<BBBBHB", 7, 5, BULK_IN, 2, PACKET, 4)
)
ACK = bytes.fromhex("0000ff00ff00")


def _text(text: str) -> bytes:
    coded = text.encode("utf-16-le")
    return bytes([len(coded) + 2, 3]) + coded


STRINGS = (bytes([4, 3, 9, 4]), _text("SCM Micro"), _text("SCL3711-NFC&RW"))


def descriptor(kind: int, index: int) -> bytes | None:
    """What GET_DESCRIPTOR gives (USB 2.0 9.4.3); None: the request is stalled."""
    match kind:
        case 1:
            return DEVICE
        case 2:
            return CONFIGURATION
        case 3 if index < len(STRINGS):
            return STRINGS[index]
        case _:
            return None


class Frames:
    """Cuts the chip's byte stream into the frames that it sends (PN532 User Manual 6.2.1)."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Whole frames, in order."""
        self._held += data
        found = []
        while (length := self._length()) is not None and len(self._held) >= length:
            found.append(self._held[:length])
            self._held = self._held[length:]
        return found

    def _length(self) -> int | None:
        held = self._held
        if held.startswith(ACK):
            return len(ACK)
        if len(held) < 5:
            return None
        if held[3:5] == b"\xff\xff":
            return None if len(held) < 8 else 8 + int.from_bytes(held[5:7], "big") + 2
        return 5 + held[3] + 2


class VirtualStick:
    """One PN533 plugged into a virtual machine, until `unplug`. Raises OSError if machine or field are not
    there.
    """

    def __init__(self, machine: Path, field: Path) -> None:
        self._field_path = field
        self._machine = socket.socket(socket.AF_UNIX)
        self._machine.connect(str(machine))
        self._field: socket.socket | None = None
        self._lock = threading.Lock()
        self._order = threading.Lock()  #: held while frames are handed out: two threads do
        self._peer = 0
        self._configuration = 1
        self._waiting: dict[int, int] = {}  #: bulk IN transfers that wait for a frame: id -> most bytes
        self._frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.plugged = threading.Event()  #: the guest has asked for the device descriptor's endpoints
        self._threads = [threading.Thread(target=self._serve, name="usbredir", daemon=True)]
        self._threads[0].start()

    def unplug(self) -> None:
        """Pull the stick."""
        for each in (self._machine, self._field):
            if each is not None:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
        for thread in self._threads:
            thread.join(10)
        self._machine.close()
        if self._field is not None:
            self._field.close()

    # ---- packets ---------------------------------------------------------------------------------------

    def _both(self, bit: int) -> bool:
        return bool(self._peer & CAPABILITIES & 1 << bit)

    def _send(self, kind: int, number: int, body: bytes) -> None:
        form = "<IIQ" if kind != HELLO and self._both(WITH_64_BIT_IDS) else "<III"
        with self._lock:
            self._machine.sendall(struct.pack(form, kind, len(body), number) + body)

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._machine.recv(count - len(data))
            if not more:
                raise ConnectionError("the machine has gone")
            data += more
        return data

    def _serve(self) -> None:
        try:
            self._send(HELLO, 0, b"kiosk virtual PN533".ljust(64, b"\0") + struct.pack("<I", CAPABILITIES))
            while True:
                form = "<IIQ" if self._both(WITH_64_BIT_IDS) else "<III"
                kind, length, number = struct.unpack(form, self._take(struct.calcsize(form)))
                self._packet(kind, number, self._take(length))
        except OSError:
            return  # unplugged, or the machine is off

    def _packet(self, kind: int, number: int, body: bytes) -> None:
        match kind:
            case 0:  # HELLO
                self._peer = int.from_bytes(body[64:68], "little")
                self._plug()
            case 6:  # SET_CONFIGURATION
                self._configuration = body[0]
                self._send(CONFIGURATION_STATUS, number, bytes([SUCCESS, self._configuration]))
            case 7:
                self._send(CONFIGURATION_STATUS, number, bytes([SUCCESS, self._configuration]))
            case 9:
                self._send(ALT_STATUS, number, bytes([SUCCESS, body[0], body[1]]))
            case 10:
                self._send(ALT_STATUS, number, bytes([SUCCESS, body[0], 0]))
            case 21:  # CANCEL
                with self._lock:
                    length = self._waiting.pop(number, None)
                if length is not None:
                    self._bulk(number, BULK_IN, CANCELLED, b"")
            case 100:
                self._control(number, body)
            case 101:
                self._transfer(number, body)
            case _:
                pass  # reset, filters: nothing to do

    def _plug(self) -> None:
        """Tell what the device is made of, then that it is there."""
        classes = bytes([0xFF]) + bytes(31)
        self._send(INTERFACES, 0, struct.pack("<I", 1) + bytes(32) + classes + bytes(32) + bytes(32))
        kinds, intervals, sizes = [255] * 32, [0] * 32, [0] * 32
        for place, kind in ((0, 0), (16, 0), (BULK_OUT, 2), (16 + (BULK_IN & 15), 2)):
            kinds[place], sizes[place] = kind, PACKET
            intervals[place] = 4 if kind else 0
        told = bytes(kinds) + bytes(intervals) + bytes(32)
        if self._both(WITH_PACKET_SIZE):
            told += struct.pack("<32H", *sizes)
        self._send(ENDPOINTS, 0, told)
        full_speed = 1
        device = struct.pack("<BBBBHH", full_speed, 0, 0, 0, VENDOR, PRODUCT)
        if self._both(WITH_RELEASE):
            device += struct.pack("<H", RELEASE)
        self._send(CONNECT, 0, device)

    def _control(self, number: int, body: bytes) -> None:
        endpoint, request, kind, _, value, index, length = struct.unpack("<BBBBHHH", body[:10])
        answer: bytes | None = b""
        if kind & 0x80:
            if request == 6:
                answer = descriptor(value >> 8, value & 0xFF)
                self.plugged.set()
            else:
                answer = b"\0\0" if request == 0 else None
        status = STALLED if answer is None else SUCCESS
        data = (answer or b"")[:length]
        count = len(data) if kind & 0x80 else length
        head = struct.pack("<BBBBHHH", endpoint, request, kind, status, value, index, count)
        self._send(CONTROL, number, head + data)

    def _transfer(self, number: int, body: bytes) -> None:
        endpoint, _, low = struct.unpack("<BBH", body[:4])
        head = 10 if self._both(WITH_32_BIT_LENGTHS) else 8
        if endpoint & 0x80:
            with self._lock:
                self._waiting[number] = low
            self._hand_out()
        else:
            self._bulk(number, endpoint, SUCCESS, b"", low)
            self._to_chip(body[head:])

    def _bulk(self, number: int, endpoint: int, status: int, data: bytes, length: int | None = None) -> None:
        count = len(data) if length is None else length
        head = struct.pack("<BBHI", endpoint, status, count & 0xFFFF, 0)
        if self._both(WITH_32_BIT_LENGTHS):
            head += struct.pack("<H", count >> 16)
        self._send(BULK, number, head + data)

    # ---- the chip --------------------------------------------------------------------------------------

    def _to_chip(self, data: bytes) -> None:
        if self._field is None:
            self._field = socket.socket(socket.AF_UNIX)
            self._field.connect(str(self._field_path))
            thread = threading.Thread(target=self._from_chip, args=(self._field,), name="chip", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._field.sendall(data)

    def _from_chip(self, field: socket.socket) -> None:
        frames = Frames()
        try:
            while data := field.recv(4096):
                for frame in frames.feed(data):
                    self._frames.put(frame)
                    self._hand_out()
        except OSError:
            return

    def _hand_out(self) -> None:
        """Give waiting transfers their frames, in the order in which the guest asked."""
        with self._order:
            while True:
                with self._lock:
                    if not self._waiting or self._frames.empty():
                        return
                    number = next(iter(self._waiting))
                    most = self._waiting.pop(number)
                    frame = self._frames.get()
                self._bulk(number, BULK_IN, SUCCESS, frame[:most])
