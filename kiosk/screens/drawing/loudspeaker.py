"""Clicks, tones and the voice of the loudspeaker; silent, with a line in the log, where there is none."""

import array
import logging
import math
from pathlib import Path

import pygame

from kiosk.visit.rules import LOUDEST

log = logging.getLogger(__name__)

RATE = 48_000
BUFFER = 512  #: samples: 10.7 ms until a click is heard (docs/facts/screens.md)
CLICK_HZ = 1000
CLICK_S = 0.012
#: JIS S 0014: no tone above 2500 Hz; loudness is the amplifier's.
HIGHEST_HZ = 2500
FADE_S = 0.004  #: tones that start at full height crack
LEVEL = 0.35
TONES_KEPT = 8
VOICES = Path(__file__).parents[1] / "words" / "voices"
#: Loudness by volume step; the ear hears equal ratios as equal steps, here 6 dB.
GAINS = (0.0, *(2.0 ** (step - LOUDEST) for step in range(1, LOUDEST + 1)))


class Loudspeaker:
    """Plays; never waits. Every key sounds alike: a PIN must not be heard."""

    def __init__(self, enabled: bool, voices: Path = VOICES) -> None:
        self._tones: dict[tuple[int, float], pygame.mixer.Sound] = {}
        self._voices = voices
        self._volume = LOUDEST
        self._missed: set[Path] = set()  # named once in the log
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
        if self._open and self._volume > 0:
            sound = self._tone(min(hz, HIGHEST_HZ), seconds)
            sound.set_volume(GAINS[self._volume])
            sound.play()

    def set_volume(self, volume: int) -> None:
        """From now on this loud, 0 (silent) to LOUDEST; what is being said follows."""
        if volume != self._volume:
            self._volume = volume
            if self._open:
                pygame.mixer.music.set_volume(GAINS[volume])

    @property
    def languages(self) -> frozenset[str]:
        """The languages that have a voice here; none in a silent box."""
        if not self._open or not self._voices.is_dir():
            return frozenset()
        return frozenset(folder.name for folder in self._voices.iterdir() if folder.is_dir())

    def speak(self, language: str, sentence: str | None) -> None:
        """Say a sentence from its file, which is read while it plays; what was being said ends."""
        if not self._open:
            return
        pygame.mixer.music.stop()
        if sentence is None:
            return
        path = self._voices / language.partition("@")[0] / f"{sentence}.ogg"
        try:
            pygame.mixer.music.load(path)
            pygame.mixer.music.set_volume(GAINS[self._volume])
            pygame.mixer.music.play()
        except (pygame.error, FileNotFoundError) as fault:
            if path not in self._missed:
                self._missed.add(path)
                log.warning("voice: %s/%s cannot be said: %s", path.parent.name, path.name, fault)

    @property
    def speaking(self) -> bool:
        """Whether a sentence is being said."""
        return self._open and pygame.mixer.music.get_busy()

    def close(self) -> None:
        if self._open:
            pygame.mixer.music.stop()
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
