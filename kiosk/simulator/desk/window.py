"""The demo's displays: the kiosk's picture in a window with a strip of hands beside it, or in memory.

The kiosk draws on a surface of its own size and hears fingers through the same `Fingers` as on the panel;
what lies outside that surface is not the kiosk.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pygame

from kiosk.indicators.patterns import Levels
from kiosk.screens.display import Fingers, Input
from kiosk.screens.fonts import FontBook
from kiosk.screens.geometry import Rect

STRIP = 96
INK, GROUND, KEY, LIT, DARK = (236, 238, 242), (44, 48, 58), (74, 80, 96), (60, 210, 120), (24, 26, 32)


@dataclass(frozen=True)
class Handle:
    """One key of the strip: what it says, the key that does the same, what it does."""

    label: str
    key: int
    act: Callable[[], None]


class DeskDisplay:
    """A window of the kiosk's size plus a strip below it. Without handles: just the kiosk's size."""

    def __init__(self, size: tuple[int, int], handles: Sequence[Handle] = ()) -> None:
        pygame.display.init()
        self._handles = tuple(handles)
        strip = STRIP if self._handles else 0
        self._window = pygame.display.set_mode((size[0], size[1] + strip))
        pygame.display.set_caption("kiosk demo")
        self._kiosk = pygame.Surface(size)
        self._fingers = Fingers(*size)
        self._fonts = FontBook() if self._handles else None
        self._levels: Levels = (False, False, False, False)
        self._draw_strip()

    @property
    def size(self) -> tuple[int, int]:
        return self._kiosk.get_size()

    @property
    def surface(self) -> pygame.Surface:
        return self._kiosk

    def present(self, rects: Sequence[Rect] | None = None) -> None:
        areas = None if rects is None else [pygame.Rect(r.x, r.y, r.w, r.h) for r in rects]
        if areas is None:
            self._window.blit(self._kiosk, (0, 0))
            pygame.display.flip()
            return
        for area in areas:
            self._window.blit(self._kiosk, area, area)
        pygame.display.update(areas)

    def events(self) -> Sequence[Input]:
        return list(self._fingers.read(list(self._for_kiosk(pygame.event.get()))))

    def _for_kiosk(self, events: Sequence[pygame.event.Event]) -> Iterator[pygame.event.Event]:
        """Pass on what concerns the kiosk's picture; the rest is for the strip."""
        height = self.size[1]
        for event in events:
            if event.type == pygame.KEYDOWN:
                for handle in self._handles:
                    if event.key == handle.key:
                        handle.act()
            elif event.type == pygame.MOUSEBUTTONDOWN and event.pos[1] >= height:
                self._press(event.pos[0])
            elif event.type in (pygame.FINGERDOWN, pygame.FINGERUP) and self._handles:
                continue  # the window's own echo as MOUSE is taken instead: its place is in pixels
            else:
                yield event

    def _press(self, x: int) -> None:
        if self._handles:
            self._handles[min(x * len(self._handles) // self.size[0], len(self._handles) - 1)].act()

    # ---- the strip ---------------------------------------------------------------------------------------

    def show_levels(self, levels: Levels) -> None:
        """Draw the four LEDs as they are."""
        if levels != self._levels:
            self._levels = levels
            self._draw_strip()

    def _draw_strip(self) -> None:
        if self._fonts is None:
            return
        width, height = self.size
        self._window.fill(GROUND, (0, height, width, STRIP))
        for index, lit in enumerate(self._levels):
            centre = (width // 2 + (index * 2 - 3) * 16, height + 16)
            pygame.draw.circle(self._window, LIT if lit else DARK, centre, 10)
        each = width // len(self._handles)
        for index, handle in enumerate(self._handles):
            box = pygame.Rect(index * each + 4, height + 34, each - 8, STRIP - 40)
            pygame.draw.rect(self._window, KEY, box, border_radius=8)
            text, _ = self._fonts.render(handle.label, 18, False, INK)
            self._window.blit(text, text.get_rect(center=box.center))
        pygame.display.update(pygame.Rect(0, height, width, STRIP))

    def close(self) -> None:
        pygame.display.quit()
