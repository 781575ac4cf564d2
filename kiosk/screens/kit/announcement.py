"""The two large shapes that tell what has become of a visit or a task: a panel, icon and words. PURE."""

from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import Page, Paragraph
from kiosk.screens.kit.theme import Face
from kiosk.screens.kit.widgets import Icon, Mark, Panel


def result_panel(page: Page, face: Face, mark: Mark, headline: str, sub: str, panel_mm: float = 33.0) -> Rect:
    """A coloured panel that says what is finished; returns the room below it for what happens next."""
    canvas = page.look.canvas
    panel = Rect(
        0,
        page.header_rect.bottom + page.edge,
        canvas.width,
        page.px(panel_mm + (24 if canvas.portrait else 0)),
    )
    page.add(Panel(panel, face, page.edge if face.line != face.fill else 0))
    side = page.px(20)
    icon = Rect(page.px(5), panel.y + (panel.h - side) // 2, side, side)
    page.add(Icon(icon, mark, face.ink, face.fill))
    words = Rect(icon.right + page.px(4), panel.y, panel.w - icon.right - page.px(7), panel.h)
    page.stack(
        words.inset(0, page.px(2)),
        (
            Paragraph(headline, 10.4, True, face.ink),
            *((Paragraph(sub, 6.3, False, face.ink),) if sub else ()),
        ),
        3.0,
        face.fill,
        middle=True,
    )
    top = panel.bottom + page.px(2)
    return Rect(page.px(5), top, canvas.width - page.px(10), page.content.bottom - top)


def announce(page: Page, room: Rect, mark: Mark, title: str, what: str) -> None:
    """A state in which only waiting helps: icon, what is, what to do."""
    area = room.inset(page.px(4), page.px(2))
    side = page.px(30)
    if page.look.canvas.portrait:
        icon = area.top(side + page.px(20)).centred(side, side)
        words = area.below(side + page.px(20))
    else:
        icon = Rect(area.x, area.y + (area.h - side) // 2, side, side)
        words = area.after(side + page.px(7))
    page.add(Icon(icon, mark, page.tokens.mark, page.tokens.ground))
    page.stack(
        words,
        (Paragraph(title, 10.4, True), Paragraph(what, 7.4)),
        7.0,
        middle=True,
    )
