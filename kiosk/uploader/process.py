"""The uploader process: one thread owns the channel and the outbox, three lanes do HTTP.

A disk that fails does not end it: records are refused with a reason, and the outbox is opened again until
it works. A missing certificate or a dead line does not end it either: records wait.
"""

import logging
import random
import secrets
import sqlite3
import time
from pathlib import Path
from typing import assert_never

from kiosk import channel
from kiosk.box.clock import Clock, Moment
from kiosk.box.supervision import Supervision
from kiosk.channel import (
    AskAudit,
    AskChallenge,
    AskLookUps,
    AskRecords,
    AskSealed,
    AskStatus,
    AuditNote,
    AuditRows,
    ChannelError,
    CommitRecord,
    CommitRefused,
    Done,
    FromChanged,
    FromStaffPages,
    FromUpdater,
    FromUploader,
    LineState,
    OutboxState,
    RetryNow,
    StaffWasCalled,
    StartLookUp,
    ToUploader,
    VisitEnded,
)
from kiosk.channel.seqpacket import Hub, Peer
from kiosk.config.settings import Settings
from kiosk.uploader.delivery.answer_memory import AnswerMemory, ResponseKey
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.delivery.delivery_rules import rules_of
from kiosk.uploader.delivery.drain import Drain
from kiosk.uploader.delivery.lanes import Lane, Lanes, Mailbox
from kiosk.uploader.delivery.line import ServiceLine
from kiosk.uploader.identity.certificates import look_at
from kiosk.uploader.identity.renewal import Renewal
from kiosk.uploader.oqs.connector import Connector
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.salvage import open_or_salvage
from kiosk.uploader.outbox.service_keys import kept_keys
from kiosk.uploader.service.credentials import enrolled_keys
from kiosk.uploader.service.service_client import Service
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.staff import reports
from kiosk.uploader.staff.drill import Drill
from kiosk.uploader.staff.fallback import Fallback
from kiosk.uploader.staff.requests import StaffRequests
from kiosk.uploader.store.database import OutboxDamaged, OutboxLost
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.line_hours import LineHours
from kiosk.uploader.store.timekeeper import Timekeeper
from kiosk.uploader.telling import Told, but_age
from kiosk.uploader.updates import Updates
from kiosk.uploader.updates.changed_settings import ChangedSettings
from kiosk.visit.audit_events import KIOSK, AuditEvent
from kiosk.visit.states import OutboxCondition

log = logging.getLogger(__name__)

TICK_S = 1.0  #: at least so often the loop comes round: watchdog, expiry, line state
REOPEN_S = 2.0  #: between attempts to open a lost outbox
LINE_EVERY_S = 0.2  #: a drain changes the count with each record; nobody reads faster
_EXPIRE_EVERY_S = 10.0
_RECEIPT_CYCLE = 9000


class Uploader:
    """The process's main thread. `run` returns after `stop`."""

    def __init__(
        self, settings: Settings, credentials: Credentials, hub: Hub, clock: Clock, supervision: Supervision
    ) -> None:
        self._settings, self._hub, self._clock, self._supervision = settings, hub, clock, supervision
        self._mailbox = Mailbox()
        self._hub.register(self._mailbox, lambda: None)
        self._memory = AnswerMemory(time.monotonic)
        self._credentials = credentials
        self._lanes = self._make_lanes()
        self._connector = Connector(settings, self._memory, self._mailbox.wake)
        rules, dice = rules_of(settings), random.SystemRandom().random
        self._delivery = Delivery(
            rules,
            self._lanes,
            ServiceLine(rules.retry, dice),
            Drain(rules, self._lanes, dice),
            ResponseKey.generate(),
            self._memory,
            self._tell_all,
            self._connector.answered,
            dice,
        )
        self._desk = self._make_desk()
        self._timekeeper = Timekeeper(clock)
        self._line_hours = LineHours()
        self._updates = Updates(
            settings.update, settings.service.timeout_s, self._tell_all, self._note, self._mailbox.wake
        )
        self._changed = ChangedSettings(settings.update.flags, self._tell_all, self._note)
        clinic = settings.clinic
        self._renewal = Renewal(
            self._credentials,
            clinic.institution,
            clinic.terminal,
            lambda: self._started_lane("renewal", settings.service.url),
            settings.update.slot_good.exists,
        )
        self._outbox: Outbox | None = None
        self._outbox_say = "the outbox is being opened"
        self._reopen_at = 0.0
        self._expire_at = 0.0
        self._told = Told()
        self._stopping = False

    def _lane(self, name: str, url: str) -> Lane:
        service = Service(url, self._credentials, self._settings.service.timeout_s)
        return Lane(name, service, self._mailbox.post)

    def _started_lane(self, name: str, url: str) -> Lane:
        lane = self._lane(name, url)
        lane.start()
        return lane

    def _make_lanes(self) -> Lanes:
        url = self._settings.service.url
        return Lanes(self._lane("ask", url), self._lane("fresh", url), self._lane("backlog", url))

    def _make_desk(self) -> StaffRequests:
        settings = self._settings
        drill = Drill(
            settings.clinic.terminal,
            settings.clinic.institution,
            lambda url: self._started_lane("drill", url),
            self._tell_all,
            rules_of(settings).retry,
            random.SystemRandom().random,
        )
        return StaffRequests(
            Fallback(settings.outbox.fallback_after_s),
            drill,
            self._delivery,
            self._credentials,
            settings.outbox.path,
            settings.outbox.max_records,
            self._tell_all,
            self._connector.checked,
        )

    # ---- life ----------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End `run` soon; from a signal handler or another thread."""
        self._stopping = True
        self._mailbox.wake()

    def run(self) -> None:
        """Work until `stop`."""
        for lane in self._lanes.all():
            lane.start()
        self._updates.start(self._clock.now().boot_id)
        self._connector.start()
        wait = 0.0
        told_ready = False
        try:
            while not self._stopping:
                came, packets, _ = self._hub.poll(wait)
                now = self._clock.now()
                self._open_outbox(now)
                for peer in came:
                    self._greet(peer)
                for peer, packet in packets:
                    self._packet(peer, bytes(packet), now)
                wait = self._turn(now)
                self._supervision.alive()
                if not told_ready:
                    self._supervision.ready()
                    told_ready = True
        finally:
            self._supervision.stopping()
            self._close()

    def _turn(self, now: Moment) -> float:
        """Results in, what is due out; returns how long to sleep."""
        wait = TICK_S
        try:
            self._take_results(now)
            if self._outbox is not None and self._timekeeper.mind(self._outbox.database, now):
                self._outbox.mend_times(now)
            self._renewal.mind(now)
            self._expire(now)
            wait = min(wait, self._delivery.tick(self._outbox, now))
            wait = min(wait, self._connector.tick(self._outbox, self._delivery.line.online, now))
        except OutboxLost as lost:
            self._lose(lost, now)
        self._updates.turn(now)
        self._changed.turn(now, self._updates.visits.under_way(now.mono_ms / 1000))
        self._memory.sweep()
        return min(wait, self._tell_line(now))

    def _take_results(self, now: Moment) -> None:
        """A drill's result is the drill's alone, and nobody's once the drill has been given up."""
        results = self._mailbox.take()
        ours = [result for result in results if result.lane in self._lanes.all()]
        self._delivery.results(ours, self._outbox, now)
        for result in results:
            if self._outbox is not None and self._desk.drill.owns(result.lane):
                self._desk.drill.result(result.reply, self._outbox, now)
            elif self._renewal.owns(result.lane) and self._renewal.result(result.reply, now):
                self._note(AuditEvent.CERTIFICATE_RENEWED, KIOSK)

    def _note(self, event: AuditEvent, staff: str) -> None:
        now = self._clock.now()
        try:
            if self._outbox is not None:
                Ledger(self._outbox.database).note(event, staff, now)
        except OutboxLost as lost:
            self._lose(lost, now)

    def _close(self) -> None:
        self._desk.drill.stop()
        self._renewal.stop()
        self._updates.close()
        self._connector.stop()
        for lane in self._lanes.all():
            lane.stop(timeout_s=1.0)
        if self._outbox is not None:
            self._outbox.close()
        self._memory.forget_all()
        self._hub.close()

    # ---- the outbox ----------------------------------------------------------------------------------------

    def _open_outbox(self, now: Moment) -> None:
        seconds = now.mono_ms / 1000
        if self._outbox is not None or seconds < self._reopen_at:
            return

        def make(path: Path, first_seq: int | None) -> Outbox:
            start = secrets.randbelow(_RECEIPT_CYCLE) if first_seq is None else first_seq
            return Outbox(path, max_records=self._settings.outbox.max_records, now=now, first_seq=start)

        try:
            outbox = open_or_salvage(self._settings.outbox.path, make)
            keys = kept_keys(outbox.database) or enrolled_keys(self._credentials)
            self._desk.load(outbox.database)
            self._timekeeper.opened(outbox.database)
        except OutboxLost as lost:
            self._reopen_at = seconds + REOPEN_S
            self._say_outbox(str(lost))
            return
        self._outbox = outbox
        self._outbox_say = ""
        log.info("the outbox is open: %d records wait", outbox.waiting())
        if keys is not None and self._delivery.keys is None:
            self._delivery.adopt_keys(keys)
        self._tell_outbox()

    def _lose(self, lost: OutboxLost, now: Moment) -> None:
        """The disk failed: close, say so, try again later."""
        if self._outbox is not None:
            try:
                self._outbox.close()
            except sqlite3.Error as fault:
                log.warning("the outbox did not close cleanly: %s", type(fault).__name__)
        self._outbox = None
        self._delivery.outbox_lost()
        self._desk.drill.outbox_lost()
        self._connector.outbox_lost()
        self._reopen_at = now.mono_ms / 1000 + (0.0 if isinstance(lost, OutboxDamaged) else REOPEN_S)
        self._say_outbox(str(lost))

    def _say_outbox(self, say: str) -> None:
        if say != self._outbox_say:
            log.error("the outbox cannot be used: %s", say)
            self._outbox_say = say
        self._tell_outbox()

    def _condition(self) -> OutboxCondition:
        if self._outbox is None:
            return OutboxCondition.LOST
        full = self._outbox.waiting() >= self._settings.outbox.max_records
        return OutboxCondition.FULL if full else OutboxCondition.READY

    def _expire(self, now: Moment) -> None:
        seconds = now.mono_ms / 1000
        if self._outbox is None or seconds < self._expire_at:
            return
        self._expire_at = seconds + _EXPIRE_EVERY_S
        for receipt in self._outbox.expire(now, self._settings.outbox.max_age_h * 3600):
            log.error("record %s waited for too long and is no longer sent; see `kiosk outbox list`", receipt)

    # ---- telling -------------------------------------------------------------------------------------------

    def _tell_all(self, message: FromUploader) -> None:
        self._hub.broadcast(channel.encode(message))

    def _greet(self, peer: Peer) -> None:
        told = self._told
        own = (self._desk.preferences.told, self._updates.last_told, self._changed.told)
        for message in (self._delivery.sealing_keys(), told.outbox, told.line, *own):
            if message is not None:
                peer.send(channel.encode(message))

    def _tell_outbox(self) -> None:
        state = OutboxState(condition=self._condition(), say=self._outbox_say)
        if state != self._told.outbox:
            self._told.outbox = state
            self._tell_all(state)

    def _tell_line(self, now: Moment) -> float:
        """Tell what has changed; returns the seconds until there may be more to tell."""
        seconds = now.mono_ms / 1000
        told = self._told.line
        quiet = self._told.line_at + LINE_EVERY_S - seconds
        if told is not None and quiet > 0 and told.online == self._delivery.line.online:
            return quiet
        try:
            self._look_at_fallback(now)
            waiting = 0 if self._outbox is None else self._outbox.waiting() - self._delivery.in_hand
            oldest = self._outbox.oldest_s(now) if self._outbox is not None and waiting else None
            self._tell_outbox()
            if self._outbox is not None:
                down = self._delivery.line.view.down_s is not None
                self._line_hours.mind(self._outbox.database, down, waiting, now)
        except OutboxLost as lost:
            self._lose(lost, now)
            return 0.0
        state = LineState(
            online=self._delivery.line.online,
            waiting=max(0, waiting),
            oldest_s=oldest,
            fallback=self._desk.fallback.reason,
        )
        changed = told is None or but_age(told) != but_age(state)
        if changed or (state.waiting and seconds >= self._told.line_at + 30):
            self._told.line, self._told.line_at = state, seconds
            self._tell_all(state)
        return TICK_S

    def _look_at_fallback(self, now: Moment) -> None:
        if self._outbox is None:
            return
        line = self._delivery.line.view
        down_s = None if line.down_s is None else now.mono_ms / 1000 - line.down_s
        self._desk.fallback.look(
            down_s, heard=line.heard_s is not None, database=self._outbox.database, now=now
        )

    # ---- what comes in -------------------------------------------------------------------------------------

    def _packet(self, peer: Peer, packet: bytes, now: Moment) -> None:
        try:
            message = channel.decode(packet, channel.UPLOADER_INBOX)
        except ChannelError as refused:
            log.warning("channel: %s", refused)
            return
        try:
            reply = self._message(message, now)
        except OutboxLost as lost:
            self._lose(lost, now)
            reply = self._without_outbox(message, now)
        if reply is not None:
            peer.send(channel.encode(reply))

    def _message(self, message: ToUploader, now: Moment) -> FromUploader | None:
        outbox = self._outbox
        if isinstance(message, FromStaffPages):
            if outbox is None:
                return self._without_outbox(message, now)
            return self._desk.serve(message, outbox, now)
        if isinstance(message, FromUpdater):
            return self._updates.serve(message, now)
        if isinstance(message, FromChanged):
            return self._changed.serve(message)
        match message:
            case AskChallenge(visit=visit):
                self._updates.visits.began(visit, now.mono_ms / 1000)
                self._delivery.ask_challenge(visit, now)
                return None
            case AskStatus():
                return self._status(now)
            case _ if outbox is None:
                return self._without_outbox(message, now)
            case CommitRecord():
                self._delivery.commit(message, outbox, now)
                return None
            case VisitEnded():
                self._updates.visits.ended(message.visit)
                Ledger(outbox.database).count(message, now)
                return None
            case StaffWasCalled():
                Ledger(outbox.database).count_call(message, now)
                return None
            case AuditNote():
                Ledger(outbox.database).note(message.event, message.staff, now, visit=message.visit)
                return None
            case AskRecords():
                return reports.records(outbox, message)
            case AskAudit(after=after):
                return AuditRows(rows=Ledger(outbox.database).page(after, reports.MAX_LINES))
            case AskSealed(visit=visit):
                return reports.sealed(outbox, visit)
            case AskLookUps() | StartLookUp():
                return self._connector.serve(message, outbox)
            case RetryNow():
                return Done(say=f"{self._delivery.retry_now(outbox, now)} records wait; trying now")
            case _:
                assert_never(message)

    def _status(self, now: Moment) -> FromUploader:
        return reports.status(
            self._outbox,
            self._delivery,
            self._condition(),
            self._outbox_say,
            len(self._memory),
            look_at(self._credentials, now),
            self._desk.fallback.reason,
            self._connector.handed,
            now,
        )

    def _without_outbox(self, message: ToUploader, now: Moment) -> FromUploader | None:
        if isinstance(message, FromStaffPages):
            return self._desk.without_outbox(message, self._outbox_say, now)
        if isinstance(message, FromUpdater | FromChanged):
            return None
        match message:
            case CommitRecord(visit=visit):
                return CommitRefused(visit=visit, say=self._outbox_say)
            case VisitEnded() | AuditNote() | StaffWasCalled():
                log.warning("%s was not noted: %s", type(message).__name__, self._outbox_say)
                return None
            case (
                AskRecords()
                | AskSealed()
                | RetryNow()
                | AskStatus()
                | AskAudit()
                | AskLookUps()
                | StartLookUp()
            ):
                return Done(say=self._outbox_say)
            case AskChallenge():
                return None
            case _:
                assert_never(message)
