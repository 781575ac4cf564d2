"""Between those who update (staff pages, command line) and the uploader, which fetches, judges and installs.

The flow, as the official notice describes it: a version is published; from one hour on it may be installed by
hand, from a later hour on it is offered when the kiosk starts. Never during a visit.

    AskUpdate            -> UpdateStatus (and again at every change, to everybody who is connected)
    StartUpdate          -> fetching -> checking -> installing -> installed, with `percent`; or a fault
    RestartKiosk         -> the kiosk starts again, with what was installed
"""

from typing import Literal

import msgspec

from kiosk.channel.base import Message

UpdateSource = Literal["channel", "stick"]

#: idle: nothing is being done. looking: asking the channel, reading the stick. fetching: the bundle comes in.
#: checking: signature, product, version. installing: written into the other slot; patients may go on.
#: installed: in force with the next start.
UpdatePhase = Literal["idle", "looking", "fetching", "checking", "installing", "installed"]

# ---- screen or command line -> uploader ------------------------------------------------------------------


class AskUpdate(Message, frozen=True, tag="ask_update"):
    """Look anew, at channel and stick. While staff's page is open it is sent every few seconds: USB storage
    is let in for 30 s from each one, and the channel is asked again only after a minute.
    """

    staff: str


class CloseUpdate(Message, frozen=True, tag="close_update"):
    """The page was left: USB storage is shut out at once, unless it is being read."""


class StartUpdate(Message, frozen=True, tag="start_update"):
    """Fetch, check and install an offer of `UpdateStatus`. Refused with a fault while a visit goes on."""

    staff: str
    version: str
    source: UpdateSource


class StopUpdate(Message, frozen=True, tag="stop_update"):
    """Give up while looking or fetching; what has been fetched is kept for the next time."""

    staff: str


class RestartKiosk(Message, frozen=True, tag="restart_kiosk"):
    """Start again with the new version. Waits for the end of a visit."""

    staff: str


# ---- uploader -> screen and command line -----------------------------------------------------------------


class UpdateOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A version newer than the running one."""

    version: str
    source: UpdateSource
    megabytes: float
    changes: dict[str, tuple[str, ...]]  #: language ("ja", "en") -> sentences for who runs the kiosk
    by_hand: bool = True  #: may be installed now
    by_hand_from: str | None = None  #: RFC 3339: the hour from which it may, while that lies ahead


class UpdateFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why something cannot be had. `word` is a stable one, `say` one English line for the log and support.

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
    say: str = ""


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


FromUpdater = AskUpdate | CloseUpdate | StartUpdate | StopUpdate | RestartKiosk
