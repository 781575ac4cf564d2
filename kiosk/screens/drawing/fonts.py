"""Fonts by pygame.font (SDL_ttf with HarfBuzz: name variants are right, docs/facts/screens.md).

BIZ UDPGothic, and behind it Noto Sans CJK for whole strings that hold a character which the first lacks:
per string, because a line mixed of two fonts looks wrong and sits on two baselines.
"""

from collections import OrderedDict

import pygame

from kiosk.box.font_files import BIZ, NOTO, FontFamily
from kiosk.screens.drawing.glyphs import Coverage, FontFileError, coverage

#: SDL_ttf puts a line on this part of the em above the baseline; every font is aligned to it.
ASCENT_EM = 0.88
SIZES_KEPT = 48
WIDTHS_KEPT = 4096
#: BIZ UDPGothic lacks some of their letters (docs/facts/screens.md, Text): all their texts are set in Noto.
OTHER_FIRST = frozenset({"zh", "ko", "vi"})


class FontMissingError(Exception):
    """A font file is not there; names the Debian package to install."""


class FontBook:
    """Opens fonts by size and weight, measures and renders single lines. Is the layout's Measurer."""

    def __init__(self, families: tuple[FontFamily, ...] = (BIZ, NOTO)) -> None:
        pygame.font.init()
        self._families = families
        self._coverage = tuple(_coverage(family) for family in families)
        self._fonts: OrderedDict[tuple[int, int, bool], pygame.font.Font] = OrderedDict()
        self._widths: OrderedDict[tuple[str, int, bool, int], int] = OrderedDict()
        self._others = OtherFontFirst(self)

    first = 0  #: the family that is tried first

    def for_language(self, language: str) -> "FontBook | OtherFontFirst":
        """The book, with the family first that has the whole language: no text of it is set in two fonts."""
        return self._others if language in OTHER_FIRST else self

    def width(self, text: str, size: int, bold: bool, first: int = 0) -> int:
        """Width in pixels of one line at `size` pixels per em."""
        key = (text, size, bold, first)
        known = self._widths.get(key)
        if known is None:
            known = self._font(text, size, bold, first)[0].size(_shown(text))[0] if text else 0
            self._widths[key] = known
            if len(self._widths) > WIDTHS_KEPT:
                self._widths.popitem(last=False)
        return known

    def render(
        self, text: str, size: int, bold: bool, ink: tuple[int, int, int], first: int = 0
    ) -> tuple[pygame.Surface, int]:
        """The line as a surface, and how far above the em box its top lies."""
        font, _ = self._font(text, size, bold, first)
        return font.render(_shown(text), True, ink), font.get_ascent() - round(size * ASCENT_EM)

    def covered(self, text: str) -> bool:
        """Whether some font has every character of `text`."""
        return any(each.has(text) for each in self._coverage)

    def forget(self) -> None:
        """Drop the measured texts: some were a visit's."""
        self._widths.clear()

    def _font(self, text: str, size: int, bold: bool, first: int) -> tuple[pygame.font.Font, int]:
        order = (*range(first, len(self._coverage)), *range(first))
        index = next((i for i in order if self._coverage[i].has(text)), order[0])
        key = (index, size, bold)
        font = self._fonts.get(key)
        if font is None:
            family = self._families[index]
            font = pygame.font.Font(family.bold if bold else family.regular, size)
            self._fonts[key] = font
            if len(self._fonts) > SIZES_KEPT:
                self._fonts.popitem(last=False)
        else:
            self._fonts.move_to_end(key)
        return font, index


class OtherFontFirst:
    """The book for a language whose letters the first family lacks in part."""

    first = 1

    def __init__(self, book: FontBook) -> None:
        self._book = book

    def for_language(self, language: str) -> "FontBook | OtherFontFirst":
        """As the book's own."""
        return self._book.for_language(language)

    def width(self, text: str, size: int, bold: bool) -> int:
        """As the book's own."""
        return self._book.width(text, size, bold, self.first)


def _shown(text: str) -> str:
    return text.replace("\u200b", "")


def _coverage(family: FontFamily) -> Coverage:
    for path in (family.regular, family.bold):
        if not path.is_file():
            raise FontMissingError(f"font {path} is missing; install the Debian package {family.package}")
    try:
        return coverage(family.regular)
    except FontFileError as fault:
        raise FontMissingError(f"{fault} (Debian package {family.package})") from None
