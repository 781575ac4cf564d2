"""What a day was like, as counts: for the staff's chart of the day and for `kiosk report`. Nobody's data."""

import msgspec

from kiosk.channel.base import Message
from kiosk.visit.staff_requests import AskDay as AskDay
from kiosk.visit.vocabulary import CallReason


class StaffWasCalled(Message, frozen=True, tag="staff_was_called"):
    """Screen -> uploader: "staff called" is shown; counted by reason."""

    reason: CallReason


class HourCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of the day that had something to tell."""

    hour: int  #: 0 to 23, Japanese time
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)  #: visits that ended so (terms.Outcome)
    calls: dict[str, int] = msgspec.field(default_factory=dict)  #: staff calls (visit.states.CallReason)
    offline_s: float = 0.0  #: how long the service was not reached
    waiting_most: int = 0  #: records that waited at once, at most


class StageCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How long one part of the visits took: a count for each of `DayCounts.bounds_ms`, and beyond."""

    name: str
    counts: tuple[int, ...]
    sum_ms: float


class DayCounts(Message, frozen=True, tag="day_counts"):
    day: str
    hours: tuple[HourCounts, ...]
    bounds_ms: tuple[int, ...]  #: upper, inclusive
    stages: tuple[StageCounts, ...]
    devices: dict[str, int]  #: visits by device; "" where none was chosen
    authentications: dict[str, int]
