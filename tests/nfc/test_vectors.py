"""Frames that real readers sent and got, published by others; our codecs and virtual chip against them."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from kiosk.nfc.protocol import isodep
from kiosk.nfc.transport import VirtualTransport
from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.chip import AUTOMATIC_RATS, Chip
from kiosk.simulator.chip.frames import Ack, Damaged, FrameReader, Information
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.picc import Picc, RadioFace
from kiosk.simulator.radio.radio import Placement, RadioField
from kiosk.simulator.tokens.other_tokens import payment_card
from tests.peers import nfcpy_pairs

CAPTURED = Path(__file__).with_name("vectors") / "captured.txt"
CUT = "…"


@dataclass(frozen=True)
class Vector:
    """One line: who sent it, the bytes as far as they were published, and where."""

    mark: str
    hex: str
    source: str

    @property
    def whole(self) -> bool:
        return not self.hex.endswith(CUT)

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self.hex)


def vectors() -> Iterator[Vector]:
    source = ""
    for line in CAPTURED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            source = line.strip("[]")
        elif line[:1] in ("<", ">", "="):
            yield Vector(line[0], line[2:].strip(), source)


ALL = tuple(vectors())
FRAMES = tuple(vector for vector in ALL if vector.mark in "<>" and vector.whole)
SEARCHES = tuple(vector for vector in ALL if vector.mark == "=")


def test_every_vector_names_its_source() -> None:
    assert len(FRAMES) == 21
    assert len(SEARCHES) == 2
    assert all("github.com/" in vector.source for vector in ALL)


@pytest.mark.parametrize("vector", FRAMES, ids=lambda vector: vector.hex[:24])
def test_a_captured_frame_is_read_and_made_again_byte_for_byte(vector: Vector) -> None:
    (frame,) = FrameReader().feed(vector.raw)
    match frame:
        case Ack():
            assert vector.raw == pn533_frames.ACK
        case Information(payload):
            if payload == b"\x7f":  # the error frame's only content (UM0701-02, 6.2.1.5)
                assert vector.raw == pn533_frames.ERROR
            else:
                direction = pn533_frames.TO_CHIP if vector.mark == ">" else pn533_frames.FROM_CHIP
                assert payload[0] == direction
            assert pn533_frames.encode(payload) == vector.raw
        case _:
            pytest.fail(f"not read: {frame}")


@pytest.mark.parametrize(
    "vector", [vector for vector in FRAMES if len(vector.raw) > 8], ids=lambda v: v.hex[:24]
)
@pytest.mark.parametrize("at", range(3, 7))
def test_a_captured_frame_with_a_changed_byte_is_not_taken(vector: Vector, at: int) -> None:
    spoilt = bytearray(vector.raw)
    spoilt[at] ^= 0x01
    heard = [frame for frame in FrameReader().feed(bytes(spoilt)) if not isinstance(frame, Damaged)]
    assert heard == []


def test_the_readers_transport_cuts_a_stream_of_captured_frames_apart(tmp_path: Path) -> None:
    path = str(tmp_path / "stick")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        transport = VirtualTransport(path)
        stick, _ = listener.accept()
        with stick:
            stream = b"".join(vector.raw for vector in FRAMES)
            for start in range(0, len(stream), 7):
                stick.sendall(stream[start : start + 7])
            assert [bytes(transport.read(1000)) for _ in FRAMES] == [vector.raw for vector in FRAMES]
            with pytest.raises(TimeoutError):  # OSError(ETIMEDOUT), as nfcpy expects it
                transport.read(1)
        transport.close()


def test_nfcpys_first_command_begins_as_it_was_captured() -> None:
    """Diagnose with 262 bytes, in an extended frame; the publisher's console kept the beginning."""
    (cut,) = (vector for vector in ALL if not vector.whole)
    payload = b"\xd4\x00\x00" + bytes(i & 0xFF for i in range(262))
    assert pn533_frames.encode(payload).hex().startswith(cut.hex.removesuffix(CUT))


# ---- the virtual chip ------------------------------------------------------------------------------------


def answer(chip: Chip, payload: bytes) -> bytes:
    return nfcpy_pairs.finish(chip.execute(payload))


def test_the_virtual_chip_answers_the_captured_configuration() -> None:
    chip = Chip(RadioField(INSTANT, RadioMeter(), lambda: 0.0))
    pairs = [
        (sent.raw[5:-2], got.raw[5:-2])
        for sent, got in pairwise(FRAMES)
        if sent.mark == ">" and got.mark == "<" and sent.raw[5:7] == b"\xd4\x32" and len(got.raw) > 6
    ]
    assert pairs  # PN532's; the PN533's own has an ACK in between, and the same answer
    assert {answer(chip, sent) for sent, _ in pairs} == {got for _, got in pairs} == {b"\xd5\x33"}
    assert answer(chip, bytes.fromhex("d43205ffffff")) == b"\xd5\x33"


@pytest.mark.parametrize("vector", SEARCHES, ids=["DESFire EV1", "JCOP31"])
def test_the_virtual_chip_tells_a_captured_token_in_the_captured_words(vector: Vector) -> None:
    told = vector.raw
    size = told[5]
    uid, ats = told[6 : 6 + size], told[6 + size :]
    face = RadioFace("A", sak=told[4], atqa=told[2:4][::-1], uid=uid, ats=ats)
    field = RadioField(INSTANT, RadioMeter(), lambda: 0.0)
    field.place(Placement(Picc(payment_card(), face, Random(0)), "captured", 0.0))
    chip = Chip(field)
    answer(chip, bytes([0xD4, 0x12, AUTOMATIC_RATS]))
    assert answer(chip, bytes.fromhex("d44a0100")) == b"\xd5\x4b" + told


@pytest.mark.parametrize(
    ("vector", "fsc", "fwi"), [(SEARCHES[0], 64, 8), (SEARCHES[1], 256, 11)], ids=["DESFire EV1", "JCOP31"]
)
def test_our_reading_of_a_captured_ats(vector: Vector, fsc: int, fwi: int) -> None:
    ats = vector.raw[6 + vector.raw[5] :]
    parameters = isodep.read_ats(ats)
    assert (parameters.fsc, parameters.fwt_s) == (fsc, isodep.frame_waiting_s(fwi))
