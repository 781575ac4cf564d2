"""How long the service was not reached and how much waited, hour by hour, for the day's chart and the report.

Written at most once a minute, and only while there is something to tell: a quiet line costs the card nothing.
"""

from kiosk.box.clock import Moment
from kiosk.uploader.store.database import Database

EVERY_S = 60.0


class LineHours:
    """Belongs to the main loop."""

    def __init__(self) -> None:
        self._down_since_s: float | None = None
        self._most = 0
        self._due_s = 0.0
        self._hour = ""

    def step(self, database: Database, down: bool, waiting: int, now: Moment) -> None:
        """Called at every turn. `down`: the service is not being reached. Raises OutboxLost."""
        seconds = now.mono_ms / 1000
        if down and self._down_since_s is None:
            self._down_since_s = seconds
        more = waiting > self._most
        self._most = max(self._most, waiting)
        ended = self._down_since_s is not None and not down
        minute = seconds >= self._due_s and (down or more)
        if ended or minute or (self._hour not in ("", now.hour) and (down or self._most)):
            self._write(database, seconds, now)
            self._due_s = seconds + EVERY_S
            self._down_since_s = seconds if down else None
            self._most = waiting
        self._hour = now.hour

    def _write(self, database: Database, seconds: float, now: Moment) -> None:
        offline = 0.0 if self._down_since_s is None else seconds - self._down_since_s
        with database.writing():
            database.rows(
                "INSERT INTO line_hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " offline_s = min(3600, offline_s + excluded.offline_s),"
                " waiting_most = max(waiting_most, excluded.waiting_most)",
                (self._hour or now.hour, offline, self._most),
            )
