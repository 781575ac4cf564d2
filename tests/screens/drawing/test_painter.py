"""What is drawn: pressed look, dirty rectangles, what is forgotten, and how long a frame takes."""

from collections.abc import Callable

import pygame
import pytest

from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.icons import DRAWINGS, draw_icon
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.drawing.scenes import CYCLE_S, pose
from kiosk.screens.drawing.shapes import Kept, as_pygame
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.widgets import Button, Mark, Picture, SceneKind
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from tests.screens.proof.gallery import all_examples

MakeLook = Callable[..., Look]


@pytest.fixture
def surface() -> pygame.Surface:
    return pygame.Surface((800, 480))


def picture_of(name: str, look: Look, language: str = "ja") -> Picture:
    return next(
        lay_out(each.kiosk, look) for each in examples(Mode.HOME_CONSENT, language) if each.name == name
    )


def pixels(surface: pygame.Surface) -> bytes:
    return pygame.image.tobytes(surface, "RGB")


def changed(one: pygame.Surface, other: pygame.Surface) -> pygame.Rect:
    """The smallest rectangle outside of which two surfaces are equal."""
    mask = pygame.mask.from_threshold(one, (0, 0, 0), (1, 1, 1, 255), other)
    mask.invert()
    rects = mask.get_bounding_rects()
    return rects[0].unionall(rects[1:]) if rects else pygame.Rect(0, 0, 0, 0)


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_every_state_is_drawn_and_no_two_alike(
    language: str, make_look: MakeLook, fonts: FontBook, surface: pygame.Surface
) -> None:
    painter, look = Painter(fonts), make_look()
    seen: dict[bytes, str] = {}
    alike = []
    for example in all_examples(language):
        painter.draw(surface, lay_out(example.kiosk, look), 2.6)
        drawn = pixels(surface)
        if drawn in seen:
            alike.append({seen[drawn], example.name})
        seen[drawn] = example.name
    # Two stages share a cell of the progress; the door's pads are the visual check's; one wrench calls the
    # staff for what is to mend and for changed settings.
    assert sorted(map(sorted, alike)) == [
        ["door_number_locked", "staff_number_locked"],
        ["door_number_refused", "staff_number_refused"],
        ["reading_certificate", "reading_verified"],
        ["reading_counter", "reading_recognised"],
        ["start_changed", "start_to_mend"],
    ]


def test_a_pressed_button_changes_only_itself(
    make_look: MakeLook, fonts: FontBook, surface: pygame.Surface
) -> None:
    painter, picture = Painter(fonts), picture_of("consent", make_look())
    painter.draw(surface, picture)
    before = surface.copy()
    for widget in picture.widgets:
        if isinstance(widget, Button):
            rect = painter.press(surface, picture, widget.id, True)
            assert rect == widget.rect
            assert as_pygame(widget.rect).contains(changed(before, surface))
            painter.press(surface, picture, widget.id, False)
            assert pixels(before) == pixels(surface)


@pytest.mark.parametrize("name", ["hold_card", "hold_iphone", "hold_android", "checking", "reading_counter"])
def test_an_animation_stays_within_its_rectangle(
    name: str, make_look: MakeLook, fonts: FontBook, surface: pygame.Surface
) -> None:
    painter, picture = Painter(fonts), picture_of(name, make_look())
    assert picture.animated is not None
    painter.draw(surface, picture, 0.0)
    first = surface.copy()
    moved = False
    for step in range(40):
        t = step * 0.1
        rect = painter.animate(surface, picture, t)
        assert rect == picture.animated
        difference = changed(first, surface)
        moved = moved or bool(difference)
        assert as_pygame(picture.animated).contains(difference) or not difference
        whole = pygame.Surface((800, 480))
        painter.draw(whole, picture, t)
        assert pixels(whole) == pixels(surface)
    assert moved


@pytest.mark.parametrize("kind", list(SceneKind))
def test_a_token_never_leaves_its_scene_and_ends_on_the_right_place(kind: SceneKind) -> None:
    for step in range(int(CYCLE_S * 50)):
        now = pose(kind, 280, 310, 38, step / 50)
        if now.token is not None:
            assert now.token.x >= 0
            assert now.token.right <= 280
    rest = pose(kind, 280, 310, 38, 2.0)
    assert rest.token is not None
    if kind is SceneKind.IPHONE:
        assert rest.place is not None
        assert rest.reader.overlaps(rest.place)
        assert rest.token.bottom > rest.reader.bottom  # only its top edge lies on the reader
    elif kind in (SceneKind.CARD, SceneKind.ANDROID):
        assert rest.reader.holds(*rest.token.middle)
    else:
        assert not rest.reader.overlaps(rest.token)


def test_texts_of_a_visit_are_forgotten(
    make_look: MakeLook, fonts: FontBook, surface: pygame.Surface
) -> None:
    painter, look = Painter(fonts), make_look()
    painter.draw(surface, picture_of("recorded", look))
    assert painter.lines_kept > 0
    painter.forget()
    assert painter.lines_kept == 0


def test_caches_are_bounded() -> None:
    kept: Kept[int, int] = Kept(3)
    for number in range(10):
        kept.get(number, lambda number=number: number)  # type: ignore[misc]  # bound as a default
    assert len(kept) == 3
    assert kept.get(9, lambda: -1) == 9
    assert kept.get(0, lambda: -1) == -1


@pytest.mark.parametrize("mark", list(Mark))
def test_every_icon_is_drawn_with_smooth_edges(mark: Mark) -> None:
    assert mark in DRAWINGS
    icon = draw_icon(mark, 48, (0, 0, 0), (255, 255, 255))
    grey = {icon.get_at((x, y))[0] for x in range(48) for y in range(48)}
    assert 0 in grey
    assert 255 in grey
    assert len(grey) >= 6
