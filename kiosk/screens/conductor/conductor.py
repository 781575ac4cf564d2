"""Carries the visit machine between touch, reader and uploader. No pygame here; `app.py` draws what it says.

Messages become events (incoming.py), effects become messages (outgoing.py). Digits, transcript and evidence
are held by the conductor's parts and nowhere else, for as long as the visit lasts.
"""

import logging
from collections.abc import Callable
from typing import assert_never

from kiosk import channel
from kiosk.channel import ForScreen, FromReader, SealingKeys
from kiosk.screens.conductor.case_file import CaseFile
from kiosk.screens.conductor.incoming import event_from_reader, event_from_uploader
from kiosk.screens.conductor.outgoing import arm_reader, passcode_note, visit_ended
from kiosk.screens.conductor.page_speech import PageSpeech
from kiosk.screens.conductor.passcode_check import PasscodeCheck
from kiosk.screens.conductor.process_link import ProcessLink
from kiosk.screens.conductor.reading_test import ReaderTest
from kiosk.screens.conductor.secret_pad import SecretPad, wipe
from kiosk.screens.conductor.staff_side import ANSWER_S, StaffSide
from kiosk.screens.conductor.stage_times import StageTimes
from kiosk.screens.conductor.update_watch import UpdateAsker
from kiosk.screens.kit.touch import DigitTouch, StartTouch, Touch
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
    OutboxCondition,
    ReaderCondition,
    StaffCalled,
    visit_of,
)
from kiosk.visit.timing import dwell

log = logging.getLogger(__name__)


class Conductor:
    """One kiosk's present state and its doings, all on the screen's thread but the passcode hash."""

    def __init__(
        self,
        kiosk: Kiosk,
        reader: ProcessLink[FromReader],
        uploader: ProcessLink[ForScreen],
        *,
        case: CaseFile,
        staff_side: StaffSide,
        passcode: PasscodeCheck,
        speech: PageSpeech,
        monotonic: Callable[[], float],
        new_visit_id: Callable[[], str],
    ) -> None:
        self.kiosk = kiosk
        self._reader, self._uploader = reader, uploader
        self._case, self._staff_side = case, staff_side
        self._passcode, self._speech = passcode, speech
        self._monotonic, self._new_visit_id = monotonic, new_visit_id
        self._keys: SealingKeys | None = None
        self._outbox = OutboxCondition.UNKNOWN
        self._pad = SecretPad()
        self._reader_test = ReaderTest(new_visit_id, monotonic, reader.send)
        self._updates = UpdateAsker(uploader.send)
        self._times = StageTimes(monotonic)
        wait = dwell(kiosk)  # nothing has moved yet that would begin it
        self._deadline = None if wait is None else monotonic() + wait
        self._unlock_at: float | None = None
        self._check_by: float | None = None

    # ---- the loop ----------------------------------------------------------------------------------------

    def touch(self, touch: Touch) -> None:
        """A target of the present picture was touched."""
        match touch:
            case StartTouch():
                self.handle(ev.Began(self._new_visit_id()))
            case DigitTouch(digit):
                before = self.kiosk.screen
                if isinstance(before, EnterPin | EnterPasscode | DoorPasscode) and self._pad.type(digit):
                    self.handle(ev.DigitTyped())
                    if self.kiosk.screen == before:  # the pad of the picture is full
                        self._pad.erase()
            case _:
                self.handle(touch)

    def poll(self, said: bool = True) -> None:
        """Take what the other processes sent, reconnect, and let the timers run out. `said`: whether any of
        them may have said something; both are asked only then, sixty times a second is too often."""
        now = self._monotonic()
        self._speech.poll()
        if said:
            self._poll_reader(now)
            self._poll_uploader(now)
        self._poll_passcode()
        self._poll_staff_side(now)
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self.handle(ev.TimeUp())

    def handle(self, event: ev.Event) -> None:
        """Let the machine have an event and carry out what it asks for."""
        before = self.kiosk.screen.name
        self.kiosk, wanted = reduce(self.kiosk, event)
        self._speech.page_changed(self.kiosk)
        if self.kiosk.screen.name != before:
            log.info("screen: %s", self.kiosk.screen.name)
            self._staff_side.entered(self.kiosk.screen)
            if isinstance(self.kiosk.screen, StaffCalled):
                self._uploader.send(channel.StaffWasCalled(reason=self.kiosk.screen.reason))
        for effect in wanted:
            self._do(effect)

    # ---- what comes in -----------------------------------------------------------------------------------

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
            self._outbox_is(OutboxCondition.LOST)
        if self._uploader.reconnect(now):
            visit = visit_of(self.kiosk.screen)
            if visit is not None and visit.challenge is None and not visit.challenge_frozen:
                self._uploader.send(channel.AskChallenge(visit=visit.id))

    def _poll_passcode(self) -> None:
        if (compared := self._passcode.result()) is None:
            return
        self._uploader.send(passcode_note(compared))
        if compared.right:
            self.handle(ev.StaffAccepted(compared.visit, compared.staff))
        else:
            self.handle(ev.StaffRefused(compared.visit))

    def _poll_staff_side(self, now: float) -> None:
        """Let the door open again, the day's check begin, and a check without an answer end."""
        if self._unlock_at is not None and now >= self._unlock_at:
            self._unlock_at = None
            self.handle(ev.DoorUnlocked())
        if self._check_by is not None and now >= self._check_by:
            self._end_check(None)
        self._updates.poll(self.kiosk.screen, now)
        if self._staff_side.check_due(self.kiosk, now):
            self.handle(ev.CheckDue())

    def _from_reader(self, message: FromReader) -> None:
        if self._reader_test.owns(message):
            event: ev.Event | None = self._reader_test.heard(message)
        elif isinstance(message, channel.Evidence):
            event = self._evidence_given(message)
        else:
            if isinstance(message, channel.Presented):
                self._times.mark("presented")
            event = event_from_reader(message)
        if event is not None:
            self.handle(event)

    def _evidence_given(self, evidence: channel.Evidence) -> ev.Event | None:
        visit = visit_of(self.kiosk.screen)
        if visit is None or visit.id != evidence.visit:
            return None
        self._times.add(evidence.stages)
        self._times.measure("token", "presented")
        self._case.keep(evidence)
        return ev.TokenAuthenticated(evidence.visit, self._case.ends_soon(evidence))

    def _from_uploader(self, message: ForScreen) -> None:
        match message:
            case channel.SealingKeys():
                self._keys = message
                self._outbox_is(self._outbox)
            case channel.OutboxState(condition=condition, reason=text):
                if text:
                    log.info("outbox: %s", text)
                self._outbox_is(condition)
            case channel.CheckResult():
                if self._check_by is not None:  # nobody waits any longer for an answer that came too late
                    self._end_check(message)
            case _:
                if isinstance(message, channel.Committed) and not self._times.has("commit"):
                    self._times.measure("commit", "sealed")  # it comes again from an uploader that came back
                if isinstance(message, channel.ServiceAnswered):
                    self._times.measure("answer", "sealed")
                if (event := event_from_uploader(message, self._staff_side)) is not None:
                    self.handle(event)

    def _outbox_is(self, condition: OutboxCondition) -> None:
        """Without a key to seal to, nothing can be recorded, however well the outbox is."""
        self._outbox = condition
        no_key = condition is OutboxCondition.READY and self._keys is None
        self.handle(ev.OutboxChanged(OutboxCondition.LOST if no_key else condition))

    def _end_check(self, found: channel.CheckResult | None) -> None:
        self._check_by = None
        self.handle(ev.CheckCompleted(self._staff_side.check(found, self.kiosk.reader)))

    # ---- what is asked for -------------------------------------------------------------------------------

    def _do(self, effect: do.Effect) -> None:
        match effect:
            case do.BeginVisit(visit):
                self._times.begin()
                self._reader.send(channel.BeginContact(visit=visit.id))
                self._uploader.send(channel.AskChallenge(visit=visit.id))
            case do.SendPin(visit):
                self._send_pin(visit.id)
            case do.Arm(visit):
                self._reader.send(arm_reader(visit))
            case do.Disarm(visit):
                self._reader.send(channel.BeginContact(visit=visit.id))
            case do.FreezeTranscript(visit):
                self._reader.send(self._case.freeze(visit))
            case do.SealAndCommit(visit):
                self._commit(visit.id)
            case do.CheckStaff(visit, number):
                self._passcode.begin(None if visit is None else visit.id, number, self._pad.copy())
            case do.LockDoor(number, seconds):
                self._unlock_at = self._monotonic() + seconds
                self._uploader.send(channel.AuditNote(event=AuditEvent.DOOR_LOCKED, staff=number))
            case do.TryReader(staff):
                self._reader_test.begin()
                self._uploader.send(channel.AuditNote(event=AuditEvent.READING_TESTED, staff=staff))
            case do.EndReaderTest():
                self._reader_test.end()
            case do.AskHours():
                self.handle(ev.CallHoursKnown(self._staff_side.call_hours()))
            case do.RunCheck():
                sent = self._uploader.send(channel.AskCheck())
                self._check_by = self._monotonic() + (ANSWER_S if sent else 0.0)
            case do.Speak():
                self._speech.repeat(self.kiosk.language)
            case do.ForgetDigits():
                self._pad.wipe()
            case do.ForgetLastDigit():
                self._pad.erase()
            case do.EndVisit():
                self._end(effect)
            case do.StartTimer(seconds):
                self._deadline = self._monotonic() + seconds
            case do.StopTimer():
                self._deadline = None
            case StaffRequest():
                self._uploader.send(effect)
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
        self._times.mark_once("sealed")
        self._uploader.send(record)

    def _end(self, effect: do.EndVisit) -> None:
        self._times.measure("visit", "began")
        self._reader.send(channel.EndContact(visit=effect.visit.id))
        self._uploader.send(visit_ended(effect, self._times.ms))
        self._pad.wipe()
        self._case.close()

    @property
    def stages_ms(self) -> dict[str, float]:
        """How long the parts of the present or last visit took."""
        return self._times.ms

    def close(self) -> None:
        """End politely: the reader wipes its PIN when it sees us go."""
        self._pad.wipe()
        self._case.close()
        self._passcode.close()
        self._reader.close()
        self._uploader.close()
