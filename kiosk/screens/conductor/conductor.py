"""Carries the visit machine between touch, reader and uploader. No pygame here; `app.py` draws what it says.

Messages become events, effects become messages. Digits, transcript and evidence are held here and nowhere
else, for as long as the visit lasts.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import assert_never

from kiosk import channel
from kiosk.channel import ForScreen, FromReader, SealingKeys
from kiosk.screens.conductor.case_file import CaseFile
from kiosk.screens.conductor.links import Link
from kiosk.screens.conductor.reading_test import ReaderTest
from kiosk.screens.conductor.secret_pad import SecretPad, wipe
from kiosk.screens.conductor.staff_side import ANSWER_S, StaffSide
from kiosk.screens.conductor.update_watch import UpdateAsker, in_local_time
from kiosk.screens.kit.touch import DigitTouch, StartTouch, Touch
from kiosk.screens.words.speech import Silence, Voice, speaks_first, speech_of
from kiosk.visit import effects as do
from kiosk.visit import events as ev
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.machine import reduce
from kiosk.visit.staff_requests import StaffRequest
from kiosk.visit.staff_states import DoorPasscode
from kiosk.visit.states import (
    EnterPasscode,
    EnterPin,
    Kiosk,
    Line,
    OutboxCondition,
    ReaderCondition,
    StaffCalled,
    visit_of,
)
from kiosk.visit.timing import dwell

log = logging.getLogger(__name__)

StaffCheck = Callable[[str, bytearray], bool]  #: (staff number, passcode) -> right; slow, wipes the passcode


@dataclass(frozen=True)
class World:
    """What the conductor needs from outside."""

    monotonic: Callable[[], float]
    new_visit_id: Callable[[], str]
    staff_check: StaffCheck
    desk: StaffSide
    voice: Voice = field(default_factory=Silence)


class Conductor:
    """One kiosk's present state and its doings, all on the screen's thread but the passcode hash."""

    def __init__(
        self,
        kiosk: Kiosk,
        world: World,
        case: CaseFile,
        reader: Link[FromReader],
        uploader: Link[ForScreen],
    ) -> None:
        self.kiosk = kiosk
        self._world, self._case = world, case
        self._reader, self._uploader = reader, uploader
        self._keys: SealingKeys | None = None
        self._outbox = OutboxCondition.UNKNOWN
        self._pad = SecretPad()
        wait = dwell(kiosk)  # nothing has moved yet that would begin it
        self._deadline = None if wait is None else world.monotonic() + wait
        self._staff: tuple[str | None, str, Future[bool]] | None = None
        self._unlock_at: float | None = None
        self._check_by: float | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passcode")
        self._reader_test = ReaderTest(world.new_visit_id, world.monotonic, reader.send)
        self._updates = UpdateAsker(uploader.send)
        self._speech: str | None = None
        self._to_say: tuple[str, str | None] | None = None
        self._marks: dict[str, float] = {}
        self._stages_ms: dict[str, float] = {}

    # ---- what comes in -----------------------------------------------------------------------------------

    def touch(self, touch: Touch) -> None:
        """A target of the present picture was touched."""
        match touch:
            case StartTouch():
                self.handle(ev.Began(self._world.new_visit_id()))
            case DigitTouch(digit):
                before = self.kiosk.screen
                if isinstance(before, EnterPin | EnterPasscode | DoorPasscode) and self._pad.type(digit):
                    self.handle(ev.DigitTyped())
                    if self.kiosk.screen == before:  # the pad of the picture is full
                        self._pad.erase()
            case _:
                self.handle(touch)

    def poll(self, said: bool = True) -> None:
        """Take what the other processes sent, reconnect, and let the timer run out. `said`: whether any of
        them may have said something; both are asked only then, sixty times a second is too often."""
        now = self._world.monotonic()
        if self._to_say is not None:
            self._world.voice.say(*self._to_say)
            self._to_say = None
        if said:
            self._poll_reader(now)
            self._poll_uploader(now)
        self._poll_staff()
        self._poll_desk(now)
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self.handle(ev.TimeUp())

    def _poll_reader(self, now: float) -> None:
        was = self._reader.connected
        for message in self._reader.receive():
            self._from_reader(message)
        if was and not self._reader.connected:
            self.handle(ev.ReaderChanged(ReaderCondition.LOST))
        self._reader.reconnect(now)

    def _poll_uploader(self, now: float) -> None:
        was = self._uploader.connected
        for message in self._uploader.receive():
            self._from_uploader(message)
        if was and not self._uploader.connected:
            self._outbox = OutboxCondition.LOST
            self.handle(ev.OutboxChanged(OutboxCondition.LOST))
        if self._uploader.reconnect(now):
            visit = visit_of(self.kiosk.screen)
            if visit is not None and visit.challenge is None and not visit.challenge_frozen:
                self._uploader.send(channel.AskChallenge(visit=visit.id))

    def _poll_staff(self) -> None:
        if self._staff is None or not self._staff[2].done():
            return
        visit, number, future = self._staff
        self._staff = None
        if future.result():
            event = AuditEvent.PASSCODE_ACCEPTED if visit is None else AuditEvent.VISUAL_CHECK
            self._uploader.send(channel.AuditNote(event=event, staff=number, visit=visit))
            self.handle(ev.StaffAccepted(visit, number))
        else:
            refused = channel.AuditNote(event=AuditEvent.PASSCODE_REFUSED, staff=number, visit=visit)
            self._uploader.send(refused)
            self.handle(ev.StaffRefused(visit))

    def _poll_desk(self, now: float) -> None:
        """Let the door open again, the day's check begin, and a check without an answer end."""
        if self._unlock_at is not None and now >= self._unlock_at:
            self._unlock_at = None
            self.handle(ev.DoorUnlocked())
        if self._check_by is not None and now >= self._check_by:
            self._end_check(None)
        self._updates.poll(self.kiosk.screen, now)
        if self._world.desk.check_due(self.kiosk, now):
            self.handle(ev.CheckDue())

    def _end_check(self, told: channel.CheckResult | None) -> None:
        self._check_by = None
        self.handle(ev.CheckCompleted(self._world.desk.check(told, self.kiosk.reader)))

    def _from_reader(self, message: FromReader) -> None:
        if self._reader_test.owns(message):
            if (told := self._reader_test.heard(message)) is not None:
                self.handle(told)
            return
        match message:
            case channel.ReaderState(condition=condition, say=say):
                if say:
                    log.info("reader: %s", say)
                self.handle(ev.ReaderChanged(condition))
            case channel.Presented(visit=visit):
                self._marks["presented"] = self._world.monotonic()
                self.handle(ev.TokenPresented(visit))
            case channel.Removed(visit=visit):
                self.handle(ev.TokenRemoved(visit))
            case channel.Recognised(visit=visit):
                self.handle(ev.TokenRecognised(visit))
            case channel.StageDone(visit=visit, stage=stage):
                self.handle(ev.StageReached(visit, stage))
            case channel.WrongTokenSeen(visit=visit, kind=kind):
                self.handle(ev.WrongTokenPresented(visit, kind))
            case channel.OtherDeviceSeen(visit=visit, presented=presented):
                self.handle(ev.OtherDevicePresented(visit, presented))
            case channel.ContactFailed():
                self.handle(
                    ev.ReadFailed(message.visit, message.failure, message.tries_left, message.pin_kept)
                )
            case channel.Evidence():
                self._take_evidence(message)
            case channel.ReaderHealth():
                log.info("reader: %s at %s, %d resets", message.model, message.where, message.resets)
            case _:
                assert_never(message)

    def _take_evidence(self, evidence: channel.Evidence) -> None:
        visit = visit_of(self.kiosk.screen)
        if visit is None or visit.id != evidence.visit:
            return
        self._stages_ms.update({stage.name: stage.ms for stage in evidence.stages})
        self._measure("token", "presented")
        self._case.keep(evidence)
        self.handle(ev.TokenAuthenticated(evidence.visit, self._case.ends_soon(evidence)))

    def _from_uploader(self, message: ForScreen) -> None:
        match message:
            case channel.SealingKeys():
                self._keys = message
                self._tell_outbox()
            case channel.OutboxState(condition=condition, say=say):
                if say:
                    log.info("outbox: %s", say)
                self._outbox = condition
                self._tell_outbox()
            case channel.LineState():
                self.handle(ev.LineChanged(Line(message.online, message.waiting, message.fallback)))
            case channel.ChallengeGiven(visit=visit, challenge=challenge):
                self.handle(ev.ChallengeArrived(visit, challenge))
            case channel.Committed(visit=visit, receipt=receipt):
                if "commit" not in self._stages_ms:  # told again after the uploader came back
                    self._measure("commit", "sealed")
                self.handle(ev.RecordCommitted(visit, receipt))
            case channel.CommitRefused(visit=visit, say=say):
                log.warning("outbox: %s", say)
                self.handle(ev.RecordRefused(visit))
            case channel.Answered(visit=visit, outcome=outcome):
                self._measure("answer", "sealed")
                self.handle(ev.AnswerArrived(visit, outcome))
            case channel.Deferred(visit=visit):
                self.handle(ev.DeliveryDeferred(visit))
            case channel.WaitingList():
                self.handle(ev.WaitingViewChanged(self._world.desk.view(message)))
            case channel.DrillProgress():
                drilled = self._world.desk.drill(message)
                if drilled is not None:
                    self.handle(drilled)
            case channel.StaffPreferences(volume=volume, languages=languages):
                self.handle(ev.PreferencesChanged(volume, languages))
            case channel.CheckResult():
                if self._check_by is not None:  # nobody waits any longer for an answer that came too late
                    self._end_check(message)
            case channel.UpdateStatus():
                self.handle(ev.UpdateChanged(in_local_time(message, self._world.desk.local)))
            case channel.CardSettings():
                self.handle(ev.CardSettingsChanged(message))
            case channel.DayCounts():
                self.handle(ev.DayCounted(self._world.desk.day(message)))
            case _:
                assert_never(message)

    def _tell_outbox(self) -> None:
        """Without a key to seal to, nothing can be recorded, however well the outbox is."""
        ready = self._outbox is OutboxCondition.READY
        condition = OutboxCondition.LOST if ready and self._keys is None else self._outbox
        self.handle(ev.OutboxChanged(condition))

    # ---- the machine -------------------------------------------------------------------------------------

    def handle(self, event: ev.Event) -> None:
        """Let the machine have an event and carry out what it asks for."""
        before = self.kiosk.screen.name
        self.kiosk, wanted = reduce(self.kiosk, event)
        self._say()
        if self.kiosk.screen.name != before:
            log.info("screen: %s", self.kiosk.screen.name)
            self._world.desk.entered(self.kiosk.screen)
            if isinstance(self.kiosk.screen, StaffCalled):
                self._uploader.send(channel.StaffWasCalled(reason=self.kiosk.screen.reason))
        for effect in wanted:
            self._do(effect)

    def _say(self) -> None:
        """Have the sentence of a page that has come said; what was being said of the last one ends with it.

        At the next poll, for opening a file must not keep the picture waiting.
        """
        before, self._speech = self._speech, speech_of(self.kiosk)
        if self._speech != before:
            self._to_say = self.kiosk.language, self._speech if speaks_first(self.kiosk) else None

    def _do(self, effect: do.Effect) -> None:
        match effect:
            case do.BeginVisit(visit):
                self._marks, self._stages_ms = {"began": self._world.monotonic()}, {}
                self._reader.send(channel.BeginContact(visit=visit.id))
                self._uploader.send(channel.AskChallenge(visit=visit.id))
            case do.SendPin(visit):
                self._send_pin(visit.id)
            case do.Arm(visit):
                if visit.device is None or visit.authentication is None:
                    raise AssertionError("the reader is armed only for a chosen device")
                self._reader.send(
                    channel.ArmReader(
                        visit=visit.id, device=visit.device, authentication=visit.authentication
                    )
                )
            case do.Disarm(visit):
                self._reader.send(channel.BeginContact(visit=visit.id))
            case do.FreezeTranscript(visit):
                self._reader.send(self._case.freeze(visit))
            case do.SealAndCommit(visit):
                self._commit(visit.id)
            case do.CheckStaff(visit, number):
                passcode = self._pad.copy()
                future = self._worker.submit(self._world.staff_check, number, passcode)
                self._staff = (visit.id if visit is not None else None, number, future)
            case do.LockDoor(number, seconds):
                self._unlock_at = self._world.monotonic() + seconds
                self._uploader.send(channel.AuditNote(event=AuditEvent.DOOR_LOCKED, staff=number))
            case StaffRequest():
                self._uploader.send(effect)
            case do.TryReader(staff):
                self._reader_test.begin()
                self._uploader.send(channel.AuditNote(event=AuditEvent.READING_TESTED, staff=staff))
            case do.EndReaderTest():
                self._reader_test.end()
            case do.AskHours():
                self.handle(ev.CallHoursKnown(self._world.desk.call_hours()))
            case do.RunCheck():
                sent = self._uploader.send(channel.AskCheck())
                self._check_by = self._world.monotonic() + (ANSWER_S if sent else 0.0)
            case do.Speak():
                self._to_say = self.kiosk.language, self._speech
            case do.ForgetDigits():
                self._pad.wipe()
            case do.ForgetLastDigit():
                self._pad.erase()
            case do.EndVisit():
                self._end(effect)
            case do.StartTimer(seconds):
                self._deadline = self._world.monotonic() + seconds
            case do.StopTimer():
                self._deadline = None
            case _:
                assert_never(effect)

    def _send_pin(self, visit: str) -> None:
        digits = self._pad.copy()
        frame = channel.pin_frame(visit, digits)
        self._reader.send_frame(frame)
        wipe(frame)
        wipe(digits)
        self._pad.wipe()

    def _commit(self, visit_id: str) -> None:
        visit = visit_of(self.kiosk.screen)
        record = self._case.sealed(visit, self._keys) if visit is not None else None
        if record is None:
            log.warning("outbox: nothing could be sealed; the service's key has never been fetched")
            self.handle(ev.RecordRefused(visit_id))
            return
        self._marks.setdefault("sealed", self._world.monotonic())
        self._uploader.send(record)

    def _end(self, effect: do.EndVisit) -> None:
        visit = effect.visit
        self._measure("visit", "began")
        self._reader.send(channel.EndContact(visit=visit.id))
        self._uploader.send(
            channel.VisitEnded(
                visit=visit.id,
                outcome=effect.outcome,
                mode=visit.mode,
                device=visit.device,
                authentication=visit.authentication,
                stages_ms=self._stages_ms,
            )
        )
        self._pad.wipe()
        self._case.close()

    def _measure(self, name: str, since: str) -> None:
        start = self._marks.get(since)
        if start is not None:
            self._stages_ms[name] = round((self._world.monotonic() - start) * 1000, 2)

    @property
    def stages_ms(self) -> dict[str, float]:
        """How long the parts of the present or last visit took."""
        return dict(self._stages_ms)

    def close(self) -> None:
        """End politely: the reader wipes its PIN when it sees us go."""
        self._pad.wipe()
        self._case.close()
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._reader.close()
        self._uploader.close()
