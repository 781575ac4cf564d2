"""The layout scanner: measures a picture against the figures of docs/facts/screens.md. PURE.

Sizes are compared in millimetres with a tolerance of one pixel, because pixels are whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import contrast
from kiosk.screens.kit.widgets import (
    Button,
    DigitBoxes,
    Icon,
    Panel,
    Picture,
    Progress,
    Qr,
    Scene,
    Text,
    Widget,
)

CONTRAST_TEXT = 4.5  #: WCAG 2.2, 1.4.3
CONTRAST_SHAPE = 3.0  #: WCAG 2.2, 1.4.11
#: The answers that patients give; whatever else is touched may be as small as any target.
MAIN = frozenset(
    {"start", "all", "none", "each", "as_registered", "agree", "refuse", "own", "visual"}
    | {"card", "iphone", "android", "continue", "finish_visit", "retry"}
)


@dataclass(frozen=True)
class Fault:
    """What is wrong, where."""

    kind: str
    where: str
    say: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.say}"


def texts_of(widget: Widget) -> tuple[Text, ...]:
    """Every text that a widget shows."""
    match widget:
        case Text():
            return (widget,)
        case Button():
            return widget.texts
        case Scene():
            return (widget.label,)
        case _:
            return ()


def words(text: Text) -> str:
    """A text's lines as one string."""
    return " ".join(line.text for line in text.lines)


def scan(picture: Picture, look: Look, strict: bool = True) -> list[Fault]:
    """Every fault of one picture; `strict` demands that what the patient needs is 4.9 mm high (cap height),
    otherwise only the absolute floor is demanded."""
    return [
        *_targets(picture, look),
        *_overlaps(picture),
        *_texts(picture, look, strict),
        *_edges(picture),
        *_grounds(picture),
    ]


def _targets(picture: Picture, look: Look) -> Iterator[Fault]:
    screen = look.canvas.rect
    mm = look.canvas.px_per_mm
    for target in picture.targets:
        if not screen.covers(target.rect):
            yield Fault("outside", target.id, "is not wholly on the screen")
        smaller = min(target.rect.w, target.rect.h)
        wanted = sizes.MAIN_TARGET_MM if target.id in MAIN else sizes.TARGET_MM
        if smaller < wanted * mm - 1:
            yield Fault("target", target.id, f"is {smaller / mm:.1f} mm, less than {wanted:g}")
    for one, other in combinations(picture.targets, 2):
        if one.rect.overlaps(other.rect):
            yield Fault("overlap", f"{one.id}, {other.id}", "targets lie on each other")
        elif (gap := one.rect.gap_to(other.rect)) < sizes.GAP_MM * mm - 1:
            yield Fault("gap", f"{one.id}, {other.id}", f"{gap / mm:.1f} mm apart")
    ids = [target.id for target in picture.targets]
    if len(set(ids)) != len(ids):
        yield Fault("target", ", ".join(ids), "an id stands there twice")


def _solid(widget: Widget) -> list[tuple[str, Rect]]:
    """The rectangles that nothing else may cover; panels lie beneath other things by intent."""
    match widget:
        case Text():
            return [(words(widget), line.rect) for line in widget.lines if line.text]
        case Button():
            return [(widget.id, widget.rect)]
        case Icon():
            return [(widget.mark.value, widget.rect)]
        case DigitBoxes():
            return [("digits", box) for box in widget.boxes]
        case Progress():
            return [("progress", cell) for cell in widget.cells]
        case Scene():
            return [("scene", widget.rect)]
        case Qr():
            return [("QR code", widget.rect)]
        case Panel():
            return []


def _overlaps(picture: Picture) -> Iterator[Fault]:
    placed = [
        (index, name, rect)
        for index, widget in enumerate(picture.widgets)
        for name, rect in _solid(widget)
        if name not in ("start", "digits")
    ]
    for (i, one, a), (j, other, b) in combinations(placed, 2):
        if i != j and a.overlaps(b):
            yield Fault("overlap", f"{one!r}, {other!r}", "lie on each other")


def _texts(picture: Picture, look: Look, strict: bool) -> Iterator[Fault]:
    screen = look.canvas.rect
    mm = look.canvas.px_per_mm
    header = look.canvas.px(sizes.HEADER_MM)
    for text in (text for widget in picture.widgets for text in texts_of(widget)):
        name = words(text)
        in_header = text.box.bottom <= header
        floor = sizes.NEEDED_MM if strict and not in_header else sizes.FLOOR_MM
        if text.size < floor * mm - 1:
            yield Fault("small", name, f"is {text.size / mm:.1f} mm per em, less than {floor:.1f}")
        for line in text.lines:
            if not text.box.covers(line.rect):
                yield Fault("spill", line.text, "does not fit its box")
            if not screen.covers(line.rect):
                yield Fault("outside", line.text, "is not wholly on the screen")
        if (ratio := contrast(text.ink, text.ground)) < CONTRAST_TEXT:
            yield Fault("contrast", name, f"is {ratio:.1f}:1, less than {CONTRAST_TEXT}")


def _edges(picture: Picture) -> Iterator[Fault]:
    """Buttons and icons stand out from their ground."""
    for widget in picture.widgets:
        if isinstance(widget, Button):
            seen = max(contrast(widget.face.line, picture.ground), contrast(widget.face.fill, picture.ground))
            if seen < CONTRAST_SHAPE:
                yield Fault("contrast", widget.id, f"its edge is {seen:.1f}:1, less than {CONTRAST_SHAPE}")
        if isinstance(widget, Icon) and contrast(widget.ink, widget.ground) < CONTRAST_SHAPE:
            yield Fault("contrast", widget.mark.value, f"is less than {CONTRAST_SHAPE}:1")


def _grounds(picture: Picture) -> Iterator[Fault]:
    """A text that counts on a coloured ground stands wholly on it."""
    filled = [
        (widget.rect, widget.face.fill) for widget in picture.widgets if isinstance(widget, Panel | Button)
    ]
    filled += [
        (box, widget.face.fill)
        for widget in picture.widgets
        if isinstance(widget, DigitBoxes)
        for box in widget.boxes
    ]
    for widget in picture.widgets:
        for text in texts_of(widget):
            if text.ground == picture.ground:
                continue
            for line in text.lines:
                if not any(fill == text.ground and rect.covers(line.rect) for rect, fill in filled):
                    yield Fault("ground", line.text, "is not wholly on the ground it is coloured for")
