"""What the panel should show: the pictures of the layout, drawn here, compared with photographs of the
machine.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pygame

from kiosk.channel.notice_file import Notice
from kiosk.config.choices import LANGUAGES, Theme
from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Look, canvas_for
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.kit.widgets import Picture, Scene, Text
from kiosk.screens.pages.examples.patient_examples import RECEIPT, examples
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.pages.notice_page import notice_picture
from kiosk.screens.words.catalogue import Catalogues
from kiosk.visit.states import Kiosk, LineStatus
from tests.image.machine import HEIGHT, WIDTH

PX_PER_MM = 5.36  #: the default of the settings
#: A photograph shows the same picture when so small a part of its pixels differs. Letters are drawn by the
#: same fonts and the same library on two processors.
ALIKE = 0.012
NOTICEABLE = 40  #: of 255, in any colour
BANNER = "@offline"  #: after a picture's name: the same with the banner of a service that does not answer


class Golden:
    """Every example picture of a mode, with its targets."""

    def __init__(self, clinic: str, mode: Mode = Mode.HOME_CONSENT, language: str = "ja") -> None:
        fonts = self._fonts = FontBook()
        self._painter = Painter(fonts)
        look = Look(
            canvas_for(WIDTH, HEIGHT, PX_PER_MM),
            tokens_of(Theme.STANDARD),
            clinic,
            Catalogues(LANGUAGES),
            fonts,
        )
        self._look = look
        self._examples = {each.name: each.kiosk for each in examples(mode, language)}
        self.pictures: dict[str, Picture] = {
            name: lay_out(kiosk, look) for name, kiosk in self._examples.items()
        }

    def add_notice(self, name: str, notice: Notice) -> None:
        """A notice as one more picture that may be waited for."""
        self.pictures[name] = notice_picture(notice, canvas_for(WIDTH, HEIGHT, PX_PER_MM), self._fonts)

    def add_like(self, name: str, like: str, **changes: Any) -> None:
        """One more picture: the kiosk of an example, with something else about it."""
        self.pictures[name] = lay_out(replace(self._examples[like], **changes), self._look)

    def with_banner(self, name: str) -> str:
        """The name of the picture as it is while the service does not answer."""
        goal = name + BANNER
        if goal not in self.pictures and name in self._examples:
            self.add(goal, replace(self._examples[name], line=LineStatus(online=False)))
        return goal if goal in self.pictures else name

    def add(self, name: str, kiosk: Kiosk) -> None:
        """A state as one more picture."""
        self.pictures[name] = lay_out(kiosk, self._look)

    def drawn(self, name: str) -> pygame.Surface:
        """The picture as it should be."""
        surface = pygame.Surface((WIDTH, HEIGHT))
        self._painter.draw(surface, self.pictures[name])
        return surface

    def difference(self, name: str, photograph: Path) -> float:
        """The part of the pixels that differ noticeably, without what moves; 1 where the sizes differ."""
        return difference(self.drawn(name), pygame.image.load(photograph), self._moving(name))

    def shows(self, name: str, photograph: Path) -> bool:
        return self.difference(name, photograph) <= ALIKE

    def nearest(self, photograph: Path) -> tuple[str, float]:
        """The picture that is most like the photograph; for the report of a failure."""
        return min(
            ((name, self.difference(name, photograph)) for name in self.pictures), key=lambda each: each[1]
        )

    def target(self, name: str, id_: str) -> tuple[float, float]:
        """The middle of what is touched, in parts of width and height."""
        rect = next(target.rect for target in self.pictures[name].targets if target.id == id_)
        x, y = rect.middle
        return x / WIDTH, y / HEIGHT

    def _moving(self, name: str) -> pygame.Rect:
        for widget in self.pictures[name].widgets:
            if isinstance(widget, Scene):
                return pygame.Rect(widget.rect.x, widget.rect.y, widget.rect.w, widget.rect.h)
            if isinstance(widget, Text) and widget.lines[0].text == RECEIPT:  # another one each time
                return pygame.Rect(widget.box.x, widget.box.y, widget.box.w, widget.box.h)
        moving = self.pictures[name].animated
        return pygame.Rect(moving.x, moving.y, moving.w, moving.h) if moving else pygame.Rect(0, 0, 0, 0)


def difference(drawn: pygame.Surface, seen: pygame.Surface, but: pygame.Rect) -> float:
    """The part of the pixels outside `but` that differ noticeably."""
    if drawn.get_size() != seen.get_size():
        return 1.0
    one, other = (pygame.Surface(drawn.get_size(), 0, 32) for _ in range(2))
    for surface, picture in ((one, drawn), (other, seen)):
        surface.blit(picture, (0, 0))
        surface.fill((0, 0, 0), but)
    near = (NOTICEABLE, NOTICEABLE, NOTICEABLE, 255)
    alike = pygame.mask.from_threshold(other, (0, 0, 0), near, one).count()
    everything = one.get_width() * one.get_height()
    return (everything - alike) / max(1, everything - but.width * but.height)


def colours(photograph: Path) -> int:
    """How many colours a photograph has: a black screen has one."""
    picture = pygame.image.load(photograph)
    width, height = picture.get_size()
    return len({tuple(picture.get_at((x, y))) for y in range(0, height, 4) for x in range(0, width, 4)})
