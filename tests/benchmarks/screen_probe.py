"""The demo's screen process with a stopwatch on its loop; run by `screen_steps` in place of the demo's own.

`python -m tests.benchmarks.screen_probe --config FILE --folder DIR --out FILE`. The app is put together as in
`kiosk.commands.screen`, but its conductor starts the stopwatch and its heartbeat stops it: what lies between
is everything that `ScreenApp.step` does but its wait for messages.
"""

import heapq
import json
import time
from pathlib import Path

import click
import pygame
import uuid6

from kiosk.channel import READER_OUTBOX, READER_SOCKET, SCREEN_INBOX, UPLOADER_SOCKET
from kiosk.commands.screen import case_file, run_until_stopped, staff_check, staff_side
from kiosk.config.choices import LANGUAGES
from kiosk.config.settings import Settings, load
from kiosk.indicators.player import Player
from kiosk.screens.app import ScreenApp
from kiosk.screens.conductor.conductor import Conductor
from kiosk.screens.conductor.page_speech import PageSpeech
from kiosk.screens.conductor.passcode_check import PasscodeCheck
from kiosk.screens.conductor.process_link import ProcessLink
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.loudspeaker import Loudspeaker
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Canvas, Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.kit.widgets import Picture
from kiosk.screens.warmup import Warmup
from kiosk.screens.words.catalogue import Catalogues
from kiosk.screens.words.speech import NoVoice
from kiosk.simulator.demo.demo_screen import DrawnPanel, StorySocket, WiredDisplay
from kiosk.visit.states import Kiosk

KEPT = 5
LIMIT_MS = 16.0


class Stopwatch:
    """Times steps; keeps the longest ones and how many were too long. Is the app's heartbeat."""

    def __init__(self) -> None:
        self.steps = self.too_long = 0
        self.longest: list[tuple[float, float, str, str]] = []
        self.name = ""
        self._wall = self._cpu = 0.0
        self._before = ""

    def begin(self) -> None:
        self._before = self.name
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def ready(self) -> None: ...

    def alive(self) -> None:
        wall = (time.perf_counter() - self._wall) * 1000
        cpu = (time.thread_time() - self._cpu) * 1000
        self.steps += 1
        self.too_long += wall > LIMIT_MS
        heapq.heappush(self.longest, (wall, cpu, self._before, self.name))
        if len(self.longest) > KEPT:
            heapq.heappop(self.longest)

    def data(self) -> dict[str, object]:
        """What `screen_steps` reads."""
        longest = sorted(self.longest, reverse=True)
        return {
            "steps": self.steps,
            "too_long": self.too_long,
            "longest": [
                {"ms": wall, "cpu_ms": cpu, "from": before, "to": after}
                for wall, cpu, before, after in longest
            ],
        }


class TimedConductor(Conductor):
    """Starts the stopwatch where the loop's wait has just ended."""

    stopwatch: Stopwatch

    def poll(self, said: bool = True) -> None:
        self.stopwatch.begin()
        super().poll(said)


def assemble(settings: Settings, display: WiredDisplay, panel: DrawnPanel, stopwatch: Stopwatch) -> ScreenApp:
    """As `kiosk.commands.screen.assemble`, with the two timed parts."""
    sound = Loudspeaker(settings.screen.sound)
    reader = ProcessLink("reader", settings.run / READER_SOCKET, READER_OUTBOX)
    uploader = ProcessLink("uploader", settings.run / UPLOADER_SOCKET, SCREEN_INBOX)
    conductor = TimedConductor(
        Kiosk(settings.rules, settings.rules.languages[0]),
        reader,
        uploader,
        case=case_file(settings),
        staff_side=staff_side(settings, sound, lights_work=True),
        passcode=PasscodeCheck(staff_check(settings.staff)),
        speech=PageSpeech(NoVoice()),
        monotonic=time.monotonic,
        new_visit_id=lambda: str(uuid6.uuid7()),
    )
    conductor.stopwatch = stopwatch
    fonts = FontBook()
    look = Look(
        Canvas(*display.size, settings.screen.px_per_mm),
        tokens_of(settings.screen.theme),
        settings.clinic.name,
        Catalogues(LANGUAGES),
        fonts,
    )

    def shown(picture: Picture, surface: pygame.Surface) -> None:
        stopwatch.name = picture.name
        display.shown(picture, surface)

    painter = Painter(fonts)
    return ScreenApp(
        display,
        painter,
        look,
        conductor,
        (reader, uploader),
        Player(panel, time.monotonic),
        sound,
        stopwatch,
        Warmup(painter, look, settings.rules),
        settings.rules.timing.touch_guard_s,
        time.monotonic,
        shown,
    )


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(path: Path, folder: Path, out: Path) -> None:
    """Run until SIGTERM, then write the times."""
    settings = load(path)
    wire = StorySocket(folder / "story.sock")
    display = WiredDisplay((settings.screen.width, settings.screen.height), wire, None)
    if settings.indicators.board is None:
        raise click.ClickException("the demo's settings name no board")
    stopwatch = Stopwatch()
    app = assemble(settings, display, DrawnPanel(settings.indicators.board, display, wire), stopwatch)
    run_until_stopped(app)
    out.write_text(json.dumps(stopwatch.data()), encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="screen_probe")
