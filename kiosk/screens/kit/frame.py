"""What surrounds every page: the header, the footer and their buttons. PURE."""

from dataclasses import dataclass, replace

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.labels import ButtonLabel, Paragraph
from kiosk.screens.kit.page import Page
from kiosk.screens.kit.widgets import Button, Icon, Mark, Panel
from kiosk.screens.words.speech import speech_of
from kiosk.visit.events import Action, Pressed

#: How the three places share what the listen button leaves: "back" is the shortest word.
BESIDE_LISTEN = (27.0, 36.0, 37.0)


# ---- the header ------------------------------------------------------------------------------------------


def header(page: Page, step: int | None = None, staff: str | None = None, mend: bool = False) -> None:
    """Clinic and purpose at the left, the step at the right; amber while in fallback operation.

    `staff`: on the staff pages, whose session it is. `mend`: a small mark that only staff know.
    """
    fallback = page.kiosk.line.backup
    face = page.tokens.amber if fallback else page.tokens.header
    page.add(Panel(page.header_rect, face))
    page.add(Panel(page.header_rect.base(page.edge).moved(0, page.edge), replace(face, fill=face.line)))
    box = page.header_rect.inset(page.px(2.6), 0)
    right = 0
    size = page.em(sizes.FLOOR_MM)
    banner = page.look.measure.width(page.text("header.fallback"), size, True) if fallback else 0
    where = "" if step is None else page.text("header.step", step=step, steps=page.kiosk.rules.steps)
    step_w = page.look.measure.width(where, size, True) + page.px(2)
    if where and banner + step_w + page.px(2) <= box.w:  # the banner goes before the step
        right = step_w
        page.write(
            Rect(box.right - right + page.px(2), box.y, right - page.px(2), box.h),
            Paragraph(where, sizes.FLOOR_MM, True, face.ink if fallback else page.tokens.mark),
            sizes.FLOOR_MM,
            face.fill,
            middle=True,
        )
    if mend:
        side = page.px(5.5)
        mark = Rect(box.right - side, box.y + (box.h - side) // 2, side, side)
        page.add(Icon(mark, Mark.WRENCH, face.ink if fallback else page.tokens.mark, face.fill))
        right = side + page.px(2)
    room = Rect(box.x, box.y, box.w - right - page.px(2), box.h)
    words = page.text("header.fallback") if fallback else _title(page, room.w)
    if staff is not None:
        words = page.text("staff.title", number=staff)
    page.write(
        room, Paragraph(words, sizes.FLOOR_MM, fallback, face.ink), sizes.FLOOR_MM, face.fill, middle=True
    )


def _title(page: Page, width: int) -> str:
    """Clinic and purpose; a clinic's name too long for the header is left away, never squeezed."""
    full = page.text("header.title", clinic=page.look.clinic)
    if page.look.measure.width(full, page.em(sizes.FLOOR_MM), False) <= width:
        return full
    return page.text("header.short")


# ---- the footer ------------------------------------------------------------------------------------------


def footer(
    page: Page, left: ButtonLabel | None, centre: ButtonLabel | None, right: ButtonLabel | None
) -> None:
    """Going back or ending left, language centre, staff right, and hearing the page again."""
    at = footer_places(page.footer_rect, page.row, page.gap, page.two_rows, can_be_heard(page))
    if at.listen is not None:
        _listen_button(page, at.listen)
    pairs = zip((at.left, at.centre, at.right), (left, centre, right), strict=True)
    used = [(rect, label) for rect, label in pairs if label is not None]
    if used:
        page.buttons([rect for rect, _ in used], [label for _, label in used])


def usual_footer(page: Page) -> None:
    """The footer of a question: back, language, help."""
    footer(page, back_label(page), language_label(page), help_label(page))


def back_label(page: Page) -> ButtonLabel:
    return ButtonLabel("back", page.text("footer.back"), Pressed(Action.BACK), Mark.BACK)


def language_label(page: Page) -> ButtonLabel:
    """The way to the page of languages and large letters; with one language, to the letters at once."""
    if len(page.kiosk.rules.languages) == 1:
        return text_size_label(page)
    return ButtonLabel("language", page.text("footer.language"), Pressed(Action.LANGUAGE), Mark.GLOBE)


def text_size_label(page: Page) -> ButtonLabel:
    """Large letters, or the usual ones again."""
    words = "language.usual_text" if page.kiosk.large_text else "language.large_text"
    return ButtonLabel("text_size", page.text(words), Pressed(Action.TEXT_SIZE))


def help_label(page: Page) -> ButtonLabel:
    return ButtonLabel("help", page.text("footer.help"), Pressed(Action.HELP), Mark.BELL)


# ---- hearing the page again ------------------------------------------------------------------------------


def can_be_heard(page: Page) -> bool:
    """Whether the page's sentence can be heard in the page's language."""
    voiced = page.language.partition("@")[0] in page.look.voices
    return voiced and not page.for_staff and speech_of(page.kiosk) is not None


def listen_at_end_of(page: Page, row: Rect) -> Rect:
    """Place the button to hear the page again at the end of a row of one's own; returns what is left."""
    if not can_be_heard(page):
        return row
    rest, square = set_aside(row, page.row, page.gap)
    _listen_button(page, square)
    return rest


def _listen_button(page: Page, place: Rect) -> None:
    face, side = page.tokens.plain, page.px(9)
    icon = Icon(place.centred(side, side), Mark.SPEAKER, face.ink, face.fill)
    page.add(Button("speak", place, face, page.tokens.pressed, page.edge, page.radius, (), icon))
    page.target(place, Pressed(Action.SPEAK), "speak")


# ---- where the footer's buttons stand --------------------------------------------------------------------


@dataclass(frozen=True)
class FooterPlaces:
    """Three places that never change: going back or ending left, language centre, staff right; and a small
    one after the middle where the page can be heard."""

    left: Rect
    centre: Rect
    right: Rect
    listen: Rect | None = None


def footer_places(area: Rect, side: int, gap: int, two_rows: bool, heard: bool) -> FooterPlaces:
    """The places in `area`; in two rows the middle one has the upper row to itself."""
    if two_rows:
        above, below = area.rows(2, gap)
        left, right = below.columns(2, gap)
        if not heard:
            return FooterPlaces(left, above, right)
        centre, square = set_aside(above, side, gap)
        return FooterPlaces(left, centre, right, square)
    if not heard:
        return FooterPlaces(*area.columns(3, gap))
    left, centre, right = area.left(area.w - side - gap).shares(BESIDE_LISTEN, gap)
    square = Rect(centre.right + gap, area.y, side, side)
    return FooterPlaces(left, centre, right.moved(side + gap, 0), square)


def set_aside(row: Rect, side: int, gap: int) -> tuple[Rect, Rect]:
    """A row without the square at its end, and that square."""
    return row.left(row.w - side - gap), Rect(row.right - side, row.bottom - side, side, side)
