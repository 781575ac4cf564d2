"""Layout of the staff's help page: whom to ring and when, and where to read, as QR codes. PURE."""

from kiosk.qualification.call_centre import MEDICAL_INSTITUTIONS, PHONE, PRACTITIONERS, article
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import Page, Paragraph
from kiosk.screens.kit.qr import modules
from kiosk.screens.kit.widgets import Icon, Mark, Qr
from kiosk.screens.pages.staff.menu_page import TEXT_MM, staff_frame
from kiosk.visit.staff_states import StaffHelp

DARK, LIGHT = (0, 0, 0), (255, 255, 255)  #: cameras want this, whatever the theme


def help_page(page: Page, screen: StaffHelp) -> None:
    """The call centre above, the codes side by side below."""
    staff_frame(page, screen, None)
    portrait = page.look.canvas.portrait
    head = page.content.top(page.px(32 if portrait else 15))
    side = page.px(11)
    icon = Rect(head.x + page.px(2), head.y + (head.h - side) // 2, side, side)
    page.add(Icon(icon, Mark.BELL, page.tokens.mark, page.tokens.ground))
    lines = (
        Paragraph(page.text("help.call_centre", phone=PHONE), 6.6, True),
        Paragraph(_hours(page, screen), TEXT_MM),
    )
    page.stack(head.after(side + page.px(5)), lines, 1.2, middle=True, floor_mm=sizes.FLOOR_MM)
    codes = [
        (page.text("help.medical", number=MEDICAL_INSTITUTIONS), article(MEDICAL_INSTITUTIONS)),
        (page.text("help.practitioners", number=PRACTITIONERS), article(PRACTITIONERS)),
    ]
    if page.look.handbook != "none":
        codes.append((page.text("help.handbook"), page.look.handbook))
    rest = page.content.below(head.h + page.px(0.8))
    across = 2 if portrait else len(codes)
    below = page.px(12.5 if portrait or across > 2 else 6.2)
    for index, (words, address) in enumerate(codes):
        if portrait:  # no larger than the codes can be
            row = rest.below(index // across * (rest.w // across + below)).top(rest.w // across + below)
        else:
            row = rest
        place = row.columns(across, page.gap)[index % across]
        caption = place.base(below)
        page.add(Qr(place.above(caption.h), modules(address), DARK, LIGHT))
        page.write(caption, Paragraph(words, sizes.FLOOR_MM), sizes.FLOOR_MM, centre=True)


def _hours(page: Page, screen: StaffHelp) -> str:
    hours = screen.hours
    if hours is None:
        return page.text("help.hours")
    until = hours.until
    if hours.open:
        return page.text("help.open", time=f"{until:%H:%M}")
    day = page.text(f"help.day.{until.weekday()}")
    return page.text("help.closed", month=until.month, day=until.day, weekday=day, time=f"{until:%H:%M}")
