"""The pin map `firmware/board.toml` → a frozen dataclass; every fault is named at once."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: GPIO numbers (BCM) on the 40-pin header of every Raspberry Pi since the B+; 0 and 1 are the HAT's.
FREE_PINS = range(2, 28)
#: Pins with a hardware PWM channel.
PWM_PINS = (12, 13, 18, 19)
LEDS = 4


class PinMapError(Exception):
    """The pin map cannot be used; one line for each fault."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__("\n".join(f"{path.name}: {fault}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class PinMap:
    """BCM numbers of the pins, and whether a LED lights on a high pin."""

    leds: tuple[int, ...]
    leds_active_high: bool
    buzzer: int | None  #: None: the box has no buzzer
    leds_ohm: int = 330  #: resistor before each LED; for the wiring's drawing
    buzzer_ohm: int = 100
    keys: tuple[int, int] | None = None  #: next and enter, pressed to ground; None: the box has none


def load_pin_map(path: Path) -> PinMap:
    """Read the pin map; raises PinMapError with every fault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise PinMapError(path, [f"cannot be read: {fault.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise PinMapError(path, [f"is not TOML: {fault}"]) from None
    faults: list[str] = []
    leds = _table(data, "leds", {"pins", "active_high", "series_ohm"}, faults)
    buzzer = _table(data, "buzzer", {"pin", "series_ohm"}, faults, wanted=False)
    keys = _table(data, "keys", {"next", "enter"}, faults, wanted=False)
    faults += [f"{name}: is not a known section" for name in sorted(data.keys() - {"leds", "buzzer", "keys"})]
    pins = _led_pins(leds, faults)
    active_high = leds.get("active_high", True)
    if not isinstance(active_high, bool):
        faults.append("leds.active_high: must be true or false")
    sounder = _buzzer_pin(buzzer, faults) if "buzzer" in data else None
    if sounder is not None and sounder in pins:
        faults.append(f"buzzer.pin: GPIO {sounder} is already a LED's")
    ohms = _ohm("leds", leds, PinMap.leds_ohm, faults), _ohm("buzzer", buzzer, PinMap.buzzer_ohm, faults)
    pressed = _key_pins(keys, {*pins, sounder}, faults) if "keys" in data else None
    if faults:
        raise PinMapError(path, faults)
    return PinMap(pins, bool(active_high), sounder, *ohms, pressed)


def _table(
    data: dict[str, Any], name: str, known: set[str], faults: list[str], wanted: bool = True
) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        faults.append(f"{name}: must be a section [{name}]")
        return {}
    if wanted and name not in data:
        faults.append(f"{name}: the section [{name}] is missing")
    faults += [f"{name}.{key}: is not known" for key in sorted(table.keys() - known)]
    return table


def _ohm(name: str, table: dict[str, Any], usual: int, faults: list[str]) -> int:
    ohm = table.get("series_ohm", usual)
    if not isinstance(ohm, int) or isinstance(ohm, bool) or not 47 <= ohm <= 10_000:
        faults.append(f"{name}.series_ohm: must be a whole number from 47 to 10000")
        return usual
    return ohm


def _is_pin(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in FREE_PINS


def _led_pins(table: dict[str, Any], faults: list[str]) -> tuple[int, ...]:
    pins = table.get("pins", [])
    if not isinstance(pins, list) or len(pins) != LEDS or not all(_is_pin(pin) for pin in pins):
        if table:
            faults.append("leds.pins: must list four GPIO numbers from 2 to 27, such as [17, 27, 22, 23]")
        return ()
    if len(set(pins)) != LEDS:
        faults.append("leds.pins: a GPIO number stands there twice")
    return tuple(pins)


def _key_pins(table: dict[str, Any], taken: set[int | None], faults: list[str]) -> tuple[int, int] | None:
    pins = table.get("next"), table.get("enter")
    if not all(_is_pin(pin) for pin in pins) or pins[0] == pins[1]:
        faults.append("keys: next and enter must be two GPIO numbers from 2 to 27, such as 5 and 6")
        return None
    for name, pin in zip(("next", "enter"), pins, strict=True):
        if pin in taken:
            faults.append(f"keys.{name}: GPIO {pin} is already a LED's or the buzzer's")
    assert isinstance(pins[0], int)
    assert isinstance(pins[1], int)
    return pins[0], pins[1]


def _buzzer_pin(table: dict[str, Any], faults: list[str]) -> int | None:
    pin = table.get("pin")
    if not _is_pin(pin) or pin not in PWM_PINS:
        faults.append("buzzer.pin: must be a GPIO with hardware PWM: 12, 13, 18 or 19")
        return None
    assert isinstance(pin, int)
    return pin
