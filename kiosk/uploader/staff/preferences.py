"""Volume and languages as staff have set them: kept in the outbox's file, told to every screen."""

import re

from kiosk.box.clock import Moment
from kiosk.channel import SetPreferences, StaffPreferences
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.standing import Name, Standing
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.rules import LOUDEST

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_@-]{0,15}")
MOST_LANGUAGES = 16


class Preferences:
    """What is kept; `told` is how screens are told of it."""

    def __init__(self) -> None:
        self.told = StaffPreferences()

    def load(self, database: Database) -> None:
        """Read what was kept; what cannot be read counts as never set."""
        standing = Standing(database)
        volume, languages = standing.get(Name.VOLUME), standing.get(Name.LANGUAGES)
        self.told = StaffPreferences(
            volume=int(volume) if volume is not None and volume.isdigit() else None,
            languages=tuple(languages.split()) if languages else None,
        )

    def keep(self, chosen: SetPreferences, database: Database, now: Moment) -> None:
        """Keep it and note who changed what; nonsense changes nothing."""
        standing, ledger = Standing(database), Ledger(database)
        if chosen.volume != self.told.volume and 0 <= chosen.volume <= LOUDEST:
            standing.put(Name.VOLUME, str(chosen.volume))
            ledger.note(AuditEvent.VOLUME_SET, chosen.staff, now, word=chosen.volume)
        if chosen.languages != self.told.languages and _sensible(chosen.languages):
            standing.put(Name.LANGUAGES, " ".join(chosen.languages))
            ledger.note(AuditEvent.LANGUAGES_SET, chosen.staff, now)
        self.load(database)


def _sensible(languages: tuple[str, ...]) -> bool:
    return 0 < len(languages) <= MOST_LANGUAGES and all(_LANGUAGE.fullmatch(each) for each in languages)
