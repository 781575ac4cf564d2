"""Every picture to the pixel, as `make pictures` drew it and somebody looked at it."""

from pathlib import Path

import pygame
import pytest

from tests.screens.proof.golden import Studio, digest, fonts_here, places, read, stack_here
from tests.screens.proof.scan_table import Place


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="module")
def golden() -> dict[tuple[str, str], str]:
    stack, found = read()
    other = [name for name, value in fonts_here().items() if stack[name] != value]
    if other:
        pytest.skip(f"the golden pictures were drawn with other files of {', '.join(other)}")
    return found


def test_the_golden_pictures_are_of_the_pinned_pygame() -> None:
    stack, _ = read()
    assert stack_here().items() <= stack.items(), "another pygame: look at the pictures, then make pictures"


@pytest.mark.parametrize("place", places(), ids=str)
def test_every_picture_is_as_it_was_last_looked_at(
    place: Place, studio: Studio, golden: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    drawn, unlike = set(), []
    for name, surface in studio.draw(place):
        drawn.add(name)
        if golden.get((str(place), name)) != digest(surface):
            unlike.append(name)
            pygame.image.save(surface, str(tmp_path / f"{name}.png"))
    assert unlike == [], f"see {tmp_path}; if they are as they should be: make pictures"
    assert drawn == {name for where, name in golden if where == str(place)}


def test_another_letter_or_colour_is_another_digest(studio: Studio) -> None:
    _, surface = next(studio.draw(places()[0]))
    before = digest(surface)
    red, green, blue, _ = surface.get_at((400, 240))
    surface.set_at((400, 240), (red, green, blue ^ 1))
    assert digest(surface) != before
