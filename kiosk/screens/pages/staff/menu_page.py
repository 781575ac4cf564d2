"""Layout of the staff pages behind the passcode: menu, check, fallback, drill. PURE.

Staff stand close and know the place: texts may be as small as the absolute floor; targets are as ever.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kiosk.qualification.guidance import REASONS
from kiosk.qualification.terms import FallbackReason
from kiosk.screens.kit import frame
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.announcement import announce, result_panel
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.widgets import Icon, Mark
from kiosk.visit.events import Action, CaseOpened, FallbackChosen, LanguageChosen, Pressed
from kiosk.visit.staff import FAULTS_PER_PAGE, PARTS_PER_PAGE, check_pages, fault_pages
from kiosk.visit.staff_states import StaffCheck, StaffDrill, StaffFallback, StaffMenu, StaffPage
from kiosk.visit.views.staff_views import DrillStep, Part, PartFault

TEXT_MM = 5.4  #: what staff read

#: Part and word of a fault → what is wrong, how to mend it. The uploader's words: channel/staff_messages.py.
FAULTS: dict[tuple[Part, str], str] = {
    (Part.READER, "lost"): "check.say.reader",
    (Part.READER, "unknown"): "check.say.reader_process",
    (Part.LINE, "unreachable"): "check.say.line",
    (Part.LINE, "failing"): "check.say.service",
    (Part.LINE, "refused"): "check.say.enrol",
    (Part.LINE, "not_enrolled"): "check.say.enrol",
    (Part.LINE, "key_locked"): "check.say.key_locked",
    (Part.LINE, "clock"): "check.say.clock",
    (Part.LINE, "address"): "check.say.address",
    (Part.LINE, "not_asked_yet"): "check.say.not_asked_yet",
    (Part.CLOCK, "untrusted"): "check.say.clock",
    (Part.CLOCK, "behind"): "check.say.clock",
    (Part.CERTIFICATE, "missing"): "check.say.enrol",
    (Part.CERTIFICATE, "key_locked"): "check.say.key_locked",
    (Part.CERTIFICATE, "expired"): "check.say.certificate_expired",
    (Part.CERTIFICATE, "ends_soon"): "check.say.certificate_ends",
    (Part.CERTIFICATE, "clock"): "check.say.clock",
    (Part.OUTBOX, "lost"): "check.say.outbox",
    (Part.OUTBOX, "full"): "check.say.outbox_full",
    (Part.OUTBOX, "key_unknown"): "check.say.outbox_key",
    (Part.OUTBOX, "quarantined"): "check.say.outbox_damaged",
    (Part.OUTBOX, "expired"): "check.say.outbox_expired",
    (Part.DISK, "read_only"): "check.say.disk",
    (Part.DISK, "low"): "check.say.disk_low",
    (Part.HEAT, "hot"): "check.say.heat",
    (Part.POWER, "undervoltage"): "check.say.power",
    (Part.FOLDERS, "away"): "check.say.folders",
    (Part.FOLDERS, "untaken"): "check.say.folders_untaken",
    (Part.FOLDERS, "lookup_failed"): "check.say.lookup_failed",
    (Part.FOLDERS, "lookup_uncertain"): "check.say.lookup_uncertain",
    (Part.SOUND, "silent"): "check.say.sound",
    (Part.LIGHTS, "dark"): "check.say.lights",
    (Part.UPLOADER, "absent"): "check.say.uploader",
}


def when(page: Page, moment: datetime) -> str:
    """A day and a time, short."""
    return page.text("staff.when", month=moment.month, day=moment.day, time=f"{moment:%H:%M}")


def staff_frame(
    page: Page, screen: StaffPage, centre: ButtonLabel | None, right: ButtonLabel | None = None
) -> None:
    """Header with the session's number; back at the left, the end of the session at the right."""
    frame.header(page, staff=screen.staff)
    back = None if isinstance(screen, StaffMenu) and not screen.more else frame.back_label(page)
    if back is not None and page.look.canvas.portrait:  # too narrow for both sign and word
        back = replace(back, mark=None)
    frame.footer(
        page, back, centre, right or ButtonLabel("finish", page.text("staff.finish"), Pressed(Action.FINISH))
    )


def _next_language(page: Page) -> ButtonLabel | None:
    """The next of the languages that staff read, in its own words."""
    words = page.look.words
    languages = [each for each in page.kiosk.rules.languages if words.for_staff(each) == each]
    if page.language not in languages or len(languages) < 2:
        return None
    other = languages[(languages.index(page.language) + 1) % len(languages)]
    return ButtonLabel("language", page.look.words.language_name(other), LanguageChosen(other), Mark.GLOBE)


# ---- menu ------------------------------------------------------------------------------------------------


def menu(page: Page, screen: StaffMenu) -> None:
    """The day's check first; each tile says how its matter stands. What a day seldom needs is overleaf."""
    changed = _changed_due(page)
    due = _update_due(page) or changed
    words = "staff.changed.due" if changed else "staff.update.due" if due else "staff.menu.more"
    turn = ButtonLabel("more", page.text(words), Pressed(Action.MORE), Mark.LIST, primary=due)
    if screen.more:
        staff_frame(page, screen, _next_language(page))
        _tiles(page, page.content, _seldom(page), 3)
        return
    staff_frame(page, screen, turn)
    rest = page.content
    last = page.kiosk.waiting.last_recorded if page.kiosk.waiting is not None else None
    if last is not None:
        row = rest.top(page.px(sizes.TARGET_MM))
        words = page.text("staff.last_recorded", receipt=last)
        page.button(row, ButtonLabel("last_recorded", words, CaseOpened(None), Mark.ENVELOPE), TEXT_MM)
        rest = rest.below(row.h + page.gap)
    _tiles(page, rest, _daily(page), 2)


def _update_due(page: Page) -> bool:
    """Whether the hour has come from which staff are offered an update."""
    return page.kiosk.update is not None and page.kiosk.update.due


def _changed_due(page: Page) -> bool:
    """Whether the card's settings were changed, and staff have not decided about it."""
    return page.kiosk.changed.due


def _daily(page: Page) -> tuple[ButtonLabel, ...]:
    return (
        ButtonLabel(
            "check", page.text("staff.check"), Pressed(Action.OPEN_CHECK), _check_mark(page), _checked(page)
        ),
        ButtonLabel(
            "day", page.text("staff.day"), Pressed(Action.OPEN_DAY), Mark.CHART, page.text("staff.day.what")
        ),
        ButtonLabel(
            "waiting", page.text("staff.waiting"), Pressed(Action.OPEN_WAITING), Mark.ENVELOPE, _waiting(page)
        ),
        ButtonLabel(
            "fallback",
            page.text("staff.fallback"),
            Pressed(Action.OPEN_FALLBACK),
            Mark.AGAIN,
            _reason(page, page.kiosk.line.fallback),
        ),
    )


def _seldom(page: Page) -> tuple[ButtonLabel, ...]:
    due = _update_due(page)
    updates = "staff.update.due" if due else "staff.update"
    return (
        ButtonLabel("help", page.text("staff.help"), Pressed(Action.OPEN_HELP), Mark.BELL),
        ButtonLabel("drill", page.text("staff.drill"), Pressed(Action.OPEN_DRILL), Mark.ENVELOPE),
        ButtonLabel("reading", page.text("staff.reading"), Pressed(Action.OPEN_READING), Mark.CARD),
        ButtonLabel("test", page.text("staff.test"), Pressed(Action.OPEN_TEST), Mark.HAND),
        _settings(page),
        ButtonLabel("update", page.text(updates), Pressed(Action.OPEN_UPDATE), Mark.AGAIN, primary=due),
    )


def _settings(page: Page) -> ButtonLabel:
    """Volume and languages, unless the card's settings wait to be looked at."""
    if not _changed_due(page):
        return ButtonLabel(
            "settings", page.text("staff.settings"), Pressed(Action.OPEN_SETTINGS), Mark.SPEAKER
        )
    words = page.text("staff.changed.due")
    return ButtonLabel("changed", words, Pressed(Action.OPEN_CHANGED), Mark.WRENCH, primary=True)


def _tiles(page: Page, room: Rect, labels: Sequence[ButtonLabel], rows: int) -> None:
    """Tiles in two columns, in portrait one below the other."""
    if page.look.canvas.portrait:
        count = rows * 2
        rects = room.top(count * page.px(24) + (count - 1) * page.gap).rows(count, page.gap)
    else:
        rects = tuple(cell for row in room.rows(rows, page.gap) for cell in row.columns(2, page.gap))
    page.buttons(rects[: len(labels)], labels, mm=7.0)


def _check_mark(page: Page) -> Mark:
    check = page.kiosk.check
    if check is None:
        return Mark.WAIT
    return Mark.WRENCH if check.faults else Mark.CHECK


def _checked(page: Page) -> str:
    check = page.kiosk.check
    if check is None:
        return page.text("staff.check.never")
    if check.faults:
        return page.text("staff.check.mend", count=len(check.faults))
    return page.text("staff.check.ok")


def _reason(page: Page, reason: FallbackReason | None) -> str:
    return page.text("staff.fallback.off" if reason is None else f"fallback.short.{reason.value}")


def _waiting(page: Page) -> str:
    view = page.kiosk.waiting
    waiting = page.kiosk.line.waiting if view is None else view.records.waiting
    if view is not None and view.records.late:
        return page.text("staff.waiting.both", waiting=waiting, late=len(view.records.late))
    return page.text("staff.waiting.some", waiting=waiting)


def _drilled(page: Page) -> str:
    passed = None if page.kiosk.waiting is None else page.kiosk.waiting.records.drill_passed
    if passed is None:
        return page.text("staff.drill.never")
    return page.text("staff.drill.passed", when=when(page, passed))


# ---- the day's check -------------------------------------------------------------------------------------


def check(page: Page, screen: StaffCheck) -> None:
    """「本日の点検 OK」, or what to mend: one plain sentence each."""
    view = page.kiosk.check
    if screen.running or view is None:
        staff_frame(page, screen, None)
        announce(page, page.content, Mark.WAIT, page.text("check.running"), page.text("check.running.what"))
        return
    again = ButtonLabel("run", page.text("check.again"), Pressed(Action.RUN), Mark.AGAIN)
    more = (
        ButtonLabel("more", page.text("staff.more"), Pressed(Action.MORE)) if check_pages(view) > 1 else None
    )
    staff_frame(page, screen, again, more)
    if screen.page >= fault_pages(view):
        _parts(page, view.fine[(screen.page - fault_pages(view)) * PARTS_PER_PAGE :][:PARTS_PER_PAGE])
        return
    at = page.text("check.no_time") if view.at is None else when(page, view.at)
    if not view.faults:
        rest = result_panel(page, page.tokens.ok, Mark.CHECK, page.text("check.ok"), at, 28.0)
        page.stack(
            rest, (Paragraph(page.text("check.parts"), TEXT_MM),), middle=True, floor_mm=sizes.FLOOR_MM
        )
        return
    title = page.text("staff.check.mend", count=len(view.faults))
    rest = result_panel(page, page.tokens.alarm, Mark.WRENCH, title, at, 20.0)
    shown = view.faults[screen.page * FAULTS_PER_PAGE :][:FAULTS_PER_PAGE]
    lines = [Paragraph(_sentence(page, fault), TEXT_MM) for fault in shown]
    page.stack(rest, lines, 2.6, middle=True, floor_mm=sizes.FLOOR_MM)


def _parts(page: Page, parts: Sequence[PartFault]) -> None:
    """Every part that is in order, each in a line of its own."""
    for row, part in zip(page.content.rows(PARTS_PER_PAGE, 0), parts, strict=False):
        side = min(page.px(6), row.h)
        icon = Rect(row.x + page.px(2), row.y + (row.h - side) // 2, side, side)
        page.add(Icon(icon, Mark.CHECK, page.tokens.done, page.tokens.ground))
        text = page.text(f"check.fine.{part.part.value}", value=part.value)
        page.write(row.after(page.px(11)), Paragraph(text, TEXT_MM), sizes.FLOOR_MM, middle=True)


def _sentence(page: Page, fault: PartFault) -> str:
    """What is wrong and how to mend it; what only a technician can mend says so."""
    known = FAULTS.get((fault.part, fault.word))
    if known is None:
        return page.text("check.say.other", part=page.text(f"check.part.{fault.part.value}"))
    return page.text(known, value=fault.value)


# ---- fallback operation ----------------------------------------------------------------------------------


def fallback(page: Page, screen: StaffFallback) -> None:
    """How it stands, the reasons, and in the footer the way back."""
    now = page.kiosk.line.fallback
    by_staff = now is not None and now is not FallbackReason.OFFLINE
    end = (
        ButtonLabel("end", page.text("fallback.end"), FallbackChosen(None), Mark.CHECK) if by_staff else None
    )
    staff_frame(page, screen, end)
    rows = 4 if page.look.canvas.portrait else 2
    height = rows * page.px(sizes.TARGET_MM) + (rows - 1) * page.gap
    choices = page.content.base(height)
    head = page.content.above(height + page.px(1.5))
    state, hint = _fallback_state(page, now)
    page.stack(
        head,
        (Paragraph(state, 6.6, True), Paragraph(hint, TEXT_MM, False, page.tokens.sub)),
        1.2,
        middle=True,
        floor_mm=sizes.FLOOR_MM,
    )
    labels = [
        ButtonLabel(
            reason.value, page.text(f"fallback.{reason.value}"), FallbackChosen(reason), primary=reason is now
        )
        for reason in REASONS
    ]
    cells = [cell for row in choices.rows(rows, page.gap) for cell in row.columns(4 // rows, page.gap)]
    page.buttons(cells, labels)


def _fallback_state(page: Page, now: FallbackReason | None) -> tuple[str, str]:
    if now is None:
        return page.text("fallback.is_off"), page.text("fallback.choose")
    return page.text("fallback.is_on", reason=page.text(f"fallback.{now.value}")), page.text(
        f"fallback.do.{now.value}"
    )


# ---- drill -----------------------------------------------------------------------------------------------


def drill(page: Page, screen: StaffDrill) -> None:
    """What a drill is, its steps as they come, its result."""
    running = screen.step is not None and screen.passed is None
    words = "drill.start" if screen.step is None else "drill.again"
    start = ButtonLabel("run", page.text(words), Pressed(Action.RUN), Mark.AGAIN, primary=screen.step is None)
    staff_frame(page, screen, None if running else start)
    area = page.content
    if screen.step is None:
        texts = (
            Paragraph(page.text("drill.title"), 7.4, True),
            Paragraph(page.text("drill.what"), TEXT_MM),
            Paragraph(_drilled(page), TEXT_MM, False, page.tokens.sub),
        )
        page.stack(area.inset(page.px(2), 0), texts, 4.0, middle=True, floor_mm=sizes.FLOOR_MM)
        return
    head = area.top(page.px(9))
    title = "drill.running" if running else "drill.passed" if screen.passed else "drill.failed"
    page.write(head, Paragraph(page.text(title), 6.8, True), sizes.FLOOR_MM, middle=True)
    rows = area.below(head.h + page.px(1.5)).top(len(DrillStep) * page.px(9.2)).rows(len(DrillStep), 0)
    reached = list(DrillStep).index(screen.step)
    for index, (row, step) in enumerate(zip(rows, DrillStep, strict=True)):
        mark = _step_mark(index, reached, screen.passed)
        side = page.px(6)
        if mark is not None:
            icon = Rect(row.x + page.px(2), row.y + (row.h - side) // 2, side, side)
            page.add(Icon(icon, mark, page.tokens.mark, page.tokens.ground))
        ink = page.tokens.ink if index <= reached else page.tokens.sub
        text = Paragraph(page.text(f"drill.{step.value}"), TEXT_MM, index == reached, ink)
        page.write(row.after(page.px(11)), text, sizes.FLOOR_MM, middle=True)


def _step_mark(index: int, reached: int, passed: bool | None) -> Mark | None:
    """Done, at work or failed, not yet."""
    if index < reached or (index == reached and passed):
        return Mark.CHECK
    if index > reached:
        return None
    return Mark.WAIT if passed is None else Mark.CROSS
