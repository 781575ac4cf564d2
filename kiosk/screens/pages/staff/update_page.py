"""Layout of the staff's page for updates: what is offered, how far it is, what went wrong. PURE."""

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.announcement import announce
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.theme import Face
from kiosk.screens.kit.widgets import Mark, Panel
from kiosk.screens.pages.staff.menu_page import TEXT_MM, staff_frame, when
from kiosk.visit.events import Action, Pressed
from kiosk.visit.staff_states import StaffUpdate
from kiosk.visit.views.update_view import UNDER_WAY, UpdateFault, UpdateOffer, UpdatePhase, UpdateStatus

#: Words of `UpdateFault` that have a sentence of their own; the others share one by their kind.
FAULTS = frozenset(
    {"not_configured", "unreachable", "clock", "no_stick", "no_bundle", "other_product", "other_key", "older"}
    | {"same", "no_room", "visit", "too_early", "gone", "stopped", "no_installer", "failed", "fell_back"}
    | {"no_restart"}
)
BROKEN = frozenset({"nonsense", "not_found", "truncated", "damaged", "changed", "untrusted"})
MOST_CHANGES = 4


def update(page: Page, screen: StaffUpdate) -> None:
    """One thing at a time: on its way, installed, offered, or nothing new."""
    status = page.kiosk.update
    if status is None or (status.phase is UpdatePhase.LOOKING and not status.offers):
        staff_frame(page, screen, None)
        announce(page, page.content, Mark.WAIT, page.text("update.looking"), page.text("update.looking.what"))
    elif status.phase in UNDER_WAY:
        _under_way(page, screen, status)
    elif status.phase is UpdatePhase.INSTALLED:
        again = ButtonLabel("restart", page.text("update.restart"), Pressed(Action.RESTART), primary=True)
        staff_frame(page, screen, None, again)
        title = page.text("update.installed", version=status.version or "")
        announce(page, page.content, Mark.CHECK, title, page.text("update.installed.what"))
    elif screen.position < len(status.offers):
        _offered(page, screen, status, status.offers[screen.position])
    else:
        _nothing_new(page, screen, status)


def _under_way(page: Page, screen: StaffUpdate, status: UpdateStatus) -> None:
    stop = ButtonLabel("stop", page.text("update.stop"), Pressed(Action.STOP))
    staff_frame(page, screen, stop if status.phase is UpdatePhase.FETCHING else None)
    area = page.content.inset(page.px(4), page.px(2))
    bar = area.base(page.px(20)).top(page.px(9))
    title = page.text(f"update.{status.phase.value}", version=status.version or "")
    lines = (Paragraph(title, 9.0, True), Paragraph(page.text("update.patients"), TEXT_MM))
    page.stack(area.above(page.px(22)), lines, 3.0, middle=True, floor_mm=sizes.FLOOR_MM)
    tokens = page.tokens
    page.add(Panel(bar, Face(tokens.ground, tokens.ink, tokens.ink), page.edge))
    if status.percent:
        inner = bar.inset(page.edge * 2)
        done = inner.left(max(1, inner.w * min(100, status.percent) // 100))
        page.add(Panel(done, Face(tokens.done, tokens.done, tokens.done)))
    if status.percent is not None:
        words = Paragraph(page.text("update.percent", percent=status.percent), TEXT_MM)
        page.write(area.base(page.px(9)), words, sizes.FLOOR_MM, centre=True)


def _offered(page: Page, screen: StaffUpdate, status: UpdateStatus, offer: UpdateOffer) -> None:
    more = (
        ButtonLabel("more", page.text("update.other"), Pressed(Action.MORE))
        if len(status.offers) > 1
        else None
    )
    install = ButtonLabel("install", page.text("update.install"), Pressed(Action.RUN), primary=True)
    staff_frame(page, screen, more, install if offer.opens is None else None)
    lines = [Paragraph(page.text("update.offer", version=offer.version, running=status.running), 6.6, True)]
    if status.fault is not None:
        lines.append(Paragraph(_why(page, status.fault), TEXT_MM, True, page.tokens.mark))
    source = page.text(f"update.from_{offer.source.value}", megabytes=round(offer.megabytes))
    if offer.opens is not None:
        source = page.text("update.not_before", when=when(page, offer.opens))
    lines.append(Paragraph(source, TEXT_MM))
    sentences = offer.changes.get(page.language) or next(iter(offer.changes.values()), ())
    lines += [Paragraph(page.text("update.change", text=text), TEXT_MM) for text in sentences[:MOST_CHANGES]]
    page.stack(page.content.inset(page.px(2), 0), lines, 1.8, middle=True, floor_mm=sizes.FLOOR_MM)


def _nothing_new(page: Page, screen: StaffUpdate, status: UpdateStatus) -> None:
    staff_frame(page, screen, None)
    lines = [Paragraph(page.text("update.newest", running=status.running), 6.6, True)]
    faults = [*([status.fault] if status.fault is not None else []), *status.absent]
    lines += [Paragraph(_why(page, fault), TEXT_MM) for fault in dict.fromkeys(faults)]
    if not any(fault.word == "no_stick" for fault in faults):
        lines.append(Paragraph(page.text("update.fault.no_stick"), TEXT_MM))
    room: Rect = page.content.inset(page.px(2), 0)
    page.stack(room, lines, 3.0, middle=True, floor_mm=sizes.FLOOR_MM)


def _why(page: Page, fault: UpdateFault) -> str:
    """What is the matter, and what to do about it."""
    if fault.word in FAULTS:
        return page.text(f"update.fault.{fault.word}")
    if fault.word in BROKEN:
        return page.text(f"update.fault.broken_{fault.source.value}")
    return page.text("update.fault.other")
