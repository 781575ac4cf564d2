"""The pins: the only file that imports gpiozero."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import gpiozero
from gpiozero.exc import BadPinFactory, GPIOZeroError

from kiosk.indicators.patterns import NONE, Levels
from kiosk.indicators.pin_map import PinMap
from kiosk.visit.keys import Key

BOUNCE_S = 0.03  #: contacts of a key chatter for some milliseconds
HALF = 0.5  #: duty cycle at which a piezo is loudest


class GpioError(Exception):
    """The pins cannot be used; says what to mend."""


class GpioLamps:
    """Four LEDs and a buzzer; writes a pin only when it changes."""

    def __init__(self, pin_map: PinMap, pin_factory: Any = None) -> None:
        """Take the pins; raises GpioError. `pin_factory` is gpiozero's, None for the machine's own."""
        taken: list[Any] = []
        try:
            for pin in pin_map.leds:
                taken.append(gpiozero.LED(pin, active_high=pin_map.leds_active_high, pin_factory=pin_factory))
            # Not TonalBuzzer: its range ends at 880 Hz and it raises beyond (docs/facts/screens.md).
            self._buzzer = (
                None
                if pin_map.buzzer is None
                else gpiozero.PWMOutputDevice(pin_map.buzzer, frequency=1000, pin_factory=pin_factory)
            )
        except (BadPinFactory, GPIOZeroError, OSError) as fault:
            for device in taken:
                device.close()
            raise GpioError(
                f"LEDs and buzzer cannot be driven: {fault}; is this a Raspberry Pi, and this user in the "
                'group gpio? A box without them says board = "none" in [indicators]'
            ) from None
        self._silence()
        self._leds = taken
        self._levels: Levels = NONE
        self._hz: int | None = None
        self._closed = False

    def apply(self, levels: Levels, hz: int | None) -> None:
        """Show these levels and sound this tone, until the next call."""
        if self._closed:
            return
        for led, was, now in zip(self._leds, self._levels, levels, strict=True):
            if was is not now:
                led.value = now
        self._levels = levels
        if self._buzzer is not None and hz != self._hz:
            if hz is not None:
                self._buzzer.frequency = hz
                self._buzzer.value = HALF
            else:
                self._silence()
        self._hz = hz

    def _silence(self) -> None:
        """No tone, and no frequency: lgpio has a thread that goes round at it, also when nothing sounds.

        In this order: lgpio stops in the middle of a wave, and the line keeps the level that it had there.
        """
        if self._buzzer is not None:
            self._buzzer.frequency = None
            self._buzzer.value = 0

    def close(self) -> None:
        """All off and given back; may be called again."""
        if self._closed:
            return
        self.apply(NONE, None)
        self._closed = True
        for device in (*self._leds, *([self._buzzer] if self._buzzer is not None else [])):
            device.close()


class Keys:
    """The two keys that walk the focus; each press counts once, however long it lasts."""

    def __init__(self, pins: tuple[int, int], pin_factory: Any = None) -> None:
        """Watch the pins, which are pulled up and pressed to ground; raises GpioError."""
        self._pressed: deque[Key] = deque(maxlen=8)  # filled by gpiozero's own thread
        self._buttons: list[Any] = []
        try:
            for pin, key in zip(pins, (Key.NEXT, Key.ENTER), strict=True):
                button = gpiozero.Button(pin, pull_up=True, bounce_time=BOUNCE_S, pin_factory=pin_factory)
                button.when_pressed = lambda key=key: self._pressed.append(key)
                self._buttons.append(button)
        except (BadPinFactory, GPIOZeroError, OSError) as fault:
            self.close()
            raise GpioError(f"the keys cannot be read: {fault}; a box without them has no [keys]") from None

    def __call__(self) -> Sequence[Key]:
        """Those pressed since the last call, in their order."""
        pressed: list[Key] = []
        while self._pressed:
            pressed.append(self._pressed.popleft())
        return pressed

    def close(self) -> None:
        """Give the pins back; may be called again."""
        while self._buttons:
            self._buttons.pop().close()
