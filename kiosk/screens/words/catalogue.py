"""The words of every language: gettext catalogues with stable keys, read once at start.

A text is asked for by key, never by its words; `{name}` in it is filled in. A key that a language lacks is a
KeyError, not a foreign word on the screen; the tests keep that from happening. Two domains: `kiosk` is what
patients read, in every language; `staff` is what only staff read, in `STAFF_LANGUAGES`.
"""

import gettext
from collections.abc import Iterable
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
PATIENT, STAFF = "kiosk", "staff"
#: The languages of the staff's pages; the first one where a visit's language is another.
STAFF_LANGUAGES = ("ja", "en")
#: Stands in the header (`Last-Translator`) of a catalogue that no native reader has checked.
UNREVIEWED = "unreviewed"


class CatalogueError(Exception):
    """A language's words cannot be used; says which file to mend."""


class Catalogues:
    """The words of the given languages, and the staff's."""

    def __init__(self, languages: Iterable[str], folder: Path = LOCALE) -> None:
        wanted = dict.fromkeys((*languages, *STAFF_LANGUAGES))
        self._texts = {language: _load(folder, language, PATIENT) for language in wanted}
        for language in STAFF_LANGUAGES:
            self._texts[language].add_fallback(_load(folder, language, STAFF))

    def text(self, language: str, key: str, **values: object) -> str:
        """The text of `key`; raises KeyError for an unknown language or key."""
        text = self._texts[language].gettext(key)
        if text == key:  # gettext's way of saying that it has none; no text equals its key
            raise KeyError(f"{language}: {key}")
        return text.format(**values) if values else text

    def language_name(self, language: str) -> str:
        """A language's own name for itself."""
        return self.text(language, "language.name")

    def for_staff(self, language: str) -> str:
        """The language in which staff read while a visit is in `language`."""
        return language if language in STAFF_LANGUAGES else STAFF_LANGUAGES[0]

    def unreviewed(self, languages: Iterable[str]) -> list[str]:
        """Those whose words no native reader has checked."""
        return [
            each for each in languages if UNREVIEWED in self._texts[each].info().get("last-translator", "")
        ]


def _load(folder: Path, language: str, domain: str) -> gettext.GNUTranslations:
    path = folder / language / "LC_MESSAGES" / f"{domain}.mo"
    try:
        with path.open("rb") as file:
            return gettext.GNUTranslations(file)
    except OSError as fault:
        raise CatalogueError(
            f"words for language {language!r} cannot be read ({path}: {fault.strerror}); run make catalogues"
        ) from None
