"""What comes in over the channel: each message goes to the part that serves it, with or without an outbox."""

import logging
from typing import assert_never

from kiosk import channel
from kiosk.box.clock import Moment
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
    CommandDone,
    CommitRecord,
    CommitRefused,
    FromChanged,
    FromStaffPages,
    FromUpdater,
    FromUploader,
    RetryNow,
    StaffWasCalled,
    StartLookUp,
    ToUploader,
    VisitEnded,
)
from kiosk.uploader.delivery.answer_memory import AnswerMemory
from kiosk.uploader.delivery.delivery import Delivery
from kiosk.uploader.identity.certificates import look_at
from kiosk.uploader.oqs.connector import Connector
from kiosk.uploader.outbox_holder import OutboxHolder
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.staff import reports
from kiosk.uploader.staff.requests import StaffRequests
from kiosk.uploader.store.database import OutboxLost
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.updates.changed_settings import ChangedSettings
from kiosk.uploader.updates.updates import Updates

log = logging.getLogger(__name__)


class Inbox:
    """Belongs to the main loop: `answer` for each packet."""

    def __init__(
        self,
        holder: OutboxHolder,
        delivery: Delivery,
        memory: AnswerMemory,
        connector: Connector,
        staff: StaffRequests,
        updates: Updates,
        changed: ChangedSettings,
        credentials: Credentials,
    ) -> None:
        self._holder, self._delivery, self._memory, self._connector = holder, delivery, memory, connector
        self._staff, self._updates, self._changed, self._credentials = staff, updates, changed, credentials

    def answer(self, packet: bytes, now: Moment) -> FromUploader | None:
        """Do what the packet asks; returns what is answered to who sent it."""
        try:
            message = channel.decode(packet, channel.UPLOADER_INBOX)
        except ChannelError as refused:
            log.warning("channel: %s", refused)
            return None
        try:
            return self._serve(message, now)
        except OutboxLost as lost:
            self._holder.lose(lost, now)
            return self._without_outbox(message, now)

    def _serve(self, message: ToUploader, now: Moment) -> FromUploader | None:
        outbox = self._holder.outbox
        if isinstance(message, FromStaffPages):
            if outbox is None:
                return self._without_outbox(message, now)
            return self._staff.serve(message, outbox, now)
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
            case AuditNote(event=event, staff=staff, visit=visit):
                Ledger(outbox.database).note(event, staff, now, visit=visit)
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
                return CommandDone(reason=f"{self._delivery.retry_now(outbox, now)} records wait; trying now")
            case _:
                assert_never(message)

    def _status(self, now: Moment) -> FromUploader:
        return reports.status(
            self._holder.outbox,
            self._delivery,
            self._holder.condition,
            self._holder.reason,
            len(self._memory),
            look_at(self._credentials, now),
            self._staff.fallback.reason,
            self._connector.handed,
            now,
        )

    def _without_outbox(self, message: ToUploader, now: Moment) -> FromUploader | None:
        reason = self._holder.reason
        if isinstance(message, FromStaffPages):
            return self._staff.without_outbox(message, reason, now)
        if isinstance(message, FromUpdater | FromChanged):
            return None
        match message:
            case CommitRecord(visit=visit):
                return CommitRefused(visit=visit, reason=reason)
            case VisitEnded() | AuditNote() | StaffWasCalled():
                log.warning("%s was not noted: %s", type(message).__name__, reason)
                return None
            case AskRecords() | AskSealed() | RetryNow() | AskStatus() | AskAudit():
                return CommandDone(reason=reason)
            case AskLookUps() | StartLookUp():
                return CommandDone(reason=reason)
            case AskChallenge():
                return None
            case _:
                assert_never(message)
