"""Layout of what is asked before anything is held: start, language, consent, method, device. PURE."""

from kiosk.qualification.consent import Consent, ConsentForm, ConsentItem
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Mode
from kiosk.screens.kit import frame
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.device_pictures import PICTURES
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.touch import StartTouch
from kiosk.screens.kit.widgets import Button, Icon, Mark
from kiosk.visit.events import Action, DeviceChosen, ItemAnswered, LanguageChosen, Pressed
from kiosk.visit.states import AskConsent, AskConsentItems, ChooseDevice

#: With more languages than this the start screen shows one language button instead of all of them.
LANGUAGES_ON_START = 3


def idle(page: Page) -> None:
    """All of the screen above the footer starts a visit."""
    kiosk = page.kiosk
    to_mend = kiosk.check is not None and bool(kiosk.check.faults)
    due = kiosk.changed.due or (kiosk.update is not None and kiosk.update.due)
    frame.header(page, mend=to_mend or due)
    page.open_door()
    area = page.look.canvas.rect.above(page.footer_rect.h + page.margin + page.gap)
    panel = page.content
    face = page.tokens.primary
    inner = panel.inset(page.px(3), page.px(3))
    if page.look.canvas.portrait:
        side = page.px(34)
        icon = inner.top(side + page.px(16)).centred(side, side)
        words = inner.below(side + page.px(16))
    else:
        side = min(page.px(34), inner.h)
        icon = Rect(inner.x + page.px(3), inner.y + (inner.h - side) // 2, side, side)
        words = inner.after(side + page.px(8))
    title = Paragraph(page.text("start.title"), 13.0, True, face.ink)
    hint = Paragraph(page.text("start.touch"), sizes.TITLE_MM, True, face.ink)
    what = Paragraph(page.text("start.with"), sizes.NEEDED_MM, False, face.ink)
    page.add(
        Button(
            "start",
            panel,
            face,
            page.tokens.pressed,
            page.edge,
            page.radius,
            (),
            Icon(icon, Mark.HAND, face.ink, face.fill),
        )
    )
    page.stack(words, (title, hint, what), 5.0, face.fill, middle=True)
    page.target(area, StartTouch(), "start")
    _start_footer(page)


def _start_footer(page: Page) -> None:
    """Few languages each have a button of their own here; many, one for all of them."""
    languages = page.kiosk.rules.languages
    if not 1 < len(languages) <= LANGUAGES_ON_START:
        frame.footer(page, None, frame.language_label(page), frame.help_label(page))
        return
    labels = [*_languages(page), frame.help_label(page)]
    columns = 2 if page.look.canvas.portrait else len(labels)
    rows = frame.listen_at_end_of(page, page.footer_rect).rows(-(-len(labels) // columns), page.gap)
    cells = [cell for row in rows for cell in row.columns(columns, page.gap)]
    page.buttons(cells[: len(labels)], labels)


def _languages(page: Page) -> list[ButtonLabel]:
    """Each in its own words, the present one marked."""
    return [
        ButtonLabel(
            f"language_{language}",
            page.look.words.language_name(language),
            LanguageChosen(language),
            primary=language == page.kiosk.language,
        )
        for language in page.kiosk.rules.languages
    ]


def _row(page: Page, row: Rect, labels: list[ButtonLabel], columns: int) -> tuple[Rect, ...]:
    """A full row is parted by need; one that is not keeps the columns' width."""
    if len(labels) == columns:
        return page.parts(row, labels)
    return row.columns(columns, page.gap)[: len(labels)]


def choose_language(page: Page) -> None:
    """Languages, and as the last tile large letters."""
    frame.header(page)
    columns = 2 if page.look.canvas.portrait else 4
    labels = [*_languages(page), frame.text_size_label(page)]
    rows = -(-len(labels) // columns)
    title = (Paragraph(page.text("language.title"), sizes.TITLE_MM, True),)
    height = rows * page.row + (rows - 1) * page.gap
    used = page.stack(page.content.above(height + page.px(3)), title)
    rest = page.content.below(used.h + page.px(3))
    rest = rest.top(min(rest.h, rows * max(page.row, page.px(sizes.MAIN_TARGET_MM)) + (rows - 1) * page.gap))
    cells = [
        cell
        for index, row in enumerate(rest.rows(rows, page.gap))
        for cell in _row(page, row, labels[index * columns :][:columns], columns)
    ]
    page.buttons(cells, labels)
    frame.footer(page, frame.back_label(page), None, frame.help_label(page))


def _items(page: Page, items: tuple[ConsentItem, ...]) -> str:
    return page.text("consent.joint").join(page.text(f"consent.short.{item.name.lower()}") for item in items)


def ask_consent(page: Page, _: AskConsent) -> None:
    """One answer for all; the choices look alike, so that none is pressed upon the patient."""
    frame.header(page, 1)
    rules = page.kiosk.rules
    rest = page.lead(
        (
            Paragraph(page.text("consent.question", items=_items(page, rules.consent_items)), 7.2, True),
            Paragraph(page.text("consent.either_way"), sizes.NEEDED_MM, False, page.tokens.sub),
        ),
        4 if rules.offer_as_registered else 3,
    )
    labels = [
        ButtonLabel("all", page.text("consent.all"), Pressed(Action.CONSENT_ALL), Mark.CHECK),
        ButtonLabel("none", page.text("consent.none"), Pressed(Action.CONSENT_NONE), Mark.CROSS),
        ButtonLabel("each", page.text("consent.each"), Pressed(Action.CONSENT_EACH), Mark.LIST),
    ]
    if rules.offer_as_registered:
        labels.append(
            ButtonLabel(
                "as_registered",
                page.text("consent.as_registered"),
                Pressed(Action.CONSENT_AS_REGISTERED),
                Mark.AGAIN,
            )
        )
    page.tiles(rest, labels, 7.4)
    frame.usual_footer(page)


def ask_consent_item(page: Page, screen: AskConsentItems) -> None:
    """One kind of record at a time."""
    frame.header(page, 1)
    items = page.kiosk.rules.consent_items
    item = items[screen.position]
    key = item.name.lower()
    rest = page.lead(
        (
            Paragraph(
                page.text("consent.item.count", number=screen.position + 1, count=len(items)),
                sizes.NEEDED_MM,
                False,
                page.tokens.sub,
            ),
            Paragraph(page.text(f"consent.item.{key}"), 7.4, True),
            Paragraph(page.text(f"consent.covers.{key}"), sizes.NEEDED_MM, False, page.tokens.sub),
        ),
        2,
    )
    page.tiles(
        rest,
        (
            ButtonLabel("agree", page.text("consent.agree"), ItemAnswered(item, True), Mark.CHECK),
            ButtonLabel("refuse", page.text("consent.none"), ItemAnswered(item, False), Mark.CROSS),
        ),
        sizes.TITLE_MM,
    )
    frame.usual_footer(page)


def choose_method(page: Page) -> None:
    frame.header(page, 1)
    rest = page.lead((Paragraph(page.text("method.title"), sizes.TITLE_MM, True),), 2)
    labels = [
        ButtonLabel(
            "own",
            page.text("method.own"),
            Pressed(Action.METHOD_OWN),
            Mark.KEYPAD,
            page.text("method.own.sub"),
        )
    ]
    if page.kiosk.rules.offer_visual_check:
        labels.append(
            ButtonLabel(
                "visual",
                page.text("method.visual"),
                Pressed(Action.METHOD_VISUAL),
                Mark.PERSON,
                page.text("method.visual.sub"),
            )
        )
    page.tiles(rest, labels)
    frame.usual_footer(page)


def consent_summary(page: Page, consent: Consent) -> str:
    """The choice in the words of the line beside 変更."""
    match consent.form:
        case ConsentForm.ALL:
            return page.text("device.consent.all")
        case ConsentForm.AS_REGISTERED:
            return page.text("device.consent.as_registered")
        case ConsentForm.ITEMS if set(consent.agreed) >= set(page.kiosk.rules.consent_items):
            return page.text("device.consent.all")
        case ConsentForm.ITEMS if consent.agreed:
            return page.text("device.consent.items", items=_items(page, consent.agreed))
        case _:
            return page.text("device.consent.none")


def choose_device(page: Page, screen: ChooseDevice) -> None:
    frame.header(page, 2)
    title = Paragraph(page.text("device.title"), sizes.TITLE_MM, True)
    if screen.visit.mode is Mode.HOME_CONSENT:
        change = max(page.px(22), page.need(page.text("device.change")))
        texts = (title, Paragraph(consent_summary(page, screen.visit.consent)))
        least = page.px(34 if page.look.canvas.portrait else sizes.TARGET_MM)
        needs = page.height_of(texts, page.content.w - change - page.gap, least, 1.0)
        head = page.content.top(max(least, needs))
        page.button(
            Rect(head.right - change, head.y, change, page.px(sizes.TARGET_MM)),
            ButtonLabel("change", page.text("device.change"), Pressed(Action.CONSENT_CHANGE)),
        )
        words = Rect(head.x, head.y, head.w - change - page.gap, head.h)
        page.stack(words, texts, 1.0, middle=True)
        rest = page.content.below(head.h + page.gap)
    else:
        rest = page.lead((title,), 3)
    page.tiles(
        rest,
        [_device(page, device) for device in Device],
        6.4,
    )
    frame.usual_footer(page)


def _device(page: Page, device: Device) -> ButtonLabel:
    picture = PICTURES[device]
    return ButtonLabel(
        device.value,
        page.text(f"device.{device.value}"),
        DeviceChosen(device),
        picture.mark,
        "" if picture.which is None else page.text(picture.which),
    )
