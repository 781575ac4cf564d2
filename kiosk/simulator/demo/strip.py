"""The strip under the kiosk's picture in the demo's window: hands that lay tokens down, the line, the LEDs.

None of it is part of the kiosk; it says so in the kiosk's present language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pygame

from kiosk.indicators.patterns import NONE, Levels
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.theme import Colour

HEIGHT = 112
MARGIN, GAP = 12, 8
TOP = 40  #: of the keys, below the caption
CAP = 24  #: the little square with the key of the keyboard

GROUND: Colour = (38, 42, 51)
INK: Colour = (236, 238, 242)
FAINT: Colour = (176, 184, 198)
KEY: Colour = (66, 73, 90)
CHOSEN: Colour = (0, 96, 168)
ALARM: Colour = (166, 58, 12)
LIT, HALO, DARK, RIM = (92, 230, 140), (34, 96, 62), (22, 25, 31), (110, 118, 134)

CAPTION: Mapping[str, str] = {
    "ja": "ここから下はデモの手もとです(キオスクの外)",
    "en": "Below is the demo's hand, outside the kiosk",
}
LEDS: Mapping[str, str] = {"ja": "読み取り機のLED", "en": "LEDs at the reader"}


@dataclass(frozen=True)
class Handle:
    """One key of the strip: the keyboard's key that does the same, its words by language, what it does."""

    cap: str
    keys: tuple[int, ...]  #: pygame's key codes
    label: Callable[[], Mapping[str, str]]
    act: Callable[[], None]
    shade: Callable[[], Colour] = lambda: KEY  #: tells the state: chosen, alarm
    wide: int = 1  #: how much of the strip it takes, beside the others


class Strip:
    """Draws itself below a picture of `width` × `top`, and finds what is pressed."""

    def __init__(self, width: int, top: int, handles: tuple[Handle, ...]) -> None:
        self._width, self._top, self._handles = width, top, handles
        self._fonts = FontBook()
        self._language, self._levels = "ja", NONE

    @property
    def area(self) -> pygame.Rect:
        """Where it lies in the window."""
        return pygame.Rect(0, self._top, self._width, HEIGHT)

    def tell(self, *, language: str | None = None, levels: Levels | None = None) -> bool:
        """Take over what it shows of the kiosk; True when it must be drawn anew."""
        before = self._language, self._levels
        if language is not None:
            self._language = language if language in CAPTION else "ja" if language == "ja@easy" else "en"
        self._levels = self._levels if levels is None else levels
        return (self._language, self._levels) != before

    def key(self, code: int) -> bool:
        """A key of the keyboard; True when it was one of ours."""
        for handle in self._handles:
            if code in handle.keys:
                handle.act()
                return True
        return False

    def press(self, x: float, y: float) -> bool:
        """The mouse or a finger at this place of the window; True when it met a key."""
        for handle, box in self._boxes():
            if box.collidepoint(x, y):
                handle.act()
                return True
        return False

    def _boxes(self) -> list[tuple[Handle, pygame.Rect]]:
        parts = sum(handle.wide for handle in self._handles)
        room = self._width - 2 * MARGIN - GAP * (len(self._handles) - 1)
        boxes, left, used = [], MARGIN, 0
        for index, handle in enumerate(self._handles):
            used += handle.wide
            right = MARGIN + room * used // parts + GAP * index
            boxes.append((handle, pygame.Rect(left, self._top + TOP, right - left, HEIGHT - TOP - MARGIN)))
            left = right + GAP
        return boxes

    def draw(self, window: pygame.Surface) -> None:
        """Draw all of it."""
        window.fill(GROUND, self.area)
        self._text(window, CAPTION[self._language], 17, FAINT, (MARGIN, self._top + 20), 440)
        self._lamps(window)
        for handle, box in self._boxes():
            pygame.draw.rect(window, handle.shade(), box, border_radius=8)
            cap = pygame.Rect(box.centerx - CAP // 2, box.y + 6, CAP, CAP)
            pygame.draw.rect(window, INK, cap, width=2, border_radius=5)
            self._text(window, handle.cap, 16, INK, cap.center, CAP, bold=True, centred=True)
            label = handle.label()[self._language]
            self._text(window, label, 18, INK, (box.centerx, box.bottom - 16), box.w - 8, centred=True)

    def _lamps(self, window: pygame.Surface) -> None:
        right = self._width - MARGIN - 14
        for index, lit in enumerate(reversed(self._levels)):
            centre = (right - index * 34, self._top + 20)
            if lit:
                pygame.draw.circle(window, HALO, centre, 14)
            pygame.draw.circle(window, LIT if lit else DARK, centre, 10)
            pygame.draw.circle(window, INK if lit else RIM, centre, 10, width=1)
        label, size = LEDS[self._language], 17
        self._text(
            window,
            label,
            size,
            FAINT,
            (right - 3 * 34 - 24 - self._fonts.width(label, size, False), self._top + 20),
            300,
        )

    def _text(
        self,
        window: pygame.Surface,
        text: str,
        size: int,
        ink: Colour,
        at: tuple[int, int],
        room: int,
        *,
        bold: bool = False,
        centred: bool = False,
    ) -> None:
        """One line with its middle at the height of `at`, as large as the room allows."""
        while size > 12 and self._fonts.width(text, size, bold) > room:
            size -= 1
        drawn, above = self._fonts.render(text, size, bold, ink)
        x = at[0] - drawn.get_width() // 2 if centred else at[0]
        window.blit(drawn, (x, at[1] - size // 2 - above))
