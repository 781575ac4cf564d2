"""Rounded rectangles with smooth corners, and a small bounded cache for what is costly to draw."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pygame

from kiosk.screens.geometry import Rect
from kiosk.screens.theme import Colour

SCALE = 4
SHAPES_KEPT = 64
DISCS_KEPT = 32
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The values used last, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The kept value, or the one that `make` gives."""
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = make()
            if len(self._values) > self._limit:
                self._values.popitem(last=False)
        else:
            self._values.move_to_end(key)
        return value

    def clear(self) -> None:
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)


def as_pygame(rect: Rect) -> pygame.Rect:
    return pygame.Rect(rect.x, rect.y, rect.w, rect.h)


class Shapes:
    """Draws rounded rectangles. Each is made once for its size and colours and then copied: SDL 2.32 fills an
    unaligned 110×93 part in 64 µs but copies it in 2 to 4 (measured on the machine of the tests)."""

    def __init__(self) -> None:
        self._kept: Kept[tuple[int, int, int, int, Colour, Colour], pygame.Surface] = Kept(SHAPES_KEPT)
        self._discs: Kept[tuple[int, int, Colour, Colour], pygame.Surface] = Kept(DISCS_KEPT)

    def rounded(
        self, surface: pygame.Surface, rect: Rect, radius: int, edge: int, fill: Colour, line: Colour
    ) -> None:
        """Fill `rect` and edge it; the edge lies inside."""
        radius = min(radius, rect.w // 2, rect.h // 2)
        line = line if edge else fill
        key = (rect.w, rect.h, radius, edge, fill, line)
        surface.blit(self._kept.get(key, lambda: self._rounded(*key)), (rect.x, rect.y))

    def _rounded(self, w: int, h: int, radius: int, edge: int, fill: Colour, line: Colour) -> pygame.Surface:
        """Shapes of the same corners share one disc: making it smooth costs more than all the rest."""
        if radius <= 0:
            return _square(w, h, edge, fill, line)
        disc = self._discs.get((radius, edge, fill, line), lambda: _disc(radius, edge, fill, line))
        made = pygame.Surface((w, h), pygame.SRCALPHA)
        made.fill(fill)
        for strip in ((0, 0, w, edge), (0, h - edge, w, edge), (0, 0, edge, h), (w - edge, 0, edge, h)):
            made.fill(line, strip)
        for x, sx in ((0, 0), (w - radius, radius)):
            for y, sy in ((0, 0), (h - radius, radius)):
                made.fill((*line, 0), (x, y, radius, radius))
                made.blit(disc, (x, y), (sx, sy, radius, radius))
        return made


def _square(w: int, h: int, edge: int, fill: Colour, line: Colour) -> pygame.Surface:
    made = pygame.Surface((w, h))
    made.fill(line)
    made.fill(fill, (edge, edge, w - 2 * edge, h - 2 * edge))
    return made


def _disc(radius: int, edge: int, fill: Colour, line: Colour) -> pygame.Surface:
    """A disc of two radii across whose quarters are the corners."""
    side = 2 * radius * SCALE
    large = pygame.Surface((side, side), pygame.SRCALPHA)
    large.fill((*line, 0))  # the colour under transparency bleeds into smooth edges
    centre = (radius * SCALE, radius * SCALE)
    pygame.draw.circle(large, (*line, 255), centre, radius * SCALE)
    if edge:
        pygame.draw.circle(large, (*fill, 255), centre, (radius - edge) * SCALE)
    return pygame.transform.smoothscale(large, (2 * radius, 2 * radius))
