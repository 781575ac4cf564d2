"""Between the staff pages of the screen and the uploader."""

import msgspec

from kiosk.channel.base import Message
from kiosk.channel.day_messages import AskDay, DayCounts
from kiosk.visit.staff_requests import AnswerSeen as AnswerSeen
from kiosk.visit.staff_requests import AskWaitingList as AskWaitingList
from kiosk.visit.staff_requests import RunDrill as RunDrill
from kiosk.visit.staff_requests import SetFallback as SetFallback
from kiosk.visit.staff_requests import SetPreferences as SetPreferences
from kiosk.visit.views.waiting_view import LateAnswer as LateAnswer
from kiosk.visit.views.waiting_view import WaitingList as WaitingList

# ---- screen -> uploader ----------------------------------------------------------------------------------


class AskCheck(Message, frozen=True, tag="ask_check"):
    """What the uploader can check of 「本日の点検」: line, clock, certificate, outbox, disk."""


# ---- uploader -> screen ----------------------------------------------------------------------------------


class DrillProgress(Message, frozen=True, tag="drill"):
    """The drill's progress: a step that began, or the end (`passed` is not None; then `step` is the last one,
    or the one that failed, and `reason` why).
    """

    step: str  #: "seal", "commit", "refuse" (the line stands closed), "deliver" (the attempt on it), "erase"
    passed: bool | None = None
    reason: str = msgspec.field(default="", name="say")


class StaffPreferences(Message, frozen=True, tag="preferences"):
    """What staff have chosen, sent on connection and on every change; None: never chosen."""

    volume: int | None = None
    languages: tuple[str, ...] | None = None


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the daily check. `fault` is a stable word, None when all is well.

    line: "unreachable" (no line, no name, no answer), "failing" (it answers that it cannot work), "refused"
        (it does not take this kiosk: enrol again), "not_enrolled", "key_unsafe" (file mode), "key_locked"
        (this device cannot open it), "untrusted" (not our CA), "insecure" (not TLS 1.3 with client
        certificates), "service_expired", "clock" (dates do not fit while our clock is not set), "nonsense",
        "address" (kiosk.toml), "other_service" (service.name), "not_asked_yet". value: seconds since the last
        answer.
    clock: "untrusted" (not synchronised since boot), "behind" (earlier than it can be). value: hours behind.
    certificate: "missing", "unusable" (it and the key do not fit), "key_unsafe", "key_locked", "expired",
        "ends_soon" (at most 30 days; warn louder at 14 and at 3), "clock" (dates cannot be judged: clock not
        set). value: days left.
    outbox: "lost" (cannot be used), "full" (patients are refused), "key_unknown" (records that the service
        cannot open), "quarantined" (damaged records), "expired" (records given up); the last two only while
        staff have not seen them. value: how many records; when all is well, how many wait.
    disk: "read_only", "low". value: free megabytes.
    heat: "hot" (from 80 °C the processor is slowed down). value: °C of the processor. Absent where unknown.
    power: "undervoltage" (now, or since the last start where only that is known). Absent where unknown.
    folders: "away" (the receipt computer's folder takes nothing), "untaken" (what was handed over still lies
        there), "lookup_failed", "lookup_uncertain" (the last look-up of consented results leaves visits to
        staff; as long as there are some). value: how many files or visits; with "away", how
        many answers wait. Absent unless folders are used.
    """

    part: str  #: one of those above; the screen adds its own
    fault: str | None = None
    value: float | None = None  #: days, megabytes, records: what the sentence about it shows


class CheckResult(Message, frozen=True, tag="check"):
    parts: tuple[CheckItem, ...]


FromStaffPages = SetFallback | AskWaitingList | AnswerSeen | RunDrill | SetPreferences | AskCheck | AskDay
ForStaffPages = WaitingList | DrillProgress | StaffPreferences | CheckResult | DayCounts
