"""The uploader process: one thread owns the channel and the outbox, three lanes do HTTP.

A disk that fails does not end it: records are refused with a reason, and the outbox is opened again until
it works. A missing certificate or a dead line does not end it either: records wait.
"""

from dataclasses import dataclass

from kiosk import channel
from kiosk.box.clock import Clock, Moment
from kiosk.box.supervision import Supervision
from kiosk.channel.seqpacket import Hub
from kiosk.uploader.delivery.answer_memory import AnswerMemory
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.delivery.lanes import Lanes, Mailbox
from kiosk.uploader.identity.renewal import Renewal
from kiosk.uploader.inbox import Inbox
from kiosk.uploader.oqs.connector import Connector
from kiosk.uploader.outbox_holder import OutboxHolder
from kiosk.uploader.staff.drill import Drill
from kiosk.uploader.store.database import OutboxLost
from kiosk.uploader.telling import Telling
from kiosk.uploader.updates.changed_settings import ChangedSettings
from kiosk.uploader.updates.updates import Updates
from kiosk.visit.audit_events import KIOSK, AuditEvent

TICK_S = 1.0  #: at least so often the loop comes round, for the watchdog and for what is due with time


@dataclass(frozen=True)
class Parts:
    """What the loop drives; `kiosk uploader` (commands/uploader.py) puts them together."""

    mailbox: Mailbox
    lanes: Lanes
    memory: AnswerMemory
    delivery: Delivery
    connector: Connector
    drill: Drill
    renewal: Renewal
    updates: Updates
    changed: ChangedSettings
    holder: OutboxHolder
    telling: Telling
    inbox: Inbox


class Uploader:
    """The process's main thread. `run` returns after `stop`."""

    def __init__(self, hub: Hub, clock: Clock, supervision: Supervision, parts: Parts) -> None:
        self._hub, self._clock, self._supervision, self._parts = hub, clock, supervision, parts
        self._hub.register(parts.mailbox, lambda: None)
        self._stopping = False

    def stop(self) -> None:
        """End `run` soon; from a signal handler or another thread."""
        self._stopping = True
        self._parts.mailbox.wake()

    def run(self) -> None:
        """Work until `stop`."""
        parts = self._parts
        for lane in parts.lanes.all():
            lane.start()
        parts.updates.start(self._clock.now().boot_id)
        parts.connector.start()
        wait = 0.0
        ready = False
        try:
            while not self._stopping:
                wait = self._turn(wait)
                self._supervision.alive()
                if not ready:
                    self._supervision.ready()
                    ready = True
        finally:
            self._supervision.stopping()
            self._close()

    def _turn(self, wait: float) -> float:
        """Wait for what comes in, serve it, do what is due; returns how long the next turn may wait."""
        came, packets, _ = self._hub.poll(wait)
        now = self._clock.now()
        self._parts.holder.open_if_due(now)
        for peer in came:
            self._parts.telling.greet(peer)
        for peer, packet in packets:
            reply = self._parts.inbox.answer(bytes(packet), now)
            if reply is not None:
                peer.send(channel.encode(reply))
        return self._step(now)

    def _step(self, now: Moment) -> float:
        """Results in, what is due out; returns the seconds until something is due again."""
        parts, wait = self._parts, TICK_S
        try:
            self._take_results(now)
            parts.holder.step(now)
            parts.renewal.step(now)
            wait = min(wait, parts.delivery.step(parts.holder.outbox, now))
            wait = min(wait, parts.connector.step(parts.holder.outbox, parts.delivery.line.online, now))
        except OutboxLost as lost:
            parts.holder.lose(lost, now)
        parts.updates.step(now)
        parts.changed.step(now, parts.updates.visits.under_way(now.mono_ms / 1000))
        parts.memory.sweep()
        return min(wait, parts.telling.tell_changes(now))

    def _take_results(self, now: Moment) -> None:
        """A drill's result is the drill's alone, and nobody's once the drill has been given up."""
        parts = self._parts
        results = parts.mailbox.take()
        delivered = [result for result in results if result.lane in parts.lanes.all()]
        parts.delivery.results(delivered, parts.holder.outbox, now)
        for result in results:
            if parts.holder.outbox is not None and parts.drill.owns(result.lane):
                parts.drill.result(result.reply, parts.holder.outbox, now)
            elif parts.renewal.owns(result.lane) and parts.renewal.result(result.reply, now):
                parts.holder.note(AuditEvent.CERTIFICATE_RENEWED, KIOSK)

    def _close(self) -> None:
        parts = self._parts
        parts.drill.stop()
        parts.renewal.stop()
        parts.updates.close()
        parts.connector.stop()
        for lane in parts.lanes.all():
            lane.stop(timeout_s=1.0)
        parts.holder.close()
        parts.memory.forget_all()
        self._hub.close()
