"""`kiosk read --record` and the field's `--replay`: the round trip, and that no PIN is ever written down."""

import json
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.nfc.recording import Blanker
from kiosk.simulator.chip import frames as pn533_frames
from kiosk.simulator.chip.frames import FrameReader, Information
from kiosk.simulator.chip.replay import BadRecordingError, Recording
from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.tokens.hierarchy import Hierarchy

PIN = "1234"
VERIFY = bytes.fromhex("00200098 04 31323334")
BLANKED = bytes.fromhex("00200098 04 00000000")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What it printed, without what a clock measured."""
        report: dict[str, Any] = json.loads(self.out)
        for stage in report["stages"]:
            del stage["ms"]
        return report


def read(path: Path, hierarchy: Hierarchy, *options: str, pin: str = PIN) -> Done:
    command = [sys.executable, "-m", "kiosk", "read", "--device", f"virtual:{path}", "--pin-stdin"]
    command += ["--trust", str(hierarchy.trust), *options]
    done = subprocess.run(command, input=f"{pin}\n", capture_output=True, text=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "tape.jsonl"


def replayed(tmp_path: Path, hierarchy: Hierarchy, tape: Path, *options: str, pin: str = PIN) -> Done:
    settings = FieldSettings(tmp_path / "again", model=INSTANT, replay=Recording.load(tape))
    with VirtualField(settings, hierarchy):
        return read(settings.path, hierarchy, *options, pin=pin)


@pytest.mark.parametrize(
    ("token", "order"),
    [
        ("card", {}),
        ("card", {"technology": "A", "wtx_in_chain": 1}),
        ("android", {"short_ef_identifiers": False}),
        ("iphone", {"key": "ec"}),
    ],
)
def test_a_recorded_token_says_the_same_again(
    field: VirtualField,
    hand: FieldClient,
    hierarchy: Hierarchy,
    tmp_path: Path,
    tape: Path,
    token: str,
    order: dict[str, Any],
) -> None:
    hand.tap(token, **order)
    first = read(field.settings.path, hierarchy, "--record", str(tape))
    assert (first.code, first.report["signature"]) == (0, "valid")
    head = json.loads(tape.read_text().splitlines()[0])
    second = replayed(tmp_path, hierarchy, tape, "--challenge", head["challenge"])
    assert (second.code, second.report) == (0, first.report), second.out + second.err


def test_a_recording_does_not_depend_on_the_pin_that_is_typed_at_its_replay(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tmp_path: Path, tape: Path
) -> None:
    hand.tap("card")
    read(field.settings.path, hierarchy, "--record", str(tape))
    again = replayed(tmp_path, hierarchy, tape, pin="0000")
    assert (again.code, again.report["signature"]) == (1, "invalid")  # another challenge was signed


def test_no_recording_holds_the_pin_nor_a_checksum_of_it(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tape: Path
) -> None:
    hand.tap("card", pin="9371")  # 1234 is in nfcpy's own Diagnose, which counts
    read(field.settings.path, hierarchy, "--record", str(tape), pin="9371")
    text = tape.read_text()
    assert b"9371".hex() not in text
    sent = [bytes.fromhex(line["to"]) for line in map(json.loads, text.splitlines()[1:]) if "to" in line]
    (verify,) = [frame for frame in sent if BLANKED in frame]
    (whole,) = FrameReader().feed(verify)
    assert isinstance(whole, Information)


def test_a_recording_is_its_owners_and_is_not_written_over(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tape: Path
) -> None:
    hand.tap("card")
    read(field.settings.path, hierarchy, "--record", str(tape))
    assert stat.S_IMODE(tape.stat().st_mode) == 0o600
    before = tape.read_bytes()
    again = read(field.settings.path, hierarchy, "--record", str(tape))
    assert again.code == 1
    assert again.err.count("\n") == 1
    assert str(tape) in again.err
    assert tape.read_bytes() == before


def test_a_challenge_that_is_none_is_wrong_usage(field: VirtualField, hierarchy: Hierarchy) -> None:
    for text in ("00", "xyz"):
        assert read(field.settings.path, hierarchy, "--challenge", text).code == 2


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "nonsense", '{"recording": 2}', '{"recording": 1, "challenge": ""}\n{"s": 0}\n']
)
def test_what_is_no_recording_is_refused(tape: Path, text: str) -> None:
    tape.write_text(text)
    with pytest.raises(BadRecordingError, match="tape"):
        Recording.load(tape)


def test_a_recording_cut_off_in_the_middle_ends_politely(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tmp_path: Path, tape: Path
) -> None:
    hand.tap("card")
    read(field.settings.path, hierarchy, "--record", str(tape))
    lines = tape.read_text().splitlines(keepends=True)
    tape.write_text("".join(lines[: len(lines) * 3 // 4]))
    done = replayed(tmp_path, hierarchy, tape)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert done.report["error"] is not None


def test_a_recording_is_told_without_the_tokens_data(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tape: Path
) -> None:
    hand.tap("card", wtx_in_chain=2)
    read(field.settings.path, hierarchy, "--record", str(tape))
    command = [sys.executable, "-m", "kiosk", "simulate", "tape", str(tape)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "firmware: 33 02 07 07"
    assert (
        "type B found: application data 00000041, protocol b381a1, frames of 256 bytes, FWT 309 ms" in lines
    )
    apdus = [line.partition(":")[0] for line in lines if " +" in line]
    assert apdus[0] == "00 a4 04 0c +11"
    assert apdus[-2:] == ["00 20 00 98 +5", "80 2a 00 97 +53"]
    assert max(len(line) for line in lines) < 120  # no certificate, no signature


# ---- blanking --------------------------------------------------------------------------------------------


def thru(block: bytes) -> bytes:
    return pn533_frames.encode(b"\xd4\x42" + block)


@pytest.mark.parametrize("number", [0, 1])
def test_verify_is_blanked_in_a_sound_frame(number: int) -> None:
    pcb = bytes([0x02 | number])
    assert Blanker().blank(thru(pcb + VERIFY)) == thru(pcb + BLANKED)


def test_verify_in_a_chain_is_blanked_to_its_end_and_no_further() -> None:
    blanker = Blanker()
    blanker.blank(thru(b"\x12" + VERIFY[:7]))
    assert blanker.blank(thru(b"\x03" + VERIFY[7:])) == thru(b"\x03" + bytes(2))
    after = thru(b"\x02" + bytes.fromhex("00b0810000"))
    assert blanker.blank(after) == after


@pytest.mark.parametrize(
    "frame",
    [
        pn533_frames.ACK,
        pn533_frames.ERROR,
        pn533_frames.encode(b"\xd4\x02"),
        thru(b"\x02" + bytes.fromhex("00200098")),  # the empty VERIFY
        thru(b"\x02" + bytes.fromhex("00a4040c0ad392f000260100000001")),
        thru(b"\xb2"),
        pn533_frames.encode(b"\xd4\x00\x00" + bytes(i & 0xFF for i in range(262))),
        b"",
        b"\x00\x00\xff",
    ],
)
def test_everything_else_is_left_as_it_is(frame: bytes) -> None:
    assert Blanker().blank(frame) == frame


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_no_frame_whatever_upsets_the_blanker(frames: list[bytes]) -> None:
    blanker = Blanker()
    for frame in frames:
        assert len(blanker.blank(frame)) == len(frame)
        if frame:
            assert len(blanker.blank(pn533_frames.encode(frame[:265]))) == len(
                pn533_frames.encode(frame[:265])
            )


@given(st.binary(min_size=4, max_size=200), st.integers(0, 1), st.binary(min_size=1, max_size=1))
def test_data_of_a_verify_never_comes_through(data: bytes, number: int, p2: bytes) -> None:
    apdu = b"\x00\x20\x00" + p2 + bytes([len(data)]) + data
    (frame,) = FrameReader().feed(bytes(Blanker().blank(thru(bytes([0x02 | number]) + apdu))))
    assert isinstance(frame, Information)
    assert frame.payload[3 + 5 :] == bytes(len(data))
