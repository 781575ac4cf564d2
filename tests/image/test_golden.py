"""Photographs are told apart by what people see."""

from dataclasses import replace
from pathlib import Path

import pygame
import pytest

from kiosk.qualification.terms import Mode
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.visit.states import Recorded
from tests.image.golden import ALIKE, Golden, colours, difference

CLINIC = "架空クリニック"


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden(CLINIC)


def kept(surface: pygame.Surface, path: Path) -> Path:
    pygame.image.save(surface, path)
    return path


@pytest.mark.parametrize("name", ["start", "consent", "device", "hold_card", "verified"])
def test_a_photograph_is_the_picture_that_it_shows(golden: Golden, name: str, tmp_path: Path) -> None:
    photograph = kept(golden.drawn(name), tmp_path / "photograph.png")
    assert golden.shows(name, photograph)
    others = {"start", "consent", "device", "hold_card", "verified", "recorded"} - {name}
    assert [other for other in others if golden.shows(other, photograph)] == []


def test_a_receipt_number_may_be_any(golden: Golden, tmp_path: Path) -> None:
    known = next(each.kiosk for each in examples(Mode.HOME_CONSENT) if each.name == "recorded")
    assert isinstance(known.screen, Recorded)
    golden.add("other number", replace(known, screen=replace(known.screen, receipt="9941")))
    photograph = kept(golden.drawn("other number"), tmp_path / "photograph.png")
    assert golden.shows("recorded", photograph)
    assert not golden.shows("recorded", kept(golden.drawn("verified"), tmp_path / "verified.png"))


def test_the_banner_of_a_silent_service_is_a_picture_of_its_own(golden: Golden, tmp_path: Path) -> None:
    photograph = kept(golden.drawn("start_offline"), tmp_path / "photograph.png")
    assert golden.shows(golden.with_banner("start"), photograph)
    assert not golden.shows("start", photograph)
    assert golden.with_banner("no such picture") == "no such picture"


def test_the_nearest_picture_is_named(golden: Golden, tmp_path: Path) -> None:
    assert golden.nearest(kept(golden.drawn("device"), tmp_path / "photograph.png"))[1] == 0


def test_a_black_screen_is_no_picture(golden: Golden, tmp_path: Path) -> None:
    black = kept(pygame.Surface((800, 480)), tmp_path / "black.png")
    assert colours(black) == 1
    assert not golden.shows("start", black)


def test_a_small_change_is_passed_over_and_a_large_one_is_not(golden: Golden) -> None:
    nothing = pygame.Rect(0, 0, 0, 0)
    changed = golden.drawn("start")
    changed.fill((255, 0, 0), (780, 10, 16, 16))
    assert 0 < difference(golden.drawn("start"), changed, nothing) <= ALIKE
    changed.fill((255, 0, 0), (100, 100, 200, 100))
    assert difference(golden.drawn("start"), changed, nothing) > ALIKE
    assert difference(golden.drawn("start"), changed, pygame.Rect(100, 100, 200, 100)) <= ALIKE


def test_other_sizes_are_other_pictures() -> None:
    assert difference(pygame.Surface((2, 2)), pygame.Surface((3, 2)), pygame.Rect(0, 0, 0, 0)) == 1


def test_targets_are_where_they_are_drawn(golden: Golden) -> None:
    x, y = golden.target("consent", "all")
    assert 0 < x < 0.5
    assert 0.3 < y < 0.9
