"""The radio's time model: sums equal the arithmetic of ISO/IEC 14443-3, real waiting follows the model."""

import time
from collections import deque
from pathlib import Path
from random import Random

import nfc
import nfc.clf.pn533
import pytest

from kiosk.simulator.chip.chip import Chip
from kiosk.simulator.chip.chip_server import Pacer
from kiosk.simulator.chip.frames import ACK, FrameReader, Information, encode
from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.field.pocket import Pocket, TokenOrder
from kiosk.simulator.radio.airtime import (
    ETU_S,
    FDT_A_S,
    FDT_B_S,
    INSTANT,
    RadioModel,
    answer_delay_s,
    frame_s,
    fwt_s,
)
from kiosk.simulator.radio.meter import RadioMeter
from kiosk.simulator.radio.radio import RadioField
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime, TokenKind
from tests.nfc.stock_stick import (
    activate,
    ask,
    plugged_in,
    read_file,
    select_application,
    select_file,
    sense,
    sign,
)

SIGN_S, VERIFY_S = 0.4, 0.06


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """Stock nfcpy straight on a chip; waiting only moves the clock."""

    manufacturer_name = None
    product_name = None

    def __init__(self, hierarchy: Hierarchy, model: RadioModel) -> None:
        self.clock = Clock()
        self.meter = RadioMeter()
        self.radio = RadioField(model, self.meter, self.clock)
        self.pocket = Pocket(hierarchy, ComputingTime(SIGN_S, VERIFY_S), self.clock, Random(0))
        self._chip = Chip(self.radio)
        self._frames = FrameReader()
        self._answers: deque[bytes] = deque()
        self.frontend = nfc.ContactlessFrontend()
        self.frontend.device = nfc.clf.pn533.init(self)
        self.meter.clear()

    def write(self, data: bytes) -> None:
        for frame in self._frames.feed(bytes(data)):
            if isinstance(frame, Information):
                self._answers += [ACK, encode(self._run(frame.payload))]

    def _run(self, payload: bytes) -> bytes:
        busy = self._chip.execute(payload)
        while True:
            try:
                self.clock.now += next(busy)
            except StopIteration as done:
                return bytes(done.value)

    def read(self, timeout: int) -> bytearray:  # noqa: ARG002  # nfcpy's signature
        return bytearray(self._answers.popleft())

    def tap(self, **order: object) -> None:
        self.radio.place(self.pocket.placement(TokenOrder.from_json({"token": "card", **order})))


def authenticate(tag: nfc.tag.Tag) -> None:
    """The classic path: SELECT EF each time, one extended read, VERIFY, SIGN."""
    select_application(tag)
    read_file(tag, 0x000A)
    select_file(tag, 0x0018)
    ask(tag, "002000800431323334")
    sign(tag, bytes(32))


def expected_air_s(technology: str, frames: list[tuple[int, int]]) -> float:
    """The arithmetic once more, written apart: pairs of frame sizes without CRC."""
    if technology == "A":
        return sum((9 * (a + 2) + 2 + 9 * (b + 2) + 2) * 128 / 13.56e6 + 1172 / 13.56e6 for a, b in frames)
    return sum((10 * (a + 2) + 23 + 10 * (b + 2) + 23) * 128 / 13.56e6 + 113e-6 for a, b in frames)


def test_frames_last_as_long_as_the_standard_says() -> None:
    assert pytest.approx(9.4395e-6, rel=1e-4) == ETU_S
    assert frame_s("A", 5) == pytest.approx(47 * ETU_S)
    assert frame_s("B", 5) == pytest.approx(73 * ETU_S)
    assert answer_delay_s("A") == FDT_A_S == pytest.approx(86.4e-6, rel=1e-3)
    assert answer_delay_s("B") == FDT_B_S
    assert fwt_s(10) == pytest.approx(0.3093, rel=1e-3)


@pytest.mark.parametrize("technology", ["A", "B"])
def test_the_air_time_of_an_authentication_is_the_sum_of_its_frames(
    hierarchy: Hierarchy, technology: str
) -> None:
    bench = Bench(hierarchy, RadioModel())
    bench.tap(technology=technology)
    tag = activate(bench.frontend)
    bench.meter.clear()
    began = bench.clock.now
    authenticate(tag)
    certificate = len(hierarchy.authentication(TokenKind.CARD).certificate)
    rest = certificate + 2 - 6 * 253
    assert 0 < rest <= 253
    frames = [(16, 3), (8, 3), (8, 254)] + [(1, 254)] * 5 + [(1, 1 + rest)]  # AP, EF, read and its links
    frames += [(8, 3), (10, 3)]  # PIN: select, VERIFY
    frames += [(8, 3), (58, 2), (2, 254), (1, 6)]  # key: select, SIGN, its S(WTX), the answer's second link
    counters = bench.meter
    assert counters.radio_blocks == len(frames)
    assert counters.air_s == pytest.approx(expected_air_s(technology, frames), rel=1e-9)
    assert counters.card_s == pytest.approx(SIGN_S + VERIFY_S)
    assert bench.clock.now - began == pytest.approx(counters.air_s + counters.card_s)
    assert counters.commands == 4 * len(frames)


def test_an_empty_cycle_costs_one_empty_poll_per_technology(hierarchy: Hierarchy) -> None:
    bench = Bench(hierarchy, RadioModel())
    began = bench.clock.now
    assert sense(bench.frontend) is None
    assert bench.clock.now - began == pytest.approx(0.020)
    assert bench.meter.poll_s == pytest.approx(0.020)
    assert bench.meter.empty_polls == 2


def test_a_token_in_a_fresh_field_wakes_first(hierarchy: Hierarchy) -> None:
    bench = Bench(hierarchy, RadioModel(wake_s=0.005))
    bench.tap(technology="A", uid="04112233")
    began = bench.clock.now
    assert bench.frontend.sense(nfc.clf.RemoteTarget("106A")) is not None
    anticollision = (9 + 20 + 20 + 47 + 83 + 29) * ETU_S + 3 * FDT_A_S
    assert bench.clock.now - began == pytest.approx(0.005 + anticollision)


def test_a_raw_poll_finds_nobody_before_the_token_is_awake(hierarchy: Hierarchy) -> None:
    bench = Bench(hierarchy, RadioModel(wake_s=0.005))
    bench.tap(technology="B")
    chipset = bench.frontend.device.chipset
    chipset.write_register(("CIU_TxMode", 0x83), ("CIU_RxMode", 0x83))
    chipset.rf_configuration(0x01, b"\x01")
    chipset.rf_configuration(0x02, b"\x0a\x0b\x02")
    with pytest.raises(chipset.Error):
        chipset.in_communicate_thru(b"\x05\x00\x00", 0.1)
    bench.clock.now += 0.005
    assert chipset.in_communicate_thru(b"\x05\x00\x00", 0.1)[0] == 0x50


def test_an_unanswered_frame_waits_for_the_time_out_index(hierarchy: Hierarchy) -> None:
    bench = Bench(hierarchy, RadioModel())
    chipset = bench.frontend.device.chipset
    chipset.rf_configuration(0x01, b"\x01")
    chipset.rf_configuration(0x02, b"\x0a\x0b\x0a")
    began = bench.clock.now
    with pytest.raises(chipset.Error):
        chipset.in_communicate_thru(b"\x02\x00", 0.1)
    assert bench.clock.now - began == pytest.approx(100e-6 * 2**9, rel=0.02)
    assert bench.meter.silence_s == pytest.approx(100e-6 * 2**9)


def test_everything_costs_nothing_when_the_model_is_off(hierarchy: Hierarchy) -> None:
    bench = Bench(hierarchy, INSTANT)
    bench.tap(sign_ms=0, verify_ms=0)
    began = bench.clock.now
    authenticate(activate(bench.frontend))
    assert bench.clock.now == began


def test_higher_rates_shorten_the_frames_but_not_the_delay() -> None:
    model = RadioModel()
    assert model.exchange_s("B", 10, 100, speed=2) == pytest.approx(
        (model.exchange_s("B", 10, 100) - FDT_B_S) / 4 + FDT_B_S
    )


def test_real_waiting_follows_the_model_and_counts_every_usb_transfer(
    tmp_path: Path, hierarchy: Hierarchy
) -> None:
    settings = FieldSettings(
        tmp_path / "field", model=RadioModel(usb_s=0.0005), time=ComputingTime(0.05, 0.01)
    )
    with (
        VirtualField(settings, hierarchy),
        FieldClient(settings.path) as hand,
        plugged_in(settings.path) as stick,
    ):
        hand.tap("card")
        tag = activate(stick)
        hand.counters(clear=True)
        began = time.monotonic()
        authenticate(tag)
        took = time.monotonic() - began
        counters = hand.counters()
    modelled = counters["usb_s"] + counters["air_s"] + counters["card_s"]
    assert counters["usb_transfers"] == 3 * counters["commands"]
    assert counters["usb_s"] == pytest.approx(counters["usb_transfers"] * 0.0005)
    assert counters["silence_s"] == counters["poll_s"] == 0
    assert took >= modelled - 0.005  # the pacer may be ahead by what it overslept last
    assert took < modelled + 1.0


def test_short_waits_do_not_add_up_their_oversleep() -> None:
    clock = Clock()

    def oversleep(seconds: float) -> bool:
        clock.now += seconds + 0.0001
        return False

    pacer = Pacer(clock, oversleep)
    for _ in range(100):
        pacer.begin()
        assert pacer.spend(0.001)
        pacer.end()
    assert clock.now - 1000 == pytest.approx(0.1, abs=0.0002)
