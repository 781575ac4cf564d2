"""Pins: the pin map's faults are named, pins are written only on change, and all is off in the end."""

from collections.abc import Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from kiosk.indicators.gpio import GpioError, GpioLamps, Keys
from kiosk.indicators.patterns import ALL, FIRST, NONE, PATTERNS
from kiosk.indicators.pin_map import PinMap, PinMapError, load_pin_map
from kiosk.visit.keys import Key

PIN_MAP = PinMap((17, 27, 22, 23), True, 12)
SHIPPED = Path(__file__).parents[2] / "firmware" / "board.toml"


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    made = MockFactory(pin_class=MockPWMPin)
    yield made
    made.close()


def levels(factory: MockFactory) -> list[float]:
    return [float(factory.pin(pin).state) for pin in PIN_MAP.leds]


def test_the_shipped_pin_map_is_right() -> None:
    assert load_pin_map(SHIPPED) == PIN_MAP


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["[leds] is missing"]),
        ("[leds]\npins = [17, 27, 22]", ["four GPIO numbers"]),
        ("[leds]\npins = [17, 27, 22, 99]", ["four GPIO numbers"]),
        ("[leds]\npins = [17, 17, 22, 23]", ["stands there twice"]),
        ("[leds]\npins = [17, 27, 22, 23]\nactive_high = 1", ["true or false"]),
        ("[leds]\npins = [17, 27, 22, 23]\n[buzzer]\npin = 5", ["hardware PWM"]),
        ("[leds]\npins = [12, 27, 22, 23]\n[buzzer]\npin = 12", ["already a LED's"]),
        ("[leds]\npin = [17]\n[lamp]\n", ["leds.pin: is not known", "lamp: is not", "four GPIO numbers"]),
        ("leds = 3", ["must be a section"]),
        ("[leds]\npins = [17, 27, 22, 23]\n[keys]\nnext = 5", ["keys: next and enter must be two"]),
        ("[leds]\npins = [17, 27, 22, 23]\n[keys]\nnext = 5\nenter = 5", ["must be two GPIO numbers"]),
        ("[leds]\npins = [17, 27, 22, 23]\n[keys]\nnext = 5\nenter = 23", ["keys.enter: GPIO 23 is already"]),
        ("[leds\n", ["is not TOML"]),
    ],
)
def test_every_fault_of_a_pin_map_is_named(tmp_path: Path, text: str, faults: list[str]) -> None:
    path = tmp_path / "board.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PinMapError) as caught:
        load_pin_map(path)
    for fault in faults:
        assert fault in str(caught.value)
    assert all(line.startswith("board.toml: ") for line in str(caught.value).splitlines())


def test_a_missing_pin_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(PinMapError, match="cannot be read"):
        load_pin_map(tmp_path / "board.toml")


def test_a_box_may_have_no_buzzer(tmp_path: Path, factory: MockFactory) -> None:
    path = tmp_path / "board.toml"
    path.write_text("[leds]\npins = [17, 27, 22, 23]\n", encoding="utf-8")
    panel = GpioLamps(load_pin_map(path), factory)
    panel.apply(ALL, 1500)
    assert levels(factory) == [1, 1, 1, 1]
    panel.close()


def test_levels_and_tone_reach_the_pins(factory: MockFactory) -> None:
    panel = GpioLamps(PIN_MAP, factory)
    panel.apply(FIRST, 1500)
    assert levels(factory) == [1, 0, 0, 0]
    assert factory.pin(12).frequency == 1500
    assert factory.pin(12).state == 0.5
    panel.apply(NONE, None)
    assert levels(factory) == [0, 0, 0, 0]
    assert factory.pin(12).state == 0
    panel.close()


def test_a_silent_buzzer_costs_nothing(factory: MockFactory) -> None:
    """With a frequency lgpio's thread wakes two thousand times a second for a tone that nobody hears."""
    panel = GpioLamps(PIN_MAP, factory)
    assert factory.pin(12).frequency is None
    for hz in (1000, 750):
        panel.apply(NONE, hz)
        assert factory.pin(12).frequency == hz
        panel.apply(NONE, None)
        assert (factory.pin(12).frequency, float(factory.pin(12).state)) == (None, 0.0)


class Halting(MockPWMPin):  # type: ignore[misc]
    """As lgpio's: without a frequency the line stays as it was in that moment of the wave, here high."""

    def _set_frequency(self, value: float | None) -> None:
        stops = value is None and self._get_frequency() is not None
        super()._set_frequency(value)
        if stops:
            self._change_state(1.0)


def test_a_tone_that_ends_leaves_the_line_low() -> None:
    factory = MockFactory(pin_class=Halting)
    panel = GpioLamps(PIN_MAP, factory)
    panel.apply(NONE, 1000)
    assert factory.pin(12).state
    panel.apply(NONE, None)
    assert (factory.pin(12).frequency, float(factory.pin(12).state)) == (None, 0.0)
    factory.close()


def test_leds_that_hang_from_the_supply_are_lit_by_low_pins(factory: MockFactory) -> None:
    panel = GpioLamps(PinMap(PIN_MAP.leds, False, None), factory)
    panel.apply(FIRST, None)
    assert levels(factory) == [0, 1, 1, 1]
    panel.close()


def test_a_pin_is_written_only_when_it_changes(factory: MockFactory) -> None:
    panel = GpioLamps(PIN_MAP, factory)
    for _ in range(50):
        panel.apply(FIRST, 1000)
    written = factory.pin(17).states
    assert [state.state for state in written].count(1) == 1
    panel.close()


def test_every_tone_of_every_pattern_can_be_sounded(factory: MockFactory) -> None:
    panel = GpioLamps(PIN_MAP, factory)
    for pattern in PATTERNS:
        for tone in pattern.tones:
            panel.apply(NONE, tone.hz)
    panel.close()


def test_closing_twice_turns_everything_off_once(factory: MockFactory) -> None:
    panel = GpioLamps(PIN_MAP, factory)
    panel.apply(ALL, 750)
    panel.close()
    panel.close()
    panel.apply(ALL, 750)
    spare = gpiozero.LED(17, pin_factory=factory)  # the pins were given back
    assert spare.value == 0
    spare.close()


def test_a_pin_that_is_taken_is_said_in_one_line(factory: MockFactory) -> None:
    taken = gpiozero.LED(22, pin_factory=factory)
    with pytest.raises(GpioError, match=r"group gpio.*board = \"none\"") as caught:
        GpioLamps(PIN_MAP, factory)
    assert "\n" not in str(caught.value)
    taken.close()
    GpioLamps(PIN_MAP, factory).close()


# ---- keys --------------------------------------------------------------------------------------------------


def test_two_keys_are_read_from_the_pin_map(tmp_path: Path) -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    wired = shipped.replace("# [keys]", "[keys]").replace("# next", "next").replace("# enter", "enter")
    path = tmp_path / "board.toml"
    path.write_text(wired, encoding="utf-8")
    assert load_pin_map(path).keys == (5, 6)
    assert load_pin_map(SHIPPED).keys is None


def test_each_press_counts_once_in_its_order(factory: MockFactory) -> None:
    keys = Keys((5, 6), factory)
    assert list(keys()) == []
    for pin in (6, 5, 5):
        factory.pin(pin).drive_low()
        factory.pin(pin).drive_high()
    assert list(keys()) == [Key.ENTER, Key.NEXT, Key.NEXT]
    assert list(keys()) == []
    keys.close()
    keys.close()


def test_a_key_held_down_is_one_press(factory: MockFactory) -> None:
    keys = Keys((5, 6), factory)
    factory.pin(5).drive_low()
    assert list(keys()) == [Key.NEXT]
    assert list(keys()) == []
    keys.close()


def test_pins_that_cannot_be_had_are_named(factory: MockFactory) -> None:
    panel = GpioLamps(PIN_MAP, factory)
    with pytest.raises(GpioError, match="the keys cannot be read"):
        Keys((5, PIN_MAP.leds[0]), factory)
    panel.close()
