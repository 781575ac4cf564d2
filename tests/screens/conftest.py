"""Fonts and words, opened once for all screen tests; SDL without a display and without a sound card."""

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.config.choices import LANGUAGES, Theme
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.words.catalogue import Catalogues
from tests.screens.conductor.counter import Counter, Secrets, open_counter
from tests.screens.proof.gallery import CLINIC, DISPLAYS, VOICED

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
        return Look(DISPLAYS[display], tokens_of(theme), CLINIC, words, fonts, voices=VOICED)

    return make


@pytest.fixture
def known() -> Secrets:
    return Secrets(
        tuple(secrets.randbelow(10) for _ in range(4)), tuple(secrets.randbelow(10) for _ in range(12))
    )


@pytest.fixture
def counter(tmp_path: Path, known: Secrets) -> Iterator[Counter]:
    with open_counter(tmp_path, known.passcode) as counter:
        counter.until_screen("start")
        yield counter
