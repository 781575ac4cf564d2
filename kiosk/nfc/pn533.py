"""The PN533 through nfcpy: the only file of the package that imports it, and where its errors become ours.

nfcpy 1.0.4 stays as released; its seam is `nfc.clf.pn533.init(transport)`. What it does well is kept:
opening and configuring the chip, host frames and their checksums. What it does slowly or wrongly
(docs/facts/reader.md, faults 1 to 10) is not called: polling, activation, exchange and ISO-DEP are ours, on
the chip's own commands.

A transport carries PN533 host frames both ways: libusb's bulk end points, or a UNIX stream socket on which a
virtual chip answers (`virtual:PATH`).
"""

import errno
import logging
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nfc.clf.pn53x
import nfc.clf.pn533
import nfc.clf.transport
import usb1

from kiosk.nfc.protocol.faults import ReaderGone, ReaderStuck
from kiosk.nfc.protocol.isodep import Heard, Technology, Unheard
from kiosk.nfc.protocol.secret import wipe
from kiosk.nfc.transport import START, WRITE_MS, Transport, VirtualTransport

USB_IDS = ((0x04CC, 0x2533), (0x04E6, 0x5591), (0x04E6, 0x5593))  #: what nfcpy knows as PN533
ACK = bytes.fromhex("0000FF00FF00")
ACK_MS = 1000  #: nfcpy waits 100, which a busy host takes longer than now and then
ANSWER_S = 1.0  #: at least; nfcpy waits 0.1 for commands that the chip carries out at once
DRAIN_MS = 20
MOST_STALE = 32
HOST_MARGIN_S = 1.5  #: more patience than the chip's own time-out, for a busy host and a busy bus
RETURN_S = 1.0  #: after a reset the kernel looks at the device anew
WAKE_S = 0.005  #: a token needs that long in the field before it answers (ISO/IEC 14443-3:2018, 5)

TO_CHIP = 0xD4
CMD_IN_LIST_PASSIVE_TARGET = 0x4A
CHIP_TIMEOUT = 0x01  #: status of InCommunicateThru: nobody answered
RF_FIELD, RF_TIMINGS, RF_RETRIES, RF_TYPE_B = 0x01, 0x02, 0x05, 0x0C

REG_TX_MODE, REG_RX_MODE, REG_TX_AUTO = 0x6302, 0x6303, 0x6305
REG_RX_THRESHOLD, REG_GS_N_ON, REG_MOD_GS_P, REG_BIT_FRAMING = 0x6308, 0x6317, 0x6319, 0x633D
FORCE_100_ASK = 0x40  #: in CIU_TxAuto: type A's modulation

log = logging.getLogger(__name__)


class UsbTransport(nfc.clf.transport.USB):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's libusb transport with an end to every write, and without copies of what is written."""

    def write(self, frame: bytes | bytearray, timeout: int = WRITE_MS) -> None:
        """Send one frame, straight from its buffer. OSError as nfcpy's: ETIMEDOUT, ENODEV, or EIO."""
        if self.usb_out is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        endpoint, packet = self.usb_out.getAddress(), self.usb_out.getMaxPacketSize()
        try:
            self.usb_dev.bulkWrite(endpoint, frame, timeout)
            if len(frame) % packet == 0:
                self.usb_dev.bulkWrite(endpoint, b"", timeout)  # the transfer's end (USB 2.0, 5.8.3)
        except usb1.USBErrorTimeout:
            number = errno.ETIMEDOUT
        except usb1.USBErrorNoDevice:
            number = errno.ENODEV
        except usb1.USBError:
            number = errno.EIO
        else:
            return
        raise OSError(number, os.strerror(number))

    def reset(self) -> None:
        """Reset the port and close: the device may have another address after. Never raises.

        libusb_reset_device returns NOT_FOUND where the device has to be found anew, which happens next.
        """
        with suppress(usb1.USBError):
            self.usb_dev.resetDevice()
        self.close()

    @property
    def where(self) -> str:
        """USB id, bus and device, and the ports on the way there: 04e6:5591 at 1-1.3 (bus 1 device 7)."""
        device = self.usb_dev.getDevice()
        bus, ports = device.getBusNumber(), ".".join(str(port) for port in device.getPortNumberList())
        name = f"{device.getVendorID():04x}:{device.getProductID():04x}"
        return f"{name} at {bus}-{ports} (bus {bus} device {device.getDeviceAddress()})"


def _as_it_is(transport: Transport) -> Transport:
    return transport


def open_reader(
    device: str, type_b_modulation: int, over: Callable[[Transport], Transport] = _as_it_is
) -> "Pn533":
    """Open `usb`, `usb:VVVV:PPPP` or `virtual:PATH`. Raises ReaderGone; its text is what to mend.

    `over` puts something between us and the stick that wants to see the frames (`recording`).
    """
    logging.getLogger("nfc").setLevel(logging.CRITICAL)  # its lines hold frames, and faults are logged by us
    if device.startswith("virtual:"):
        path = device.removeprefix("virtual:")
        try:
            transport: Transport = VirtualTransport(path)
        except OSError as fault:
            raise ReaderGone(
                f"no virtual reader at {path} ({fault.strerror}); start `kiosk simulate field`"
            ) from None
    else:
        transport = _open_usb(device)
    transport = over(transport)
    try:
        return Pn533(transport, type_b_modulation)
    except ReaderGone:
        transport.close()
        raise


def reset_reader(device: str) -> None:
    """Reset a stick that hangs, and give it the time to come back. A virtual one is reset by connecting anew.

    Raises ReaderGone where it cannot be reached for that.
    """
    if not device.startswith("virtual:"):
        _open_usb(device).reset()
        time.sleep(RETURN_S)


def _open_usb(device: str) -> UsbTransport:
    found = [
        (vendor, product, bus, address)
        for vendor, product, bus, address in nfc.clf.transport.USB.find(device) or ()
        if (vendor, product) in USB_IDS
    ]
    if not found:
        known = ", ".join(f"{vendor:04x}:{product:04x}" for vendor, product in USB_IDS)
        raise ReaderGone(f"no PN533 reader on USB for {device!r} (known: {known}); plug it in or replug it")
    vendor, product, bus, address = found[0]
    name = f"{vendor:04x}:{product:04x}"
    node = Path(f"/dev/bus/usb/{bus:03d}/{address:03d}")
    if not os.access(node, os.R_OK | os.W_OK):
        raise ReaderGone(
            f"reader {name}: no permission for {node}; install the kiosk's udev rule and replug it"
        )
    try:
        return UsbTransport(bus, address)
    except OSError as fault:
        raise ReaderGone(f"reader {name}: {_why(fault)}") from None


def _why(fault: OSError) -> str:
    match fault.errno:
        case errno.EBUSY:
            return (
                "another program or the kernel module pn533_usb holds it; "
                "blacklist pn533_usb, pn533 and nfc in /etc/modprobe.d and run `rmmod pn533_usb`"
            )
        case errno.EACCES:
            return "no permission; install the kiosk's udev rule and replug it"
        case errno.ENODEV:
            return "it was unplugged"
        case errno.ETIMEDOUT:
            return "it does not answer in time; replug it if this stays"
        case _:
            return "input/output error: unplugged, or stuck (replug it if this stays)"


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what nfcpy raises into ReaderGone, as text: kept, it would keep the USB handle (fault 7)."""
    try:
        yield
    except nfc.clf.pn53x.Chipset.Error as fault:
        raise ReaderStuck(f"the reader refuses a command ({fault})") from None
    except OSError as fault:
        if fault.errno in (errno.EIO, errno.ETIMEDOUT):
            raise ReaderStuck(_why(fault)) from None
        raise ReaderGone(_why(fault)) from None
    except (
        AssertionError,
        IndexError,
        TypeError,
        ValueError,
        struct.error,
    ) as fault:  # an answer shorter than nfcpy believes
        raise ReaderStuck(
            f"the reader answers nonsense ({type(fault).__name__}); replug it if this stays"
        ) from None


def _drain(transport: Transport) -> int:
    """End what the chip is doing and throw away what it still sends (fault 8); the number of frames."""
    transport.write(ACK)
    for stale in range(MOST_STALE):
        try:
            transport.read(DRAIN_MS)
        except OSError as fault:
            if fault.errno == errno.ETIMEDOUT:
                return stale
            raise
    raise OSError(errno.EIO, "the reader does not stop talking")


def host_frame(command: int, data: bytes | bytearray) -> bytearray:
    """A command to the chip as an information frame, extended where it is long (UM0701-02, 6.2.1.1 and 2)."""
    size = len(data) + 2
    high, low = divmod(size, 0x100)
    length = bytes([size, -size & 0xFF] if high == 0 else [0xFF, 0xFF, high, low, -(high + low) & 0xFF])
    at = len(START) + len(length)
    frame = bytearray(at + size + 2)  # at once: growing would leave a copy behind
    frame[:at] = START + length
    frame[at : at + 2] = bytes([TO_CHIP, command])
    frame[at + 2 : -2] = data
    with memoryview(frame) as view, view[at:] as checked:
        frame[-2] = -sum(checked) & 0xFF
    return frame


class Chipset(nfc.clf.pn533.Chipset):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's, but a command is made in one buffer that is wiped once it is sent: it may hold the PIN.

    nfcpy makes copies of it that nobody can wipe, one of them in hexadecimal for its log.
    """

    def command(self, cmd_code: int, cmd_data: bytes | bytearray | None, timeout: float) -> Any:
        """Send a command, return the chip's answer; what is no acknowledgement is never taken for one."""
        if cmd_data is not None:
            frame = host_frame(cmd_code, cmd_data)
            try:
                self.transport.write(frame)
            finally:
                wipe(frame)
            if bytes(self.transport.read(ACK_MS)) != ACK:
                raise OSError(errno.EIO, "the reader does not acknowledge a command")
        # Without data: only nfcpy's waiting for the answer, and its checks.
        return super().command(cmd_code, None, max(timeout, ANSWER_S))


class Pn533:
    """One opened reader: field on and off, frames to tokens, and the chip's own search for tokens.

    Commands that would only repeat what the chip already knows are left out: framing registers and the
    time-out are sent when they change (nfcpy: three further commands before every frame). Every method
    raises ReaderGone.
    """

    def __init__(
        self, transport: Transport, type_b_modulation: int, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._sleep = sleep
        self._transport = transport
        self._modulation = type_b_modulation
        self._framing: Technology | None = None
        self._limit_index = 0
        self._field_on = False
        with _translated():
            self.stale_frames = _drain(transport)
            self._device: Any = nfc.clf.pn533.init(transport)
            self._chipset: Any = Chipset(transport, nfc.clf.pn533.log)
            self._chipset.rf_configuration(RF_TYPE_B, bytes([0xFF, type_b_modulation, 0x85]))
            self._chipset.rf_configuration(
                RF_RETRIES, b"\x01\x00\x00"
            )  # one try per search: we pace ourselves
            self._tx_auto = self._chipset.read_register(REG_TX_AUTO) & ~FORCE_100_ASK
        if self.stale_frames:
            log.warning("reader: %d stale frames thrown away", self.stale_frames)
        self.model = self._model()
        self.where = transport.where

    def _model(self) -> str:
        vendor, product = self._device.vendor_name or "", self._device.product_name or ""
        return f"{vendor} {product} ({self._device.chipset_name})".strip()

    # -- the field -----------------------------------------------------------------------------------------

    def field_on(self) -> None:
        """Switch the field on, if it is not, and give tokens the time to wake."""
        if not self._field_on:
            with _translated():
                self._chipset.rf_configuration(RF_FIELD, b"\x01")
            self._field_on = True
            self._sleep(WAKE_S)

    def field_off(self) -> None:
        """Switch the field off: every token forgets where it was."""
        if self._field_on:
            with _translated():
                self._chipset.rf_configuration(RF_FIELD, b"\x02")
            self._field_on = False

    def close(self) -> None:
        """Switch the field off and let the reader go; never raises."""
        try:
            self.field_off()
        except ReaderGone as fault:
            log.info("reader: closed without switching the field off: %s", fault)
        self._transport.close()

    # -- frames --------------------------------------------------------------------------------------------

    def exchange(self, technology: Technology, frame: bytes | bytearray, limit_s: float) -> Heard:
        """Send a frame (the chip adds and checks the CRC) and return what was heard within `limit_s`."""
        self._frame_as(technology)
        waits = self._limit(limit_s)
        with _translated():
            try:
                return bytes(self._chipset.in_communicate_thru(frame, waits + HOST_MARGIN_S))
            except nfc.clf.pn53x.Chipset.Error as fault:
                if fault.errno == 0x7F:
                    raise
                return Unheard.SILENCE if fault.errno == CHIP_TIMEOUT else Unheard.DAMAGE

    def _frame_as(self, technology: Technology) -> None:
        """Set framing and modulation, 106 kbit/s, CRC by the chip (UM0701-02; values: nfcpy and its #187)."""
        if self._framing == technology:
            return
        if technology == "A":
            values = [(REG_TX_MODE, 0x80), (REG_RX_MODE, 0x80), (REG_TX_AUTO, self._tx_auto | FORCE_100_ASK)]
        else:
            values = [
                (REG_TX_MODE, 0x83),
                (REG_RX_MODE, 0x83),
                (REG_TX_AUTO, self._tx_auto),
                (REG_GS_N_ON, 0xFF),
                (REG_MOD_GS_P, self._modulation),
                (REG_RX_THRESHOLD, 0x85),
            ]
        with _translated():
            self._chipset.write_register(*values, (REG_BIT_FRAMING, 0x00))
        self._framing = technology

    def _limit(self, limit_s: float) -> float:
        """Tell the chip how long to wait: 100 us doubled 0 to 15 times, the first that is long enough."""
        wanted_us = min(limit_s, 3.2768) * 1e6
        index = next(i for i in range(1, 17) if 100 << i - 1 >= wanted_us or i == 16)
        if index != self._limit_index:
            with _translated():
                self._chipset.rf_configuration(RF_TIMINGS, bytes([10, 11, index]))
            self._limit_index = index
        return (100 << index - 1) / 1e6

    # -- the chip's own search -----------------------------------------------------------------------------

    def find_a(self) -> tuple[int, bytes] | None:
        """Let the chip look for one token of type A and select it; SAK and UID."""
        found = self._list(0x00, b"")
        if found is None:
            return None
        if len(found) < 4 or len(found) < 4 + found[3]:
            raise ReaderStuck("the reader answers nonsense (target data); replug it if this stays")
        return found[2], found[4 : 4 + found[3]]

    def count_a(self) -> int:
        """Let the chip look for two tokens of type A; how many it found. It may halt them: reset the field.

        nfcpy's own call always asks for one.
        """
        self._framing = None
        with _translated():
            found = self._chipset.command(CMD_IN_LIST_PASSIVE_TARGET, b"\x02\x00", timeout=1.0)
            self._field_on = True
            return int(found[0])

    def find_b(self) -> bytes | None:
        """Let the chip look for one token of type B and activate it with frames of 64 bytes; its ATQB."""
        found = self._list(0x03, b"\x00")
        return None if found is None else found[:12]

    def _list(self, kind: int, data: bytes) -> bytes | None:
        self._framing = None  # the chip sets its registers as it likes
        with _translated():
            found = self._chipset.in_list_passive_target(1, kind, data)
        self._field_on = True
        return None if found is None else bytes(found)
