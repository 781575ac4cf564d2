"""How much of a moving picture flashes too often (WCAG 2.3.1): more than three pairs of opposing changes of
luminance within one second, on more than a quarter of ten degrees of sight."""

import math

import pygame

from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.widgets import Picture

FLASHES_PER_S = 3
FRAME_S = 0.05
CHANGE = 0.1  #: of the largest relative luminance: less is no flash
SECONDS = 8.0  #: two cycles of the longest movement
GRID_PX = 9
#: A quarter of a field of ten degrees at 400 mm.
LIMIT_MM2 = 0.25 * math.pi * (400 * math.tan(math.radians(5))) ** 2


def luminance(colour: pygame.Color) -> float:
    """Relative luminance, 0 to 1."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def turns(values: list[float]) -> list[int]:
    """The frames at which a point's luminance turns back by a flash's amount."""
    found: list[int] = []
    extreme, rising = values[0], None
    for frame, value in enumerate(values):
        if rising is not True and value - extreme >= CHANGE:
            found.append(frame)
            extreme, rising = value, True
        elif rising is not False and extreme - value >= CHANGE:
            found.append(frame)
            extreme, rising = value, False
        elif (rising is True and value > extreme) or (rising is False and value < extreme):
            extreme = value
    return found


def most_in(turns_at: list[int], window: int) -> int:
    """The most turns within any window of so many frames."""
    return max((sum(start <= at < start + window for at in turns_at) for start in turns_at), default=0)


def flashing_mm2(picture: Picture, painter: Painter, px_per_mm: float) -> float:
    """How large the part is that flashes more than three times in some second."""
    moving = picture.animated
    if moving is None:
        return 0.0
    surface = pygame.Surface(picture.size)
    painter.draw(surface, picture, 0.0)
    columns, rows = range(moving.x, moving.right, GRID_PX), range(moving.y, moving.bottom, GRID_PX)
    courses: dict[tuple[int, int], list[float]] = {(x, y): [] for x in columns for y in rows}
    known: dict[int, float] = {}
    for frame in range(round(SECONDS / FRAME_S)):
        painter.animate(surface, picture, frame * FRAME_S)
        for point, course in courses.items():
            mapped = surface.get_at_mapped(point)
            if mapped not in known:
                known[mapped] = luminance(surface.unmap_rgb(mapped))
            course.append(known[mapped])
    window = round(1 / FRAME_S)
    often = sum(1 for course in courses.values() if most_in(turns(course), window) > 2 * FLASHES_PER_S)
    return often * (GRID_PX / px_per_mm) ** 2
