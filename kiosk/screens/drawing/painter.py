"""Draws a Picture on a pygame surface. Layout decides everything; here are only pixels and caches."""

import math

import pygame

from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.icons import draw_icon
from kiosk.screens.drawing.scenes import ScenePainter
from kiosk.screens.drawing.shapes import Kept, Shapes, as_pygame
from kiosk.screens.kit.geometry import Rect, around
from kiosk.screens.kit.theme import Colour, Face
from kiosk.screens.kit.widgets import (
    Button,
    DigitBoxes,
    Icon,
    Panel,
    Picture,
    Progress,
    Qr,
    Scene,
    Text,
    TextLine,
    Widget,
)

FOCUS_OUTER, FOCUS_INNER = (255, 222, 0), (0, 0, 0)
LINES_KEPT = 256
ICONS_KEPT = 96
#: The progress cell at work: one slow beat, far below three flashes a second (WCAG 2.3.1).
BEAT_S = 1.6


class Painter:
    """Draws pictures; keeps rendered lines and icons until `forget` is called."""

    def __init__(self, fonts: FontBook) -> None:
        self._fonts = fonts
        self._shapes = Shapes()
        self._scenes = ScenePainter(self._shapes)
        self._lines: Kept[tuple[str, int, bool, Colour, int], tuple[pygame.Surface, int]] = Kept(LINES_KEPT)
        self._icons: Kept[tuple[object, ...], pygame.Surface] = Kept(ICONS_KEPT)
        self._unseen: pygame.Surface | None = None

    def draw(
        self, surface: pygame.Surface, picture: Picture, t: float = 0.0, pressed: str | None = None
    ) -> None:
        """Draw all of it; `t` is seconds since it came, `pressed` the id of the target held down."""
        surface.fill(picture.ground)
        for widget in picture.widgets:
            self._draw(surface, widget, t, pressed)

    def draw_unseen(self, picture: Picture) -> None:
        """Draw it where nobody sees it, for the fonts and lines that stay ready."""
        if self._unseen is None or self._unseen.get_size() != picture.size:
            self._unseen = pygame.Surface(picture.size)
        self.draw(self._unseen, picture)

    def animate(self, surface: pygame.Surface, picture: Picture, t: float) -> Rect | None:
        """Redraw only what moves; returns the changed rectangle, None if nothing moves."""
        if picture.animated is not None:
            self._redraw(surface, picture, picture.animated, t, None)
        return picture.animated

    def press(
        self, surface: pygame.Surface, picture: Picture, id_: str, down: bool, t: float = 0.0
    ) -> Rect | None:
        """Redraw one button as held or let go; returns the changed rectangle."""
        for widget in picture.widgets:
            if isinstance(widget, Button) and widget.id == id_:
                self._redraw(surface, picture, widget.rect, t, id_ if down else None)
                return widget.rect
        return None

    def _redraw(
        self, surface: pygame.Surface, picture: Picture, rect: Rect, t: float, pressed: str | None
    ) -> None:
        """Draw one part anew from its ground: smooth edges drawn over themselves would grow dark."""
        before = surface.get_clip()
        surface.set_clip(as_pygame(rect))
        self._shapes.rounded(surface, rect, 0, 0, picture.ground, picture.ground)
        for widget in picture.widgets:
            if _bounds(widget).overlaps(rect):
                self._draw(surface, widget, t, pressed)
        surface.set_clip(before)

    def frame(self, surface: pygame.Surface, rect: Rect, width: int) -> None:
        """Draw the frame of what is in focus: black within yellow, for one of them is seen on any ground."""
        box = as_pygame(rect)
        pygame.draw.rect(surface, FOCUS_OUTER, box, width, border_radius=2 * width)
        inner = box.inflate(-width, -width)
        pygame.draw.rect(surface, FOCUS_INNER, inner, max(2, width // 2), border_radius=2 * width)

    def forget(self) -> None:
        """Overwrite and drop every rendered text, drop every measured one: a visit has ended."""
        for drawn, _ in self._lines.values():
            drawn.fill((0, 0, 0, 0))
        self._lines.clear()
        self._fonts.forget()

    @property
    def lines_kept(self) -> int:
        """How many rendered lines are held."""
        return len(self._lines)

    def _draw(self, surface: pygame.Surface, widget: Widget, t: float, pressed: str | None) -> None:
        match widget:
            case Panel():
                self._shapes.rounded(
                    surface, widget.rect, widget.radius, widget.edge, widget.face.fill, widget.face.line
                )
            case Text():
                self._text(surface, widget, widget.ink)
            case Icon():
                self._icon(surface, widget, widget.ink, widget.ground)
            case Button():
                self._button(surface, widget, widget.id == pressed)
            case DigitBoxes():
                self._boxes(surface, widget)
            case Progress():
                self._progress(surface, widget, t)
            case Qr():
                self._qr(surface, widget)
            case Scene():
                self._scenes.draw(surface, widget, t)
                self._text(surface, widget.label, widget.label.ink)

    def _text(self, surface: pygame.Surface, text: Text, ink: Colour) -> None:
        for line in text.lines:
            if line.text:
                self._line(surface, line, (line.text, text.size, text.bold, ink, text.first))
        for line in text.ruby:
            self._line(surface, line, (line.text, text.ruby_size, False, ink, text.first))

    def _line(self, surface: pygame.Surface, line: TextLine, key: tuple[str, int, bool, Colour, int]) -> None:
        drawn, above = self._lines.get(key, lambda: self._fonts.render(*key))
        surface.blit(drawn, (line.rect.x, line.rect.y - above))

    def _icon(self, surface: pygame.Surface, icon: Icon, ink: Colour, ground: Colour) -> None:
        side = min(icon.rect.w, icon.rect.h)
        drawn = self._icons.get(
            (icon.mark, side, ink, ground), lambda: draw_icon(icon.mark, side, ink, ground)
        )
        surface.blit(drawn, (icon.rect.x, icon.rect.y))

    def _button(self, surface: pygame.Surface, button: Button, down: bool) -> None:
        face = button.pressed if down else button.face
        self._shapes.rounded(surface, button.rect, button.radius, button.edge, face.fill, face.line)
        if button.icon is not None:
            self._icon(surface, button.icon, face.ink, face.fill)
        for text in button.texts:
            self._text(surface, text, face.ink)
        if button.dot is not None:
            self._shapes.rounded(surface, button.dot, button.dot.h // 2, 0, face.ink, face.ink)

    def _qr(self, surface: pygame.Surface, qr: Qr) -> None:
        """Square modules of whole pixels: a camera wants sharp edges, not size."""
        side = min(qr.rect.w, qr.rect.h) // len(qr.modules)
        whole = qr.rect.centred(side * len(qr.modules), side * len(qr.modules))
        surface.fill(qr.light, as_pygame(whole))
        for y, row in enumerate(qr.modules):
            for x, dark in enumerate(row):
                if dark:
                    surface.fill(qr.dark, (whole.x + x * side, whole.y + y * side, side, side))

    def _boxes(self, surface: pygame.Surface, boxes: DigitBoxes) -> None:
        for index, box in enumerate(boxes.boxes):
            current = index == boxes.filled and len(boxes.boxes) > 1
            face = boxes.face if not current else Face(boxes.face.fill, boxes.mark, boxes.face.ink)
            edge = boxes.edge * 2 if current else boxes.edge
            self._shapes.rounded(surface, box, boxes.radius, edge, face.fill, face.line)
            if len(boxes.boxes) == 1:
                dots = box.inset(box.h // 3, 0).columns(max(boxes.filled, 10), 0)[: boxes.filled]
            else:
                dots = (box,) if index < boxes.filled else ()
            radius = min(box.w, box.h) // (5 if len(boxes.boxes) > 1 else 7)
            for dot in dots:
                side = min(2 * radius, dot.w)
                self._shapes.rounded(surface, dot.centred(side, side), side // 2, 0, face.ink, face.ink)

    def _progress(self, surface: pygame.Surface, progress: Progress, t: float) -> None:
        for index, cell in enumerate(progress.cells):
            radius = cell.h // 5
            if index < progress.done:
                self._shapes.rounded(surface, cell, radius, progress.edge, progress.full, progress.empty.line)
                continue
            self._shapes.rounded(
                surface, cell, radius, progress.edge, progress.empty.fill, progress.empty.line
            )
            if index == progress.done:
                beat = 0.5 - 0.5 * math.cos(2 * math.pi * t / BEAT_S)
                width = round((cell.w - 6 * progress.edge) * beat)
                inner = cell.inset(3 * progress.edge)
                pygame.draw.rect(surface, progress.full, as_pygame(inner.left(width)))


def _bounds(widget: Widget) -> Rect:
    """The rectangle that a widget may draw on."""
    match widget:
        case Text():
            return widget.box
        case DigitBoxes():
            return around(widget.boxes)
        case Progress():
            return around(widget.cells)
        case _:
            return widget.rect
