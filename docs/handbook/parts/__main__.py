"""`python docs/handbook/parts --out DIR`: what the handbook takes from the product, to tell it truly.

Every screen's picture (the gallery's), the staff screens with their words, the wiring, what each outcome
means and what is wrong when the daily check says so.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from lights import lights
from settings_table import settings
from staff_screens import staff_screens
from staff_words import outcomes, troubles, ways_by_date
from wiring import drawing

from kiosk.config.choices import LANGUAGES_ON, Theme
from kiosk.screens.words.catalogue import Catalogues
from tests.screens.proof.gallery import draw_all

REPOSITORY = Path(__file__).resolve().parents[3]
DISPLAY = "800x480"


def parts(catalogues: Catalogues) -> Iterable[tuple[str, str]]:
    """Name and text of every generated file."""
    yield "wiring.svg", drawing(REPOSITORY / "firmware" / "board.toml")
    yield "lights.md", lights()
    yield "staff-screens.md", staff_screens(catalogues)
    yield "outcomes.md", outcomes(catalogues)
    yield "ways.md", ways_by_date(catalogues)
    yield "troubles.md", troubles(catalogues)
    yield "settings.md", settings()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the generated parts of the handbook.")
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    draw_all(out / "screens", "ja", DISPLAY, Theme.STANDARD)
    for name, text in parts(Catalogues(LANGUAGES_ON)):
        (out / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{out}: {len(list(out.rglob('*.*')))} files\n")


if __name__ == "__main__":
    main()
