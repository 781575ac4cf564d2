"""What must outlive a restart and is no record: a few named texts in the outbox's file, in its table
`standing`.
"""

from enum import Enum

from kiosk.uploader.store.database import Database


class ValueName(Enum):
    """What there is."""

    STAFF_FALLBACK = "staff_fallback"  #: a FallbackReason that staff have set
    OFFLINE_FALLBACK = "offline_fallback"  #: "1": entered by itself, and the service has not answered since
    DRILL_PASSED = "drill_passed"  #: RFC 3339, UTC
    VOLUME = "volume"  #: of the loudspeaker, as staff have set it
    LANGUAGES = "languages"  #: offered to patients, as staff have set them, with spaces between
    LAST_SEEN = "last_seen_ms"  #: wall time that was last believed, ms since 1970
    LOOKED_UP = "looked_up"  #: number of the newest record that results were looked up for
    SELF_TEST = "self_test"  #: rewritten by the daily check to see whether the disk takes it


class NamedValues:
    """Reads and writes them; shares the outbox's connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: ValueName) -> str | None:
        """Return the text, None when there is none."""
        rows = self._database.rows("SELECT value FROM standing WHERE name = ?", (name.value,))
        return str(rows[0][0]) if rows else None

    def put(self, name: ValueName, value: str | None) -> None:
        """Replace or remove it; on return it is on the disk."""
        with self._database.writing():
            if value is None:
                self._database.rows("DELETE FROM standing WHERE name = ?", (name.value,))
            else:
                self._database.rows("INSERT OR REPLACE INTO standing VALUES (?, ?)", (name.value, value))
