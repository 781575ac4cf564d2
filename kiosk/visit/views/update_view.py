"""What the staff's page knows of updates, as values made of messages (channel/update_messages.py)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UpdatePhase(StrEnum):
    """What is being done."""

    IDLE = "idle"
    LOOKING = "looking"
    FETCHING = "fetching"
    CHECKING = "checking"
    INSTALLING = "installing"
    INSTALLED = "installed"  #: in force with the next start


class UpdateSource(StrEnum):
    CHANNEL = "channel"
    STICK = "stick"


#: A new version is on its way into the box.
UNDER_WAY = frozenset({UpdatePhase.FETCHING, UpdatePhase.CHECKING, UpdatePhase.INSTALLING})


@dataclass(frozen=True)
class Offer:
    """A version newer than the running one. `changes`: what it brings, by language."""

    version: str
    source: UpdateSource
    megabytes: int
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    from_when: datetime | None = None  #: local; not before then. None: now


@dataclass(frozen=True)
class UpdateFault:
    """Why something cannot be had; `word` is a stable one."""

    source: UpdateSource
    word: str


@dataclass(frozen=True)
class UpdateView:
    """How things stand."""

    running: str
    phase: UpdatePhase = UpdatePhase.IDLE
    offers: tuple[Offer, ...] = ()
    due: bool = False  #: one of them is to be offered to staff: its hour has come
    version: str | None = None  #: what is on its way, or was installed
    percent: int | None = None
    fault: UpdateFault | None = None  #: what ended the last attempt
    absent: tuple[UpdateFault, ...] = ()  #: why a source offers nothing
