"""Rounded rectangles with smooth corners, and a small bounded cache for what is costly to draw."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pygame

from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.theme import Colour

SCALE = 4
DISCS_KEPT = 96
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

    def values(self) -> tuple[V, ...]:
        """What is kept now."""
        return tuple(self._values.values())

    def clear(self) -> None:
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)


def as_pygame(rect: Rect) -> pygame.Rect:
    return pygame.Rect(rect.x, rect.y, rect.w, rect.h)


class Shapes:
    """Draws rounded rectangles straight onto the surface: only their corners, a smooth disc's quarters, are
    kept. A whole shape kept as a surface costs fresh memory for each size, and more time than its fills."""

    def __init__(self) -> None:
        self._discs: Kept[tuple[int, int, Colour, Colour], pygame.Surface] = Kept(DISCS_KEPT)

    def rounded(
        self, surface: pygame.Surface, rect: Rect, radius: int, edge: int, fill: Colour, line: Colour
    ) -> None:
        """Fill `rect` and edge it; the edge lies inside."""
        x, y, w, h = rect.x, rect.y, rect.w, rect.h
        r = min(radius, w // 2, h // 2)
        line = line if edge else fill
        if r <= 0:
            surface.fill(line, (x, y, w, h))
            if edge:
                surface.fill(fill, (x + edge, y + edge, w - 2 * edge, h - 2 * edge))
            return
        if edge:
            surface.fill(line, (x + r, y, w - 2 * r, edge))
            surface.fill(line, (x + r, y + h - edge, w - 2 * r, edge))
            surface.fill(line, (x, y + r, edge, h - 2 * r))
            surface.fill(line, (x + w - edge, y + r, edge, h - 2 * r))
        surface.fill(fill, (x + r, y + edge, w - 2 * r, r - edge))
        surface.fill(fill, (x + r, y + h - r, w - 2 * r, r - edge))
        surface.fill(fill, (x + edge, y + r, w - 2 * edge, h - 2 * r))
        disc = self._discs.get((r, edge, fill, line), lambda: _disc(r, edge, fill, line))
        surface.blit(disc, (x, y), (0, 0, r, r))
        surface.blit(disc, (x + w - r, y), (r, 0, r, r))
        surface.blit(disc, (x, y + h - r), (0, r, r, r))
        surface.blit(disc, (x + w - r, y + h - r), (r, r, r, r))


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
