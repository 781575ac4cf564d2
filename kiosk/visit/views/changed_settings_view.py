"""A settings file on the card that differs from the settings in force: what staff see and decide. PURE.

Whoever may read the card (root) describes the file in `channel.changed_settings_messages.CHANGED_FILE`; the
uploader sends it to the screens, and the page shows it as it is.
"""

import msgspec

from kiosk.visit.views.message import Message


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `old`, `new`: as they are written, None where the file does not name the key.

    Of a secret only that it changed. A member of staff: section "staff", and their number as the key.
    """

    section: str
    key: str
    old: str | None = None
    new: str | None = None
    secret: bool = False
    fixed: bool = False  #: part of who the kiosk is: only a new activation code changes it


class SettingFault(msgspec.Struct, frozen=True, kw_only=True):
    """One line about what is wrong in the file; no value of it stands there."""

    ja: str
    en: str


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the card's file would change, or why it cannot. `offer` names this very content of the file."""

    offer: str
    changes: tuple[SettingChange, ...] = ()
    faults: tuple[SettingFault, ...] = ()  #: with one of them nothing is taken
    more: int = 0  #: changes or faults beyond those that are listed

    @property
    def fixed(self) -> bool:
        """Whether it would change who the kiosk is."""
        return any(change.fixed for change in self.changes)


class CardSettings(Message, frozen=True, tag="changed_told"):
    """How things stand. `file` None: the card's file is the one in force."""

    file: ChangedFile | None = None
    left: bool = False  #: staff saw it, and go on with the settings in force
    taking: bool = False
    failed: bool = False  #: it was to be taken, and was not

    @property
    def due(self) -> bool:
        """Whether staff should hear of it: they have not decided yet."""
        return self.file is not None and not self.left

    @property
    def may_be_taken(self) -> bool:
        """Whether a passcode is all that lacks."""
        return self.file is not None and not self.taking and not self.file.faults and not self.file.fixed


#: The card holds the settings in force.
UNCHANGED = CardSettings()
