"""The report's pictures as SVG: bars and lines that stay apart without colour. No clock, no file.

Drawn by hand: a plotting library would weigh more than the rest of the kiosk together.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from kiosk.report.figures import OUTCOMES, Slot

WIDTH = 720  #: units of every drawing; the page scales it
_LEFT, _RIGHT = 44, 8
_INK, _GRID = "#222", "#ddd"
_DARK = "#12505b"  #: prints as a dark grey
#: How each outcome is filled; the patterns stand in `patterns`.
FILLS = {
    "verified": _DARK,
    "recorded": "url(#slant)",
    "not_confirmed": "url(#dots)",
    "staff_called": "#a8a8a8",
    "abandoned": "#fff",
}
FASTEST_MS, SLOWEST_MS = 20.0, 60_000.0  #: of the logarithmic axis
TICKS = ((100.0, "0.1"), (1_000.0, "1"), (10_000.0, "10"))  #: ms, and in seconds

Element = ElementTree.Element


def _svg(height: float, label: str, width: float = WIDTH) -> Element:
    return Element("svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": label})


def _add(parent: Element, tag: str, text: str = "", **attributes: object) -> Element:
    written = {name.rstrip("_").replace("_", "-"): _short(value) for name, value in attributes.items()}
    child = ElementTree.SubElement(parent, tag, written)
    child.text = text or None
    return child


def _short(value: object) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text_of(root: Element) -> str:
    """The drawing as it stands in a page."""
    return ElementTree.tostring(root, encoding="unicode")


def patterns() -> str:
    """What the fills refer to; once in a page."""
    root = Element("svg", {"width": "0", "height": "0", "aria-hidden": "true"})
    defs = _add(root, "defs")
    slant = _pattern(defs, "slant", 5)
    _add(slant, "path", d="M-1 6L6 -1", stroke=_INK, stroke_width=1.4)
    dots = _pattern(defs, "dots", 4)
    _add(dots, "circle", cx=2, cy=2, r=0.9, fill=_INK)
    return text_of(root)


def _pattern(defs: Element, name: str, size: int) -> Element:
    pattern = _add(defs, "pattern", id=name, width=size, height=size, patternUnits="userSpaceOnUse")
    _add(pattern, "rect", width=size, height=size, fill="#fff")
    return pattern


def swatch(outcome: str) -> str:
    """A legend's small square."""
    root = Element("svg", {"viewBox": "0 0 14 14", "class": "swatch", "aria-hidden": "true"})
    _add(root, "rect", x=1, y=1, width=12, height=12, fill=FILLS[outcome], stroke=_INK, stroke_width=0.8)
    return text_of(root)


@dataclass(frozen=True)
class _Frame:
    """Where values come to lie."""

    top: float
    bottom: float
    highest: float
    slots: int

    @property
    def step(self) -> float:
        return (WIDTH - _LEFT - _RIGHT) / self.slots

    def x(self, slot: int) -> float:
        return _LEFT + slot * self.step

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * value / self.highest


def nice(highest: float) -> tuple[float, float]:
    """A round upper end of an axis that holds `highest`, and its step."""
    if highest <= 0:
        return 1.0, 1.0
    step = 10.0 ** math.floor(math.log10(highest))
    step = next(size for size in (step / 5, step / 2, step, step * 2) if highest / size <= 5)
    step = max(1.0, step)
    return step * math.ceil(highest / step), step


def _axes(root: Element, frame: _Frame, step: float, labels: Sequence[str], unit: str) -> None:
    value = 0.0
    while value <= frame.highest + step / 2:
        y = frame.y(value)
        _add(root, "line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, stroke=_GRID if value else _INK)
        _add(root, "text", f"{value:g}", x=_LEFT - 6, y=y + 4, text_anchor="end", class_="axis")
        value += step
    for slot, label in enumerate(labels):
        middle = frame.x(slot) + frame.step / 2
        _add(root, "text", label, x=middle, y=frame.bottom + 15, text_anchor="middle", class_="axis")
    _add(root, "text", unit, x=_LEFT - 6, y=frame.bottom + 15, text_anchor="end", class_="axis")


def _bar(root: Element, x: float, y: float, width: float, height: float, fill: str) -> None:
    _add(root, "rect", x=x, y=y, width=width, height=height, fill=fill, stroke=_INK, stroke_width=0.6)


def _number(root: Element, text: str, x: float, y: float, step: float) -> None:
    """A value above its bar; smaller where bars are narrow, none where it would reach the next one."""
    if len(text) * 5.5 > step:
        return
    small = "n" if step > 30 else "n small"
    _add(root, "text", text, x=x, y=y - 4, text_anchor="middle", class_=small)


def visits(slots: Sequence[Slot], unit: str, label: str) -> str:
    """Visits as stacked bars by outcome, with their number above."""
    highest, step = nice(max((slot.visits for slot in slots), default=0))
    frame = _Frame(18, 190, highest, len(slots))
    root = _svg(212, label)
    _axes(root, frame, step, [slot.label for slot in slots], unit)
    width = frame.step * 0.72
    for place, slot in enumerate(slots):
        base = 0
        x = frame.x(place) + (frame.step - width) / 2
        for outcome in OUTCOMES:
            n = slot.outcomes[outcome]
            if n:
                top, below = frame.y(base + n), frame.y(base)
                _bar(root, x, top, width, below - top, FILLS[outcome])
                base += n
        if base:
            _number(root, str(base), x + width / 2, frame.y(base), frame.step)
    return text_of(root)


def bars(
    values: Sequence[float],
    labels: Sequence[str],
    unit: str,
    label: str,
    *,
    fill: str = "#a8a8a8",
    show: Callable[[float], str] = "{:.0f}".format,
    height: float = 120,
) -> str:
    """One bar for each slot, with its value above."""
    highest, step = nice(max(values, default=0))
    frame = _Frame(18, height - 22, highest, len(values))
    root = _svg(height, label)
    _axes(root, frame, step, labels, unit)
    width = frame.step * 0.72
    for place, value in enumerate(values):
        if value > 0:
            x, y = frame.x(place) + (frame.step - width) / 2, frame.y(value)
            _bar(root, x, y, width, frame.bottom - y, fill)
            _number(root, show(value), x + width / 2, y, frame.step)
    return text_of(root)


def share(n: int, most: int, label: str) -> str:
    """A bar that lies in a table's cell."""
    root = _svg(16, label, 240)
    _add(
        root,
        "rect",
        x=1,
        y=2,
        width=max(2.0, 236.0 * n / max(1, most)),
        height=12,
        fill="#a8a8a8",
        stroke=_INK,
    )
    return text_of(root)


def _log_x(ms: float) -> float:
    span = math.log(SLOWEST_MS / FASTEST_MS)
    return 4 + 232 * math.log(min(SLOWEST_MS, max(FASTEST_MS, ms)) / FASTEST_MS) / span


def spread(percentiles: Sequence[float | None], label: str) -> str:
    """Half, nine in ten and nineteen in twenty on a logarithmic axis, for a table's cell."""
    root = _svg(18, label, 240)
    for ms, _ in TICKS:
        _add(root, "line", x1=_log_x(ms), x2=_log_x(ms), y1=0, y2=18, stroke=_GRID)
    half, nine, most = (SLOWEST_MS if value is None else value for value in percentiles)
    _add(root, "line", x1=_log_x(half), x2=_log_x(most), y1=9, y2=9, stroke=_INK, stroke_width=2)
    for ms in (nine, most):
        _add(root, "line", x1=_log_x(ms), x2=_log_x(ms), y1=5, y2=13, stroke=_INK, stroke_width=1.5)
    _add(root, "circle", cx=_log_x(half), cy=9, r=4, fill=_DARK)
    return text_of(root)


def spread_axis() -> str:
    """The head of the column of spreads: its ticks, in seconds."""
    root = _svg(18, "", 240)
    for ms, text in TICKS:
        _add(root, "text", f"{text} s", x=_log_x(ms), y=13, text_anchor="middle", class_="axis")
    return text_of(root)
