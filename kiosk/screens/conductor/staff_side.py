"""The staff side of the conductor: the uploader's messages become what pages show; the day's check is kept.

The wall clock is read here and nowhere else on the staff side; what it says is shown, never decided by, but
for one thing: a new local day makes the check due.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never

import jpholiday
import msgspec

from kiosk.channel import CheckItem, CheckResult, DayCounts, DrillProgress, HourCounts, WaitingList
from kiosk.qualification.call_centre import CallHours, call_hours
from kiosk.qualification.terms import Outcome
from kiosk.visit import events as ev
from kiosk.visit.states import Idle, Kiosk, OutOfService, ReaderCondition, Recorded, Screen
from kiosk.visit.views.staff_views import (
    CheckView,
    DayView,
    DrillStep,
    HourView,
    Part,
    PartFault,
)
from kiosk.visit.views.waiting_view import WaitingView

log = logging.getLogger(__name__)

#: How long the kiosk has been at rest before it checks itself: the others have settled by then.
SETTLED_S = 5.0
#: Until the uploader must have said what it found.
ANSWER_S = 10.0
_OK = ""  #: what is found of a part that is in order


@dataclass(frozen=True)
class Box:
    """What of the box itself the screen process can vouch for; parts that are not fitted count as well."""

    audible: Callable[[], bool]
    lights_work: bool = True


class StaffSide:
    """Turns messages into values. `wall` is the local time with its zone, `trusted` whether to believe it."""

    def __init__(self, wall: Callable[[], datetime], trusted: Callable[[], bool], box: Box) -> None:
        self._wall, self._trusted, self._box = wall, trusted, box
        self._recorded: tuple[str, date] | None = None
        self._checked_on: date | None = None
        self._rest_since: float | None = None

    def entered(self, screen: Screen) -> None:
        """Remember the receipt number of whoever was just told "recorded", for today."""
        if isinstance(screen, Recorded):
            self._recorded = (screen.receipt, self._wall().date())

    def view(self, sent: WaitingList) -> WaitingView:
        """What the page of what waits shows: the uploader's list with its times made local."""
        today = self._wall().date()
        recorded = self._recorded
        return WaitingView(
            msgspec.structs.replace(
                sent,
                oldest_at=self._local_text(sent.oldest_at),
                drill_passed_at=self._local_text(sent.drill_passed_at),
            ),
            last_recorded=recorded[0] if recorded is not None and recorded[1] == today else None,
            today=today if self._trusted() else None,
        )

    def _local_text(self, moment: str | None) -> str | None:
        local = self.local(moment)
        return None if local is None else local.isoformat()

    def local(self, moment: str | None) -> datetime | None:
        """A moment of the channel (RFC 3339) in local time; None for none, and for what cannot be read."""
        if moment is None:
            return None
        try:
            return datetime.fromisoformat(moment).astimezone(self._wall().tzinfo)
        except ValueError:
            log.warning("channel: a moment of the list of what waits cannot be read")
            return None

    def call_hours(self) -> CallHours | None:
        """Whether the call centre answers now; None when nobody knows the time."""
        return call_hours(self._wall(), jpholiday.is_holiday) if self._trusted() else None

    def drill(self, progress: DrillProgress) -> ev.DrillAdvanced | None:
        """The drill's progress; None for a step that this program does not know."""
        if progress.passed is False:
            log.warning("drill: stopped at %s: %s", progress.step, progress.reason)
        if progress.step not in {step.value for step in DrillStep}:
            log.warning("drill: a step is not known; dropped")
            return None
        return ev.DrillAdvanced(DrillStep(progress.step), progress.passed)

    def check_due(self, kiosk: Kiosk, now: float) -> bool:
        """Whether to check now: once a day and once a start, when at rest for a while. `now`: monotonic s."""
        if not isinstance(kiosk.screen, Idle | OutOfService):
            self._rest_since = None
            return False
        if self._rest_since is None:
            self._rest_since = now
        today = self._wall().date()
        if today == self._checked_on or now - self._rest_since < SETTLED_S:
            return False
        self._checked_on = today
        return True

    def check(self, result: CheckResult | None, reader: ReaderCondition) -> CheckView:
        """All that is to mend, the box's own parts first; `result` None: the uploader did not answer."""
        parts = [PartFault(Part.READER, _OK if reader is ReaderCondition.READY else reader.value)]
        if result is None:
            parts.append(PartFault(Part.UPLOADER, "absent"))
        else:
            parts += [_part(item) for item in result.parts]
        parts.append(PartFault(Part.SOUND, _OK if self._box.audible() else "silent"))
        parts.append(PartFault(Part.LIGHTS, _OK if self._box.lights_work else "dark"))
        faults = tuple(part for part in parts if part.word != _OK)
        for fault in faults:
            log.warning("check: %s: %s", fault.part.value, fault.word)
        if not faults:
            log.info("check: all is well")
        fine = tuple(part for part in parts if part.word == _OK)
        return CheckView(self._wall() if self._trusted() else None, faults, fine)

    def day(self, counts: DayCounts) -> DayView:
        """The counts as the page of the day shows them."""
        day = self._wall().date() if self._trusted() else None
        hours = tuple(_hour(each) for each in counts.hours if each.hour in range(24))
        means = {
            each.name: each.sum_ms / sum(each.counts) / 1000 for each in counts.stages if sum(each.counts)
        }
        return DayView(day, hours, means.get("visit"), means.get("token"))


def _hour(counts: HourCounts) -> HourView:
    """One hour as the chart shows it."""
    view = HourView(counts.hour, offline_s=counts.offline_s)
    for outcome in Outcome:
        count = counts.outcomes.get(outcome, 0)
        match outcome:
            case Outcome.VERIFIED:
                view = replace(view, verified=count)
            case Outcome.NOT_CONFIRMED:
                view = replace(view, not_confirmed=count)
            case Outcome.RECORDED:
                view = replace(view, recorded=count)
            case Outcome.STAFF_CALLED | Outcome.ABANDONED:
                view = replace(view, others=view.others + count)
            case _:
                assert_never(outcome)
    return view


def _part(item: CheckItem) -> PartFault:
    part = Part(item.part) if item.part in {part.value for part in Part} else Part.UNKNOWN
    return PartFault(part, item.fault or _OK, 0 if item.value is None else int(item.value))
