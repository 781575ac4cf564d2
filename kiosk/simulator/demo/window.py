"""The demo's display: the kiosk's picture in a window with a strip of hands below it, or in memory.

The kiosk draws on a surface of its own size and hears fingers through the same `Fingers` as on the panel;
what lies outside that surface is not the kiosk.
"""

from collections.abc import Iterator, Sequence

import pygame

from kiosk.indicators.patterns import Levels
from kiosk.screens.drawing.display import LEFT_BUTTON, Fingers, Input
from kiosk.screens.kit.geometry import Rect
from kiosk.simulator.demo.strip import HEIGHT, Handle, Strip

FINGERS = (pygame.FINGERDOWN, pygame.FINGERUP)


class DemoDisplay:
    """A window of the kiosk's size plus the strip. Without handles: just the kiosk's size."""

    def __init__(self, size: tuple[int, int], handles: Sequence[Handle] = ()) -> None:
        pygame.display.init()
        self._strip = Strip(*size, tuple(handles)) if handles else None
        self._window = pygame.display.set_mode((size[0], size[1] + (HEIGHT if handles else 0)))
        pygame.display.set_caption("Maina Kiosk — demo")
        self._kiosk = pygame.Surface(size)
        self._fingers = Fingers(*size)
        self._draw_strip()

    @property
    def size(self) -> tuple[int, int]:
        return self._kiosk.get_size()

    @property
    def window_size(self) -> tuple[int, int]:
        """The kiosk's picture and the strip, in pixels."""
        return self._window.get_size()

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
        for event in events:
            if event.type == pygame.WINDOWEXPOSED:
                pygame.display.flip()
            elif event.type in FINGERS:
                yield from self._finger(event)
            elif self._strip is not None and self._is_for(self._strip, event):
                self._draw_strip()
            else:
                yield event

    def _is_for(self, strip: Strip, event: pygame.event.Event) -> bool:
        if event.type == pygame.KEYDOWN:
            return strip.key(event.key)
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == LEFT_BUTTON:
            return not getattr(event, "touch", False) and strip.press(*event.pos)
        return False

    def _finger(self, event: pygame.event.Event) -> Iterator[pygame.event.Event]:
        """SDL tells fingers as a part of the window; the kiosk's picture is a part of that."""
        x, y = event.x * self.window_size[0], event.y * self.window_size[1]
        if self._strip is not None and y >= self.size[1] and event.type == pygame.FINGERDOWN:
            if self._strip.press(x, y):
                self._draw_strip()
            return
        yield pygame.event.Event(event.type, {**event.dict, "y": y / self.size[1]})

    def show_levels(self, levels: Levels) -> None:
        """Draw the four LEDs as they are."""
        if self._strip is not None and self._strip.tell(levels=levels):
            self._draw_strip()

    def speak(self, language: str) -> None:
        """Label the strip in the kiosk's present language."""
        if self._strip is not None and self._strip.tell(language=language):
            self._draw_strip()

    def _draw_strip(self) -> None:
        if self._strip is not None:
            self._strip.draw(self._window)
            pygame.display.update(self._strip.area)

    def close(self) -> None:
        pygame.display.quit()
