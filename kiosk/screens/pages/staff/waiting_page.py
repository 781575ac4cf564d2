"""Layout of what staff have to deal with: what waits, late answers, and what to do about each. PURE."""

from typing import assert_never

from kiosk.qualification.guidance import RecordFinding, StaffStep, steps, ways, ways_apply
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.theme import Face
from kiosk.screens.kit.widgets import Mark, Panel
from kiosk.screens.pages.staff.menu_page import TEXT_MM, staff_frame, when
from kiosk.visit.events import Action, CaseOpened, Pressed
from kiosk.visit.staff import CASES_PER_PAGE
from kiosk.visit.staff_states import StaffCase, StaffWaiting
from kiosk.visit.views.waiting_view import WaitingList


def waiting(page: Page, screen: StaffWaiting) -> None:
    """Counts at the top; the late answers by receipt number, oldest first."""
    if page.kiosk.waiting is None:
        staff_frame(page, screen, None)
        page.write(page.content, Paragraph(page.text("waiting.asking"), 7.0, True), middle=True)
        return
    records = page.kiosk.waiting.records
    paged = len(records.late) > CASES_PER_PAGE
    staff_frame(
        page, screen, ButtonLabel("more", page.text("staff.more"), Pressed(Action.MORE)) if paged else None
    )
    if not records.late:
        lines = [*_counts(page, records), Paragraph(page.text("waiting.no_late"), 6.6, True)]
        page.stack(page.content.inset(page.px(2), 0), lines, 4.0, middle=True, floor_mm=sizes.FLOOR_MM)
        return
    columns = 2 if page.look.canvas.portrait else 3
    rows = CASES_PER_PAGE // columns
    height = rows * page.px(sizes.TARGET_MM) + (rows - 1) * page.gap
    grid = page.content.base(height)
    lines = [*_counts(page, records), _heading(page, screen, records)]
    page.stack(page.content.above(height + page.px(1.5)), lines, 1.0, middle=True, floor_mm=sizes.FLOOR_MM)
    cells = [cell for row in grid.rows(rows, page.gap) for cell in row.columns(columns, page.gap)]
    shown = records.late[screen.position : screen.position + CASES_PER_PAGE]
    labels = [
        ButtonLabel(
            f"case_{index}",
            each.receipt,
            CaseOpened(each.visit),
            None,
            page.text(f"found.short.{each.finding.value}"),
        )
        for index, each in enumerate(shown)
    ]
    page.buttons(cells[: len(labels)], labels, mm=6.6)


def _counts(page: Page, records: WaitingList) -> list[Paragraph]:
    texts = [page.text("waiting.none")]
    if records.waiting and records.oldest is not None:
        texts = [page.text("waiting.since", count=records.waiting, when=when(page, records.oldest))]
    elif records.waiting:
        texts = [page.text("waiting.count", count=records.waiting)]
    if records.held:
        texts.append(page.text("waiting.held", count=records.held))
    elif records.expired or records.quarantined:
        texts.append(page.text("waiting.not_sent", expired=records.expired, quarantined=records.quarantined))
    elif records.waiting:
        texts.append(page.text("waiting.note_four"))
    return [Paragraph(text, TEXT_MM) for text in texts]


def _heading(page: Page, screen: StaffWaiting, records: WaitingList) -> Paragraph:
    count = len(records.late)
    if count <= CASES_PER_PAGE:
        return Paragraph(page.text("waiting.late", count=count), TEXT_MM, True)
    last = min(count, screen.position + CASES_PER_PAGE)
    text = page.text("waiting.late_part", count=count, first=screen.position + 1, last=last)
    return Paragraph(text, TEXT_MM, True)


# ---- one case --------------------------------------------------------------------------------------------


def case(page: Page, screen: StaffCase) -> None:
    """The receipt number, what was found, what to do; on the other page the official order."""
    found = screen.case.finding
    turn = None
    if ways_apply(found):
        words = page.text("case.steps" if screen.ways else "case.ways")
        turn = ButtonLabel("more", words, Pressed(Action.MORE), Mark.LIST)
    seen = None
    if screen.case.record is not None:
        seen = ButtonLabel("seen", page.text("case.seen"), Pressed(Action.SEEN), Mark.CHECK, primary=True)
    staff_frame(page, screen, turn, seen)
    rest = _panel(page, screen)
    if screen.ways:
        page.stack(rest, _ways(page), 1.6, middle=True, floor_mm=sizes.FLOOR_MM)
    else:
        page.stack(rest, _steps(page, found), 4.0, middle=True, floor_mm=sizes.FLOOR_MM)


def _face(page: Page, found: RecordFinding) -> Face:
    match found:
        case RecordFinding.VALID:
            return page.tokens.ok
        case RecordFinding.RECORDED | RecordFinding.VALID_NOT_REGISTERED:
            return page.tokens.notice
        case (
            RecordFinding.INVALID
            | RecordFinding.INVALID_NEW_EXISTS
            | RecordFinding.NOT_FOUND
            | RecordFinding.SEVERAL
            | RecordFinding.REJECTED
            | RecordFinding.EXPIRED
        ):
            return page.tokens.alarm
        case _:
            assert_never(found)


def _panel(page: Page, screen: StaffCase) -> Rect:
    """Number and finding on their colour; returns the room below."""
    face = _face(page, screen.case.finding)
    canvas = page.look.canvas
    panel = Rect(0, page.header_rect.bottom + page.edge, canvas.width, page.px(13))
    page.add(Panel(panel, face, page.edge if face.line != face.fill else 0))
    inner = panel.inset(page.px(4), 0)
    receipt = Paragraph(screen.case.receipt, 8.4, True, face.ink)
    width = page.look.measure.width(screen.case.receipt, page.px(8.4), True) + page.px(4)
    page.write(inner.left(width), receipt, sizes.FLOOR_MM, face.fill, middle=True)
    title = page.text(f"found.{screen.case.finding.value}")
    room = inner.after(width)
    page.write(room, Paragraph(title, 7.4, True, face.ink), sizes.FLOOR_MM, face.fill, middle=True)
    top = panel.bottom + page.px(1.5)
    return Rect(page.px(4), top, canvas.width - page.px(8), page.content.bottom - top)


def _steps(page: Page, found: RecordFinding) -> list[Paragraph]:
    wanted: tuple[StaffStep, ...] = steps(found, page.kiosk.rules.mode)
    return [
        Paragraph(page.text("case.numbered", number=number, text=page.text(f"step.{step.value}")), 6.4)
        for number, step in enumerate(wanted, 1)
    ]


def _ways(page: Page) -> list[Paragraph]:
    """The official order as it holds today."""
    today = page.kiosk.waiting.today if page.kiosk.waiting is not None else None
    title = page.text("case.order")
    if today is not None:
        title = page.text("case.order_on", month=today.month, day=today.day)
    lines = [Paragraph(title, TEXT_MM, True)]
    lines += [
        Paragraph(page.text("case.numbered", number=number, text=page.text(f"way.{way.value}")), TEXT_MM)
        for number, way in enumerate(ways(today), 1)
    ]
    return lines
