"""What the other processes said, as events of the visit machine.

Here are the messages that mean the same whatever the conductor is doing; the others it takes itself.
"""

import logging
from typing import assert_never

from kiosk import channel
from kiosk.screens.conductor.staff_side import StaffSide
from kiosk.screens.conductor.update_watch import in_local_time
from kiosk.visit import events as ev
from kiosk.visit.states import LineStatus

log = logging.getLogger(__name__)

#: All that the reader says but Evidence, which the case file keeps.
ReaderNews = (
    channel.ReaderState
    | channel.Presented
    | channel.Removed
    | channel.Recognised
    | channel.StageDone
    | channel.WrongTokenSeen
    | channel.OtherDeviceSeen
    | channel.ContactFailed
    | channel.ReaderHealth
)
#: All that the uploader says but SealingKeys, OutboxState and CheckResult.
UploaderNews = (
    channel.LineState
    | channel.ChallengeGiven
    | channel.Committed
    | channel.CommitRefused
    | channel.ServiceAnswered
    | channel.Deferred
    | channel.WaitingList
    | channel.DrillProgress
    | channel.StaffPreferences
    | channel.UpdateStatus
    | channel.CardSettings
    | channel.DayCounts
)


def event_from_reader(message: ReaderNews) -> ev.Event | None:
    """The event; None for what is only logged."""
    match message:
        case channel.ReaderState(condition=condition, reason=text):
            if text:
                log.info("reader: %s", text)
            return ev.ReaderChanged(condition)
        case channel.Presented(visit=visit):
            return ev.TokenPresented(visit)
        case channel.Removed(visit=visit):
            return ev.TokenRemoved(visit)
        case channel.Recognised(visit=visit):
            return ev.TokenRecognised(visit)
        case channel.StageDone(visit=visit, stage=stage):
            return ev.StageReached(visit, stage)
        case channel.WrongTokenSeen(visit=visit, kind=kind):
            return ev.WrongTokenPresented(visit, kind)
        case channel.OtherDeviceSeen(visit=visit, presented=presented):
            return ev.OtherDevicePresented(visit, presented)
        case channel.ContactFailed():
            return ev.ReadFailed(message.visit, message.failure, message.tries_left, message.pin_kept)
        case channel.ReaderHealth():
            log.info("reader: %s at %s, %d resets", message.model, message.where, message.resets)
            return None
        case _:
            assert_never(message)


def event_from_uploader(message: UploaderNews, staff_side: StaffSide) -> ev.Event | None:
    """The event; None for what this program does not know."""
    match message:
        case channel.LineState():
            return ev.LineChanged(LineStatus(message.online, message.waiting, message.fallback))
        case channel.ChallengeGiven(visit=visit, challenge=challenge):
            return ev.ChallengeArrived(visit, challenge)
        case channel.Committed(visit=visit, receipt=receipt):
            return ev.RecordCommitted(visit, receipt)
        case channel.CommitRefused(visit=visit, reason=text):
            log.warning("outbox: %s", text)
            return ev.RecordRefused(visit)
        case channel.ServiceAnswered(visit=visit, outcome=outcome):
            return ev.AnswerArrived(visit, outcome)
        case channel.Deferred(visit=visit):
            return ev.DeliveryDeferred(visit)
        case channel.WaitingList():
            return ev.WaitingViewChanged(staff_side.view(message))
        case channel.DrillProgress():
            return staff_side.drill(message)
        case channel.StaffPreferences(volume=volume, languages=languages):
            return ev.PreferencesChanged(volume, languages)
        case channel.UpdateStatus():
            return ev.UpdateChanged(in_local_time(message, staff_side.local))
        case channel.CardSettings():
            return ev.CardSettingsChanged(message)
        case channel.DayCounts():
            return ev.DayCounted(staff_side.day(message))
        case _:
            assert_never(message)
