"""Words 40 % longer than English ones: what a language that is still to come will ask of the layout."""

import math
import re

from kiosk.screens.words.catalogue import Catalogues

LONGER = 1.4
PSEUDO = "pseudo"


class PseudoWords:
    """Every language's words; `PSEUDO` is English with its vowels drawn out."""

    def __init__(self, words: Catalogues) -> None:
        self._words = words

    def text(self, language: str, key: str, **values: object) -> str:
        """The text of `key`."""
        if language != PSEUDO:
            return self._words.text(language, key, **values)
        text = longer(self._words.text("en", key))
        return text.format(**values) if values else text

    def language_name(self, language: str) -> str:
        return self.text(language, "language.name")

    def for_staff(self, language: str) -> str:
        return self._words.for_staff(language)


def longer(text: str) -> str:
    """Each word at least 40 % longer; what is filled in later stays as it is."""
    return re.sub(r"\{\w+\}|[A-Za-z]{2,}", lambda found: _longer(found.group()), text)


def _longer(word: str) -> str:
    if word.startswith("{"):
        return word
    drawn = re.sub(r"[aeiou]", lambda vowel: vowel.group() * 2, word)
    return drawn + drawn[-1] * max(0, math.ceil(len(word) * LONGER) - len(drawn))
