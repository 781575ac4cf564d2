"""`kiosk screen`: the process that the patient sees. Everything it needs is put together here."""

import logging
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import uuid6

from kiosk.box.supervision import Supervision
from kiosk.channel import READER_OUTBOX, READER_SOCKET, SCREEN_INBOX, UPLOADER_SOCKET
from kiosk.config.clinic_settings import StaffMember
from kiosk.config.passcodes import verify
from kiosk.config.settings import Settings, load
from kiosk.indicators.gpio import GpioError, GpioLamps, Keys
from kiosk.indicators.pin_map import PinMapError, load_pin_map
from kiosk.indicators.player import Lamps, NoLamps, Player
from kiosk.screens.app import ScreenApp, Shown
from kiosk.screens.conductor.case_file import CaseFile, WallTime
from kiosk.screens.conductor.conductor import Conductor
from kiosk.screens.conductor.page_speech import PageSpeech
from kiosk.screens.conductor.passcode_check import PasscodeCheck
from kiosk.screens.conductor.process_link import ProcessLink
from kiosk.screens.conductor.secret_pad import wipe
from kiosk.screens.conductor.staff_side import Box, StaffSide
from kiosk.screens.drawing.display import Display, DisplayError, SdlDisplay
from kiosk.screens.drawing.fonts import FontBook, FontMissingError
from kiosk.screens.drawing.loudspeaker import Loudspeaker
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Look, canvas_for
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.warmup import Warmup
from kiosk.screens.words.catalogue import CatalogueError, Catalogues
from kiosk.visit.states import Kiosk

log = logging.getLogger(__name__)


def staff_check(staff: tuple[StaffMember, ...]) -> Callable[[str, bytearray], bool]:
    """Compare a typed passcode with the hash kept for a staff number, and wipe it."""
    hashes = {member.number: member.passcode for member in staff}

    def check(number: str, passcode: bytearray) -> bool:
        stored = hashes.get(number)
        try:
            return stored is not None and verify(passcode, stored)
        finally:
            wipe(passcode)

    return check


def lamps(settings: Settings) -> Lamps:
    """The LEDs and the buzzer of the pin map; a box without them says so in its settings."""
    if settings.indicators.board is None:
        return NoLamps()
    return GpioLamps(load_pin_map(settings.indicators.board))


def lamps_or_none(settings: Settings) -> tuple[Lamps, bool]:
    """The lamps, and whether they work: patients are served without them, and the day's check names them."""
    try:
        return lamps(settings), True
    except GpioError as fault:
        log.warning("indicators: %s", fault)
        return NoLamps(), False


def keys(settings: Settings) -> Keys | None:
    """The two keys of the pin map, if the box has them; patients are served without them too."""
    pins = load_pin_map(settings.indicators.board).keys if settings.indicators.board is not None else None
    if pins is None:
        return None
    try:
        return Keys(pins)
    except GpioError as fault:
        log.warning("keys: %s", fault)
        return None


def staff_side(settings: Settings, sound: Loudspeaker, lights_work: bool) -> StaffSide:
    """The staff side; a box that is meant to be silent is not at fault for it."""
    return StaffSide(
        lambda: datetime.now().astimezone(),
        settings.clock.trust_file.exists,
        Box(lambda: sound.audible or not settings.screen.sound, lights_work),
    )


def case_file(settings: Settings) -> CaseFile:
    """The papers of a visit, with what every transcript says of this kiosk."""
    return CaseFile(
        settings.clinic.terminal,
        settings.clinic.institution,
        settings.service.name,
        WallTime(lambda: datetime.now(UTC), settings.clock.trust_file.exists),
    )


def assemble(
    settings: Settings,
    display: Display,
    shown_on: Lamps,
    on_shown: Shown | None = None,
    *,
    lights_work: bool = True,
    pressed: Keys | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[ScreenApp, Conductor]:
    """Put the screen process together around a display and its lamps; the demo brings its own two."""
    sound = Loudspeaker(settings.screen.sound)
    reader = ProcessLink("reader", settings.run / READER_SOCKET, READER_OUTBOX)
    uploader = ProcessLink("uploader", settings.run / UPLOADER_SOCKET, SCREEN_INBOX)
    conductor = Conductor(
        Kiosk(settings.rules, settings.rules.languages[0], large_text=settings.rules.large_text),
        reader,
        uploader,
        case=case_file(settings),
        staff_side=staff_side(settings, sound, lights_work),
        passcode=PasscodeCheck(staff_check(settings.staff)),
        speech=PageSpeech(sound),
        monotonic=monotonic,
        new_visit_id=lambda: str(uuid6.uuid7()),
    )
    fonts = FontBook()
    words = Catalogues(settings.rules.known_languages)
    for language in words.unreviewed(settings.rules.languages):
        log.warning("words: no native reader has checked language %s", language)
    canvas = canvas_for(*display.size, settings.screen.px_per_mm)
    if canvas.px_per_mm < settings.screen.px_per_mm:
        scale = 100 * canvas.px_per_mm / settings.screen.px_per_mm
        log.warning("display: too small for letters and keys of the right size; all is drawn at %d %%", scale)
    look = Look(
        canvas,
        tokens_of(settings.screen.theme),
        settings.clinic.name,
        words,
        fonts,
        mirror=settings.screen.mirror,
        reader_side=settings.screen.reader_side,
        voices=sound.languages,
        handbook=settings.clinic.handbook,
    )
    painter = Painter(fonts)
    app = ScreenApp(
        display,
        painter,
        look,
        conductor,
        (reader, uploader),
        Player(shown_on, monotonic),
        sound,
        Supervision(),
        Warmup(painter, look, settings.rules),
        settings.rules.timing.touch_guard_s,
        monotonic,
        on_shown,
        pressed or tuple,
    )
    return app, conductor


def run_until_stopped(app: ScreenApp) -> None:
    """Run the loop; SIGTERM and SIGINT end it after the present step."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: app.stop())
    try:
        app.run()
    finally:
        app.close()


@click.command()
@click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="The settings, kiosk.toml."
)
def screen(path: Path) -> None:
    """The screen process: visit, display, LEDs and buzzer."""
    settings = load(path)
    try:
        shown_on, lights_work = lamps_or_none(settings)
        app, _ = assemble(
            settings, SdlDisplay(settings.screen), shown_on, lights_work=lights_work, pressed=keys(settings)
        )
    except (PinMapError, CatalogueError, DisplayError, FontMissingError) as fault:
        raise click.ClickException(str(fault)) from None
    run_until_stopped(app)
