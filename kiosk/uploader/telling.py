"""Who is told what without having asked: the state of the line to everybody when it changes, and all that
stands to who has just connected.
"""

from collections.abc import Callable

from kiosk import channel
from kiosk.box.clock import Moment
from kiosk.channel import FromUploader, LineState
from kiosk.channel.seqpacket import Peer
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox_holder import OutboxHolder
from kiosk.uploader.staff.requests import StaffRequests
from kiosk.uploader.store.database import OutboxLost
from kiosk.uploader.store.line_hours import LineHours
from kiosk.uploader.updates.changed_settings import ChangedSettings
from kiosk.uploader.updates.updates import Updates

LOOK_S = 1.0  #: at least so often the line's state is looked at
LINE_EVERY_S = 0.2  #: a drain changes the count with each record; nobody reads faster
AGE_EVERY_S = 30.0  #: so often the oldest record's age is told anew


class Telling:
    """Belongs to the main loop. `tell` reaches everybody connected."""

    def __init__(
        self,
        tell: Callable[[FromUploader], None],
        holder: OutboxHolder,
        delivery: Delivery,
        staff: StaffRequests,
        updates: Updates,
        changed: ChangedSettings,
    ) -> None:
        self._tell, self._holder, self._delivery, self._staff = tell, holder, delivery, staff
        self._updates, self._changed = updates, changed
        self._line_hours = LineHours()
        self._line: LineState | None = None
        self._line_s = 0.0

    def greet(self, peer: Peer) -> None:
        """All that stands, to who has just connected."""
        for message in (
            self._delivery.sealing_keys(),
            self._holder.state,
            self._line,
            self._staff.preferences.chosen,
            self._updates.status,
            self._changed.status,
        ):
            if message is not None:
                peer.send(channel.encode(message))

    def tell_changes(self, now: Moment) -> float:
        """Tell how outbox and line are, where that changed; returns the seconds until there may be more."""
        seconds = now.mono_ms / 1000
        last = self._line
        quiet_s = self._line_s + LINE_EVERY_S - seconds
        if last is not None and quiet_s > 0 and last.online == self._delivery.line.online:
            return quiet_s
        try:
            state = self._look(now)
        except OutboxLost as lost:
            self._holder.lose(lost, now)
            return 0.0
        changed = last is None or _but_age(last) != _but_age(state)
        if changed or (state.waiting and seconds >= self._line_s + AGE_EVERY_S):
            self._line, self._line_s = state, seconds
            self._tell(state)
        return LOOK_S

    def _look(self, now: Moment) -> LineState:
        """How the line is. Fallback operation and the hourly figures follow from the same look."""
        outbox = self._holder.outbox
        waiting, oldest = 0, None
        if outbox is not None:
            self._look_at_fallback(outbox, now)
            waiting = outbox.waiting() - self._delivery.in_hand
            oldest = outbox.oldest_s(now) if waiting else None
        self._holder.tell_state()
        if outbox is not None:
            down = self._delivery.line.view.down_s is not None
            self._line_hours.step(outbox.database, down, waiting, now)
        return LineState(
            online=self._delivery.line.online,
            waiting=max(0, waiting),
            oldest_s=oldest,
            fallback=self._staff.fallback.reason,
        )

    def _look_at_fallback(self, outbox: Outbox, now: Moment) -> None:
        line = self._delivery.line.view
        down_s = None if line.down_s is None else now.mono_ms / 1000 - line.down_s
        self._staff.fallback.look(down_s, heard=line.heard_s is not None, database=outbox.database, now=now)


def _but_age(line: LineState) -> tuple[object, ...]:
    """What makes a new line state worth telling at once."""
    return (line.online, line.waiting, line.fallback)
