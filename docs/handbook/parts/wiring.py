"""The wiring of LEDs and buzzer as a drawing (SVG), made from firmware/board.toml alone."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from kiosk.indicators.pin_map import PinMap, load_pin_map

#: The 40-pin header since the Raspberry Pi B+, pin 1 first (Raspberry Pi documentation, "GPIO").
HEADER = (
    *("3V3", "5V", "GPIO2", "5V", "GPIO3", "GND", "GPIO4", "GPIO14", "GND", "GPIO15"),
    *("GPIO17", "GPIO18", "GPIO27", "GND", "GPIO22", "GPIO23", "3V3", "GPIO24", "GPIO10", "GND"),
    *("GPIO9", "GPIO25", "GPIO11", "GPIO8", "GND", "GPIO7", "ID_SD", "ID_SC", "GPIO5", "GND"),
    *("GPIO6", "GPIO12", "GPIO13", "GND", "GPIO19", "GPIO16", "GPIO26", "GPIO20", "GND", "GPIO21"),
)
PITCH, TOP, LEFT = 30, 76, 250  #: px: between rows, above the first, to the odd column
PART_X = 520  #: where resistors begin
COLOURS = {"5V": "#b3261e", "3V3": "#c46a00", "GND": "#333333"}


@dataclass(frozen=True)
class Wire:
    """One part between two pins of the header, named as the drawing and its test know it."""

    name: str
    label: str
    gpio: int
    ohm: int
    other: str  #: "GND" or "3V3": where its other leg goes
    shape: str  #: "led" or "buzzer"


def pin_of(gpio: int) -> int:
    """The place of a GPIO on the header."""
    return HEADER.index(f"GPIO{gpio}") + 1


def nearest(name: str, pins: list[int]) -> int:
    """The pin of this name that lies nearest to others, the later one of two."""
    middle = sum(pins) / len(pins)
    return min((p for p, n in enumerate(HEADER, 1) if n == name), key=lambda p: (abs(p - middle), -p))


def wires(board: PinMap) -> list[Wire]:
    """What hangs on the header."""
    other = "GND" if board.leds_active_high else "3V3"
    found = [
        Wire(f"led {n}", f"LED {n} (緑)", gpio, board.leds_ohm, other, "led")
        for n, gpio in enumerate(board.leds, 1)
    ]
    if board.buzzer is not None:
        found.append(Wire("buzzer", "ブザー (他励式圧電)", board.buzzer, board.buzzer_ohm, "GND", "buzzer"))
    return found


def place(pin: int) -> tuple[int, int]:
    """Where a pin is drawn: odd pins left, even right."""
    return LEFT + (0 if pin % 2 else PITCH), TOP + (pin - 1) // 2 * PITCH


def drawing(board_file: Path) -> str:
    """The whole picture. Raises PinMapError for a pin map that the kiosk would refuse."""
    board = load_pin_map(board_file)
    parts = wires(board)
    leds = [pin_of(wire.gpio) for wire in parts if wire.shape == "led"]
    height = TOP + 20 * PITCH + 30
    body = [_header({pin_of(wire.gpio): wire.label for wire in parts})]
    for index, wire in enumerate(parts):
        near = leds if wire.shape == "led" else [pin_of(wire.gpio)]
        body.append(_part(wire, nearest(wire.other, near), TOP + 40 + index * 110, index))
    text = "".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" width="1000" height="{height}" '
        'font-family="BIZ UDPGothic, Noto Sans CJK JP, sans-serif" font-size="16" role="img" '
        f'aria-label="LED とブザーの配線図"><rect width="1000" height="{height}" fill="#ffffff"/>'
        f"{text}</svg>\n"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {more}>{escape(text)}</text>'


def _header(used: dict[int, str]) -> str:
    """The pins, those in use marked; the corner with pin 1 is the one next to the SD card's end."""
    out = [_text(LEFT + PITCH / 2, 30, "Raspberry Pi の 40 ピン", "middle", 'font-weight="bold"')]
    out.append(_text(LEFT + PITCH / 2, 52, "1 番ピンが上 (基板の角の側)", "middle", 'font-size="13"'))
    out.append(
        f'<rect x="{LEFT - 18}" y="{TOP - 18}" width="{PITCH + 36}" height="{20 * PITCH + 6}" rx="6" '
        'fill="#eef1f4" stroke="#8a949e"/>'
    )
    for pin, name in enumerate(HEADER, 1):
        x, y = place(pin)
        colour = COLOURS.get(name, "#0b57a4" if pin in used else "#9aa5af")
        shape = (
            f'<rect x="{x - 9}" y="{y - 9}" width="18" height="18"'
            if pin == 1
            else f'<circle cx="{x}" cy="{y}" r="9"'
        )
        out.append(f'{shape} fill="{colour}" data-header-pin="{pin}"/>')
        out.append(_text(x, y + 4, str(pin), "middle", 'font-size="10" fill="#ffffff"'))
        bold = ' font-weight="bold"' if pin in used else ""
        side = (x - 26, "end") if pin % 2 else (x + 26, "start")
        out.append(_text(side[0], y + 5, name, side[1], f'font-size="14" fill="{colour}"{bold}'))
    return "".join(out)


def _part(wire: Wire, back: int, y: int, index: int) -> str:
    """One part with its resistor, the wire from its GPIO and the pin that the other leg goes to."""
    pin = pin_of(wire.gpio)
    (x1, y1), colour = place(pin), ("#0b57a4", "#0b7a4b", "#7a3fa0", "#a0560b", "#a01f4b")[index % 5]
    bend = 380 + index * 18
    # A pin of the left column is led around below its own row, so that no wire crosses a pin's name.
    begin = f"M{x1 + 10} {y1 + 15}" if pin % 2 else f"M{x1 + 100} {y1}"
    way = f"{begin} H{bend} V{y} H{PART_X}"
    foot = (
        f'<path d="M{x1} {y1 + 9} V{y1 + 15} H{x1 + 10}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    )
    out = [
        f'<g data-part="{wire.name}" data-gpio="{wire.gpio}" data-pin="{pin}" data-back="{wire.other}" '
        f'data-back-pin="{back}" data-ohm="{wire.ohm}">',
        foot if pin % 2 else "",
        f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2.5"/>',
        f'<rect x="{PART_X}" y="{y - 9}" width="56" height="18" fill="#ffffff" stroke="#222222"/>',
        _text(PART_X + 28, y - 16, f"{wire.ohm} Ω", "middle"),
        f'<path d="M{PART_X + 56} {y} H{PART_X + 110}" stroke="#222222" stroke-width="2.5"/>',
        _led(PART_X + 110, y, wire.other == "3V3") if wire.shape == "led" else _buzzer(PART_X + 110, y),
        f'<path d="M{PART_X + 160} {y} H{PART_X + 210}" stroke="#222222" stroke-width="2.5"/>',
        _text(PART_X + 218, y + 6, f"{wire.other} ({back} 番ピン)", "start", f'fill="{COLOURS[wire.other]}"'),
        _text(
            PART_X,
            y + (38 if wire.shape == "led" else 50),
            f"{wire.label}：GPIO {wire.gpio} ({pin} 番ピン)",
            "start",
            f'fill="{colour}" font-weight="bold"',
        ),
        "</g>",
    ]
    return "".join(out)


def _led(x: int, y: int, turned: bool) -> str:
    """A LED's sign; current flows to the right, or to the left where it hangs on 3.3 V."""
    tip, base = (x + 10, x + 40) if turned else (x + 40, x + 10)
    legs = ("短い足", "長い足") if turned else ("長い足", "短い足")
    return (
        f'<path d="M{x} {y} H{x + 50}" stroke="#222222" stroke-width="2.5"/>'
        f'<path d="M{base} {y - 15} V{y + 15} L{tip} {y} Z" fill="#2e9e57" stroke="#222222"/>'
        f'<path d="M{tip} {y - 15} V{y + 15}" stroke="#222222" stroke-width="3"/>'
        + _text(x - 4, y - 20, legs[0], "middle", 'font-size="13"')
        + _text(x + 58, y - 20, legs[1], "middle", 'font-size="13"')
    )


def _buzzer(x: int, y: int) -> str:
    return (
        f'<path d="M{x} {y} H{x + 50}" stroke="#222222" stroke-width="2.5"/>'
        f'<circle cx="{x + 25}" cy="{y}" r="22" fill="#ffffff" stroke="#222222" stroke-width="2"/>'
        f'<circle cx="{x + 25}" cy="{y}" r="5" fill="#222222"/>'
    )
