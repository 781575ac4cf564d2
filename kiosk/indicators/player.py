"""Plays the state's pattern on a panel; the clock is a parameter."""

from collections.abc import Callable
from typing import Protocol

from kiosk.indicators.patterns import SILENT, Levels, Output, Pattern, output_at, pattern_of
from kiosk.visit.states import Kiosk


class Lamps(Protocol):
    """What shows levels and sounds tones: `gpio.Panel`, the demo's drawn LEDs, or nothing."""

    def apply(self, levels: Levels, hz: int | None) -> None: ...

    def close(self) -> None: ...


class NoLamps:
    """A box with neither LEDs nor buzzer."""

    def apply(self, levels: Levels, hz: int | None) -> None: ...

    def close(self) -> None: ...


class Player:
    """Follows the kiosk's state; a pattern begins anew when the state's picture changes."""

    def __init__(self, lamps: Lamps, monotonic: Callable[[], float]) -> None:
        self._lamps, self._monotonic = lamps, monotonic
        self._showing: tuple[Pattern, str] | None = None
        self._since = 0.0
        self._output = SILENT

    @property
    def output(self) -> Output:
        """What was applied last."""
        return self._output

    def update(self, kiosk: Kiosk) -> None:
        """Show what the state calls for at this moment."""
        now = self._monotonic()
        wanted = (pattern_of(kiosk), kiosk.screen.name)
        if wanted != self._showing:
            self._showing, self._since = wanted, now
        self._output = output_at(wanted[0], now - self._since)
        self._lamps.apply(self._output.levels, self._output.hz)

    def close(self) -> None:
        """All off."""
        self._lamps.close()
