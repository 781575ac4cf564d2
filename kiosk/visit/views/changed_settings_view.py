"""Changed settings on the card, as values made of messages (channel/changed_settings_messages.py)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One difference; None: the file does not name the key. Of a secret only that it changed.

    Section "staff": a member of staff, whose number is the key.
    """

    section: str
    key: str
    old: str | None = None
    new: str | None = None
    secret: bool = False
    fixed: bool = False  #: only a new activation code changes it


@dataclass(frozen=True)
class ChangedView:
    """How things stand. `faults`: each line in Japanese and in English; with one of them nothing is taken."""

    offer: str
    changes: tuple[Change, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()
    more: int = 0  #: changes or faults that were too many to be told
    left: bool = False  #: staff saw it, and decided
    taking: bool = False
    failed: bool = False  #: it was to be taken, and was not

    @property
    def due(self) -> bool:
        """Whether staff should hear of it: they have not decided yet."""
        return not self.left

    @property
    def fixed(self) -> bool:
        """Whether it would change who the kiosk is."""
        return any(change.fixed for change in self.changes)

    @property
    def may_be_taken(self) -> bool:
        """Whether a passcode is all that lacks."""
        return not self.faults and not self.taking and not self.fixed
