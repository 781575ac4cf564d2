"""The screen process's loop: touches in, pictures out. Draws only what changed; waits on the channel between.

A message from the reader wakes the loop at once, so that light and progress follow the token and not the
frame clock; touches are looked for sixty times a second (SDL has nothing to wait on: docs/facts/screens.md).
"""

import logging
import select
from collections.abc import Callable, Sequence
from typing import Protocol

from kiosk.screens.conductor.conductor import Conductor
from kiosk.screens.conductor.process_link import ProcessLink
from kiosk.screens.drawing.display import Display, Down, Quit, Surface, Up
from kiosk.screens.drawing.loudspeaker import Loudspeaker
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.focus import Focus, ring
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.widgets import Picture, Target, target_at
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.warmup import Warmup
from kiosk.screens.words.speech import speaks_first
from kiosk.visit.events import Action, Knocked, Pressed
from kiosk.visit.keys import Key
from kiosk.visit.states import Idle, Kiosk, OutOfService, OutOfServiceReason, visit_of

log = logging.getLogger(__name__)

TICK_S = 1 / 60  #: how often touches are looked for
REST_TICK_S = 1 / 25  #: while nobody is there; the first touch of a visit may wait a little longer
FRAME_S = 1 / 20  #: how often a moving picture moves
#: So many pictures SDL's back ends hold at most (double and triple buffering): after a visit each of them is
#: overwritten, so that nothing of it is left in the memory of the display.
BUFFERS = 3
KNOCK_S = 2.0  #: so long staff hold the header to be asked who they are; no page says so


class Indicators(Protocol):
    """LEDs and buzzer, driven by the state."""

    def update(self, kiosk: Kiosk) -> None:
        """Show what the state calls for now."""

    def close(self) -> None:
        """All off."""


class Heartbeat(Protocol):
    """What the service manager hears from this process."""

    def ready(self) -> None: ...

    def alive(self) -> None: ...


Shown = Callable[[Picture, Surface], None]
Keys = Callable[[], Sequence[Key]]  #: those pressed on the box since the last call
RING_MM = 1.1  #: within the gap that every target keeps


class ScreenApp:
    """Owns the display for as long as the process lives."""

    def __init__(
        self,
        display: Display,
        painter: Painter,
        look: Look,
        conductor: Conductor,
        links: tuple[ProcessLink[object], ...],
        indicators: Indicators,
        sound: Loudspeaker,
        heartbeat: Heartbeat,
        warmup: Warmup,
        touch_guard_s: float,
        monotonic: Callable[[], float],
        on_shown: Shown | None = None,
        keys: Keys = tuple,
    ) -> None:
        self._display, self._painter, self._look = display, painter, look
        self._conductor, self._links = conductor, links
        self._indicators, self._sound, self._heartbeat = indicators, sound, heartbeat
        self._monotonic, self._on_shown, self._keys = monotonic, on_shown, keys
        self._warmup, self._touch_guard_s = warmup, touch_guard_s
        self._focus = Focus()
        self._picture: Picture | None = None
        self._laid_out: Kiosk | None = None
        self._held: str | None = None
        self._knocking: tuple[float, Target | None] | None = None
        self._since = self._next_frame = self._guarded_until = monotonic()
        self._covering = 0
        self._stopped = False

    def stop(self) -> None:
        """Leave the loop after the present step; safe from a signal handler."""
        self._stopped = True

    def run(self) -> None:
        """Show the first picture, then go on until stopped."""
        self._warmup.all()
        self._refresh()
        self._heartbeat.ready()
        while not self._stopped:
            self.step()
        self._farewell()

    def _farewell(self) -> None:
        """The last picture, in place of whatever stood there, until the kiosk is off or starts anew."""
        kiosk = self._conductor.kiosk
        rules = kiosk.rules
        last = Kiosk(rules, rules.languages[0], OutOfService(OutOfServiceReason.MAINTENANCE))
        self._painter.draw(self._display.surface, lay_out(last, self._look))
        for _ in range(BUFFERS):
            self._display.present(None)

    def step(self) -> None:
        """Wait at most one tick for a message, then have a turn."""
        peers = [link.peer for link in self._links if link.peer is not None]
        said, _, _ = select.select(peers, [], [], REST_TICK_S if self._at_rest() else TICK_S)
        self.turn(bool(said) or len(peers) < len(self._links))

    def _at_rest(self) -> bool:
        """Nobody is there, and nothing is being drawn ahead or overwritten."""
        resting = isinstance(self._conductor.kiosk.screen, Idle | OutOfService)
        return resting and not self._covering and not self._warmup.cold

    def turn(self, said: bool = True) -> None:
        """Take in what there is and draw what changed; `said`: whether another process may have spoken."""
        self._conductor.poll(said)
        self._sound.set_volume(self._conductor.kiosk.volume)
        self._indicators.update(self._conductor.kiosk)
        for touched in (*self._display.events(), *self._keys()):
            match touched:
                case Down(x, y):
                    self._down(x, y)
                case Up():
                    self._up()
                case Key():
                    self._key(touched)
                case Quit():
                    self.stop()
        self._knock()
        self._refresh()
        self._heartbeat.alive()

    def _down(self, x: float, y: float) -> None:
        """A finger comes down: it acts at once, unless what it touches has only just come under it.

        Where staff may knock, it acts when it goes up again: until then it may yet become a knock.
        """
        if self._picture is not None and self._focus.on(self._picture) is not None:
            self._focus.leave()
            self._redraw(self._picture)
        target = target_at(self._picture, x, y) if self._picture else None
        if self._picture is None or self._monotonic() < self._guarded_until:
            return
        if self._picture.door is not None and self._picture.door.holds(x, y):
            self._knocking = (self._monotonic(), target)
        elif target is not None:
            self._touch(self._picture, target)

    def _key(self, key: Key) -> None:
        """NEXT walks, ENTER touches; a page that waits to be asked says its sentence at the first NEXT."""
        picture, kiosk = self._picture, self._conductor.kiosk
        if picture is None:
            return
        before = self._focus.on(picture)
        match key:
            case Key.NEXT:
                self._sound.click()
                if self._focus.walk(picture) is not None:
                    self._redraw(picture)
                if before is None and not speaks_first(kiosk):
                    self._conductor.touch(Pressed(Action.SPEAK))
            case Key.ENTER if before is not None and self._monotonic() >= self._guarded_until:
                self._touch(picture, before)
                self._up()
            case Key.ENTER:
                pass

    def _redraw(self, picture: Picture) -> None:
        """All of it anew, with the frame around what is in focus."""
        self._painter.draw(self._display.surface, picture, self._monotonic() - self._since, self._held)
        self._frame_focus(picture)
        self._display.present(None)

    def _frame_focus(self, picture: Picture) -> None:
        target = self._focus.on(picture)
        if target is not None:
            width = self._look.canvas.px(RING_MM)
            frame = ring(target.rect, self._look.canvas.rect, width)
            self._painter.frame(self._display.surface, frame, width)

    def _touch(self, picture: Picture, target: Target) -> None:
        self._sound.click()
        self._held = target.id
        if changed := self._painter.press(self._display.surface, picture, target.id, True):
            self._display.present([changed])
        self._conductor.touch(target.touch)
        self._indicators.update(self._conductor.kiosk)

    def _knock(self) -> None:
        """A finger held long enough where staff may knock."""
        if self._knocking is not None and self._monotonic() - self._knocking[0] >= KNOCK_S:
            self._knocking = None
            self._sound.click()
            self._conductor.touch(Knocked())

    def _up(self) -> None:
        knocking, self._knocking = self._knocking, None
        if knocking is not None and knocking[1] is not None and self._picture is not None:
            self._touch(self._picture, knocking[1])
        if self._held is None or self._picture is None:
            return
        if changed := self._painter.press(self._display.surface, self._picture, self._held, False):
            self._display.present([changed])
        self._held = None

    def _refresh(self) -> None:
        """Draw the state if its picture differs from what is shown, or move what moves."""
        now = self._monotonic()
        kiosk = self._conductor.kiosk
        if self._covering:
            self._covering -= 1
            self._display.present(None)
        if kiosk is self._laid_out and self._picture is not None:
            self._animate(self._picture, now)
            if isinstance(kiosk.screen, Idle):
                self._warmup.one()
            return
        self._laid_out = kiosk
        picture = lay_out(kiosk, self._look)
        if picture == self._picture:
            return
        if self._picture is None or self._picture.targets != picture.targets:
            self._guarded_until = now + self._touch_guard_s
        if self._picture is None or self._picture.name != picture.name:
            self._since = now
            self._held = self._knocking = None
            if visit_of(self._conductor.kiosk.screen) is None:
                self._painter.forget()
                self._warmup.again()
                self._covering = BUFFERS - 1
        self._picture = picture
        self._painter.draw(self._display.surface, picture, now - self._since, self._held)
        self._frame_focus(picture)
        self._display.present(None)
        self._next_frame = now + FRAME_S
        if self._on_shown is not None:
            self._on_shown(picture, self._display.surface)

    def _animate(self, picture: Picture, now: float) -> None:
        if picture.animated is None or now < self._next_frame:
            return
        self._next_frame = now + FRAME_S
        changed: Rect | None = self._painter.animate(self._display.surface, picture, now - self._since)
        if changed is not None:
            self._display.present([changed])

    def close(self) -> None:
        """Everything off and wiped."""
        self._conductor.close()
        self._indicators.close()
        self._sound.close()
        self._display.close()
