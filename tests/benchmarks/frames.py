"""What it costs to draw: every state of both modes at 800×480 on SDL's dummy driver, in this process."""

import os
import statistics
from dataclasses import dataclass
from functools import partial

from kiosk.config.choices import LANGUAGES, ReaderSide, Theme
from kiosk.config.screen_settings import ScreenSettings
from kiosk.screens.drawing.display import SdlDisplay
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.words.catalogue import Catalogues
from kiosk.visit.states import Kiosk
from tests.benchmarks.row import Lab, Measured, at_most, ms_of, row, spread
from tests.screens.proof.gallery import CLINIC, DISPLAYS, all_examples

TIMES = 3
CANVAS = DISPLAYS["800x480"]
ANIMATED_AT_S = tuple(0.1 * step for step in range(12))  #: moments of an animation


@dataclass(frozen=True)
class FrameTimes:
    """Milliseconds, one value per state: the least of `TIMES`, for the machine does other things too."""

    uncached: dict[str, float]
    cached: dict[str, float]
    layout: dict[str, float]
    animation: dict[str, float]


class Easel:
    """A display, fonts and words, as the screen process has them."""

    def __init__(self) -> None:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        self.display = SdlDisplay(
            ScreenSettings(
                width=CANVAS.width,
                height=CANVAS.height,
                px_per_mm=CANVAS.px_per_mm,
                fullscreen=False,
                theme=Theme.STANDARD,
                sound=False,
                rotate=0,
                mirror=False,
                reader_side=ReaderSide.UNTOLD,
            )
        )
        self.fonts = FontBook()
        self.look = Look(CANVAS, tokens_of(Theme.STANDARD), CLINIC, Catalogues(LANGUAGES), self.fonts)

    def frame(self, painter: Painter, kiosk: Kiosk) -> None:
        """What the loop does for a new state."""
        painter.draw(self.display.surface, lay_out(kiosk, self.look))
        self.display.present(None)

    def animate(self, painter: Painter, kiosk: Kiosk) -> list[float]:
        """Milliseconds of each animation frame; none if nothing moves."""
        picture = lay_out(kiosk, self.look)
        painter.draw(self.display.surface, picture)

        def moved(t: float) -> None:
            if (changed := painter.animate(self.display.surface, picture, t)) is not None:
                self.display.present([changed])

        return [ms_of(partial(moved, t)) for t in ANIMATED_AT_S] if picture.animated is not None else []


def frame_times(_lab: Lab) -> FrameTimes:
    """Draw every state; fonts are open, as they are after the first minute of a day."""
    easel = Easel()
    times = FrameTimes({}, {}, {}, {})
    for example in all_examples("ja"):
        easel.frame(Painter(easel.fonts), example.kiosk)  # opens the fonts in the sizes needed
        for _ in range(TIMES):
            painter = Painter(easel.fonts)
            easel.fonts.forget()
            frame = partial(easel.frame, painter, example.kiosk)
            _keep_least(times.uncached, example.name, ms_of(frame))
            _keep_least(times.cached, example.name, ms_of(frame))
            _keep_least(times.layout, example.name, ms_of(partial(lay_out, example.kiosk, easel.look)))
            if moved := easel.animate(painter, example.kiosk):
                _keep_least(times.animation, example.name, statistics.median(moved))
    easel.display.close()
    return times


def _keep_least(times: dict[str, float], name: str, ms: float) -> None:
    times[name] = min(ms, times.get(name, ms))


def _median(times: dict[str, float]) -> Measured:
    slowest = max(times, key=lambda name: times[name])
    return Measured(
        statistics.median(times.values()), f"{spread(list(times.values()), 2)} states; slowest: {slowest}"
    )


@row("frame_uncached_ms", "ms", goal=at_most(2.0))
def frame_uncached(lab: Lab) -> Measured:
    """Nothing kept but open fonts and the shapes' files: layout, drawing, flip."""
    times = lab.once(frame_times)
    result = _median(times.uncached)
    layout = statistics.median(times.layout.values())
    return Measured(
        result.value,
        f"least of {TIMES} per state; new painter, no widths kept, fonts open: layout + draw + flip; "
        f"{result.note}; the layout alone, widths known, is {layout:.2f}",
    )


@row("frame_cached_ms", "ms", goal=at_most(0.8))
def frame_cached(lab: Lab) -> Measured:
    """The same state drawn again by the same painter."""
    result = _median(lab.once(frame_times).cached)
    return Measured(result.value, f"layout + draw + flip a second time; {result.note}")


@row("frame_animation_ms", "ms", goal=at_most(0.3))
def frame_animation(lab: Lab) -> Measured:
    """Only what moves."""
    result = _median(lab.once(frame_times).animation)
    return Measured(result.value, f"redraw and present only what moves; {result.note}")
