"""Clicks and tones through the loudspeaker; silent, with one line in the log, where there is none."""

import array
import logging
import math

import pygame

log = logging.getLogger(__name__)

RATE = 48_000
BUFFER = 512  #: samples: 10.7 ms until a click is heard (facts/screens.md 2.5)
CLICK_HZ = 1000
CLICK_S = 0.012
#: JIS S 0014: no tone above 2500 Hz; loudness is the amplifier's.
HIGHEST_HZ = 2500
FADE_S = 0.004  #: tones that start at full height crack
LEVEL = 0.35
TONES_KEPT = 8


class Sound:
    """Plays; never waits. Every key sounds alike: a PIN must not be heard."""

    def __init__(self, enabled: bool) -> None:
        self._tones: dict[tuple[int, float], pygame.mixer.Sound] = {}
        self._open = enabled and _opened()
        if self._open:
            self._tone(CLICK_HZ, CLICK_S)

    @property
    def audible(self) -> bool:
        """Whether there is a loudspeaker to play on."""
        return self._open

    def click(self) -> None:
        """A key was touched."""
        self.tone(CLICK_HZ, CLICK_S)

    def tone(self, hz: int, seconds: float) -> None:
        """Play a tone once."""
        if self._open:
            self._tone(min(hz, HIGHEST_HZ), seconds).play()

    def close(self) -> None:
        if self._open:
            self._tones.clear()
            pygame.mixer.quit()
            self._open = False

    def _tone(self, hz: int, seconds: float) -> pygame.mixer.Sound:
        known = self._tones.get((hz, seconds))
        if known is None:
            if len(self._tones) >= TONES_KEPT:
                self._tones.clear()
            known = self._tones[hz, seconds] = pygame.mixer.Sound(buffer=samples(hz, seconds).tobytes())
        return known


def samples(hz: int, seconds: float) -> "array.array[int]":
    """A sine with soft ends: 16 bit, one channel."""
    count = int(RATE * seconds)
    fade = max(1, int(RATE * FADE_S))
    step = 2 * math.pi * hz / RATE
    return array.array(
        "h",
        (
            int(32767 * LEVEL * min(1.0, i / fade, (count - i) / fade) * math.sin(step * i))
            for i in range(count)
        ),
    )


def _opened() -> bool:
    try:
        pygame.mixer.init(RATE, -16, 1, BUFFER)
    except pygame.error as fault:
        log.warning("no sound: %s", fault)
        return False
    return True
