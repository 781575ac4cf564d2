"""Fonts and words, opened once for all screen tests; SDL without a display and without a sound card."""

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from collections.abc import Callable

import pytest

from kiosk.config import LANGUAGES, Theme
from kiosk.screens.catalogue import Catalogues
from kiosk.screens.fonts import FontBook
from kiosk.screens.gallery import CLINIC, DISPLAYS
from kiosk.screens.look import Look
from kiosk.screens.theme import tokens_of

MakeLook = Callable[..., Look]


@pytest.fixture(scope="session")
def fonts() -> FontBook:
    return FontBook()


@pytest.fixture(scope="session")
def words() -> Catalogues:
    return Catalogues(LANGUAGES)


@pytest.fixture(scope="session")
def make_look(fonts: FontBook, words: Catalogues) -> MakeLook:
    def make(display: str = "800x480", theme: Theme = Theme.STANDARD) -> Look:
        return Look(DISPLAYS[display], tokens_of(theme), CLINIC, words, fonts)

    return make
