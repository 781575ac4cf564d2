"""Layout of the keypads (PIN, staff number, passcode) and what belongs to them. PURE."""

from collections.abc import Callable
from dataclasses import replace

from kiosk.screens.kit import frame
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.touch import DigitTouch, Touch
from kiosk.screens.kit.widgets import Button, DigitBoxes, Icon, Mark, Text
from kiosk.visit.events import Action, NumberTyped, Pressed
from kiosk.visit.pads import PASSCODE_LENGTHS, STAFF_NUMBER_LENGTHS
from kiosk.visit.questions import PIN_LENGTH
from kiosk.visit.staff_states import DoorNumber, DoorPasscode
from kiosk.visit.states import EnterPasscode, EnterPin, EnterStaffNumber, PinWrong

KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "ok")  #: as telephones have them


def _split(page: Page) -> tuple[Rect, Rect]:
    """The words' part and the pad's."""
    area = page.under_header
    if page.look.canvas.portrait:
        pad_height = 4 * page.px(sizes.TARGET_MM) + 3 * page.gap
        pad = area.above(page.row + page.gap).base(pad_height)
        return Rect(area.x, area.y, area.w, pad.y - page.gap - area.y), pad
    words, pad = page.sides(area, 3 * page.px(20.5) + 2 * page.gap, page.gap)
    return words.above(page.row + page.gap), pad


def _keypad(page: Page, rect: Rect, digit: Callable[[str], Touch], ready: bool) -> None:
    """Erase lower left, OK lower right (blue once there is something to accept), a raised dot on the 5."""
    cells = [cell for row in rect.rows(4, page.gap) for cell in row.columns(3, page.gap)]
    for key, cell in zip(KEYS, cells, strict=True):
        if key == "erase":
            _erase(page, cell, ButtonLabel(key, page.text("pad.erase"), Pressed(Action.ERASE)))
        elif key == "ok":
            page.button(cell, ButtonLabel(key, page.text("pad.ok"), Pressed(Action.OK), primary=ready), 7.4)
        else:
            _digit(page, cell, key, digit(key))


def _erase(page: Page, cell: Rect, label: ButtonLabel) -> None:
    """A word; where a language has none that is short enough, the sign that telephones have."""
    if page.fits([cell], [label]):
        page.button(cell, label)
        return
    face = page.tokens.plain
    icon = Icon(cell.centred(page.px(10), page.px(10)), Mark.ERASE, face.ink, face.fill)
    page.add(Button(label.id, cell, face, page.tokens.pressed, page.edge, page.radius, (), icon))
    page.target(cell, label.touch, label.id)


def _digit(page: Page, cell: Rect, digit: str, touch: Touch) -> None:
    face = page.tokens.plain
    fitted = page.fitted(digit, cell.w, cell.h, 10.0, sizes.NEEDED_MM, True)
    text = page.placed(fitted, cell, True, face.ink, face.fill, True, True)
    dot = None
    if digit == "5":
        width = page.px(4)
        dot = Rect(cell.x + (cell.w - width) // 2, cell.bottom - page.px(2.2), width, page.px(0.8))
    page.add(
        Button(f"digit_{digit}", cell, face, page.tokens.pressed, page.edge, page.radius, (text,), None, dot)
    )
    page.target(cell, touch, f"digit_{digit}")


def _pad_footer(page: Page, left: Rect, back: bool = True) -> None:
    """Under the words; narrow, so without icons, and where three would not fit without the language, which
    is one page back."""
    portrait = page.look.canvas.portrait
    rect = frame.listen_at_end_of(page, Rect(left.x, page.under_header.bottom - page.row, left.w, page.row))
    labels = [*([frame.back_label(page)] if back else []), frame.language_label(page), frame.help_label(page)]
    plain = [replace(each, mark=None) for each in labels]
    if portrait or not page.fits(page.parts(rect, plain), plain):
        plain = [each for each in plain if each.id not in ("language", "text_size")]
    page.buttons(page.parts(rect, plain), plain)


def _boxes(page: Page, rect: Rect, count: int, filled: int) -> None:
    side = min(page.px(13), (rect.w - (count - 1) * page.px(1.5)) // count)
    step = side + page.px(1.5)
    boxes = tuple(Rect(rect.x + i * step, rect.y, side, page.px(13)) for i in range(count))
    page.add(
        DigitBoxes(
            boxes,
            min(filled, count),
            page.tokens.plain,
            page.tokens.mark,
            page.edge,
            page.radius,
        )
    )


def enter_pin(page: Page, screen: EnterPin) -> None:
    frame.header(page, 3)
    words, pad = _split(page)
    device = "phone" if screen.visit.device is not None and screen.visit.device.value == "android" else "card"
    title = page.text("pin.again" if screen.again else f"pin.title.{device}")
    no_pin = page.kiosk.rules.offer_visual_check
    lower = words.base(page.row) if no_pin else Rect(words.x, words.bottom, words.w, 0)
    boxes = Rect(words.x, lower.y - page.gap - page.px(13), words.w, page.px(13))
    top = Rect(words.x, words.y, words.w, boxes.y - words.y - page.px(1.8))
    if not page.holds(top, title):
        title = page.text("pin.short")
    page.stack(top, (Paragraph(title, 7.4, True),), middle=True)
    _boxes(page, boxes, PIN_LENGTH, screen.digits)
    if no_pin:
        page.button(lower, ButtonLabel("no_pin", page.text("pin.none"), Pressed(Action.NO_PIN)))
    _keypad(page, pad, DigitTouch, screen.digits == PIN_LENGTH)
    _pad_footer(page, words)


def pin_wrong(page: Page, screen: PinWrong) -> None:
    frame.header(page, 3)
    rest = page.content.above(page.px(sizes.MAIN_TARGET_MM) + page.gap)
    page.stack(
        rest.inset(page.px(2), 0),
        (
            Paragraph(page.text("pin_wrong.title"), sizes.HEADLINE_MM, True),
            Paragraph(page.text("pin_wrong.left", tries=screen.tries_left), sizes.TITLE_MM),
            Paragraph(page.text("pin_wrong.unsure"), 6.6, False, page.tokens.sub),
        ),
        5.0,
        middle=True,
    )
    page.button(
        page.content.base(page.px(sizes.MAIN_TARGET_MM)),
        ButtonLabel("retry", page.text("pin_wrong.retry"), Pressed(Action.RETRY), primary=True),
        sizes.TITLE_MM,
    )
    frame.usual_footer(page)


def visual_check(page: Page) -> None:
    frame.header(page, 3)
    rest = page.content
    button = rest.base(page.px(sizes.TARGET_MM))
    page.stack(
        rest.above(button.h + page.gap).inset(page.px(2), 0),
        (
            Paragraph(page.text("visual.title"), sizes.TITLE_MM, True),
            Paragraph(page.text("visual.wait"), 7.2),
        ),
        5.0,
        middle=True,
    )
    width = button.w if page.look.canvas.portrait else page.px(66)
    page.button(
        Rect(button.right - width, button.y, width, button.h),
        ButtonLabel("staff_here", page.text("visual.staff_here"), Pressed(Action.STAFF_HERE), Mark.PERSON),
    )
    frame.usual_footer(page)


def enter_staff_number(page: Page, screen: EnterStaffNumber | DoorNumber) -> None:
    frame.header(page)
    if page.kiosk.door.locked:
        _locked(page)
        return
    words, pad = _split(page)
    title = Paragraph(page.text("staff.number"), 7.0, True)
    refused = Paragraph(page.text("staff.refused"), sizes.NEEDED_MM, False, page.tokens.sub)
    shown = Rect(words.x, words.bottom - page.px(16), words.w, page.px(14))
    page.stack(
        words.above(words.bottom - shown.y + page.px(1)),
        (refused, title) if screen.refused else (title,),
        middle=True,
    )
    face = page.tokens.plain
    fitted = page.fitted(screen.number, shown.w, shown.h, 10.0, sizes.NEEDED_MM, True)
    number: Text = page.placed(fitted, shown, True, face.ink, face.fill, True, True)
    page.add(DigitBoxes((shown,), 0, face, page.tokens.mark, page.edge, page.radius))
    if screen.number:
        page.add(number)
    _keypad(page, pad, NumberTyped, len(screen.number) in STAFF_NUMBER_LENGTHS)
    _pad_footer(page, words)


def _locked(page: Page) -> None:
    """After too many wrong passcodes none is taken for a while; the patient's visit may go on."""
    page.stack(
        page.content.inset(page.px(2), 0),
        (
            Paragraph(page.text("staff.locked"), sizes.TITLE_MM, True),
            Paragraph(page.text("staff.locked.wait"), 7.2),
        ),
        5.0,
        middle=True,
    )
    frame.footer(page, frame.back_label(page), None, frame.help_label(page))


def enter_passcode(page: Page, screen: EnterPasscode | DoorPasscode) -> None:
    frame.header(page)
    words, pad = _split(page)
    boxes = Rect(words.x, words.bottom - page.px(16), words.w, page.px(14))
    takes = isinstance(screen, DoorPasscode) and screen.takes is not None
    number = "changed.number_is" if takes else "staff.number_is"
    lines = [
        Paragraph(page.text(number, number=screen.number), sizes.NEEDED_MM, False, page.tokens.sub),
        Paragraph(page.text("staff.checking" if screen.checking else "staff.passcode"), 7.0, True),
    ]
    page.stack(words.above(words.bottom - boxes.y + page.px(1)), lines, middle=True)
    page.add(DigitBoxes((boxes,), screen.digits, page.tokens.plain, page.tokens.mark, page.edge, page.radius))
    if not screen.checking:
        _keypad(page, pad, DigitTouch, screen.digits in PASSCODE_LENGTHS)
    _pad_footer(page, words, not screen.checking)
