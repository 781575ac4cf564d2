"""How updates stand: what the uploader tells is what the staff's page shows. PURE.

Only times change on the way: the uploader tells them as they were published, the page holds local ones.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from kiosk.visit.views.message import Message


class UpdateSource(StrEnum):
    CHANNEL = "channel"
    STICK = "stick"


class UpdatePhase(StrEnum):
    """What is being done."""

    IDLE = "idle"
    LOOKING = "looking"  #: asking the channel, reading the stick
    FETCHING = "fetching"  #: the bundle comes in
    CHECKING = "checking"  #: signature, product, version
    INSTALLING = "installing"  #: written into the other slot; patients may go on
    INSTALLED = "installed"  #: in force with the next start


#: A new version is on its way into the box.
UNDER_WAY = frozenset({UpdatePhase.FETCHING, UpdatePhase.CHECKING, UpdatePhase.INSTALLING})


class UpdateOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A version newer than the running one."""

    version: str
    source: UpdateSource
    megabytes: float
    changes: dict[str, tuple[str, ...]]  #: language ("ja", "en") -> sentences for who runs the kiosk
    by_hand: bool = True  #: may be installed now
    by_hand_from: str | None = None  #: RFC 3339: the hour from which it may, while that lies ahead

    @property
    def opens(self) -> datetime | None:
        """From when on it may be installed; None: now."""
        if self.by_hand or self.by_hand_from is None:
            return None
        return datetime.fromisoformat(self.by_hand_from)

    def __hash__(self) -> int:
        """Without the sentences: a dict has no hash."""
        return hash((self.version, self.source, self.by_hand_from))


class UpdateFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why something cannot be had. `word` is a stable one, `reason` one English line for the log and support.

    Of the channel: "not_configured", "unreachable", "untrusted" (not our CA), "clock" (dates do not fit while
        our clock is not set), "nonsense" (not a channel file), "not_found".
    Of the stick: "no_stick", "no_bundle" (no file *.raucb on it).
    Of a bundle: "other_product", "other_key" (not signed by who may), "truncated", "damaged", "older",
        "same" (runs already), "changed" (not what the channel file describes), "no_room" (on the disk).
    Of the moment: "visit" (wait for its end), "too_early" (before `by_hand_from`), "clock_unset" (whether it
        is too early cannot be known), "busy", "gone" (no longer offered), "stopped".
    Of the box: "no_installer" (RAUC is not here or does not answer), "failed" (RAUC gave up: the old version
        goes on), "fell_back" (installed, but it did not start well: the old version came back), "no_restart".
    """

    source: UpdateSource
    word: str
    reason: str = msgspec.field(default="", name="say")


class UpdateStatus(Message, frozen=True, tag="update_told"):
    """How things stand. `fault` is what ended the last attempt; `absent`, why a source offers nothing."""

    running: str  #: version of this kiosk
    phase: UpdatePhase
    offers: tuple[UpdateOffer, ...] = ()
    offer_at_start: str | None = None  #: this version is to be offered to staff now: its hour has come
    version: str | None = None  #: what is being fetched, checked, installed, or was installed
    percent: int | None = None  #: of the phase
    fault: UpdateFault | None = None
    absent: tuple[UpdateFault, ...] = ()

    @property
    def due(self) -> bool:
        """Whether staff are to be told of an offer."""
        return self.offer_at_start is not None
