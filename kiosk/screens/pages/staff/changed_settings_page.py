"""Layout of the staff's page about changed settings on the card. PURE."""

import re
from collections.abc import Sequence

from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.announcement import announce
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.widgets import Mark
from kiosk.screens.pages.staff.menu_page import TEXT_MM, staff_frame
from kiosk.visit.events import Action, Pressed
from kiosk.visit.staff import CHANGES_PER_PAGE, changed_pages
from kiosk.visit.staff_states import StaffChanged
from kiosk.visit.views.changed_settings_view import CardSettings, ChangedFile, SettingChange

#: Settings that have words of their own; of the others the section's are said, and the key as it is written.
KEYS = frozenset(
    {"clinic.name", "clinic.institution", "clinic.terminal", "clinic.handbook", "visit.mode"}
    | {"visit.languages", "visit.consent_items", "network.wifi_name", "network.wifi_password"}
    | {"network.ethernet_address", "network.ethernet_gateway", "network.dns", "network.time_servers"}
    | {"share.address", "share.user", "share.password", "share.domain"}
    | {"service.name", "service.url", "service.ca", "first_boot.enrolment_url", "reader.trust"}
    | {"screen.theme", "screen.sound", "screen.rotate", "screen.mirror", "screen.reader_side"}
    | {"indicators.board", "update.channel", "report.folder"}
)
SECTIONS = frozenset(
    {"clinic", "visit", "timing", "reader", "screen", "indicators", "service", "outbox", "clock", "handover"}
    | {"lookup", "update", "metrics", "report", "run", "network", "share", "first_boot"}
)
VALUES = frozenset({"home_consent", "qualification_only", "true", "false", "none"})
JAPANESE = "ja"
BREAK = "\u200b"


def changed(page: Page, screen: StaffChanged) -> None:
    """What would change, or what is wrong; on the last page it is taken or left."""
    card = page.kiosk.changed
    file = card.file
    if file is None:
        staff_frame(page, screen, None)
        announce(page, page.content, Mark.CHECK, page.text("changed.none"), page.text("changed.none.what"))
        return
    if card.taking:
        staff_frame(page, screen, None)
        announce(page, page.content, Mark.WAIT, page.text("changed.taking"), page.text("changed.taking.what"))
        return
    pages = changed_pages(card)
    shown = min(screen.page, pages - 1)
    _buttons(page, screen, card, last=shown == pages - 1)
    lines = [Paragraph(_title(page, file), 6.6, True)]
    if card.failed:
        lines.append(Paragraph(page.text("changed.failed"), TEXT_MM, True, page.tokens.mark))
    here = slice(shown * CHANGES_PER_PAGE, (shown + 1) * CHANGES_PER_PAGE)
    texts = _faults(page, file) if file.faults else [_line(page, change) for change in file.changes]
    lines += [Paragraph(text, TEXT_MM) for text in texts[here]]
    rest = file.more + max(0, len(texts) - here.stop)
    if rest:
        lines.append(Paragraph(page.text("changed.more", count=rest), TEXT_MM, False, page.tokens.sub))
    if file.faults or file.fixed:
        why = "changed.faults.what" if file.faults else "changed.fixed"
        lines.append(Paragraph(page.text(why), TEXT_MM, False, page.tokens.sub))
    page.stack(page.content.inset(page.px(2), 0), lines, 2.0, middle=True, floor_mm=sizes.FLOOR_MM)


def _buttons(page: Page, screen: StaffChanged, card: CardSettings, *, last: bool) -> None:
    """Whoever takes it has seen all of it."""
    leave = None if card.left else ButtonLabel("leave", page.text("changed.leave"), Pressed(Action.LEAVE))
    if not last:
        staff_frame(page, screen, leave, ButtonLabel("more", page.text("staff.more"), Pressed(Action.MORE)))
    elif card.may_be_taken:
        take = ButtonLabel("take", page.text("changed.take"), Pressed(Action.RUN), primary=True)
        staff_frame(page, screen, leave, take)
    else:
        staff_frame(page, screen, leave)


def _title(page: Page, file: ChangedFile) -> str:
    return page.text("changed.faults") if file.faults else page.text("changed.title")


def _faults(page: Page, file: ChangedFile) -> Sequence[str]:
    """In the words of the first start's notice."""
    return [fault.ja if page.language == JAPANESE else fault.en for fault in file.faults]


def _line(page: Page, change: SettingChange) -> str:
    """One difference in the words of staff, old and new."""
    if change.section == "staff":
        word = "added" if change.old is None else "removed" if change.new is None else "passcode"
        return page.text(f"changed.staff.{word}", number=change.key)
    name = _name(page, change)
    if change.secret:
        return page.text("changed.secret", name=name)
    old, new = (_value(page, each) for each in (change.old, change.new))
    return page.text("changed.fixed.line" if change.fixed else "changed.line", name=name, old=old, new=new)


def _value(page: Page, value: str | None) -> str:
    """As it is written, with places where a line may break; in words where there are some."""
    if not value:
        return page.text("changed.unset")
    if value in VALUES:
        return page.text(f"changed.value.{value}")
    return re.sub(r"([/._,…:@-]|[0-9A-Za-z]{10})", rf"\1{BREAK}", value)


def _name(page: Page, change: SettingChange) -> str:
    full = f"{change.section}.{change.key}"
    if full in KEYS:
        return page.text(f"changed.key.{full}")
    if change.section in SECTIONS:
        return page.text(
            "changed.key", section=page.text(f"changed.section.{change.section}"), name=change.key
        )
    return full
