"""When a page's sentence is spoken."""

from kiosk.screens.words.speech import Voice, speaks_first, speech_of
from kiosk.visit.states import Kiosk


class PageSpeech:
    """Has the sentence of a page that has come spoken; what was being said of the last one ends with it.

    It begins at the next poll, for opening a file must not keep the picture waiting.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._sentence: str | None = None
        self._wanted: tuple[str, str | None] | None = None

    def page_changed(self, kiosk: Kiosk) -> None:
        """This state is shown now."""
        before, self._sentence = self._sentence, speech_of(kiosk)
        if self._sentence != before:
            self._wanted = kiosk.language, self._sentence if speaks_first(kiosk) else None

    def repeat(self, language: str) -> None:
        """Say the page's sentence once more."""
        self._wanted = language, self._sentence

    def poll(self) -> None:
        """Begin to say what is wanted."""
        if self._wanted is not None:
            self._voice.speak(*self._wanted)
            self._wanted = None
