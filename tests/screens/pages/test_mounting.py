"""The kiosk mounted turned, for the left hand, with the reader elsewhere, on a panel of another size;
a touch panel that is lost under a finger."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pygame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.config.choices import ReaderSide, Theme
from kiosk.config.screen_settings import ScreenSettings
from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.display import LOST_S, Down, Fingers, SdlDisplay, Up
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.drawing.rotation import Rotation
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import LEAST_MM, Look, canvas_for
from kiosk.screens.kit.widgets import Picture, Scene, target_at
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.visit.states import Kiosk
from tests.screens.proof.scan import scan

MakeLook = Callable[..., Look]
SETTINGS = ScreenSettings(480, 800, 5.36, False, Theme.STANDARD, True, 0, False, ReaderSide.UNTOLD)
QUARTERS = (0, 90, 180, 270)
EXAMPLES = {each.name: each.kiosk for each in examples(Mode.HOME_CONSENT)}


@contextmanager
def opened(rotate: int, width: int = 480, height: int = 800) -> Iterator[SdlDisplay]:
    display = SdlDisplay(replace(SETTINGS, rotate=rotate, width=width, height=height))
    display.events()  # SDL's greetings
    try:
        yield display
    finally:
        display.close()


@pytest.mark.parametrize("degrees", QUARTERS)
@given(x=st.integers(0, 700), y=st.integers(0, 400), w=st.integers(1, 100), h=st.integers(1, 80))
def test_a_place_turned_and_turned_back_is_itself(degrees: int, x: int, y: int, w: int, h: int) -> None:
    panel = (480, 800) if degrees in (90, 270) else (800, 480)
    rotation = Rotation(degrees, *panel)
    assert rotation.picture == (800, 480)
    there = rotation.to_panel(Rect(x, y, w, h))
    assert Rect(0, 0, *panel).covers(there)
    back_x, back_y = rotation.to_picture(there.x + there.w / 2, there.y + there.h / 2)
    assert (back_x, back_y) == (x + w / 2, y + h / 2)


@pytest.mark.parametrize("degrees", QUARTERS)
def test_what_is_drawn_on_a_turned_panel_is_the_picture_turned(degrees: int) -> None:
    with opened(degrees) as display:
        width, height = display.size
        assert (width, height) == ((800, 480) if degrees in (90, 270) else (480, 800))
        display.surface.fill((10, 20, 30))
        display.surface.fill((200, 0, 0), (0, 0, 40, 20))  # the picture's upper left corner
        display.present()
        display.surface.fill((0, 200, 0), (60, 10, 30, 5))
        display.present([Rect(60, 10, 30, 5)])
        panel = pygame.display.get_surface()
        assert panel is not None
        expected = pygame.transform.rotate(display.surface, -degrees)
        assert pygame.image.tobytes(panel, "RGB") == pygame.image.tobytes(expected, "RGB")


@pytest.mark.parametrize("degrees", QUARTERS)
@pytest.mark.parametrize("name", ["consent", "device", "pin", "still_there", "staff_called_help"])
def test_every_button_is_touched_where_it_is_seen_on_a_turned_panel(
    degrees: int, name: str, make_look: MakeLook
) -> None:
    panel = (480, 800) if degrees in (90, 270) else (800, 480)
    with opened(degrees, *panel) as display:
        picture = lay_out(EXAMPLES[name], make_look())
        assert picture.size == display.size
        rotation = Rotation(degrees, *panel)
        for target in picture.targets:
            x, y = rotation.to_panel(target.rect).middle
            for kind in (pygame.FINGERDOWN, pygame.FINGERUP):
                values = {"touch_id": 1, "finger_id": 1, "dx": 0, "dy": 0}
                place = {"x": (x + 0.5) / panel[0], "y": (y + 0.5) / panel[1]}
                pygame.event.post(pygame.event.Event(kind, values | place))
            down, up = display.events()
            assert isinstance(down, Down)
            assert isinstance(up, Up)
            assert target_at(picture, down.x, down.y) == target


def place_of(picture: Picture, id_: str) -> int:
    return next(target.rect.x for target in picture.targets if target.id == id_)


def test_for_the_left_hand_the_keys_lie_left_of_the_words_and_count_as_ever(make_look: MakeLook) -> None:
    look = make_look()
    usual, mirrored = (lay_out(EXAMPLES["pin"], each) for each in (look, replace(look, mirror=True)))
    assert place_of(usual, "digit_1") > place_of(usual, "no_pin")
    assert place_of(mirrored, "digit_1") < place_of(mirrored, "no_pin")
    for picture in (usual, mirrored):
        assert place_of(picture, "digit_1") < place_of(picture, "digit_2") < place_of(picture, "digit_3")
    assert {t.id for t in usual.targets} == {t.id for t in mirrored.targets}


def scene_of(kiosk: Kiosk, look: Look) -> Scene:
    return next(widget for widget in lay_out(kiosk, look).widgets if isinstance(widget, Scene))


def test_the_drawn_reader_lies_and_points_where_the_real_one_is(make_look: MakeLook) -> None:
    look = make_look()
    scenes = {side: scene_of(EXAMPLES["hold_card"], replace(look, reader_side=side)) for side in ReaderSide}
    names = {side: scene.label.lines[0].text for side, scene in scenes.items()}
    assert [arrow in names[side] for side, arrow in zip(ReaderSide, ("→", "←", "→", "↓"), strict=True)] == [
        False,
        True,
        True,
        True,
    ]
    assert scenes[ReaderSide.LEFT].rect.x < scenes[ReaderSide.RIGHT].rect.x
    mirrored = replace(look, mirror=True, reader_side=ReaderSide.RIGHT)
    assert scene_of(EXAMPLES["hold_card"], mirrored).rect == scenes[ReaderSide.RIGHT].rect


# ---- displays that nobody has thought of -----------------------------------------------------------------


def test_a_panel_of_another_size_is_followed_and_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        display = SdlDisplay(replace(SETTINGS, fullscreen=True, width=801, height=481))
    try:
        assert display.size == tuple(pygame.display.get_desktop_sizes()[0])
        assert "as the settings say" in caplog.text
    finally:
        display.close()


SHAPES = st.tuples(st.integers(320, 1920), st.integers(320, 1920)).filter(
    lambda size: 0.4 < size[0] / size[1] < 2.6
)


@settings(max_examples=40)
@given(SHAPES, st.sampled_from([2.5, 4.0, 5.36, 8.3, 12.0]), st.sampled_from(sorted(EXAMPLES)))
def test_on_a_display_of_any_size_nothing_is_cut_or_covered(
    make_look: MakeLook, size: tuple[int, int], px_per_mm: float, name: str
) -> None:
    look = replace(make_look(), canvas=canvas_for(*size, px_per_mm))
    canvas = look.canvas
    assert max(size) / canvas.px_per_mm >= LEAST_MM[0] - 0.01
    assert min(size) / canvas.px_per_mm >= LEAST_MM[1] - 0.01
    picture = lay_out(EXAMPLES[name], look)
    found = [fault for fault in scan(picture, look, strict=False) if fault.kind not in ("small", "target")]
    assert [str(fault) for fault in found] == []


def test_a_tiny_panel_still_shows_a_whole_picture(make_look: MakeLook, fonts: FontBook) -> None:
    look = replace(make_look(), canvas=canvas_for(480, 320, 6.6))
    surface = pygame.Surface((480, 320))
    Painter(fonts).draw(surface, lay_out(EXAMPLES["consent"], look))
    assert look.canvas.px_per_mm < 6.6


# ---- a touch panel that goes away ------------------------------------------------------------------------


def finger(kind: int, who: int, touch_id: int = 7) -> pygame.event.Event:
    return pygame.event.Event(kind, touch_id=touch_id, finger_id=who, x=0.5, y=0.5, dx=0, dy=0)


def test_a_panel_that_was_unplugged_under_a_finger_is_heeded_again() -> None:
    now = [0.0]
    fingers = Fingers(800, 480, None, lambda: now[0])
    assert list(fingers.read([finger(pygame.FINGERDOWN, 1)])) == [Down(400, 240)]
    now[0] = LOST_S / 2
    assert list(fingers.read([finger(pygame.FINGERDOWN, 2)])) == []  # a second finger
    now[0] = LOST_S * 2
    assert list(fingers.read([finger(pygame.FINGERDOWN, 3, touch_id=8)])) == [Down(400, 240)]
    assert list(fingers.read([finger(pygame.FINGERUP, 3, touch_id=8)])) == [Up(400, 240)]


def test_the_same_finger_coming_down_twice_was_up_between() -> None:
    fingers = Fingers(800, 480, None, lambda: 0.0)
    twice = [finger(pygame.FINGERDOWN, 1), finger(pygame.FINGERDOWN, 1)]
    assert list(fingers.read(twice)) == [Down(400, 240)] * 2
