"""Every picture to the pixel, as `make pictures` drew it and somebody looked at it."""

from pathlib import Path

import pygame
import pytest

from tests.screens.proof.golden import (
    FAMILIES,
    Drawn,
    Studio,
    digest,
    drawn_with,
    files_of,
    parse,
    places,
    read,
    stack_here,
    with_part,
)
from tests.screens.proof.scan_table import Place


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="module")
def golden() -> dict[tuple[str, str], str]:
    fonts = files_of(FAMILIES)
    found = [part.pictures for part in read() if drawn_with(part, fonts)]
    assert len(found) == 1, f"no pictures with these files of the fonts: {fonts}"
    return found[0]


def test_the_golden_pictures_are_of_the_pinned_pygame() -> None:
    for part in read():
        assert stack_here().items() <= part.stack.items(), "another pygame: look, then make pictures"


def test_every_set_of_fonts_has_the_same_pictures() -> None:
    """Debian 12's fonts and Debian 13's: what is drawn anew with one is drawn anew with the other."""
    twelve, thirteen = read()
    assert twelve.pictures.keys() == thirteen.pictures.keys()
    assert twelve.stack.keys() == thirteen.stack.keys()
    assert not drawn_with(twelve, thirteen.stack)


def test_drawing_anew_replaces_the_part_of_the_same_fonts_and_no_other() -> None:
    def part(font: str, pygame: str, picture: str) -> Drawn:
        return Drawn({"Font.ttf": font, "pygame-ce": pygame}, {("ja", "start"): picture})

    text = with_part(with_part("", part("old", "1", "a")), part("new", "1", "b"))
    assert text.splitlines() == [
        *("# Font.ttf old", "# pygame-ce 1", "ja | start | a"),
        *("# Font.ttf new", "# pygame-ce 1", "ja | start | b"),
    ]
    assert parse(with_part(text, part("old", "2", "c"))) == [part("old", "2", "c"), part("new", "1", "b")]


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
