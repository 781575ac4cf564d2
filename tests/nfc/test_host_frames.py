"""Commands to the chip: the same bytes as nfcpy's, in one buffer that is wiped once it was sent."""

import errno
import logging
import os

import nfc.clf.pn533
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.nfc.pn533 import ACK, Chipset, host_frame
from kiosk.simulator.chip import frames as pn533_frames

THRU = 0x42
VERIFY = bytes.fromhex("02 00200080 04 31323334")


class Wire:
    """Keeps the very buffers that it is given, and answers what it is told to."""

    TYPE = "USB"

    def __init__(self, *answers: bytes) -> None:
        self.given: list[bytes | bytearray] = []
        self.seen: list[bytes] = []
        self._answers = list(answers)

    def write(self, frame: bytes | bytearray) -> None:
        self.given.append(frame)
        self.seen.append(bytes(frame))

    def read(self, timeout: int) -> bytearray:  # noqa: ARG002  # nfcpy's own
        if not self._answers:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return bytearray(self._answers.pop(0))


DONE = pn533_frames.encode(bytes.fromhex("D54300"))


def stock_frame(command: int, data: bytes) -> bytes:
    wire = Wire(ACK, pn533_frames.encode(bytes([0xD5, command + 1, 0x00])))
    nfc.clf.pn533.Chipset(wire, logging.getLogger("nfc.clf.pn533")).command(command, data, 1.0)
    return wire.seen[0]


@given(
    st.sampled_from(sorted(nfc.clf.pn533.Chipset.CMD)),
    st.one_of(
        st.binary(max_size=40), st.integers(248, 263).map(bytes), st.binary(min_size=250, max_size=263)
    ),
)
def test_a_command_is_framed_as_nfcpy_frames_it(command: int, data: bytes) -> None:
    ours = bytes(host_frame(command, data))
    (read,) = pn533_frames.FrameReader().feed(ours)
    assert isinstance(read, pn533_frames.Information)
    assert read.payload == bytes([0xD4, command]) + data
    assert ours == stock_frame(command, data)


def test_nothing_of_a_command_is_left_once_it_was_sent() -> None:
    wire = Wire(ACK, DONE)
    assert Chipset(wire, logging.getLogger("nfc.clf.pn533")).in_communicate_thru(VERIFY, 1.0) == b""
    assert wire.seen == [host_frame(THRU, VERIFY)]
    (buffer,) = wire.given
    assert buffer == bytes(len(wire.seen[0]))


def test_nor_when_it_could_not_be_sent() -> None:
    class Broken(Wire):
        def write(self, frame: bytes | bytearray) -> None:
            super().write(frame)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    wire = Broken()
    with pytest.raises(OSError, match="Input/output"):
        Chipset(wire, logging.getLogger("nfc.clf.pn533")).in_communicate_thru(VERIFY, 1.0)
    assert bytes(wire.given[0]) == bytes(len(wire.seen[0]))


def test_stock_takes_an_answer_for_an_acknowledgement_and_ours_does_not() -> None:
    """A stale answer that lies in wait would be taken for this command's."""
    log = logging.getLogger("nfc.clf.pn533")
    stale = pn533_frames.encode(bytes.fromhex("D54300AA"))
    assert nfc.clf.pn533.Chipset(Wire(stale, ACK, DONE), log).in_communicate_thru(VERIFY, 1.0) == b"\xaa"
    with pytest.raises(OSError, match="acknowledge"):
        Chipset(Wire(stale, ACK, DONE), log).in_communicate_thru(VERIFY, 1.0)
