"""The picture of a notice. PURE: no visit, no words of the catalogues, nothing to touch."""

from kiosk.channel.notice_file import Notice, NoticeWords
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.linebreak import Fitted, fit
from kiosk.screens.kit.look import Canvas, Measurer
from kiosk.screens.kit.qr import modules
from kiosk.screens.kit.theme import STANDARD, Colour
from kiosk.screens.kit.widgets import Panel, Picture, Qr, Text, TextLine, Widget

TITLE_MM, LINE_MM, ENGLISH_MM, FLOOR_MM = 7.5, 4.6, 3.4, 2.2
MARGIN_MM, GAP_MM = 4.0, 1.4
ENGLISH_SHARE = 0.36  #: of the height below the title
CODE_SHARE = 0.42  #: of the longer side: 97 modules of 3 pixels on a 7-inch panel
WHITE: Colour = (255, 255, 255)  #: around and between the modules; readers want the contrast


def notice_picture(notice: Notice, canvas: Canvas, measure: Measurer) -> Picture:
    """Title on a bar, the Japanese lines, the English ones below; as large as they fit."""
    margin, tokens = canvas.px(MARGIN_MM), STANDARD
    bar = Rect(0, 0, canvas.width, canvas.px(TITLE_MM) + 2 * canvas.px(GAP_MM * 2))
    below = Rect(
        margin, bar.bottom + margin, canvas.width - 2 * margin, canvas.height - bar.bottom - 2 * margin
    )
    widgets: list[Widget] = [Panel(bar, tokens.notice)]
    if notice.code:
        below, code = _beside(below, margin)
        widgets.append(Qr(code, modules(notice.code), tokens.ink, WHITE))
    english = round(below.h * ENGLISH_SHARE)
    across = canvas.width - 2 * margin
    title = fit(notice.ja.title, across, bar.h, canvas.px(TITLE_MM), canvas.px(FLOOR_MM), True, measure)
    top = (bar.h - title.height) // 2
    widgets.append(
        _placed(
            title,
            Rect(margin, top, across, bar.h - top),
            True,
            tokens.notice.ink,
            tokens.notice.fill,
            measure,
        )
    )
    japanese = Rect(below.x, below.y, below.w, below.h - english - 2 * canvas.px(GAP_MM))
    widgets += _lines(notice.ja, japanese, LINE_MM, tokens.ink, canvas, measure)
    spoken = NoticeWords("", (notice.en.title, *notice.en.lines))
    foot = Rect(below.x, below.bottom - english, below.w, english)
    widgets += _lines(spoken, foot, ENGLISH_MM, tokens.sub, canvas, measure)
    return Picture("notice", (canvas.width, canvas.height), tokens.ground, tuple(widgets), ())


def _beside(room: Rect, gap: int) -> tuple[Rect, Rect]:
    """Room for the lines, and a square for the code: at the right, or at the foot of a tall screen."""
    side = round(min(room.w, room.h, CODE_SHARE * max(room.w, room.h)))
    if room.h > room.w:
        rest = Rect(room.x, room.y, room.w, room.h - side - gap)
        return rest, Rect(room.x + (room.w - side) // 2, room.bottom - side, side, side)
    rest = Rect(room.x, room.y, room.w - side - gap, room.h)
    return rest, Rect(rest.right + gap, room.y, side, side)


def _lines(
    words: NoticeWords, box: Rect, size_mm: float, ink: Colour, canvas: Canvas, measure: Measurer
) -> list[Widget]:
    """Paragraphs one below the other, all at one size."""
    gap, floor = canvas.px(GAP_MM), canvas.px(FLOOR_MM)
    size = canvas.px(size_mm)
    while True:
        fitted = [fit(line, box.w, box.h, size, size, False, measure) for line in words.lines]
        if sum(each.height + gap for each in fitted) - gap <= box.h or size <= floor:
            break
        size -= 1
    placed: list[Widget] = []
    y = box.y
    for each in fitted:
        part = Rect(box.x, y, box.w, each.height)
        placed.append(_placed(each, part, False, ink, STANDARD.ground, measure))
        y += each.height + gap
    return placed


def _placed(fitted: Fitted, box: Rect, bold: bool, ink: Colour, ground: Colour, measure: Measurer) -> Text:
    lines = [
        TextLine(
            text, Rect(box.x, box.y + n * fitted.pitch, measure.width(text, fitted.size, bold), fitted.size)
        )
        for n, text in enumerate(fitted.lines)
    ]
    return Text(box, tuple(lines), fitted.size, bold, ink, ground)
