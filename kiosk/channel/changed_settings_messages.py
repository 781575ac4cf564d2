"""Of a settings file on the card that differs from the settings in force: what staff see and decide.

Whoever may read the card (root) describes the file in `CHANGED_FILE`, beside the folder of wishes; the
uploader tells the screens; staff take it with their passcode, or leave it (kiosk/provisioning/take.py).
"""

import msgspec

from kiosk.channel.base import Message

CHANGED_FILE = "changed.json"
MOST = 60  #: changes or faults that are told; a message has its limit
LONGEST = 40  #: characters of a value that are told


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `old`, `new`: as they are written, None where the file does not name the key.

    Of a secret only that it changed. `fixed`: part of who the kiosk is, which a new activation code changes.
    A member of staff is told as section "staff" and their number as the key.
    """

    section: str
    key: str
    old: str | None = None
    new: str | None = None
    secret: bool = False
    fixed: bool = False


class SettingFault(msgspec.Struct, frozen=True, kw_only=True):
    """One line about what is wrong in the file; no value of it stands there."""

    ja: str
    en: str


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the card's file would change, or why it cannot. `offer` names this very content of the file."""

    offer: str
    changes: tuple[SettingChange, ...] = ()
    faults: tuple[SettingFault, ...] = ()
    more: int = 0  #: changes or faults beyond those that are told


# ---- screen -> uploader ----------------------------------------------------------------------------------


class TakeSettings(Message, frozen=True, tag="take_settings"):
    """The passcode was given: take what `offer` named, when no visit goes on, and start anew with it."""

    staff: str
    offer: str


class LeaveSettings(Message, frozen=True, tag="leave_settings"):
    """Seen, and not taken: no more hints until the next start."""

    staff: str


# ---- uploader -> screen ----------------------------------------------------------------------------------


class CardSettings(Message, frozen=True, tag="changed_told"):
    """How things stand. `file` None: the card's file is the one in force."""

    file: ChangedFile | None = None
    left: bool = False
    taking: bool = False
    failed: bool = False  #: it was to be taken, and was not


FromChanged = TakeSettings | LeaveSettings
