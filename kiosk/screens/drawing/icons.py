"""Icons as shapes, drawn larger and scaled down, because pygame.draw has no smooth edges."""

import itertools
import math
from collections.abc import Callable

import pygame

from kiosk.screens.kit.theme import Colour
from kiosk.screens.kit.widgets import Mark

#: How much larger; on a large icon the steps of an edge are small already, and each pixel costs.
SCALE, LARGE_SCALE, LARGE_PX = 4, 2, 64  # powers of 2: others scale a plain ground to another colour
Point = tuple[float, float]


class Pen:
    """Draws in a unit square (0,0)–(1,1) on a large surface."""

    def __init__(self, side: int, ink: Colour, ground: Colour) -> None:
        self.side, self.ink, self.ground = side, ink, ground
        self.surface = pygame.Surface((side, side))
        self.surface.fill(ground)

    def _p(self, point: Point) -> tuple[int, int]:
        return round(point[0] * self.side), round(point[1] * self.side)

    def disc(self, centre: Point, radius: float, ground: bool = False) -> None:
        pygame.draw.circle(
            self.surface, self.ground if ground else self.ink, self._p(centre), round(radius * self.side)
        )

    def ring(self, centre: Point, radius: float, width: float) -> None:
        self.disc(centre, radius)
        self.disc(centre, radius - width, True)

    def line(self, points: list[Point], width: float, ground: bool = False) -> None:
        """A stroke with round ends and joints."""
        ink = self.ground if ground else self.ink
        half = width * self.side / 2
        for a, b in itertools.pairwise(points):
            (ax, ay), (bx, by) = self._p(a), self._p(b)
            length = math.hypot(bx - ax, by - ay) or 1
            nx, ny = -(by - ay) / length * half, (bx - ax) / length * half
            corners = [(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)]
            pygame.draw.polygon(self.surface, ink, corners)
        for point in points:
            pygame.draw.circle(self.surface, ink, self._p(point), round(half))

    def shape(self, points: list[Point], ground: bool = False) -> None:
        pygame.draw.polygon(
            self.surface, self.ground if ground else self.ink, [self._p(point) for point in points]
        )

    def box(self, x: float, y: float, w: float, h: float, radius: float, ground: bool = False) -> None:
        (left, top), (right, bottom) = self._p((x, y)), self._p((x + w, y + h))
        pygame.draw.rect(
            self.surface,
            self.ground if ground else self.ink,
            pygame.Rect(left, top, right - left, bottom - top),
            border_radius=round(radius * self.side),
        )

    def frame(self, x: float, y: float, w: float, h: float, radius: float, width: float) -> None:
        self.box(x, y, w, h, radius)
        self.box(x + width, y + width, w - 2 * width, h - 2 * width, max(0.0, radius - width), True)

    def arc(self, centre: Point, radius: float, start: float, end: float, width: float) -> None:
        """From `start` to `end` degrees, clockwise from the right."""
        steps = max(4, int(abs(end - start) / 8))
        angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
        self.line(
            [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles], width
        )


def _bell(pen: Pen) -> None:
    pen.disc((0.5, 0.4), 0.27)
    pen.box(0.23, 0.4, 0.54, 0.32, 0.0)
    pen.shape([(0.23, 0.6), (0.77, 0.6), (0.88, 0.78), (0.12, 0.78)])
    pen.line([(0.14, 0.77), (0.86, 0.77)], 0.08)
    pen.disc((0.5, 0.88), 0.08)
    pen.disc((0.5, 0.12), 0.06)


def _back(pen: Pen) -> None:
    pen.line([(0.88, 0.5), (0.16, 0.5)], 0.11)
    pen.line([(0.44, 0.2), (0.14, 0.5), (0.44, 0.8)], 0.11)


def _check(pen: Pen) -> None:
    pen.line([(0.12, 0.54), (0.39, 0.8), (0.88, 0.22)], 0.13)


def _cross(pen: Pen) -> None:
    pen.line([(0.2, 0.2), (0.8, 0.8)], 0.13)
    pen.line([(0.8, 0.2), (0.2, 0.8)], 0.13)


def _list(pen: Pen) -> None:
    for y in (0.2, 0.5, 0.8):
        pen.line([(0.1, y), (0.17, y + 0.07), (0.29, y - 0.08)], 0.06)
        pen.line([(0.44, y), (0.9, y)], 0.08)


def _again(pen: Pen) -> None:
    pen.arc((0.5, 0.52), 0.33, -60, 225, 0.1)
    pen.shape([(0.44, 0.02), (0.72, 0.23), (0.42, 0.42)])


def _card(pen: Pen) -> None:
    pen.frame(0.03, 0.18, 0.94, 0.64, 0.08, 0.055)
    pen.box(0.64, 0.34, 0.2, 0.26, 0.03)
    pen.line([(0.16, 0.36), (0.5, 0.36)], 0.055)
    pen.line([(0.16, 0.5), (0.5, 0.5)], 0.055)
    pen.line([(0.16, 0.66), (0.38, 0.66)], 0.055)


def _iphone(pen: Pen) -> None:
    pen.frame(0.25, 0.02, 0.5, 0.96, 0.12, 0.055)
    pen.box(0.4, 0.11, 0.2, 0.06, 0.03)
    pen.line([(0.41, 0.88), (0.59, 0.88)], 0.035)


def _android(pen: Pen) -> None:
    pen.frame(0.24, 0.02, 0.52, 0.96, 0.07, 0.055)
    pen.disc((0.5, 0.13), 0.035)
    pen.shape([(0.38, 0.84), (0.38, 0.92), (0.32, 0.88)])
    pen.disc((0.5, 0.88), 0.035)
    pen.box(0.61, 0.85, 0.06, 0.06, 0.0)


def _envelope(pen: Pen) -> None:
    pen.frame(0.04, 0.18, 0.92, 0.64, 0.06, 0.07)
    pen.line([(0.09, 0.24), (0.5, 0.56), (0.91, 0.24)], 0.075)


def _person(pen: Pen) -> None:
    pen.disc((0.5, 0.27), 0.2)
    pen.disc((0.5, 0.88), 0.36)
    pen.box(0.1, 0.88, 0.8, 0.12, 0.0, True)


def _keypad(pen: Pen) -> None:
    for y in (0.16, 0.39, 0.62):
        for x in (0.22, 0.5, 0.78):
            pen.disc((x, y), 0.085)
    pen.disc((0.5, 0.85), 0.085)


def _hand(pen: Pen) -> None:
    """A finger that touches a screen."""
    pen.frame(0.02, 0.05, 0.96, 0.6, 0.07, 0.045)
    pen.arc((0.5, 0.38), 0.19, 150, 390, 0.045)
    pen.line([(0.5, 0.38), (0.5, 0.72)], 0.2)
    pen.line([(0.5, 0.38), (0.5, 0.72)], 0.11)
    pen.box(0.4, 0.56, 0.4, 0.4, 0.13)
    pen.line([(0.3, 0.68), (0.44, 0.84)], 0.13)
    pen.box(0.4, 0.84, 0.36, 0.16, 0.0)


def _wait(pen: Pen) -> None:
    pen.ring((0.5, 0.5), 0.44, 0.08)
    pen.line([(0.5, 0.24), (0.5, 0.5), (0.68, 0.6)], 0.08)


def _closed(pen: Pen) -> None:
    pen.ring((0.5, 0.5), 0.45, 0.1)
    pen.line([(0.24, 0.5), (0.76, 0.5)], 0.14)


def _globe(pen: Pen) -> None:
    pen.ring((0.5, 0.5), 0.42, 0.06)
    pen.line([(0.1, 0.5), (0.9, 0.5)], 0.05)
    pen.line([(0.5, 0.1), (0.5, 0.9)], 0.05)
    ellipse = [
        (0.5 + 0.2 * math.cos(math.radians(a)), 0.5 + 0.4 * math.sin(math.radians(a)))
        for a in range(0, 361, 12)
    ]
    pen.line(ellipse, 0.05)


def _erase(pen: Pen) -> None:
    pen.shape([(0.02, 0.5), (0.3, 0.18), (0.96, 0.18), (0.96, 0.82), (0.3, 0.82)])
    pen.line([(0.5, 0.37), (0.76, 0.63)], 0.09, True)
    pen.line([(0.76, 0.37), (0.5, 0.63)], 0.09, True)


def _wrench(pen: Pen) -> None:
    pen.line([(0.16, 0.84), (0.6, 0.4)], 0.17)
    pen.disc((0.68, 0.32), 0.27)
    pen.shape([(0.62, 0.3), (0.92, -0.06), (1.06, 0.08), (0.7, 0.38)], True)


def _chart(pen: Pen) -> None:
    for x, top in ((0.16, 0.55), (0.42, 0.2), (0.68, 0.4)):
        pen.box(x, top, 0.18, 0.84 - top, 0.03)
    pen.line([(0.08, 0.9), (0.94, 0.9)], 0.06)


def _lamp(pen: Pen) -> None:
    pen.disc((0.5, 0.58), 0.22)
    pen.box(0.4, 0.72, 0.2, 0.2, 0.03)
    for degree in range(180, 361, 36):
        a = math.radians(degree)
        pen.line([(0.5 + r * math.cos(a), 0.58 + r * math.sin(a)) for r in (0.32, 0.46)], 0.07)


def _speaker(pen: Pen) -> None:
    pen.box(0.08, 0.36, 0.2, 0.28, 0.03)
    pen.shape([(0.2, 0.38), (0.5, 0.14), (0.5, 0.86), (0.2, 0.62)])
    for radius in (0.22, 0.38):
        arc = [math.radians(degree) for degree in range(-48, 49, 8)]
        pen.line([(0.5 + radius * math.cos(a), 0.5 + radius * math.sin(a)) for a in arc], 0.07)


DRAWINGS: dict[Mark, Callable[[Pen], None]] = {
    Mark.BELL: _bell,
    Mark.BACK: _back,
    Mark.CHECK: _check,
    Mark.CROSS: _cross,
    Mark.LIST: _list,
    Mark.AGAIN: _again,
    Mark.CARD: _card,
    Mark.IPHONE: _iphone,
    Mark.ANDROID: _android,
    Mark.ENVELOPE: _envelope,
    Mark.PERSON: _person,
    Mark.KEYPAD: _keypad,
    Mark.HAND: _hand,
    Mark.WAIT: _wait,
    Mark.CLOSED: _closed,
    Mark.GLOBE: _globe,
    Mark.ERASE: _erase,
    Mark.WRENCH: _wrench,
    Mark.CHART: _chart,
    Mark.SPEAKER: _speaker,
    Mark.LAMP: _lamp,
}


def draw_icon(mark: Mark, side: int, ink: Colour, ground: Colour) -> pygame.Surface:
    """An icon on its ground; the caller keeps it."""
    pen = Pen(side * (SCALE if side < LARGE_PX else LARGE_SCALE), ink, ground)
    DRAWINGS[mark](pen)
    return pygame.transform.smoothscale(pen.surface, (side, side))
