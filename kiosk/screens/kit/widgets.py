"""The few kinds of things a picture is made of, and what touching them means. PURE."""

from dataclasses import dataclass
from enum import StrEnum

from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.theme import Colour, Face
from kiosk.screens.kit.touch import Touch


class Mark(StrEnum):
    """Icons, drawn as shapes."""

    BELL = "bell"
    BACK = "back"
    CHECK = "check"
    CROSS = "cross"
    LIST = "list"
    AGAIN = "again"
    CARD = "card"
    IPHONE = "iphone"
    ANDROID = "android"
    ENVELOPE = "envelope"
    PERSON = "person"
    KEYPAD = "keypad"
    HAND = "hand"
    WAIT = "wait"
    CLOSED = "closed"
    GLOBE = "globe"
    ERASE = "erase"
    WRENCH = "wrench"
    CHART = "chart"
    SPEAKER = "speaker"
    LAMP = "lamp"


class SceneKind(StrEnum):
    """Drawn movements; each shows the right place on the reader."""

    CARD = "card"  #: lies flat on the reader
    IPHONE = "iphone"  #: its top edge touches the reader
    ANDROID = "android"  #: the middle of its back lies on the reader
    REMOVE_CARD = "remove_card"  #: taken off again
    REMOVE_PHONE = "remove_phone"


@dataclass(frozen=True)
class TextLine:
    """One line of text at its place; `rect` is as wide as it is drawn and one em high."""

    text: str
    rect: Rect


@dataclass(frozen=True)
class Text:
    """Lines at one size; the box is what they must stay within."""

    box: Rect
    lines: tuple[TextLine, ...]
    size: int  #: pixels per em
    bold: bool
    ink: Colour
    ground: Colour  #: what it is written on: the scanner checks the contrast
    ruby: tuple[TextLine, ...] = ()  #: readings, each above its base
    ruby_size: int = 0
    first: int = 0  #: the font family tried first


@dataclass(frozen=True)
class Icon:
    rect: Rect
    mark: Mark
    ink: Colour
    ground: Colour


@dataclass(frozen=True)
class Panel:
    """A filled rectangle: header, result, reader."""

    rect: Rect
    face: Face
    edge: int = 0
    radius: int = 0


@dataclass(frozen=True)
class Button:
    """Whatever is touched: buttons and the keys of a pad. While held down it wears `pressed`."""

    id: str
    rect: Rect
    face: Face
    pressed: Face
    edge: int
    radius: int
    texts: tuple[Text, ...]
    icon: Icon | None = None
    dot: Rect | None = None  #: the raised dot of the 5 key, as telephones have it


@dataclass(frozen=True)
class DigitBoxes:
    """How many digits are typed, never which. `current` is the box that the next one fills."""

    boxes: tuple[Rect, ...]
    filled: int
    face: Face
    mark: Colour
    edge: int
    radius: int


@dataclass(frozen=True)
class Progress:
    """Cells that are really done; the one after them beats softly."""

    cells: tuple[Rect, ...]
    done: int
    full: Colour
    empty: Face
    edge: int


@dataclass(frozen=True)
class Scene:
    """An animated picture; how it looks is a function of the seconds since it came."""

    rect: Rect
    kind: SceneKind
    label: Text
    face: Face  #: the token
    reader: Face
    highlight: Colour


@dataclass(frozen=True)
class Qr:
    """A QR code: the largest whole number of pixels per module that fits the rectangle, in its middle."""

    rect: Rect
    modules: tuple[bytes, ...]  #: rows; 1 is dark. The quiet zone of four modules is part of it
    dark: Colour
    light: Colour


Widget = Panel | Text | Icon | Button | DigitBoxes | Progress | Scene | Qr


@dataclass(frozen=True)
class Target:
    rect: Rect
    touch: Touch
    id: str


@dataclass(frozen=True)
class Picture:
    """One state, laid out: equal pictures look the same and are touched the same."""

    name: str
    size: tuple[int, int]
    ground: Colour
    widgets: tuple[Widget, ...]
    targets: tuple[Target, ...]
    door: Rect | None = None  #: a long press here is a knock at the staff's door; nothing shows it

    @property
    def animated(self) -> Rect | None:
        """The rectangle that changes by itself, if any."""
        for widget in self.widgets:
            if isinstance(widget, Scene):
                return widget.rect
            if isinstance(widget, Progress):
                first, last = widget.cells[0], widget.cells[-1]
                return Rect(first.x, first.y, last.right - first.x, last.bottom - first.y)
        return None


def target_at(picture: Picture, x: float, y: float) -> Target | None:
    """What a finger at this place touches."""
    return next((target for target in picture.targets if target.rect.holds(x, y)), None)
