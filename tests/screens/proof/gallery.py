"""`python -m tests.screens.proof.gallery --out DIR`: every state as a PNG, and a contact sheet of all."""

from pathlib import Path

import click
import pygame

from kiosk.config.choices import LANGUAGES, Theme
from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Canvas, Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.pages.examples.patient_examples import Example, examples
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.words.catalogue import Catalogues

#: The displays that the layout is made for: name, width, height, px per mm (docs/facts/screens.md).
DISPLAYS = {
    "800x480": Canvas(800, 480, 5.36),
    "1024x600": Canvas(1024, 600, 6.65),
    "1280x720": Canvas(1280, 720, 8.3),
    "720x1280": Canvas(720, 1280, 8.3),
}
VOICED = frozenset({"ja", "en"})  #: as in kiosk/screens/words/voices
CLINIC = "さくら通りクリニック"
#: A moment at which an animation shows what it is about.
MOMENT_S = 2.6
THUMB_PX = 192  #: longer side of a picture on the contact sheet


def all_examples(language: str) -> list[Example]:
    """Both modes, without the states that look alike in both."""
    home = list(examples(Mode.HOME_CONSENT, language))
    names = {example.name for example in home}
    only = examples(Mode.QUALIFICATION_ONLY, language)
    home += [
        Example(f"{each.name}_only" if each.name in names else each.name, each.kiosk)
        for each in only
        if each.name not in names or each.name == "device"
    ]
    return home


def contact_sheet(thumbs: list[tuple[str, pygame.Surface]], columns: int = 8) -> pygame.Surface:
    """All pictures on one surface, each with its name."""
    pygame.font.init()
    font = pygame.font.Font(None, 18)
    width, height = thumbs[0][1].get_size()
    cell_w, cell_h = width + 10, height + 26
    rows = -(-len(thumbs) // columns)
    sheet = pygame.Surface((cell_w * columns + 10, cell_h * rows + 10))
    sheet.fill((120, 120, 120))
    for index, (name, thumb) in enumerate(thumbs):
        x, y = 10 + index % columns * cell_w, 10 + index // columns * cell_h
        sheet.blit(thumb, (x, y))
        sheet.blit(font.render(name, True, (255, 255, 255)), (x, y + height + 2))
    return sheet


def draw_all(out: Path, language: str, display: str, theme: Theme) -> Path:
    """Write every picture and the contact sheet; returns the sheet's path."""
    out.mkdir(parents=True, exist_ok=True)
    fonts = FontBook()
    painter = Painter(fonts)
    canvas = DISPLAYS[display]
    look = Look(canvas, tokens_of(theme), CLINIC, Catalogues(LANGUAGES), fonts, voices=VOICED)
    surface = pygame.Surface((canvas.width, canvas.height))
    thumbs = []
    scale = THUMB_PX / max(canvas.width, canvas.height)
    for example in all_examples(language):
        painter.draw(surface, lay_out(example.kiosk, look), MOMENT_S)
        pygame.image.save(surface, out / f"{example.name}.png")
        size = (round(canvas.width * scale), round(canvas.height * scale))
        thumbs.append((example.name, pygame.transform.smoothscale(surface, size)))
    sheet = out / "sheet.png"
    pygame.image.save(contact_sheet(thumbs), sheet)
    return sheet


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="folder for the pictures")
@click.option("--language", type=click.Choice(LANGUAGES), default="ja", show_default=True)
@click.option("--display", type=click.Choice(list(DISPLAYS)), default="800x480", show_default=True)
@click.option("--theme", type=click.Choice([theme.value for theme in Theme]), default="standard")
def main(out: Path, language: str, display: str, theme: str) -> None:
    """Draw every state of the kiosk."""
    sheet = draw_all(out, language, display, Theme(theme))
    click.echo(f"{sheet}: all states, {language}, {display}, {theme}")


if __name__ == "__main__":
    main()
