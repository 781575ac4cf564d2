"""The clinic's own screen process in a window, telling when it got a touch and when it showed the answer.

`python -m tests.benchmarks.window_probe --config FILE --out FILE`: put together by `kiosk.commands.screen`;
only its display notes the clock. Each new picture is a line of JSON in the file.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import click
import pygame

from kiosk.commands.screen import assemble, run_until_stopped
from kiosk.config.settings import load
from kiosk.indicators.player import NoLamps
from kiosk.screens.drawing.display import Down, Input, SdlDisplay
from kiosk.screens.kit.widgets import Picture


class TimedDisplay(SdlDisplay):
    """Notes when a finger was heard of."""

    touched: float | None = None
    cpu = 0.0

    def events(self) -> Sequence[Input]:
        found = super().events()
        if any(isinstance(each, Down) for each in found):
            self.touched, self.cpu = time.monotonic(), time.thread_time()
        return found


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(path: Path, out: Path) -> None:
    """Run until SIGTERM."""
    settings = load(path)
    display = TimedDisplay(settings.screen)
    with out.open("w", encoding="utf-8") as file:

        def shown(picture: Picture, _: pygame.Surface) -> None:
            now, touched, display.touched = time.monotonic(), display.touched, None
            line = {
                "name": picture.name,
                "ms": None if touched is None else (now - touched) * 1000,
                "cpu_ms": (time.thread_time() - display.cpu) * 1000,
                "targets": {target.id: target.rect.middle for target in picture.targets},
                "driver": pygame.display.get_driver(),
            }
            file.write(json.dumps(line) + "\n")
            file.flush()

        app, _ = assemble(settings, display, NoLamps(), shown)
        run_until_stopped(app)


if __name__ == "__main__":
    main(prog_name="window_probe")
