"""Host frames of the PN53x family, checked against the manual; CRCs, against the standard and recordings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.simulator.chip.frames import (
    ACK,
    ERROR,
    NACK,
    Ack,
    Damaged,
    FrameReader,
    HostFrame,
    Information,
    Nack,
    encode,
)
from kiosk.simulator.radio.crc import crc


def frames(data: bytes) -> list[HostFrame]:
    return list(FrameReader().feed(data))


@pytest.mark.parametrize(
    ("payload", "frame"),
    [
        ("D402", "0000FF02FED4022A00"),  # GetFirmwareVersion: PN532 User Manual UM0701-02, 7.2.2
        ("D5033302 0707", "0000FF06FAD50333020707E500"),
    ],
)
def test_a_known_payload_is_framed_as_known(payload: str, frame: str) -> None:
    assert encode(bytes.fromhex(payload)) == bytes.fromhex(frame)


def test_the_fixed_frames_are_recognised() -> None:
    assert frames(ACK + NACK) == [Ack(), Nack()]
    assert frames(ERROR) == [Information(b"\x7f")]


@given(st.lists(st.binary(min_size=1, max_size=265), max_size=4), st.integers(1, 50))
def test_whatever_is_framed_is_cut_out_again_however_it_arrives(payloads: list[bytes], step: int) -> None:
    stream = b"".join(encode(payload) for payload in payloads)
    reader, got = FrameReader(), []
    for at in range(0, len(stream), step):
        got += list(reader.feed(stream[at : at + step]))
    assert got == [Information(payload) for payload in payloads]


@pytest.mark.parametrize("damaged", ["0000FF02FDD4022A00", "0000FF02FED4022B00", "0000FFFFFF000200D402"])
def test_a_wrong_checksum_makes_a_damaged_frame_and_the_next_one_is_whole(damaged: str) -> None:
    got = frames(bytes.fromhex(damaged) + bytes(2) + encode(b"\xd4\x02"))
    assert got[0] == Damaged()
    assert got[-1] == Information(b"\xd4\x02")


@given(st.binary(max_size=200))
def test_no_bytes_whatever_upset_the_reader_of_frames(noise: bytes) -> None:
    frames(noise)


def test_noise_between_frames_is_passed_over() -> None:
    assert frames(b"\xaa\xbb\xff" + ACK + b"\x12" + encode(b"\xd4\x02")) == [Ack(), Information(b"\xd4\x02")]


@pytest.mark.parametrize(
    ("technology", "frame", "expected"),
    [
        ("A", "0000", "A01E"),  # ISO/IEC 14443-3 annex B
        ("A", "1234", "26CF"),
        ("B", "000000", "CCC6"),
        ("B", "0FAAFF", "FCD1"),
        ("B", "0A123456", "2CF6"),
        ("A", "6A02810300 00", "3551"),  # recorded from an iPhone's reader session (kormax, ECP repository)
        ("B", "050000", "71FF"),
    ],
)
def test_crc_agrees_with_the_standard_and_with_recordings(technology: str, frame: str, expected: str) -> None:
    assert crc(technology, bytes.fromhex(frame)) == bytes.fromhex(expected)  # type: ignore[arg-type]  # plain str
