"""Changed settings on the card: what root found, and passes on what staff decide.

Root describes the file beside the folder of wishes; the wish `settings` in it, with the offer's name, has
root take it and start the three processes anew. It is put there when no visit goes on.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

import msgspec

from kiosk.box.clock import Moment
from kiosk.channel import (
    CardSettings,
    ChangedFile,
    FromChanged,
    FromUploader,
    LeaveSettings,
    TakeSettings,
)
from kiosk.channel.changed_settings_messages import CHANGED_FILE
from kiosk.uploader.updates.flags import SETTINGS, Flags
from kiosk.visit.audit_events import AuditEvent

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
GIVE_UP_S = 180.0  #: as the unit does; root takes seconds, and this process does not live to see it


class ChangedSettings:
    """One for the process. `wishes`: the folder that systemd watches; `tell` reaches every screen."""

    def __init__(
        self, wishes: Path, tell: Callable[[FromUploader], None], note: Callable[[AuditEvent, str], None]
    ) -> None:
        self._file = wishes.parent / CHANGED_FILE
        self._flags, self._tell, self._note = Flags(wishes), tell, note
        self._stamp: tuple[int, int] | None = None
        self._look_at = float("-inf")
        self._wished: TakeSettings | None = None
        self._until: float | None = None
        self.status = CardSettings()

    def serve(self, message: FromChanged) -> FromUploader | None:
        """Note what staff decided; it is done in a step."""
        status = self.status
        match message:
            case TakeSettings(offer=offer):
                if not status.taking and offer and status.file is not None and status.file.offer == offer:
                    self._wished = message
                    self._put(msgspec.structs.replace(status, taking=True, failed=False))
            case LeaveSettings(staff=staff):
                if not status.taking and status.file is not None:
                    self._note(AuditEvent.SETTINGS_LEFT, staff)
                    self._put(msgspec.structs.replace(status, left=True, failed=False))
            case _:
                assert_never(message)
        return None

    def step(self, now: Moment, visit: bool) -> None:
        """Look whether root has written anything new; wish when no `visit` goes on."""
        seconds = now.mono_ms / 1000
        if self._wished is not None and not visit:
            self._wish(self._wished, seconds)
        if seconds >= self._look_at:
            self._look_at = seconds + LOOK_EVERY_S
            self._look()
        if self._until is not None and seconds >= self._until:
            self._until = None
            self._flags.put(SETTINGS, False)
            self._put(msgspec.structs.replace(self.status, taking=False, failed=True))

    def _wish(self, wished: TakeSettings, seconds: float) -> None:
        self._wished = None
        if self._flags.put(SETTINGS, True, wished.offer):
            self._until = seconds + GIVE_UP_S
            self._note(AuditEvent.SETTINGS_TAKEN, wished.staff)
        else:
            log.error("the card's settings are not taken: the folder of wishes cannot be written")
            self._put(msgspec.structs.replace(self.status, taking=False, failed=True))

    def _look(self) -> None:
        """Root renames its file into place: whatever it says anew ends what was being done."""
        found: ChangedFile | None = None
        stamp: tuple[int, int] | None = None
        try:
            stat = self._file.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp != self._stamp:
                found = msgspec.json.decode(self._file.read_bytes(), type=ChangedFile)
        except FileNotFoundError:
            stamp = None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as fault:
            log.warning("what changed on the card cannot be read: %s", type(fault).__name__)
            found = None
        if stamp != self._stamp:
            self._stamp, self._wished, self._until = stamp, None, None
            self._put(CardSettings(file=found, failed=self.status.taking and found is not None))

    def _put(self, status: CardSettings) -> None:
        if status != self.status:
            self.status = status
            self._tell(status)
