"""Colours by role. PURE. Contrast against each background is held by the layout scanner."""

from dataclasses import dataclass

from kiosk.config.choices import Theme

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Face:
    """How a button or panel is filled, edged and written on."""

    fill: Colour
    line: Colour
    ink: Colour


@dataclass(frozen=True)
class Tokens:
    """One theme. Teal and vermilion stay apart for colour-blind eyes (distance in
    CIELAB 56 protan, 72 deutan: docs/facts/screens.md); no meaning is carried by colour alone."""

    ground: Colour
    ink: Colour  #: titles and what has to be done
    sub: Colour  #: explanations
    mark: Colour  #: the step in the header, the current PIN box
    done: Colour  #: what of the progress is done
    highlight: Colour  #: the place that touches the reader
    plain: Face  #: buttons
    primary: Face  #: the one button that goes on
    pressed: Face
    header: Face
    amber: Face  #: header while in fallback operation
    ok: Face  #: panel: verified
    notice: Face  #: panel: recorded, not verified
    alarm: Face  #: panel: staff will help
    reader: Face  #: the drawn reader
    edge_px: int  #: width of a button's edge at 800×480


STANDARD = Tokens(
    ground=(250, 250, 246),
    ink=(20, 24, 32),
    sub=(52, 60, 76),
    mark=(0, 72, 140),
    done=(0, 100, 116),
    highlight=(255, 212, 90),
    plain=Face((255, 255, 255), (104, 112, 128), (20, 24, 32)),
    primary=Face((0, 72, 140), (0, 72, 140), (255, 255, 255)),
    pressed=Face((20, 24, 32), (20, 24, 32), (255, 255, 255)),
    header=Face((255, 255, 255), (104, 112, 128), (20, 24, 32)),
    amber=Face((255, 200, 60), (104, 84, 0), (20, 24, 32)),
    ok=Face((0, 100, 116), (0, 100, 116), (255, 255, 255)),
    notice=Face((78, 42, 136), (78, 42, 136), (255, 255, 255)),
    alarm=Face((184, 52, 0), (184, 52, 0), (255, 255, 255)),
    reader=Face((20, 24, 32), (20, 24, 32), (255, 255, 255)),
    edge_px=3,
)

HIGH_CONTRAST = Tokens(
    ground=(0, 0, 0),
    ink=(255, 255, 255),
    sub=(255, 255, 255),
    mark=(255, 222, 0),
    done=(255, 222, 0),
    highlight=(255, 222, 0),
    plain=Face((0, 0, 0), (255, 255, 255), (255, 255, 255)),
    primary=Face((255, 222, 0), (255, 222, 0), (0, 0, 0)),
    pressed=Face((255, 255, 255), (255, 255, 255), (0, 0, 0)),
    header=Face((0, 0, 0), (255, 255, 255), (255, 255, 255)),
    amber=Face((255, 222, 0), (255, 222, 0), (0, 0, 0)),
    ok=Face((0, 100, 116), (255, 255, 255), (255, 255, 255)),
    notice=Face((78, 42, 136), (255, 255, 255), (255, 255, 255)),
    alarm=Face((184, 52, 0), (255, 255, 255), (255, 255, 255)),
    reader=Face((255, 255, 255), (255, 255, 255), (0, 0, 0)),
    edge_px=4,
)


def tokens_of(theme: Theme) -> Tokens:
    """The colours of a configured theme."""
    match theme:
        case Theme.STANDARD:
            return STANDARD
        case Theme.HIGH_CONTRAST:
            return HIGH_CONTRAST


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: Colour) -> float:
        parts = [
            c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
