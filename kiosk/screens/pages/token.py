"""Layout of what concerns the token on the reader: hold, hold again, wrong one, reading, checking. PURE."""

from kiosk.config.choices import ReaderSide
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.screens.kit import frame
from kiosk.screens.kit import look as sizes
from kiosk.screens.kit.device_pictures import PICTURES, REMOVED
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.page import ButtonLabel, Page, Paragraph
from kiosk.screens.kit.widgets import Mark, Progress, Scene, SceneKind
from kiosk.visit.events import Action, Pressed
from kiosk.visit.states import (
    Again,
    AuthenticateOnPhone,
    Checking,
    Hold,
    HoldProblem,
    OtherDevice,
    Reading,
    Stage,
    Visit,
    WrongToken,
)

SCENE_MM = (52.0, 58.0)
PORTRAIT_SCENE_MM = (46.0, 48.0)

#: The reader's name with an arrow to where it lies.
POINTING = {
    ReaderSide.UNTOLD: "{}",
    ReaderSide.LEFT: "← {}",
    ReaderSide.RIGHT: "{} →",
    ReaderSide.BELOW: "{} ↓",
}
#: How many of the four cells are done when a stage is reached.
CELLS = 4
DONE: dict[Stage, int] = {
    Stage.PRESENTED: 1,
    Stage.RECOGNISED: 2,
    Stage.COUNTER: 2,
    Stage.VERIFIED: 3,
    Stage.CERTIFICATE: 3,
    Stage.SIGNED: 4,
}


def _device(visit: Visit) -> Device:
    """The device that the visit waits for; a visit without one can only mean the card."""
    return visit.device or Device.CARD


def _with_scene(page: Page, kind: SceneKind) -> Rect:
    """Place the drawn movement and return the room for words."""
    area = page.content
    scene = PORTRAIT_SCENE_MM if page.look.canvas.portrait else SCENE_MM
    width, height = page.px(scene[0]), page.px(scene[1])
    if page.look.canvas.portrait:
        place = area.base(height).centred(width, height)
        words = area.above(height + page.gap)
    else:
        words, place = page.sides(area, width, page.px(2), _on_left(page.look))
        place = place.top(min(height, area.h))
    tokens = page.tokens
    label_box = place.top(page.px(7))
    name = POINTING[page.look.reader_side].format(page.text("hold.reader"))
    label = page.placed(
        page.fitted(name, label_box.w, label_box.h, sizes.NEEDED_MM, sizes.FLOOR_MM, True),
        label_box,
        True,
        tokens.ink,
        tokens.ground,
        True,
        True,
    )
    page.add(Scene(place, kind, label, tokens.plain, tokens.reader, tokens.highlight))
    return words.inset(page.px(0.6), 0)


def _on_left(look: Look) -> bool:
    """The drawn reader lies where the real one does; where that is not told, away from the words."""
    match look.reader_side:
        case ReaderSide.LEFT:
            return True
        case ReaderSide.RIGHT:
            return False
        case ReaderSide.BELOW | ReaderSide.UNTOLD:
            return look.mirror


def _steps(page: Page, words: Rect, title: str, keys: tuple[str, ...]) -> None:
    """A title and what follows it, each on its own lines; more than two are written smaller."""
    mm = 6.7 if len(keys) <= 2 else sizes.NEEDED_MM
    page.stack(
        words,
        (
            Paragraph(title, sizes.TITLE_MM, True),
            *(Paragraph(page.text(key), mm) for key in keys),
        ),
        3.6,
        middle=True,
    )


def too_early(page: Page) -> None:
    frame.header(page)
    words = _with_scene(page, SceneKind.REMOVE_CARD)
    _steps(page, words, page.text("too_early.title"), ("too_early.what",))
    frame.footer(page, None, None, frame.help_label(page))


def hold(page: Page, screen: Hold) -> None:
    frame.header(page, 3)
    device = _device(screen.visit)
    picture = PICTURES[device]
    words = _with_scene(page, picture.scene)
    title = page.text(f"hold.{device.value}.title")
    if screen.visit.authentication is Authentication.VISUAL:
        _steps(page, words, title, ("hold.visual",))
    else:
        _steps(page, words, title, picture.steps)
    frame.usual_footer(page)


def again(page: Page, screen: Again) -> None:
    frame.header(page, 3)
    device = _device(screen.visit)
    if screen.problem is HoldProblem.LEFT_BEHIND:
        _left_behind(page, device)
        return
    words = _with_scene(page, PICTURES[device].scene)
    keys = [f"again.{screen.problem.value}"]
    if screen.visit.authentication is Authentication.PIN:
        keys.append("again.pin_kept")
    _steps(page, words, page.text("again.title"), tuple(keys))
    frame.usual_footer(page)


def _left_behind(page: Page, device: Device) -> None:
    """Somebody's token lies there from before: nothing of it was read."""
    words = _with_scene(page, SceneKind.REMOVE_CARD)
    then = f"again.left_behind.{device.kind.value}"
    _steps(page, words, page.text("again.left_behind.title"), (then,))
    frame.usual_footer(page)


def wrong_token(page: Page, screen: WrongToken) -> None:
    frame.header(page, 3)
    device = _device(screen.visit)
    words = _with_scene(page, PICTURES[device].scene)
    _steps(
        page,
        words,
        page.text(f"wrong_token.{screen.kind.value}"),
        (f"wrong_token.do.{device.kind.value}",),
    )
    frame.usual_footer(page)


def other_device(page: Page, screen: OtherDevice) -> None:
    """Says what was chosen and what lies there, and offers to choose anew."""
    frame.header(page, 3)
    chosen = page.text(f"device.name.{_device(screen.visit).value}")
    presented = "unknown" if screen.presented is None else screen.presented.value
    choose = page.content.base(page.px(sizes.MAIN_TARGET_MM))
    page.stack(
        page.content.above(choose.h + page.gap).inset(page.px(2), 0),
        (
            Paragraph(page.text("other_device.title"), sizes.TITLE_MM, True),
            Paragraph(
                page.text(
                    "other_device.what", chosen=chosen, presented=page.text(f"device.name.{presented}")
                ),
                6.6,
            ),
            Paragraph(page.text("other_device.do", chosen=chosen), 6.6),
        ),
        3.0,
        middle=True,
    )
    page.button(
        choose,
        ButtonLabel("back", page.text("other_device.choose"), Pressed(Action.BACK), Mark.AGAIN),
        7.0,
    )
    frame.footer(page, None, frame.language_label(page), frame.help_label(page))


def authenticate_on_phone(page: Page, screen: AuthenticateOnPhone) -> None:
    """The steps of the chosen phone. A device that wants a PIN may come here too, when it lost the proof of
    it: it has no steps of its own for that, and is shown the iPhone's.
    """
    frame.header(page, 3)
    device = _device(screen.visit)
    picture = PICTURES[device if device.proof is Authentication.PHONE else Device.IPHONE]
    words = _with_scene(page, picture.scene)
    _steps(page, words, page.text("authenticate.title"), picture.steps)
    frame.usual_footer(page)


def reading(page: Page, screen: Reading) -> None:
    frame.header(page, 3)
    area = page.content.inset(page.px(6), page.px(2))
    bar = area.base(page.px(15))
    page.stack(
        area.above(bar.h + page.gap),
        (
            Paragraph(page.text("reading.title"), 10.5, True),
            Paragraph(page.text("reading.keep_still"), sizes.TITLE_MM),
        ),
        5.0,
        centre=True,
        middle=True,
    )
    page.add(
        Progress(
            bar.columns(CELLS, page.px(2)),
            DONE[screen.stage],
            page.tokens.done,
            page.tokens.plain,
            page.edge,
        )
    )


def checking(page: Page, screen: Checking) -> None:
    frame.header(page, 4)
    words = _with_scene(page, REMOVED[_device(screen.visit).kind])
    _steps(page, words, page.text("checking.title"), ("checking.what",))
