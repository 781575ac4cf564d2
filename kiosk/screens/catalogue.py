"""The words of every language: gettext catalogues with stable keys, read once at start.

A text is asked for by key, never by its words; `{name}` in it is filled in. A key that a language lacks is a
KeyError, not a foreign word on the screen; the tests keep that from happening.
"""

import gettext
from collections.abc import Iterable
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "kiosk"


class CatalogueError(Exception):
    """A language's words cannot be used; says which file to mend."""


class Catalogues:
    """All configured languages' words."""

    def __init__(self, languages: Iterable[str], folder: Path = LOCALE) -> None:
        self._texts = {language: _load(folder, language) for language in languages}

    def say(self, language: str, key: str, **values: object) -> str:
        """The text of `key`; raises KeyError for an unknown language or key."""
        text = self._texts[language].gettext(key)
        if text == key:  # gettext's way of saying that it has none; no text equals its key
            raise KeyError(f"{language}: {key}")
        return text.format(**values) if values else text

    def language_name(self, language: str) -> str:
        """A language's own name for itself."""
        return self.say(language, "language.name")


def _load(folder: Path, language: str) -> gettext.GNUTranslations:
    path = folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    try:
        with path.open("rb") as file:
            return gettext.GNUTranslations(file)
    except OSError as fault:
        raise CatalogueError(
            f"words for language {language!r} cannot be read ({path}: {fault.strerror}); "
            "run python -m kiosk.screens.compile_catalogues"
        ) from None
