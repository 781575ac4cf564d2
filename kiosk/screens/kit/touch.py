"""What touching a target means. PURE."""

from dataclasses import dataclass

from kiosk.visit.events import TouchEvent


@dataclass(frozen=True)
class StartTouch:
    """The first touch: the conductor mints the visit's id and sends Began."""


@dataclass(frozen=True)
class DigitTouch:
    """A key of a secret pad: the conductor keeps the digit and sends DigitTyped."""

    digit: str


#: Everything but these two is the visit's own event; Knocked comes from a long press on `Picture.door`.
Touch = StartTouch | DigitTouch | TouchEvent
