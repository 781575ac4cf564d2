"""How the reader fares: counted where it happens, told to whoever asks, and of nobody's person."""

import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import usb1

from kiosk.channel import (
    AskReader,
    ContactFailed,
    Evidence,
    OtherDeviceSeen,
    ReaderHealth,
    ReaderState,
    Recognised,
    Removed,
    SignDigests,
    WrongTokenSeen,
)
from kiosk.channel.reader_messages import STAGE_BOUNDS_MS
from kiosk.cli import VERBOSITY
from kiosk.commands.reader_health import ask_reader, document, lines
from kiosk.nfc.antenna import TRAFFIC
from kiosk.nfc.pn533 import UsbTransport
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.visit.states import ReaderCondition
from tests.nfc.screen_side import DIGESTS, VISIT, Rig, Screen, running_reader, screen_of
from tests.nfc.test_programs import KIOSK, settings


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    (tmp_path / "run").mkdir()
    with running_reader(tmp_path / "run", field) as running:
        yield running


@pytest.fixture
def screen(rig: Rig) -> Screen:
    return screen_of(rig)


def health(screen: Screen) -> ReaderHealth:
    screen.send(AskReader())
    return screen.wait(ReaderHealth)


def test_a_reader_that_has_done_nothing_tells_what_it_is_and_where(
    screen: Screen, field: VirtualField
) -> None:
    told = health(screen)
    assert told.condition is ReaderCondition.READY
    assert "PN533v2.7" in told.model, "with its firmware version"
    assert told.where == f"virtual:{field.settings.path}"
    assert (told.opened, told.lost, told.resets, told.blocks) == (1, 0, 0, 0)
    assert (told.contacts, told.stages) == ({}, ())


def test_every_contact_is_counted_by_its_outcome(screen: Screen, hand: FieldClient) -> None:
    def once(kind: type, token: str, **order: object) -> None:
        screen.arm_card()
        hand.tap(token, **order)
        screen.wait(kind)
        hand.remove()
        screen.wait(Removed)

    once(Evidence, "card")
    once(Evidence, "card")
    once(ContactFailed, "card", state="one-left")
    once(WrongTokenSeen, "payment")
    once(OtherDeviceSeen, "iphone")
    screen.arm_card()
    hand.tap("card", state="normal", remove_after_apdu=3)
    screen.wait(ContactFailed)
    assert health(screen).contacts == {
        "authenticated": 2,
        "pin_one_left": 1,
        "wrong_token": 1,
        "other_device": 1,
        "removed": 1,
    }


def test_the_times_of_the_stages_are_a_histogram(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card()
    hand.tap("card", sign_ms=120)
    screen.wait(Evidence)
    stages = {stage.name: stage.counts for stage in health(screen).stages}
    assert set(stages) == {"select", "token", "certificate", "counter", "verify", "sign"}
    for counts in stages.values():
        assert len(counts) == len(STAGE_BOUNDS_MS) + 1
        assert sum(counts) == 1
    assert sum(stages["sign"][: STAGE_BOUNDS_MS.index(100) + 1]) == 0, "a signature of 120 ms took no less"


def test_lost_and_damaged_blocks_are_counted(screen: Screen, hand: FieldClient) -> None:
    hand.lose(frames=[1, 6])
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    told = health(screen)
    assert (told.blocks_unanswered, told.blocks_damaged, told.blocks_repeated) == (2, 0, 2)
    assert told.blocks > told.blocks_repeated
    hand.remove()
    screen.wait(Removed)
    hand.lose(frames=[2], garbled=True)
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    assert health(screen).blocks_damaged == 1


def test_losses_and_openings_of_the_reader_are_counted(screen: Screen, hand: FieldClient) -> None:
    hand.unplug()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.LOST)
    told = health(screen)
    assert (told.condition, told.lost, told.where) == (ReaderCondition.LOST, 1, "")
    assert "replug" in told.reason or "virtual reader" in told.reason
    hand.plug()
    screen.wait(ReaderState, lambda state: state.condition is ReaderCondition.READY)
    assert health(screen).opened == 2


def test_it_answers_in_the_middle_of_a_contact_and_leaves_the_visit_with_its_screen(
    rig: Rig, screen: Screen, hand: FieldClient
) -> None:
    screen.answers = False
    screen.arm(Device.IPHONE, Authentication.PHONE)
    hand.tap("iphone")
    screen.wait(Recognised)
    asker = rig.screen()
    assert health(asker).contacts == {}
    asker.peer.close()
    screen.send(SignDigests(visit=VISIT, digests=DIGESTS))
    screen.wait(Evidence)


def test_the_command_line_tells_it_to_people_and_programs(
    rig: Rig, screen: Screen, hand: FieldClient, hierarchy: Hierarchy, tmp_path: Path
) -> None:
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)
    told = ask_reader(settings(tmp_path, "usb", hierarchy.trust))
    assert told is not None
    whole = document(told)
    assert whole is not None
    assert json.loads(json.dumps(whole)) == whole
    assert whole["contacts"] == {"authenticated": 1}
    assert sum(whole["stages_ms"]["counts"]["verify"]) == 1
    text = "\n".join(lines(told))
    for part in ("ready", "PN533v2.7", "virtual:", "reset 0", "authenticated 1", "verify"):
        assert part in text


def test_a_reader_process_that_does_not_run_is_said_to_be_silent(
    tmp_path: Path, hierarchy: Hierarchy
) -> None:
    told = ask_reader(settings(tmp_path, "usb", hierarchy.trust))
    assert (told, document(told)) == (None, None)
    assert lines(told) == ("reader   does not answer; see the log of kiosk-reader.service",)


# ---- a real stick's name and reset -----------------------------------------------------------------------


class Handle:
    """libusb's handle of a stick that is found anew after a reset."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def resetDevice(self) -> None:  # noqa: N802  # libusb1's name
        self.did.append("reset")
        raise usb1.USBErrorNotFound

    def close(self) -> None:
        self.did.append("close")

    def getDevice(self) -> "Handle":  # noqa: N802
        return self

    def getBusNumber(self) -> int:  # noqa: N802
        return 1

    def getDeviceAddress(self) -> int:  # noqa: N802
        return 7

    def getPortNumberList(self) -> list[int]:  # noqa: N802
        return [1, 3]

    def getVendorID(self) -> int:  # noqa: N802
        return 0x04E6

    def getProductID(self) -> int:  # noqa: N802
        return 0x5591


class PlainStick(UsbTransport):
    """Opened without a bus."""

    def open(self, usb_bus: int, dev_adr: int) -> None:
        assert (usb_bus, dev_adr) == (1, 7)
        self.usb_dev = Handle()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # nfcpy's use of libusb1
def test_a_usb_stick_tells_id_and_path_and_is_let_go_after_a_reset() -> None:
    stick = PlainStick(1, 7)
    handle = stick.usb_dev
    assert stick.where == "04e6:5591 at 1-1.3 (bus 1 device 7)"
    stick.reset()
    assert handle.did == ["reset", "close"]


# ---- the traffic log -------------------------------------------------------------------------------------


def test_two_v_on_the_command_line_ask_for_it(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy
) -> None:
    assert VERBOSITY[2] == TRAFFIC
    hand.tap("card", pin="4321")
    said = []
    for verbose in ("-v", "-vv"):
        command = [*KIOSK, verbose, "read", "--device", f"virtual:{field.settings.path}", "--pin-stdin"]
        done = subprocess.run(
            [*command, "--trust", str(hierarchy.trust)],
            input=b"4321\n",
            capture_output=True,
            timeout=60,
            check=True,
        )
        said.append(done.stderr.decode())
        assert "4321" not in said[-1]
        assert b"4321".hex() not in said[-1]
    assert "SW 9000" not in said[0]
    assert "<00 20 00 98 Nc=4 Ne=0> -> 0 bytes, SW 9000 ok" in said[1]


def authenticate(screen: Screen, hand: FieldClient) -> None:
    screen.arm_card(b"4321")
    hand.tap("card", pin="4321")
    screen.wait(Evidence)


def test_the_traffic_log_is_off_unless_its_own_level_is_asked_for(
    screen: Screen, hand: FieldClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    authenticate(screen, hand)
    assert "SW" not in caplog.text
    assert TRAFFIC < logging.DEBUG


def test_the_traffic_log_tells_every_command_and_blanks_what_verify_carries(
    screen: Screen, hand: FieldClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(TRAFFIC)
    authenticate(screen, hand)
    traffic = [record.getMessage() for record in caplog.records if record.levelno == TRAFFIC]
    assert len(traffic) == len(hand.apdus())
    assert traffic[0] == "<00 A4 04 0C Nc=10 Ne=0> -> 0 bytes, SW 9000 ok"
    assert "<00 20 00 98 Nc=4 Ne=0> -> 0 bytes, SW 9000 ok" in traffic
    whole = "\n".join(record.getMessage() for record in caplog.records)
    for digits in ("4321", b"4321".hex(), b"4321".hex(" ")):
        assert digits not in whole
