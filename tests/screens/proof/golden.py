"""What every picture looks like, to the pixel: one line of `golden.txt` for each, made by `make pictures`.

The pixels depend on the fonts' files and on the pygame that the lock pins. Debian 12 and Debian 13, which the
image runs, have different files of BIZ UDPGothic: `golden.txt` has a part for each set of fonts, and the
part's first lines name what it was drawn with. Fonts that no part names are a failure.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pygame

from kiosk.box.font_files import BIZ, NOTO, SHARE, FontFamily
from kiosk.config.choices import LANGUAGES, ReaderSide, Theme
from kiosk.screens.drawing.fonts import FontBook
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
FAMILIES = (BIZ, NOTO)


@dataclass(frozen=True)
class Drawn:
    """A part of `golden.txt`: what the pictures were drawn with, and the digest of each place and state."""

    stack: dict[str, str]
    pictures: dict[tuple[str, str], str]


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

    def __init__(self, families: tuple[FontFamily, ...] = FAMILIES) -> None:
        self._fonts = FontBook(families)
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


def families_in(share: Path) -> tuple[FontFamily, ...]:
    """The same fonts in the /usr/share/fonts of another Debian."""
    return tuple(
        replace(
            family,
            regular=share / family.regular.relative_to(SHARE),
            bold=share / family.bold.relative_to(SHARE),
        )
        for family in FAMILIES
    )


def files_of(families: tuple[FontFamily, ...]) -> dict[str, str]:
    """The fonts' files by name, as digests."""
    files = [path for family in families for path in (family.regular, family.bold)]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def stack_here() -> dict[str, str]:
    """What else the pixels depend on."""
    sdl = ".".join(str(part) for part in pygame.version.SDL)
    return {"pygame-ce": pygame.version.ver, "SDL": sdl}


def with_part(text: str, drawn: Drawn) -> str:
    """The golden file with this part instead of the one with the same fonts, or after the others."""
    parts = parse(text)
    same = next((i for i, part in enumerate(parts) if drawn_with(part, drawn.stack)), len(parts))
    parts[same : same + 1] = [drawn]
    return "".join(line + "\n" for part in parts for line in _lines(part))


def parse(text: str) -> list[Drawn]:
    """The parts of the golden file: the lines that say what with, then the pictures."""
    parts: list[Drawn] = []
    for line in text.splitlines():
        if line.startswith("# "):
            if not parts or parts[-1].pictures:
                parts.append(Drawn({}, {}))
            name, value = line[2:].rsplit(" ", 1)
            parts[-1].stack[name] = value
        else:
            place, state, value = line.split(" | ")
            parts[-1].pictures[place, state] = value
    return parts


def drawn_with(part: Drawn, stack: dict[str, str]) -> bool:
    """Whether the part was drawn with these files of the fonts; the pygame may be another."""
    return all(stack[name] == value for name, value in part.stack.items() if name not in stack_here())


def read() -> list[Drawn]:
    """The parts of the file in the repository."""
    return parse(GOLDEN.read_text(encoding="utf-8"))


def _lines(part: Drawn) -> list[str]:
    head = [f"# {name} {value}" for name, value in part.stack.items()]
    return [*head, *(f"{place} | {state} | {value}" for (place, state), value in part.pictures.items())]
