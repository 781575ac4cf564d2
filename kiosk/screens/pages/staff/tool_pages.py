"""Layout of what staff do seldom: reading test, test of the box, volume and languages. PURE."""

from kiosk.qualification.devices import Device
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.announcement import announce
from kiosk.screens.kit.device_pictures import PICTURES
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.theme import Colour, Face
from kiosk.screens.kit.widgets import Icon, Mark, Panel
from kiosk.screens.pages.staff.menu_page import TEXT_MM, staff_frame
from kiosk.visit.events import Action, LanguageSwitched, Pressed, SpotTouched, VolumeChosen
from kiosk.visit.rules import LOUDEST
from kiosk.visit.staff_states import StaffReading, StaffSettings, StaffTest
from kiosk.visit.staff_tools import SPOTS, UNDER_WAY, may_switch
from kiosk.visit.states import OutboxCondition, ReaderCondition
from kiosk.visit.views.staff_views import SeenToken, TestStep

MARKS: dict[SeenToken | Device, Mark] = {
    SeenToken.WAITING: Mark.HAND,
    SeenToken.LIES: Mark.WAIT,
    **{device: picture.mark for device, picture in PICTURES.items()},
}
#: What a broken cell or line of a panel shows itself on.
COLOURS: tuple[Colour, ...] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
    (128, 128, 128),
    (0, 0, 0),
)


# ---- reading test ----------------------------------------------------------------------------------------


def reading(page: Page, screen: StaffReading) -> None:
    """What lies on the reader, and how long it took."""
    if page.kiosk.reader is not ReaderCondition.READY:
        staff_frame(page, screen, None)
        announce(
            page, page.content, Mark.WRENCH, page.text("reading.no_reader"), page.text("check.say.reader")
        )
        return
    again = ButtonLabel("run", page.text("drill.again"), Pressed(Action.RUN), Mark.AGAIN)
    staff_frame(page, screen, None if screen.seen in UNDER_WAY else again)
    title = page.text(f"reading.{screen.seen.value}")
    what = page.text(f"reading.{screen.seen.value}.what")
    if isinstance(screen.seen, Device):  # read to the end
        what = page.text("reading.took", seconds=f"{screen.ms / 1000:.1f}") + "\n" + what
    announce(page, page.content, MARKS.get(screen.seen, Mark.CROSS), title, what)


# ---- the box ---------------------------------------------------------------------------------------------


def test(page: Page, screen: StaffTest) -> None:
    """One step of the test; "next" leads round."""
    following = ButtonLabel("more", page.text("test.next"), Pressed(Action.MORE), primary=_done(screen))
    sample = ButtonLabel("sample", page.text("test.sample"), Pressed(Action.SPEAK), Mark.SPEAKER)
    staff_frame(page, screen, sample if screen.step is TestStep.SPEAKER else None, following)
    match screen.step:
        case TestStep.TOUCH:
            _touch(page, screen)
        case TestStep.COLOURS:
            _colours(page)
        case TestStep.LIGHTS:
            _tell(page, Mark.LAMP, "lights")
        case TestStep.BUZZER:
            _tell(page, Mark.BELL, "buzzer")
        case TestStep.SPEAKER:
            _tell(page, Mark.SPEAKER, "speaker")


def _done(screen: StaffTest) -> bool:
    return screen.step is not TestStep.TOUCH or screen.touched == SPOTS


def _tell(page: Page, mark: Mark, word: str) -> None:
    announce(page, page.content, mark, page.text(f"test.{word}"), page.text(f"test.{word}.what"))


def _touch(page: Page, screen: StaffTest) -> None:
    """Nine places up to the edges; the one to be touched is a button, those that answered wear a check."""
    if screen.touched == SPOTS:
        _tell(page, Mark.CHECK, "touched")
        return
    rows = page.content.rows(3, page.gap)
    cells = [cell for row in rows for cell in row.columns(3, page.gap)]
    side = min(page.px(22), min(cell.h for cell in cells), min(cell.w for cell in cells))
    for spot, cell in enumerate(cells):
        place = Rect(_along(cell.x, cell.w, side, spot % 3), cell.centred(side, side).y, side, side)
        if spot < screen.touched:
            page.add(Icon(place.inset(side // 4), Mark.CHECK, page.tokens.done, page.tokens.ground))
        elif spot == screen.touched:
            label = ButtonLabel("spot", page.text("test.here"), SpotTouched(spot), primary=True)
            page.button(place, label)
    if screen.touched < SPOTS // 2:  # as long as the middle is free for it
        hint = cells[SPOTS // 2].inset(0, page.px(0.5))
        words = Paragraph(page.text("test.touch"), TEXT_MM)
        page.write(hint, words, sizes.FLOOR_MM, centre=True, middle=True)


def _along(x: int, width: int, side: int, column: int) -> int:
    """At the left edge, in the middle, at the right edge."""
    return x + (width - side) * column // 2


def _colours(page: Page) -> None:
    words = page.content.top(page.px(14))
    page.stack(
        words, (Paragraph(page.text("test.colours"), TEXT_MM, True),), middle=True, floor_mm=sizes.FLOOR_MM
    )
    field = page.content.below(words.h)
    for stripe, colour in zip(field.columns(len(COLOURS), 0), COLOURS, strict=True):
        page.add(Panel(stripe, Face(colour, colour, colour)))


# ---- volume and languages --------------------------------------------------------------------------------


def settings(page: Page, screen: StaffSettings) -> None:
    """The volume as steps, the languages as switches; what cannot be kept is not offered."""
    changed = ButtonLabel("changed", page.text("staff.changed"), Pressed(Action.OPEN_CHANGED), Mark.WRENCH)
    staff_frame(page, screen, changed if page.kiosk.changed.file is not None else None)
    if page.kiosk.outbox is not OutboxCondition.READY:
        announce(page, page.content, Mark.WRENCH, page.text("settings.cannot"), page.text("check.say.outbox"))
        return
    area = page.content
    row = page.px(sizes.TARGET_MM)
    caption = page.px(7)
    page.write(area.top(caption), Paragraph(page.text("settings.volume"), TEXT_MM, True), sizes.FLOOR_MM)
    lines = 2 if page.look.canvas.portrait else 1
    levels = area.below(caption).top(lines * row + (lines - 1) * page.gap)
    page.buttons(
        _cells(levels, lines, (LOUDEST + 1) // lines, page.gap),
        [
            ButtonLabel(
                f"volume_{level}",
                page.text("settings.silent") if level == 0 else str(level),
                VolumeChosen(level),
                primary=level == page.kiosk.volume,
            )
            for level in range(LOUDEST + 1)
        ],
    )
    below = area.below(caption + levels.h + page.px(2))
    page.write(below.top(caption), Paragraph(page.text("settings.languages"), TEXT_MM, True), sizes.FLOOR_MM)
    languages = page.kiosk.rules.known_languages
    columns = 2 if page.look.canvas.portrait else 4
    rows = -(-len(languages) // columns)
    room = below.below(caption).top(rows * row + (rows - 1) * page.gap)
    cells = _cells(room, rows, columns, page.gap)
    offered = page.kiosk.rules.languages
    switches = [
        (cell, language)
        for cell, language in zip(cells, languages, strict=False)
        if may_switch(page.kiosk, language)
    ]
    fixed = [cell for cell, language in zip(cells, languages, strict=False) if language == offered[0]]
    if switches:
        page.buttons(
            [cell for cell, _ in switches],
            [
                ButtonLabel(
                    f"offer_{language}",
                    page.look.words.language_name(language),
                    LanguageSwitched(language),
                    Mark.CHECK if language in offered else None,
                    primary=language in offered,
                )
                for _, language in switches
            ],
        )
    for cell in fixed:
        words = page.text("settings.first", name=page.look.words.language_name(offered[0]))
        page.write(cell, Paragraph(words, TEXT_MM), sizes.FLOOR_MM, centre=True, middle=True)


def _cells(room: Rect, rows: int, columns: int, gap: int) -> list[Rect]:
    return [cell for line in room.rows(rows, gap) for cell in line.columns(columns, gap)]
