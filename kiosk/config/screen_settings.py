"""The settings of the screen process: display, LEDs and buzzer."""

from dataclasses import dataclass
from pathlib import Path

from kiosk.config.choices import ReaderSide, Theme
from kiosk.config.table import Rulebook, Table


@dataclass(frozen=True)
class ScreenSettings:
    width: int
    height: int
    px_per_mm: float
    fullscreen: bool
    theme: Theme
    sound: bool
    rotate: int  #: 0, 90, 180 or 270 degrees clockwise; width and height are the panel's own
    mirror: bool  #: keys at the left: mounted for the left hand
    reader_side: ReaderSide


@dataclass(frozen=True)
class IndicatorSettings:
    board: Path | None  #: pin map; None: the box has neither LEDs nor buzzer


def screen(table: Table) -> ScreenSettings:
    """Read `[screen]`."""
    return ScreenSettings(
        width=table.whole("width", 480, 3840, 800),
        height=table.whole("height", 320, 3840, 480),
        px_per_mm=table.number("px_per_mm", 2, 20, 5.36),
        fullscreen=table.flag("fullscreen", True),
        theme=table.choice("theme", Theme, Theme.STANDARD),
        sound=table.flag("sound", True),
        rotate=table.whole("rotate", 0, 270, 0, step=90),
        mirror=table.flag("mirror", False),
        reader_side=table.choice("reader_side", ReaderSide, ReaderSide.UNTOLD),
    )


def usual_screen() -> ScreenSettings:
    """The screen where no settings can be read."""
    return screen(Table("screen", {}, {}, [], Rulebook()))


def indicators(table: Table, base: Path) -> IndicatorSettings:
    """Read `[indicators]`."""
    board = table.text("board", 'a path to board.toml, or "none"', "none")
    return IndicatorSettings(board=None if board == "none" else base / board)
