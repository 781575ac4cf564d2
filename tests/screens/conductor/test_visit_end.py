"""What is left of a visit on the screen: nothing in the display's buffers, nothing in the caches of texts;
the language and the letters are the next patient's."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pygame
import pytest

from kiosk.qualification.terms import Mode
from kiosk.screens.app import BUFFERS
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.drawing.shapes import Kept
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.touch import StartTouch
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.visit.events import Action, LanguageChosen
from kiosk.visit.rules import Rules
from kiosk.visit.states import Idle, Kiosk, StaffCalled
from tests.screens.conductor.staff_place import Place, open_place

MakeLook = Callable[..., Look]


@pytest.fixture
def place(make_look: MakeLook, fonts: FontBook) -> Iterator[Place]:
    with open_place(make_look(), fonts) as opened:
        yield opened


def pixels(surface: pygame.Surface) -> bytes:
    return pygame.image.tobytes(surface, "RGB")


def end_a_visit(place: Place) -> None:
    """Begin one, call staff, finish."""
    place.conductor.touch(StartTouch())
    place.wait(1)
    place.press(Action.HELP)
    place.wait(1)
    assert isinstance(place.kiosk.screen, StaffCalled)
    place.fingers.presented.clear()
    place.press(Action.FINISH)
    place.step()


def test_every_buffer_of_the_display_is_overwritten_when_a_visit_ends(
    place: Place, make_look: MakeLook
) -> None:
    end_a_visit(place)
    for _ in range(BUFFERS + 2):
        place.step()
    assert isinstance(place.kiosk.screen, Idle)
    assert place.fingers.presented.count(None) == BUFFERS
    fresh = pygame.Surface((800, 480))
    Painter(FontBook()).draw(fresh, lay_out(place.kiosk, make_look()))
    assert pixels(fresh) == pixels(place.fingers.surface)


def test_the_last_picture_of_a_process_covers_what_stood_there(place: Place) -> None:
    place.conductor.touch(StartTouch())
    place.wait(1)
    before = pixels(place.fingers.surface)
    place.fingers.presented.clear()
    place.app.stop()
    place.app.run()
    assert pixels(place.fingers.surface) != before
    assert place.fingers.presented[-BUFFERS:] == [None] * BUFFERS


def test_language_and_letters_go_back_with_whoever_chose_them(place: Place) -> None:
    place.press(LanguageChosen("en"), Action.TEXT_SIZE)
    assert (place.kiosk.language, place.kiosk.large_text) == ("en", True)
    end_a_visit(place)
    assert (place.kiosk.language, place.kiosk.large_text) == ("ja", False)


def test_large_letters_alone_go_back_by_time(place: Place) -> None:
    place.press(Action.TEXT_SIZE)
    place.wait(place.kiosk.rules.timing.patient_s + 1)
    assert not place.kiosk.large_text


def test_letters_begin_large_where_the_settings_say_so() -> None:
    rules = replace(Rules(Mode.HOME_CONSENT), large_text=True)
    assert Kiosk(rules, "ja", large_text=rules.large_text).large_text


class WatchedFonts(FontBook):
    """Remembers every text that it rendered."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered: list[pygame.Surface] = []

    def render(
        self, text: str, size: int, bold: bool, ink: tuple[int, int, int], first: int = 0
    ) -> tuple[pygame.Surface, int]:
        drawn, above = super().render(text, size, bold, ink, first)
        self.rendered.append(drawn)
        return drawn, above


def test_forgotten_texts_are_overwritten_too(make_look: MakeLook) -> None:
    """Somebody who reads the process's memory finds no receipt number as a picture."""
    fonts = WatchedFonts()
    painter = Painter(fonts)
    kiosk = next(each.kiosk for each in examples(Mode.HOME_CONSENT) if each.name == "recorded")
    painter.draw(pygame.Surface((800, 480)), lay_out(kiosk, make_look()))
    assert any(drawn.get_bounding_rect().w for drawn in fonts.rendered)
    painter.forget()
    assert not any(drawn.get_bounding_rect().w for drawn in fonts.rendered)


def test_what_is_kept_can_be_looked_at() -> None:
    kept: Kept[int, str] = Kept(2)
    kept.get(1, lambda: "a")
    assert kept.values() == ("a",)
