"""What every picture looks like, to the pixel: one line of `golden.txt` for each, made by `make pictures`.

The pixels depend on the fonts' files and on the pygame that the lock pins; the first lines name them. Where
the fonts differ nothing is compared, for nothing could be learned.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pygame

from kiosk.config.choices import LANGUAGES, ReaderSide, Theme
from kiosk.screens.drawing.fonts import BIZ, NOTO, FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.pages.examples.patient_examples import Example
from kiosk.screens.pages.layout import STAFF_READ, lay_out
from kiosk.screens.words.catalogue import STAFF_LANGUAGES, Catalogues
from tests.screens.proof.gallery import CLINIC, DISPLAYS, MOMENT_S, all_examples
from tests.screens.proof.scan_table import MOUNTINGS, Place

GOLDEN = Path(__file__).with_name("golden.txt")
STANDARD = Theme.STANDARD


def places() -> list[Place]:
    """Every language at 800×480, and the first one in every other way."""
    return [
        *(Place(language, "800x480", STANDARD, False) for language in LANGUAGES),
        *(Place("ja", display, STANDARD, False) for display in DISPLAYS if display != "800x480"),
        Place("ja", "800x480", Theme.HIGH_CONTRAST, False),
        Place("ja", "800x480", STANDARD, True),
        Place("ja", "800x480", STANDARD, False, "mirrored"),
    ]


def states(place: Place) -> list[Example]:
    """The states that look different here: staff's pages are in their own languages only, and as usual."""
    staff = place in [Place(language, "800x480", STANDARD, False) for language in STAFF_LANGUAGES]
    return [
        replace(each, kiosk=replace(each.kiosk, large_text=place.large))
        for each in all_examples(place.language)
        if staff or not isinstance(each.kiosk.screen, STAFF_READ)
    ]


class Studio:
    """Draws pictures with one set of fonts and words."""

    def __init__(self) -> None:
        self._fonts = FontBook()
        self._painter = Painter(self._fonts)
        self._words = Catalogues(LANGUAGES)

    def draw(self, place: Place) -> Iterator[tuple[str, pygame.Surface]]:
        """Each state's name and picture; the surface is drawn over by the next."""
        mirror, side = MOUNTINGS[place.mounting] if place.mounting else (False, ReaderSide.UNTOLD)
        canvas = DISPLAYS[place.display]
        look = Look(canvas, tokens_of(place.theme), CLINIC, self._words, self._fonts, mirror, side)
        surface = pygame.Surface((canvas.width, canvas.height))
        for example in states(place):
            self._painter.draw(surface, lay_out(example.kiosk, look), MOMENT_S)
            yield example.name, surface


def digest(surface: pygame.Surface) -> str:
    """The pixels in twelve hexadecimal digits."""
    return hashlib.sha256(pygame.image.tobytes(surface, "RGB")).hexdigest()[:12]


def fonts_here() -> dict[str, str]:
    """The fonts' files by name, as digests."""
    files = [path for family in (BIZ, NOTO) for path in (family.regular, family.bold)]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def stack_here() -> dict[str, str]:
    """What else the pixels depend on."""
    sdl = ".".join(str(part) for part in pygame.version.SDL)
    return {"pygame-ce": pygame.version.ver, "SDL": sdl}


def write(lines: list[tuple[str, str, str]]) -> None:
    """Write the golden file: place, state, digest."""
    head = [f"# {name} {value}" for name, value in (*fonts_here().items(), *stack_here().items())]
    body = [f"{place} | {name} | {value}" for place, name, value in lines]
    GOLDEN.write_text("\n".join([*head, *body]) + "\n", encoding="utf-8")


def read() -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """The stack that the file was made with, and the digest of each place and state."""
    stack: dict[str, str] = {}
    golden: dict[tuple[str, str], str] = {}
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            name, value = line[2:].rsplit(" ", 1)
            stack[name] = value
        else:
            place, state, value = line.split(" | ")
            golden[place, state] = value
    return stack, golden
