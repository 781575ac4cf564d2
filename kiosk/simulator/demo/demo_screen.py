"""The demo's screen process: the clinic's own screen app around the demo's display, mock pins and a listener.

Run as `python -m kiosk.simulator.demo.demo_screen`. What differs from `kiosk screen` is outside the kiosk:
where the picture goes, where touches come from (a socket posts them into SDL's own queue), and gpiozero's
mock pins.
"""

import json
import logging
import selectors
import socket
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click
import pygame
from gpiozero.pins.mock import MockFactory, MockPWMPin

from kiosk.commands.screen import assemble, run_until_stopped
from kiosk.config.settings import ConfigError, load
from kiosk.indicators.gpio import GpioLamps
from kiosk.indicators.patterns import Levels
from kiosk.indicators.pin_map import load_pin_map
from kiosk.qualification.consent import ConsentItem
from kiosk.screens.conductor.conductor import Conductor
from kiosk.screens.drawing.display import Input
from kiosk.screens.drawing.fonts import FontMissingError
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.widgets import Picture
from kiosk.simulator.demo.handles import Hands
from kiosk.simulator.demo.strip import Handle
from kiosk.simulator.demo.window import DemoDisplay
from kiosk.visit.events import ItemAnswered

log = logging.getLogger("kiosk.simulator.demo")


class StorySocket:
    """The socket through which the story touches and watches. One client at a time; none is fine too."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self._pending = b""
        self._last: dict[str, object] | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def tell(self, **message: object) -> None:
        """Send one line; the newest picture is kept for whoever comes later."""
        if "shown" in message:
            self._last = message
        if self._client is not None:
            try:
                self._client.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                self._drop()

    def commands(self) -> list[dict[str, object]]:
        """What was asked since the last call."""
        lines: list[dict[str, object]] = []
        for key, _ in self._selector.select(0):
            if key.fileobj is self._listener:
                self._accept()
            elif self._client is not None:
                lines += self._read(self._client)
        return lines

    def _accept(self) -> None:
        self._drop()
        self._client, _ = self._listener.accept()
        self._selector.register(self._client, selectors.EVENT_READ)
        if self._last is not None:
            self.tell(**self._last)

    def _read(self, client: socket.socket) -> list[dict[str, object]]:
        try:
            data = client.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._drop()
            return []
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def _drop(self) -> None:
        if self._client is not None:
            self._selector.unregister(self._client)
            self._client.close()
            self._client, self._pending = None, b""


class Album:
    """Writes each screen shown as a PNG, on a thread of its own so that the kiosk's loop is not held up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._chapter = "opening"
        self._names: list[str] = []
        self._last: tuple[str, int] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="album")
        self._writing: list[Future[None]] = []

    def begin(self, chapter: str) -> None:
        """From now on pictures belong to this chapter."""
        self._chapter, self._names, self._last = chapter, [], None

    def add(self, name: str, page: int, surface: pygame.Surface) -> str:
        """Keep this picture; a later one of the same page takes its place."""
        if (name, page) != self._last:
            self._last = (name, page)
            self._names.append(f"{self._chapter}/{len(self._names) + 1:02}-{name}.png")
        target = self._folder / self._names[-1]
        target.parent.mkdir(parents=True, exist_ok=True)
        self._writing.append(self._writer.submit(pygame.image.save, surface.copy(), str(target)))
        return self._names[-1]

    def flush(self) -> list[str]:
        """Wait for the writer; returns the chapter's pictures in order."""
        for written in self._writing:
            written.result()
        self._writing.clear()
        return list(self._names)


class WiredDisplay(DemoDisplay):
    """A demo's display that also does what the story's socket says, and tells it what is shown."""

    def __init__(
        self, size: tuple[int, int], wire: StorySocket, album: Album | None, handles: Sequence[Handle] = ()
    ) -> None:
        super().__init__(size, handles)
        self._wire, self._album = wire, album
        self._picture: Picture | None = None
        self._page = 0
        self.stages_ms: Callable[[], dict[str, float]] = dict
        self.language: Callable[[], str] | None = None

    def shown(self, picture: Picture, surface: pygame.Surface) -> None:
        """A new picture came."""
        if self.language is not None:
            self.speak(self.language())
        self._page = _page_after(self._picture, picture, self._page)
        self._picture = picture
        png = self._album.add(picture.name, self._page, surface) if self._album is not None else None
        self._wire.tell(
            shown=picture.name,
            targets={t.id: (t.rect.x + t.rect.w / 2, t.rect.y + t.rect.h / 2) for t in picture.targets},
            at=time.monotonic(),
            stages_ms=self.stages_ms(),
            png=png,
            page=self._page,
        )

    def events(self) -> Sequence[Input]:
        for command in self._wire.commands():
            if "touch" in command:
                self._touch(str(command["touch"]))
            elif "chapter" in command and self._album is not None:
                self._album.begin(str(command["chapter"]))
                if self._picture is not None:
                    self._album.add(self._picture.name, self._page, self.surface)
                self._wire.tell(begun=command["chapter"])
            elif "flush" in command:
                self._wire.tell(flushed=True, pictures=self._album.flush() if self._album is not None else [])
        return super().events()

    def _touch(self, wanted: str) -> None:
        """A finger comes down on the middle of the target, through SDL's own queue, and goes up again."""
        target = next((t for t in self._picture.targets if t.id == wanted), None) if self._picture else None
        if target is None:
            log.warning("demo: nothing called %s is on the screen", wanted)
            return
        rect: Rect = target.rect
        width, height = self.window_size
        x, y = (rect.x + rect.w / 2) / width, (rect.y + rect.h / 2) / height
        for kind in (pygame.FINGERDOWN, pygame.FINGERUP):
            pygame.event.post(pygame.event.Event(kind, touch_id=1, finger_id=1, x=x, y=y, dx=0, dy=0))


def _page_after(before: Picture | None, picture: Picture, page: int) -> int:
    """A new number when the same screen asks for another item; digits typed on a pad turn no page."""
    return page + 1 if before is not None and _items(before) != _items(picture) else page


def _items(picture: Picture) -> list[ConsentItem]:
    return [target.touch.item for target in picture.targets if isinstance(target.touch, ItemAnswered)]


class DrawnPanel(GpioLamps):
    """The panel on mock pins, with its LEDs drawn on the strip."""

    def __init__(self, board: Path, display: DemoDisplay, wire: StorySocket) -> None:
        super().__init__(load_pin_map(board), MockFactory(pin_class=MockPWMPin))
        self._display, self._wire = display, wire
        self._drawn: Levels = (False, False, False, False)

    def apply(self, levels: Levels, hz: int | None) -> None:
        super().apply(levels, hz)
        if levels != self._drawn:
            self._drawn = levels
            self._wire.tell(lights=list(levels), at=time.monotonic())
            self._display.show_levels(levels)


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="The demo's folder.")
@click.option("--pictures", type=click.Path(path_type=Path), envvar="KIOSK_DEMO_PICTURES")
@click.option("--window", is_flag=True, envvar="KIOSK_DEMO_WINDOW")
def main(path: Path, folder: Path, pictures: Path | None, window: bool) -> None:
    """The demo's screen process."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = load(path)
    except ConfigError as fault:
        raise click.ClickException(str(fault)) from None
    wire = StorySocket(folder / "story.sock")
    album = Album(pictures) if pictures is not None else None
    size = (settings.screen.width, settings.screen.height)
    keys = Hands(folder / "field.sock", folder / "service.sock").handles() if window else ()
    try:
        display = WiredDisplay(size, wire, album, keys)
    except (pygame.error, FontMissingError) as fault:
        raise click.ClickException(
            f"the window cannot be opened: {fault}; without one: kiosk demo --headless"
        ) from None
    if settings.indicators.board is None:
        raise click.ClickException("the demo's settings name no board")
    panel = DrawnPanel(settings.indicators.board, display, wire)
    app, conductor = assemble(settings, display, panel, display.shown)
    display.stages_ms = _stages(conductor)
    display.language = lambda: conductor.kiosk.language
    run_until_stopped(app)


def _stages(conductor: Conductor) -> Callable[[], dict[str, float]]:
    return lambda: conductor.stages_ms


if __name__ == "__main__":
    main(prog_name="kiosk.simulator.demo.demo_screen", standalone_mode=True)
    sys.exit(0)
