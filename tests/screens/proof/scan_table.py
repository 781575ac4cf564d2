"""`make scan`: every picture in every language, size, theme and letter size, measured by the layout scanner.

A fault is named with its picture; the exit code is 1 if there is any. The pseudo-language is only asked to
fit: its letters may be as small as the floor.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import click

from kiosk.config.choices import LANGUAGES, ReaderSide, Theme
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.pages.layout import STAFF_READ, lay_out
from kiosk.screens.words.catalogue import Catalogues
from tests.screens.proof.colour_vision import Eyes, distance
from tests.screens.proof.flashing import LIMIT_MM2, flashing_mm2
from tests.screens.proof.gallery import CLINIC, DISPLAYS, VOICED, all_examples
from tests.screens.proof.pseudo import PSEUDO, PseudoWords
from tests.screens.proof.scan import Fault, scan

COLOUR_DISTANCE = 20.0  #: what nobody takes for the same colour, side by side or not
MOUNTINGS = {
    "": (False, ReaderSide.UNTOLD),
    "mirrored": (True, ReaderSide.UNTOLD),
    "reader left": (False, ReaderSide.LEFT),
    "reader below": (False, ReaderSide.BELOW),
}


@dataclass(frozen=True)
class Place:
    """Everything about a picture but its state."""

    language: str
    display: str
    theme: Theme
    large: bool
    mounting: str = ""

    def __str__(self) -> str:
        words = (self.language, self.display, self.theme.value, "large" if self.large else "", self.mounting)
        return " ".join(word for word in words if word)


def places() -> Iterator[Place]:
    """What is scanned: all of them, and other mountings in the first language."""
    for language in (*LANGUAGES, PSEUDO):
        for display in DISPLAYS:
            for theme in Theme:
                for large in (False, True):
                    yield Place(language, display, theme, large)
    for mounting in list(MOUNTINGS)[1:]:
        for display in DISPLAYS:
            yield Place(LANGUAGES[0], display, Theme.STANDARD, False, mounting)


def faults_at(place: Place, words: PseudoWords, fonts: FontBook) -> tuple[int, list[tuple[str, Fault]]]:
    """How many pictures there are in this place, and what is wrong with which."""
    mirror, side = MOUNTINGS[place.mounting]
    look = Look(DISPLAYS[place.display], tokens_of(place.theme), CLINIC, words, fonts, mirror, side, VOICED)
    found: list[tuple[str, Fault]] = []
    examples = all_examples(place.language)
    for example in examples:
        staff = isinstance(example.kiosk.screen, STAFF_READ)
        kiosk = replace(example.kiosk, large_text=place.large)
        strict = not staff and place.language != PSEUDO
        found += [(example.name, fault) for fault in scan(lay_out(kiosk, look), look, strict)]
    return len(examples), found


def flashing(fonts: FontBook, words: PseudoWords) -> dict[str, float]:
    """How much of each moving picture flashes too often."""
    look = Look(DISPLAYS["800x480"], tokens_of(Theme.STANDARD), CLINIC, words, fonts)
    painter = Painter(fonts)
    moving = {each.name: lay_out(each.kiosk, look) for each in all_examples("ja")}
    kinds = {(each.animated, each.name): name for name, each in moving.items() if each.animated}
    px_per_mm = look.canvas.px_per_mm
    return {name: flashing_mm2(moving[name], painter, px_per_mm) for name in kinds.values()}


def colour_distances() -> Iterator[tuple[str, float]]:
    """For each theme and kind of eyes: how far apart the colours of the results are, and the least of it."""
    for theme in Theme:
        tokens = tokens_of(theme)
        fills = {"verified": tokens.ok.fill, "recorded": tokens.notice.fill, "staff": tokens.alarm.fill}
        for eyes in Eyes:
            apart = {
                f"{one}–{other}": distance(fills[one], fills[other], eyes)
                for one, other in combinations(fills, 2)
            }
            listed = ", ".join(f"{pair} {value:.0f}" for pair, value in apart.items())
            yield f"colours, {theme.value}, {eyes.value} eyes (CIELAB): {listed}", min(apart.values())


@click.command()
@click.option("--language", multiple=True, help="only this; repeatable")
@click.option("--display", multiple=True, help="only this; repeatable")
@click.option("--only", default="", help="only pictures whose name begins so are shown")
def main(language: tuple[str, ...], display: tuple[str, ...], only: str) -> None:
    """Scan every picture: a line for each place, then the faults."""
    fonts, words = FontBook(), PseudoWords(Catalogues(LANGUAGES))
    pictures, kinds = 0, Counter[str]()
    for place in places():
        if (language and place.language not in language) or (display and place.display not in display):
            continue
        count, found = faults_at(place, words, fonts)
        found = [(name, fault) for name, fault in found if name.startswith(only)]
        pictures += count
        kinds.update(fault.kind for _, fault in found)
        click.echo(f"{place!s:45} {count:4} pictures  {len(found):4} faults")
        for name, fault in found:
            click.echo(f"    {name}: {fault}")
    for name, area in flashing(fonts, words).items():
        click.echo(f"{name}: {area:.0f} mm² flash more than three times in a second; limit {LIMIT_MM2:.0f}")
        kinds["flash"] += area > LIMIT_MM2
    for line, least in colour_distances():
        click.echo(line)
        kinds["colour"] += least < COLOUR_DISTANCE
    kinds = +kinds
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"
    click.echo(f"{pictures} pictures; faults {kinds.total()} ({listed})")
    sys.exit(1 if kinds else 0)


if __name__ == "__main__":
    main(prog_name="python -m tests.screens.proof.scan_table")
