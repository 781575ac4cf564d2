"""Layout of how a visit ends, and of the states without a visit. PURE."""

from kiosk.screens.kit import frame
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.announcement import announce, result_panel
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.widgets import Mark
from kiosk.visit.events import Action, Pressed
from kiosk.visit.states import CallReason, OutOfService, OutOfServiceReason, Recorded, StaffCalled, Verified


def _finish(page: Page) -> ButtonLabel:
    return ButtonLabel("finish", page.text("footer.finish"), Pressed(Action.FINISH))


def verified(page: Page, screen: Verified) -> None:
    """Done; whoever has to renew the certificate soon reads so, for after that the card is of no use here."""
    frame.header(page, 4)
    panel_mm = 27.5 if screen.visit.ends_soon else 33.0
    words = page.text("verified.title"), page.text("verified.what")
    rest = result_panel(page, page.tokens.ok, Mark.CHECK, *words, panel_mm)
    paragraphs = [Paragraph(page.text("verified.next"), sizes.TITLE_MM, True)]
    if screen.visit.ends_soon:
        paragraphs.append(Paragraph(page.text("verified.ends_soon")))
    page.stack(rest, paragraphs, 3.0, middle=True)
    frame.footer(page, _finish(page), None, frame.help_label(page))


def not_confirmed(page: Page) -> None:
    frame.header(page, 4)
    rest = result_panel(page, page.tokens.alarm, Mark.PERSON, page.text("not_confirmed.title"), "")
    page.stack(
        rest,
        (
            Paragraph(page.text("not_confirmed.staff"), sizes.TITLE_MM, True),
            Paragraph(page.text("not_confirmed.wait"), 7.0),
        ),
        middle=True,
    )
    frame.footer(page, _finish(page), None, frame.help_label(page))


def recorded(page: Page, screen: Recorded) -> None:
    """Received, not verified: the number is what reception asks for."""
    frame.header(page, 4)
    rest = result_panel(
        page,
        page.tokens.notice,
        Mark.ENVELOPE,
        page.text("recorded.title"),
        page.text("recorded.not_verified"),
        30.0,
    )
    half = rest.h // 2
    caption = page.text("recorded.receipt")
    width = page.look.measure.width(caption, page.px(7.0), True) + page.px(5)
    if page.look.canvas.portrait:
        page.stack(
            rest,
            (
                Paragraph(caption, 7.0, True),
                Paragraph(screen.receipt, 15.0, True, page.tokens.mark),
                Paragraph(page.text("recorded.tell"), 7.0, True),
            ),
            middle=True,
        )
    else:
        upper = rest.top(half)
        page.write(upper.left(width), Paragraph(caption, 7.0, True), middle=True)
        page.write(upper.after(width), Paragraph(screen.receipt, 13.0, True, page.tokens.mark), middle=True)
        page.write(rest.below(half), Paragraph(page.text("recorded.tell"), 7.4, True), middle=True)
    frame.footer(page, _finish(page), None, frame.help_label(page))


def staff_called(page: Page, screen: StaffCalled) -> None:
    frame.header(page)
    page.open_door()
    headline = "staff_called.help" if screen.reason is CallReason.HELP else "staff_called.title"
    face = page.tokens.notice if screen.reason is CallReason.HELP else page.tokens.alarm
    rest = result_panel(page, face, Mark.BELL, page.text(headline), "")
    paragraphs = [Paragraph(page.text("staff_called.wait"), sizes.TITLE_MM, True)]
    if screen.reason is not CallReason.HELP:
        paragraphs.insert(0, Paragraph(page.text(f"staff_called.{screen.reason.value}"), 7.0))
    page.stack(rest, paragraphs, middle=True)
    frame.footer(page, _finish(page), None, None)


def still_there(page: Page) -> None:
    frame.header(page)
    portrait = page.look.canvas.portrait
    row = page.content.base(page.px(2 * 24 if portrait else 24))
    page.stack(
        page.content.above(row.h + page.px(2)).inset(page.px(4), 0),
        (
            Paragraph(page.text("still_there.title"), 10.4, True),
            Paragraph(page.text("still_there.what"), 7.2),
        ),
        5.0,
        middle=True,
    )
    page.buttons(
        row.rows(2, page.gap) if portrait else row.columns(2, page.gap),
        (
            ButtonLabel(
                "continue", page.text("still_there.continue"), Pressed(Action.CONTINUE), primary=True
            ),
            ButtonLabel("finish", page.text("still_there.finish"), Pressed(Action.FINISH)),
        ),
        mm=sizes.TITLE_MM,
    )
    frame.footer(page, None, None, frame.help_label(page))


def interrupted(page: Page) -> None:
    frame.header(page)
    announce(page, page.content, Mark.WAIT, page.text("interrupted.title"), page.text("interrupted.what"))
    frame.footer(page, None, None, frame.help_label(page))


def out_of_service(page: Page, screen: OutOfService) -> None:
    frame.header(page)
    if screen.reason is OutOfServiceReason.MAINTENANCE:  # nothing is touched any more
        words = page.text("maintenance.title"), page.text("maintenance.what")
        announce(page, page.under_header, Mark.WAIT, *words)
        return
    page.open_door()
    announce(
        page,
        page.content,
        Mark.CLOSED,
        page.text("out_of_service.title"),
        page.text("out_of_service.desk") + "\n" + page.text(f"out_of_service.{screen.reason.value}"),
    )
    frame.footer(page, None, None, frame.help_label(page))


def starting(page: Page) -> None:
    frame.header(page)
    announce(page, page.under_header, Mark.WAIT, page.text("starting.title"), page.text("starting.what"))
