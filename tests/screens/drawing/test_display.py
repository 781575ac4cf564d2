"""Fingers and the mouse become touches exactly once; a box without a sound card is silent."""

from collections.abc import Callable, Iterator

import pygame
import pytest

from kiosk.config.choices import ReaderSide, Theme
from kiosk.config.screen_settings import ScreenSettings
from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.display import DisplayError, Down, Quit, SdlDisplay, Up
from kiosk.screens.drawing.loudspeaker import FADE_S, LEVEL, RATE, Loudspeaker, samples
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.widgets import target_at
from kiosk.screens.pages.examples.patient_examples import Example, examples
from kiosk.screens.pages.layout import lay_out

MakeLook = Callable[..., Look]
SETTINGS = ScreenSettings(800, 480, 5.36, False, Theme.STANDARD, True, 0, False, ReaderSide.UNTOLD)
EXAMPLES = [
    *examples(Mode.HOME_CONSENT),
    *(each for each in examples(Mode.QUALIFICATION_ONLY) if each.name == "method"),
]


@pytest.fixture
def display() -> Iterator[SdlDisplay]:
    opened = SdlDisplay(SETTINGS)
    opened.events()  # SDL's greetings
    yield opened
    opened.close()


def finger(kind: int, x: float, y: float, finger_id: int = 1) -> None:
    """As SDL reports a touch, with its echo as a mouse where the driver sends one (pibooth#690)."""
    values = {"touch_id": 7, "finger_id": finger_id, "x": x / 800, "y": y / 480, "dx": 0, "dy": 0}
    pygame.event.post(pygame.event.Event(kind, values))
    mouse = pygame.MOUSEBUTTONDOWN if kind == pygame.FINGERDOWN else pygame.MOUSEBUTTONUP
    pygame.event.post(
        pygame.event.Event(mouse, {"pos": (int(x), int(y)), "button": 1, "touch": True, "window": None})
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_finger_on_a_target_is_one_touch_of_that_target(
    example: Example, display: SdlDisplay, make_look: MakeLook
) -> None:
    picture = lay_out(example.kiosk, make_look())
    for target in picture.targets:
        x, y = target.rect.middle
        finger(pygame.FINGERDOWN, x, y)
        finger(pygame.FINGERUP, x, y)
        down, up = display.events()
        assert isinstance(down, Down)
        assert isinstance(up, Up)
        assert target_at(picture, down.x, down.y) == target


def test_a_mouse_is_heeded_unless_it_echoes_a_finger(display: SdlDisplay) -> None:
    for button in (1, 3):
        pygame.event.post(
            pygame.event.Event(
                pygame.MOUSEBUTTONDOWN, {"pos": (10, 20), "button": button, "touch": False, "window": None}
            )
        )
    assert list(display.events()) == [Down(10, 20)]


def test_a_second_finger_does_nothing_while_the_first_is_down(display: SdlDisplay) -> None:
    finger(pygame.FINGERDOWN, 100, 100, 1)
    finger(pygame.FINGERDOWN, 200, 200, 2)
    finger(pygame.FINGERUP, 200, 200, 2)
    finger(pygame.FINGERUP, 100, 100, 1)
    finger(pygame.FINGERDOWN, 300, 300, 2)
    kinds = [type(each) for each in display.events()]
    assert kinds == [Down, Up, Down]


def test_closing_the_window_is_quit(display: SdlDisplay) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert list(display.events()) == [Quit()]


def test_drawing_is_presented_whole_and_in_parts(display: SdlDisplay) -> None:
    assert display.size == (800, 480)
    display.surface.fill((1, 2, 3))
    display.present()
    display.present([Rect(0, 0, 10, 10)])


def test_a_display_that_cannot_be_opened_says_what_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(DisplayError, match="groups video, render and input"):
        SdlDisplay(SETTINGS)


def test_sound_plays_without_waiting() -> None:
    sound = Loudspeaker(True)
    assert sound.audible
    sound.click()
    sound.tone(1500, 0.5)
    sound.close()
    sound.click()


def test_without_a_sound_card_there_is_one_line_and_no_noise(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "no-such-driver")
    sound = Loudspeaker(True)
    sound.click()
    sound.close()
    assert not sound.audible
    assert len(caplog.records) == 1
    assert "no sound" in caplog.text


def test_sound_switched_off_opens_nothing() -> None:
    assert not Loudspeaker(False).audible


def test_a_tone_starts_and_ends_softly_and_never_clips() -> None:
    wave = samples(1500, 0.1)
    fade = int(RATE * FADE_S)
    assert len(wave) == int(RATE * 0.1)
    assert max(abs(value) for value in wave) <= 32767 * LEVEL
    assert max(abs(value) for value in wave[: fade // 8]) < 32767 * LEVEL / 4
    assert max(abs(value) for value in wave[-fade // 8 :]) < 32767 * LEVEL / 4
