"""Rounded rectangles with smooth corners, and a small bounded cache for what is costly to draw."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import pygame

from kiosk.screens.geometry import Rect
from kiosk.screens.theme import Colour

SCALE = 4
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
    """Draws rounded rectangles; corners are made once for each radius and colour."""

    def __init__(self) -> None:
        self._corners: Kept[tuple[int, int, Colour, Colour], pygame.Surface] = Kept(64)

    def rounded(
        self, surface: pygame.Surface, rect: Rect, radius: int, edge: int, fill: Colour, line: Colour
    ) -> None:
        """Fill `rect` and edge it; the edge lies inside."""
        radius = min(radius, rect.w // 2, rect.h // 2)
        whole = as_pygame(rect)
        if radius <= 0:
            pygame.draw.rect(surface, fill, whole)
            if edge:
                pygame.draw.rect(surface, line, whole, edge)
            return
        edge_ink = line if edge else fill
        surface.fill(fill, whole.inflate(-2 * radius, 0))
        surface.fill(fill, whole.inflate(0, -2 * radius))
        if edge:
            across, down = rect.w - 2 * radius, rect.h - 2 * radius
            surface.fill(line, (rect.x + radius, rect.y, across, edge))
            surface.fill(line, (rect.x + radius, rect.bottom - edge, across, edge))
            surface.fill(line, (rect.x, rect.y + radius, edge, down))
            surface.fill(line, (rect.right - edge, rect.y + radius, edge, down))
        disc = self._corners.get((radius, edge, fill, edge_ink), lambda: _disc(radius, edge, fill, edge_ink))
        for x, sx in ((rect.x, 0), (rect.right - radius, radius)):
            for y, sy in ((rect.y, 0), (rect.bottom - radius, radius)):
                surface.blit(disc, (x, y), (sx, sy, radius, radius))


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
