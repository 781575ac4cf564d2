"""`make pictures`: the contact sheets in docs/screens and the golden file; look before you keep them.

With `--fonts ROOT/usr/share/fonts`, another Debian's, only its part of the golden file is made anew: `make
pictures` does so with the image's, where `make image` has left such a root.
"""

import os
from pathlib import Path

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import click
import pygame
from PIL import Image

from kiosk.box.font_files import SHARE
from tests.screens.proof.gallery import contact_sheet
from tests.screens.proof.golden import (
    FAMILIES,
    GOLDEN,
    Drawn,
    Studio,
    digest,
    families_in,
    files_of,
    places,
    stack_here,
    with_part,
)
from tests.screens.proof.scan_table import Place

SHEETS = Path(__file__).resolve().parents[3] / "docs" / "screens"
COLOURS = 64
#: The README's first picture: a visit in six screens.
VISIT = ("start", "consent", "pin", "hold_iphone", "verified", "recorded")
VISIT_GAP_PX, VISIT_GROUND = 10, (90, 96, 108)
THUMB_PX = 264  #: longer side of a picture on a sheet


def sheet_name(place: Place) -> str:
    """The language, and what is unlike the usual picture."""
    parts = [place.language]
    parts += [place.display] if place.display != "800x480" else []
    parts += [place.theme.value] if place.theme.value != "standard" else []
    parts += ["large"] if place.large else []
    return "-".join([*parts, *place.mounting.split()])


def worth_a_sheet(place: Place) -> bool:
    """The middle sizes and the mirrored pictures look like the others."""
    return place.display in ("800x480", "720x1280") and not place.mounting


def visit_picture(screens: list[pygame.Surface]) -> pygame.Surface:
    """Six screens, three in a row."""
    width, height = screens[0].get_size()
    gap = VISIT_GAP_PX
    whole = pygame.Surface((3 * (width + gap) + gap, 2 * (height + gap) + gap))
    whole.fill(VISIT_GROUND)
    for index, screen in enumerate(screens):
        whole.blit(screen, (gap + index % 3 * (width + gap), gap + index // 3 * (height + gap)))
    return whole


def save(sheet: pygame.Surface, path: Path, colours: int = COLOURS) -> None:
    """A quarter of the bytes, and to the eye the same."""
    pixels = pygame.image.tobytes(sheet, "RGB")
    image = Image.frombytes("RGB", sheet.get_size(), pixels)
    image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=SHEETS, help="where the sheets go")
@click.option(
    "--fonts", type=click.Path(exists=True, path_type=Path), help="/usr/share/fonts of another Debian"
)
def main(out: Path, fonts: Path | None) -> None:
    """Draw everything anew."""
    families = families_in(fonts) if fonts else FAMILIES
    studio = Studio(families)
    digests = draw_sheets(studio, out) if fonts is None else draw_digests(studio)
    drawn = Drawn(files_of(families) | stack_here(), digests)
    GOLDEN.write_text(with_part(GOLDEN.read_text(encoding="utf-8"), drawn), encoding="utf-8")
    click.echo(f"{GOLDEN.name}: {len(digests)} pictures with the fonts of {fonts or SHARE}")


def draw_digests(studio: Studio) -> dict[tuple[str, str], str]:
    """Every picture's digest."""
    return {(str(place), name): digest(surface) for place in places() for name, surface in studio.draw(place)}


def draw_sheets(studio: Studio, out: Path) -> dict[tuple[str, str], str]:
    """Every picture's digest; the pictures go on the contact sheets."""
    out.mkdir(parents=True, exist_ok=True)
    digests: dict[tuple[str, str], str] = {}
    visit: dict[str, pygame.Surface] = {}
    for place in places():
        sheets: dict[str, list[tuple[str, pygame.Surface]]] = {}
        for name, surface in studio.draw(place):
            digests[str(place), name] = digest(surface)
            width, height = surface.get_size()
            scale = THUMB_PX / max(width, height)
            thumb = pygame.transform.smoothscale(surface, (round(width * scale), round(height * scale)))
            if place == places()[0] and name in VISIT:
                visit[name] = pygame.transform.smoothscale(surface, (width // 2, height // 2))
            part = "-staff" if name.startswith(("staff_", "door_")) and "called" not in name else ""
            sheets.setdefault(part, []).append((name, thumb))
        for part, thumbs in sheets.items() if worth_a_sheet(place) else ():
            path = out / f"{sheet_name(place)}{part}.png"
            save(contact_sheet(thumbs), path)
            click.echo(f"{path}: {len(thumbs)} pictures, {path.stat().st_size // 1024} kB")
    save(visit_picture([visit[name] for name in VISIT]), out.parent / "visit.png", 256)
    return digests


if __name__ == "__main__":
    main(prog_name="python -m tests.screens.proof.pictures")
