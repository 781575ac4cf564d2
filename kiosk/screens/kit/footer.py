"""Where the footer's buttons stand. PURE."""

from dataclasses import dataclass

from kiosk.screens.kit.geometry import Rect

#: How the three places share what the listen button leaves: "back" is the shortest word.
BESIDE_LISTEN = (27.0, 36.0, 37.0)


@dataclass(frozen=True)
class Places:
    """Three places that never change: going back or ending left, language centre, staff right; and a small
    one after the middle where the page can be heard."""

    left: Rect
    centre: Rect
    right: Rect
    listen: Rect | None = None


def set_aside(row: Rect, side: int, gap: int) -> tuple[Rect, Rect]:
    """A row without the square at its end, and that square."""
    return row.left(row.w - side - gap), Rect(row.right - side, row.bottom - side, side, side)


def places(area: Rect, side: int, gap: int, two_rows: bool, listens: bool) -> Places:
    """The places in `area`; in two rows the middle one has the upper row to itself."""
    if two_rows:
        above, below = area.rows(2, gap)
        left, right = below.columns(2, gap)
        if not listens:
            return Places(left, above, right)
        centre, square = set_aside(above, side, gap)
        return Places(left, centre, right, square)
    if not listens:
        return Places(*area.columns(3, gap))
    left, centre, right = area.left(area.w - side - gap).shares(BESIDE_LISTEN, gap)
    square = Rect(centre.right + gap, area.y, side, side)
    return Places(left, centre, right.moved(side + gap, 0), square)
