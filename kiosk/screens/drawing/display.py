"""The window or panel that the kiosk draws on, and the fingers on it.

`Display` is the seam: the demo gives another one, which puts the kiosk's picture into a larger window.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pygame

from kiosk.config.screen_settings import ScreenSettings
from kiosk.screens.drawing.rotation import Rotation
from kiosk.screens.drawing.shapes import as_pygame
from kiosk.screens.kit.geometry import Rect
from kiosk.visit.keys import Key

log = logging.getLogger(__name__)

LEFT_BUTTON = 1
LOST_S = 5.0  #: nobody holds a finger down longer, but for staff at their door


class DisplayError(Exception):
    """No picture can be shown; says what to mend."""


@dataclass(frozen=True)
class Down:
    """A finger (or the left mouse button) comes down, in the picture's pixels."""

    x: float
    y: float


@dataclass(frozen=True)
class Up:
    x: float
    y: float


@dataclass(frozen=True)
class Quit:
    """The window was closed, or SDL took a SIGTERM."""


Input = Down | Up | Key | Quit
Surface = pygame.Surface  #: what a picture is drawn on; other rooms name it without importing pygame

#: What a switch or keyboard on USB sends, and what it means (most switch boxes can send these).
KEYS = {
    pygame.K_TAB: Key.NEXT,
    pygame.K_RETURN: Key.ENTER,
    pygame.K_KP_ENTER: Key.ENTER,
}


class Display(Protocol):
    """What the screen process needs of a display."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the kiosk's picture in pixels."""

    @property
    def surface(self) -> pygame.Surface:
        """Where the kiosk's picture is drawn."""

    def present(self, rects: Sequence[Rect] | None = None) -> None:
        """Show what was drawn: these parts of it, or all."""

    def events(self) -> Sequence[Input]:
        """What happened since the last call; never waits."""

    def close(self) -> None: ...


class Fingers:
    """Turns SDL's events into inputs: one finger at a time, each touch once.

    SDL sends FINGER events, and on some drivers MOUSE events with touch=True for the same touch
    (docs/facts/display.md); those are passed over. While one finger is down, others do nothing. A
    panel that is unplugged under a finger never says that it went up: after a while others count again.
    """

    def __init__(
        self,
        width: int,
        height: int,
        rotation: Rotation | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._width, self._height = width, height
        self._rotation = rotation or Rotation(0, width, height)
        self._monotonic, self._since = monotonic, 0.0
        self._held: tuple[int, int] | None = None

    def read(self, events: Sequence[pygame.event.Event]) -> Iterator[Input]:
        for event in events:
            if event.type == pygame.QUIT:
                yield Quit()
            elif event.type == pygame.KEYDOWN and event.key in KEYS:
                yield KEYS[event.key]
            elif event.type in (pygame.FINGERDOWN, pygame.FINGERUP):
                yield from self._finger(event)
            elif _is_mouse(event):
                x, y = self._rotation.to_picture(*event.pos)
                yield Down(x, y) if event.type == pygame.MOUSEBUTTONDOWN else Up(x, y)

    def _finger(self, event: pygame.event.Event) -> Iterator[Input]:
        who = (event.touch_id, event.finger_id)
        x, y = self._rotation.to_picture(event.x * self._width, event.y * self._height)
        now = self._monotonic()
        lost = self._held is not None and (who == self._held or now - self._since > LOST_S)
        if event.type == pygame.FINGERDOWN and (self._held is None or lost):
            self._held, self._since = who, now
            yield Down(x, y)
        elif event.type == pygame.FINGERUP and self._held == who:
            self._held = None
            yield Up(x, y)


def _is_mouse(event: pygame.event.Event) -> bool:
    """The left button of a real mouse, not SDL's echo of a touch."""
    return (
        event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP)
        and event.button == LEFT_BUTTON
        and not getattr(event, "touch", False)
    )


def _panel(settings: ScreenSettings) -> pygame.Surface:
    """The window of the size that the settings say, or the whole panel, whatever its size is."""
    size = settings.width, settings.height
    if not settings.fullscreen:
        return pygame.display.set_mode(size)
    panel = pygame.display.get_desktop_sizes()[0]
    if panel != size:
        log.warning(
            "display: it is %dx%d, not %dx%d as the settings say; the layout follows it", *panel, *size
        )
    return pygame.display.set_mode(panel, pygame.FULLSCREEN)


class SdlDisplay:
    """The production display: a panel through kmsdrm, or a window on a desk."""

    def __init__(self, settings: ScreenSettings) -> None:
        """Open it; raises DisplayError. Only the video part of SDL is started: a box without a sound card
        must not complain here."""
        try:
            pygame.display.init()
            self._panel = _panel(settings)
        except pygame.error as fault:
            raise DisplayError(
                f"the display cannot be opened: {fault}; is another program using it, and is this user in "
                "the groups video, render and input?"
            ) from None
        pygame.display.set_caption("Maina Kiosk")
        pygame.mouse.set_visible(not settings.fullscreen)
        size = self._panel.get_size()
        self._rotation = Rotation(settings.rotate, *size)
        self._surface = self._panel if not settings.rotate else pygame.Surface(self._rotation.picture)
        self._fingers = Fingers(*size, self._rotation)
        driver = pygame.display.get_driver()
        renderer = os.environ.get("SDL_RENDER_DRIVER", "SDL's choice")
        log.info("display %dx%d, video driver %s, renderer %s", *size, driver, renderer)
        if driver == "KMSDRM" and renderer != "opengles2":
            log.warning("kmsdrm shows a black screen unless SDL_RENDER_DRIVER=opengles2; set it in the unit")

    @property
    def size(self) -> tuple[int, int]:
        return self._surface.get_size()

    @property
    def surface(self) -> pygame.Surface:
        return self._surface

    def present(self, rects: Sequence[Rect] | None = None) -> None:
        if self._rotation.degrees:
            for rect in (Rect(0, 0, *self.size),) if rects is None else rects:
                part = self._surface.subsurface(as_pygame(rect))
                turned = pygame.transform.rotate(part, -self._rotation.degrees)
                self._panel.blit(turned, as_pygame(self._rotation.to_panel(rect)))
        if rects is None:
            pygame.display.flip()
        else:
            pygame.display.update([as_pygame(self._rotation.to_panel(rect)) for rect in rects])

    def events(self) -> Sequence[Input]:
        return list(self._fingers.read(pygame.event.get()))

    def close(self) -> None:
        pygame.display.quit()
