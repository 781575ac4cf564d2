"""`kiosk notice`: shows a notice on the display while the kiosk itself cannot run."""

import logging
import signal
import time
from pathlib import Path

import click

from kiosk.box.supervision import Supervision
from kiosk.channel.notice_file import FALLBACK_NOTICE, Notice, from_text
from kiosk.config.screen_settings import usual_screen
from kiosk.screens.drawing.display import DisplayError, Quit, SdlDisplay
from kiosk.screens.drawing.fonts import FontBook, FontMissingError
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import canvas_for
from kiosk.screens.pages.notice_page import notice_picture

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5  #: how often the file is looked at


class Stop:
    """Set by a signal, read by the loop."""

    def __init__(self) -> None:
        self.wanted = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._set)

    def _set(self, *_: object) -> None:
        self.wanted = True


def _read(file: Path) -> Notice | None:
    try:
        return from_text(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def notice(file: Path) -> None:
    """Show the notice in FILE, and its successors, until stopped."""
    settings = usual_screen()
    try:
        display, fonts = SdlDisplay(settings), FontBook()
    except (DisplayError, FontMissingError) as fault:
        raise click.ClickException(str(fault)) from None
    supervision, stop, painter = Supervision(), Stop(), Painter(fonts)
    canvas = canvas_for(*display.size, settings.px_per_mm)
    shown: Notice | None = None
    while not stop.wanted:
        wanted = _read(file) or shown or FALLBACK_NOTICE
        if wanted != shown:
            painter.draw(display.surface, notice_picture(wanted, canvas, fonts))
            display.present()
            if shown is None:
                supervision.ready()
            shown = wanted
            log.info("notice: %s", wanted.en.title)
        supervision.alive()
        if any(isinstance(event, Quit) for event in display.events()):
            break
        time.sleep(LOOK_EVERY_S)
    supervision.stopping()
    display.close()
