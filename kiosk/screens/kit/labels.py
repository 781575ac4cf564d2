"""What a page says where: a text to be stacked, the words of a button. PURE."""

from dataclasses import dataclass

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.theme import Colour
from kiosk.screens.kit.touch import Touch
from kiosk.screens.kit.widgets import Mark


@dataclass(frozen=True)
class Paragraph:
    """A text to be stacked: its wished-for size in millimetres per em, weight and colour."""

    text: str
    mm: float = sizes.NEEDED_MM
    bold: bool = False
    ink: Colour | None = None  #: the theme's ink by default


@dataclass(frozen=True)
class ButtonLabel:
    """What stands on a button: its id, words, icon, and the touch it sends."""

    id: str
    text: str
    touch: Touch
    mark: Mark | None = None
    sub: str = ""
    primary: bool = False
