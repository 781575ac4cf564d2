"""Volume and languages as staff have set them: kept in the outbox's file, told to every screen."""

import re

from kiosk.box.clock import Moment
from kiosk.channel import SetPreferences, StaffPreferences
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.named_values import NamedValues, ValueName
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.rules import LOUDEST

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_@-]{0,15}")
MOST_LANGUAGES = 16


class Preferences:
    """What is kept; `chosen` is how screens hear of it."""

    def __init__(self) -> None:
        self.chosen = StaffPreferences()

    def load(self, database: Database) -> None:
        """Read what was kept; what cannot be read counts as never set."""
        values = NamedValues(database)
        volume, languages = values.get(ValueName.VOLUME), values.get(ValueName.LANGUAGES)
        self.chosen = StaffPreferences(
            volume=int(volume) if volume is not None and volume.isdigit() else None,
            languages=tuple(languages.split()) if languages else None,
        )

    def keep(self, wanted: SetPreferences, database: Database, now: Moment) -> None:
        """Keep it and note who changed what; nonsense changes nothing."""
        values, ledger = NamedValues(database), Ledger(database)
        if wanted.volume != self.chosen.volume and 0 <= wanted.volume <= LOUDEST:
            values.put(ValueName.VOLUME, str(wanted.volume))
            ledger.note(AuditEvent.VOLUME_SET, wanted.staff, now, word=wanted.volume)
        if wanted.languages != self.chosen.languages and _sensible(wanted.languages):
            values.put(ValueName.LANGUAGES, " ".join(wanted.languages))
            ledger.note(AuditEvent.LANGUAGES_SET, wanted.staff, now)
        self.load(database)


def _sensible(languages: tuple[str, ...]) -> bool:
    return 0 < len(languages) <= MOST_LANGUAGES and all(_LANGUAGE.fullmatch(each) for each in languages)
