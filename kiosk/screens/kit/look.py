"""What a layout needs to know besides the state: display, colours, words, how wide text is. PURE."""

from dataclasses import dataclass
from typing import Protocol

from kiosk.config.choices import ReaderSide
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.theme import Tokens

#: Height of a capital H in em: BIZ UDPGothic (docs/facts/screens.md, measured).
CAP_HEIGHT_EM = 0.785
#: Nothing is written smaller: 26 px at 5.36 px/mm; JIS S 0032 age 70, 50 cm gives 4.76 mm.
FLOOR_MM = 4.85
#: What the patient needs: cap height 4.9 mm = 0.7° at 400 mm (EN 301 549 5.1.4).
NEEDED_MM = 4.9 / CAP_HEIGHT_EM
TITLE_MM = 8.2
HEADLINE_MM = 9.6
LINE_SPACING = 1.24
#: What a page too full for the usual letters is written in, down to the floor: no page of our languages on
#: the displays of the gallery, but perhaps one of a language to come, or on a display not thought of.
USUAL_TEXT = (1.0, 0.92, 0.85, 0.78)
#: Large letters: cap height 6.1 mm = 0.7° at 500 mm (EN 301 549 5.1.4); a full page has them less large.
LARGE_TEXT = (6.15 / 4.9, 1.18, 1.12, 1.06, *USUAL_TEXT)
#: Smallest and wished-for side of what is touched (Sultana & Moffatt 2019, Duff 2010: docs/facts/screens.md).
TARGET_MM = 16.0
MAIN_TARGET_MM = 20.0
LARGE_TARGET_MM = 19.2  #: holds two lines of large letters
#: Free space between targets (J. Gill: docs/facts/screens.md).
GAP_MM = 2.5
MARGIN_MM = 2.25
HEADER_MM = 8.0
#: The smallest display that holds every picture: long side and short side.
LEAST_MM = (149.0, 86.5)


class Measurer(Protocol):
    """Says how wide a text will be drawn."""

    def width(self, text: str, size: int, bold: bool) -> int:
        """Width in pixels of one line at `size` pixels per em."""


class Typeface(Measurer, Protocol):
    """A measurer that knows which font a language's texts are set in."""

    first: int  #: the family tried first, for `Text.first`

    def for_language(self, language: str) -> "Typeface": ...


class Translations(Protocol):
    """The catalogues; `text` raises KeyError for a key that a language lacks."""

    def text(self, language: str, key: str, **values: object) -> str: ...

    def for_staff(self, language: str) -> str:
        """The language of the staff's pages while a visit is in `language`."""

    def language_name(self, language: str) -> str:
        """A language's own name for itself."""


@dataclass(frozen=True)
class Canvas:
    """The part of the display that the kiosk draws on."""

    width: int
    height: int
    px_per_mm: float

    @property
    def rect(self) -> Rect:
        return Rect(0, 0, self.width, self.height)

    @property
    def portrait(self) -> bool:
        return self.height > self.width

    def px(self, mm: float) -> int:
        """Millimetres in whole pixels, never less than asked for."""
        return int(-(-mm * self.px_per_mm // 1))


def canvas_for(width: int, height: int, px_per_mm: float) -> Canvas:
    """The canvas of a display; on one that is too small for it, all is drawn as much smaller as needed."""
    long, short = max(width, height), min(width, height)
    return Canvas(width, height, min(px_per_mm, long / LEAST_MM[0], short / LEAST_MM[1]))


@dataclass(frozen=True)
class Look:
    canvas: Canvas
    tokens: Tokens
    clinic: str
    words: Translations
    measure: Typeface
    mirror: bool = False  #: keys at the left, words at the right: mounted for the left hand
    reader_side: ReaderSide = ReaderSide.UNTOLD
    voices: frozenset[str] = frozenset()  #: languages that the kiosk speaks
    handbook: str = "none"  #: address of the staff's handbook; "none": no code for it
