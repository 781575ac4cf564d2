"""Draws the pictures to come where nobody sees them, so that none is drawn for the first time under a finger.

Opening a font in a new size and measuring and rendering a page's text cost some 20 ms on the first page of a
process, which a patient's touch should not wait for. Before the process is ready everything is drawn once;
after a visit, when its texts have been forgotten, one page at each idle turn of the loop.
"""

from dataclasses import replace

from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.look import Look
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.visit.rules import Rules
from kiosk.visit.staff_states import StaffScreen
from kiosk.visit.states import Kiosk


class Warmup:
    """The patients' pages still cold, in the language that visits begin in; staff may wait a moment."""

    def __init__(self, painter: Painter, look: Look, rules: Rules) -> None:
        self._painter, self._look = painter, look
        self._pages: tuple[Kiosk, ...] = tuple(
            replace(example.kiosk, rules=rules)
            for example in examples(rules.mode, rules.languages[0])
            if not isinstance(example.kiosk.screen, StaffScreen)
        )
        self._next = 0

    @property
    def cold(self) -> bool:
        """Whether a page is still to be drawn."""
        return self._next < len(self._pages)

    def all(self) -> None:
        """Draw every page."""
        while self.one():
            pass

    def one(self) -> bool:
        """Draw one page; False when none is cold."""
        if self._next == len(self._pages):
            return False
        self._painter.draw_unseen(lay_out(self._pages[self._next], self._look))
        self._next += 1
        return True

    def again(self) -> None:
        """The caches have been emptied."""
        self._next = 0
