"""What staff ask of the uploader: effects of the visit machine that are sent as they are. PURE.

Each is a message of the channel (kiosk/channel/staff_messages.py and update_messages.py say what answers it).
To add one: a class here and its name in the union there; mypy then names the uploader's `match`.
"""

from kiosk.qualification.terms import FallbackReason
from kiosk.visit.views.message import Message
from kiosk.visit.views.update_view import UpdateSource


class StaffRequest(Message, frozen=True):
    """What these messages share: the screen sends them to the uploader unchanged."""


class SetFallback(StaffRequest, frozen=True, tag="set_fallback"):
    """Begin fallback operation for a reason, or end it (None). Persisted; told as LineState."""

    staff: str
    reason: FallbackReason | None


class AskWaitingList(StaffRequest, frozen=True, tag="ask_desk"):
    """Staff look at what waits and what was answered late; answered with WaitingList."""

    staff: str


class AnswerSeen(StaffRequest, frozen=True, tag="answer_seen"):
    """Staff have dealt with a late answer; it leaves the list. Answered with WaitingList."""

    staff: str
    visit: str


class RunDrill(StaffRequest, frozen=True, tag="run_drill"):
    """Take a marked dummy record through sealing, commit, a refused line, a delivery attempt and erasure."""

    staff: str


class AskDay(StaffRequest, frozen=True, tag="ask_day"):
    """The counts of one day, YYYY-MM-DD in Japanese time; None: today. Answered with `DayCounts`."""

    day: str | None = None


class SetPreferences(StaffRequest, frozen=True, tag="set_preferences"):
    """Staff chose volume and languages. Persisted and audited; told to all as StaffPreferences."""

    staff: str
    volume: int  #: 0 to visit.rules.LOUDEST
    languages: tuple[str, ...]  #: offered to patients, the first one first


class StartUpdate(StaffRequest, frozen=True, tag="start_update"):
    """Fetch, check and install an offer of `UpdateStatus`. Refused with a fault while a visit goes on."""

    staff: str
    version: str
    source: UpdateSource


class StopUpdate(StaffRequest, frozen=True, tag="stop_update"):
    """Give up while looking or fetching; what has been fetched is kept for the next time."""

    staff: str


class RestartKiosk(StaffRequest, frozen=True, tag="restart_kiosk"):
    """Start again with the new version. Waits for the end of a visit."""

    staff: str


class CloseUpdate(StaffRequest, frozen=True, tag="close_update"):
    """The page was left: USB storage is shut out at once, unless it is being read."""


class TakeSettings(StaffRequest, frozen=True, tag="take_settings"):
    """The passcode was given: take what `offer` named, when no visit goes on, and start anew with it."""

    staff: str
    offer: str


class LeaveSettings(StaffRequest, frozen=True, tag="leave_settings"):
    """Seen, and not taken: no more hints until the next start."""

    staff: str
