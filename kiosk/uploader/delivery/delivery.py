"""Delivery: what is sent when, over which lane, and what is told about it. Runs in the main thread only.

The line (line.py) says whether the service is worth trying. A fresh record goes out at once while the patient
waits; what waits longer is drained at a pace (drain.py). Nothing is told before it is committed.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.channel import (
    ChallengeGiven,
    CommitRecord,
    CommitRefused,
    Committed,
    Deferred,
    FromUploader,
    SealingKeys,
)
from kiosk.channel import ServiceAnswered as AnswerNews
from kiosk.qualification.codes import outcome_of
from kiosk.qualification.terms import Outcome
from kiosk.uploader.delivery.answer_memory import AnswerMemory, ResponseKey
from kiosk.uploader.delivery.delivery_rules import DeliveryRules
from kiosk.uploader.delivery.drain import Drain
from kiosk.uploader.delivery.lanes import (
    Deliver,
    GetChallenge,
    GetKeys,
    JobResult,
    Lanes,
    Renew,
    ServiceReply,
    TryNext,
)
from kiosk.uploader.delivery.line import ServiceLine, retry_reasons
from kiosk.uploader.delivery.retry import (
    Accept,
    Dice,
    HoldBack,
    LineDown,
    Reject,
    SendLater,
    SendNow,
    decide,
    decide_line,
)
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import (
    Entry,
    FinalAnswer,
    Full,
    KeptRecord,
    Leased,
    NotTaken,
    Rejected,
    Settlement,
    Untried,
    Waits,
)
from kiosk.uploader.outbox.service_keys import keep_keys, kept_keys
from kiosk.uploader.service.wire import Answer, Challenge, Enrolled, RequestFault, ServiceKeys, ServiceProblem

log = logging.getLogger(__name__)

KEYS_EVERY_S = 3600.0


class Delivery:
    """Takes records in, sends them, settles what came of it. `tell` reaches everybody connected;
    `on_answer` is called with every answer once it is committed.
    """

    def __init__(
        self,
        rules: DeliveryRules,
        lanes: Lanes,
        line: ServiceLine,
        drain: Drain,
        response_key: ResponseKey,
        memory: AnswerMemory,
        tell: Callable[[FromUploader], None],
        on_answer: Callable[[FinalAnswer, Moment], None],
        dice: Dice,
    ) -> None:
        self._rules, self._lanes, self._tell, self._dice = rules, lanes, tell, dice
        self._on_answer = on_answer
        self._response_key, self._memory = response_key, memory
        self.line, self._drain = line, drain
        self._keys: ServiceKeys | None = None
        self._keys_due = 0.0
        self._watched: dict[str, float] = {}  # visit -> when committed: first word of the service still out
        self._asking: set[str] = set()  # visits whose challenge is being fetched
        self._keys_asked = False
        self.retries: Counter[str] = Counter()  # attempts that have to be made again, by reason

    # ---- what others may know ----------------------------------------------------------------------------

    @property
    def in_hand(self) -> int:
        """Fresh records whose first attempt is under way: neither answered nor really waiting."""
        return len(self._watched)

    @property
    def keys(self) -> ServiceKeys | None:
        return self._keys

    def sealing_keys(self) -> SealingKeys | None:
        """What the screen process needs for sealing; None while the service's key is unknown."""
        if self._keys is None:
            return None
        current = self._keys.keys[0]
        return SealingKeys(
            service=self._keys.service,
            key_id=current.key_id,
            suite=current.suite.value,
            public=current.public,
            response_key_id=self._response_key.key_id,
            response_key=self._response_key.public,
        )

    # ---- from the screen ---------------------------------------------------------------------------------

    def ask_challenge(self, visit: str, now: Moment) -> None:
        """Fetch a challenge; nothing is told when there is none to be had."""
        if visit in self._asking or not (self.line.online or self.line.probe_for_patient(now)):
            return
        self._asking.add(visit)
        self._lanes.ask.give(GetChallenge(visit, self._rules.challenge_s))

    def commit(self, message: CommitRecord, outbox: Outbox, now: Moment) -> None:
        """Keep a record and send it at once if the line is up."""
        entry = Entry(
            id=message.visit,
            suite=message.suite,
            key_id=message.key_id,
            sealed=message.sealed,
            mode=message.mode.value,
            taken_at=message.taken_at,
            clock_trusted=message.clock_trusted,
            challenged=message.challenged,
        )
        result = outbox.commit(entry, now, send_now=self.line.online)
        match result:
            case Full(reason=reason) | NotTaken(reason=reason):
                log.warning("a record was not taken: %s", reason)
                self._tell(CommitRefused(visit=message.visit, reason=reason))
            case KeptRecord(receipt=receipt, leased=leased, settled=settled):
                self._tell(Committed(visit=message.visit, receipt=receipt))
                if settled is not None:
                    self._tell(
                        AnswerNews(
                            visit=message.visit,
                            receipt=receipt,
                            outcome=settled.outcome,
                            validity=settled.validity,
                        )
                    )
                elif leased is not None:
                    self._watched[message.visit] = now.mono_ms / 1000
                    self._lanes.for_patient().give(Deliver(leased, leased.ask_first))
                elif message.visit not in self._watched:
                    reason = self.line.view.reason or "delivery goes on by itself"
                    self._tell(Deferred(visit=message.visit, reason=reason))
            case _:
                assert_never(result)

    # ---- from the lanes ------------------------------------------------------------------------------------

    def results(self, results: Iterable[JobResult], outbox: Outbox | None, now: Moment) -> None:
        """Take what came back. Everything is committed together, then told."""
        settlements: list[Settlement] = []
        words: list[FromUploader] = []
        for result in results:
            result.lane.came_back()
            match result.job:
                case GetChallenge() as job:
                    self._challenge_came(job, result.reply, now)
                case GetKeys():
                    self._keys_came(result.reply, outbox, now)
                case Deliver() as job:
                    self._delivery_came(job, result.reply, now, settlements, words)
                case Renew() | TryNext():
                    raise TypeError("a renewal has its own lane")
                case _:
                    assert_never(result.job)
        if not self.line.online:
            for record in self._withdraw():
                settlements.append(Untried(record))
                words += self._deferred(record, self.line.view.reason)
        if settlements and outbox is not None:
            outbox.settle(settlements, now)
            for word in words:
                self._tell(word)
            for settled in settlements:
                if isinstance(settled, FinalAnswer):
                    self._on_answer(settled, now)

    def _challenge_came(self, job: GetChallenge, reply: ServiceReply, now: Moment) -> None:
        self._asking.discard(job.visit)
        match reply:
            case Challenge(visit=visit, challenge=challenge, valid_s=valid_s):
                self.line.heard(now)
                self._tell(ChallengeGiven(visit=visit, challenge=challenge, valid_s=valid_s))
            case ServiceProblem() | RequestFault():
                self.line.observe(decide_line(reply, self._rules.retry, self._dice), reply, now)
            case Answer() | ServiceKeys() | Enrolled():
                raise TypeError("a challenge was asked for")
            case _:
                assert_never(reply)

    def _keys_came(self, reply: ServiceReply, outbox: Outbox | None, now: Moment) -> None:
        self._keys_asked = False
        match reply:
            case ServiceKeys():
                self.line.heard(now)
                self._keys_due = now.mono_ms / 1000 + KEYS_EVERY_S
                self.adopt_keys(reply)
                if outbox is not None and self._keys == reply and kept_keys(outbox.database) != reply:
                    keep_keys(outbox.database, reply)
            case ServiceProblem() | RequestFault():
                self._keys_due = now.mono_ms / 1000 + self._rules.retry.base_s
                self.line.observe(decide_line(reply, self._rules.retry, self._dice), reply, now)
            case Answer() | Challenge() | Enrolled():
                raise TypeError("keys were asked for")
            case _:
                assert_never(reply)

    def begin_with(self, keys: ServiceKeys | None) -> None:
        """Keys of an earlier life or of the enrolment: sealed to until the service is heard."""
        if keys is not None and self._keys is None:
            self.adopt_keys(keys)

    def adopt_keys(self, keys: ServiceKeys) -> None:
        """Seal to these from now on, unless they are those of another service."""
        if keys.service != self._rules.service:
            log.error(
                "the service calls itself %r, kiosk.toml says service.name = %r: mend one of them",
                keys.service[:64],
                self._rules.service,
            )
        elif keys != self._keys:
            self._keys = keys
            log.info("requests are sealed to key %s from now on", keys.keys[0].key_id)
            if (message := self.sealing_keys()) is not None:
                self._tell(message)

    def _delivery_came(
        self,
        job: Deliver,
        reply: ServiceReply,
        now: Moment,
        settlements: list[Settlement],
        words: list[FromUploader],
    ) -> None:
        record = job.record
        if isinstance(reply, Challenge | ServiceKeys | Enrolled):
            raise TypeError("an answer was asked for")
        rules = self._rules.retry
        committed_s = self._watched.get(record.id)
        waited_s = None if committed_s is None else now.mono_ms / 1000 - committed_s
        awaited_s = 0.0 if waited_s is None else max(0.0, self._rules.patient_s - waited_s)
        decision = decide(
            reply,
            record.id,
            record.attempts,
            rules,
            self._dice,
            asked_status=job.ask_first,
            awaited_s=awaited_s,
        )
        self.retries.update(retry_reasons(decision, reply, now))
        self.line.observe(decision, reply, now)
        late = awaited_s == 0
        match decision:
            case SendNow():
                self._lanes.backlog.give(Deliver(record, ask_first=False))
                return
            case Accept(answer=answer):
                self._remember(record.id, answer)
                settlements.append(FinalAnswer(record.id, answer, late, record.receipt))
                words.append(_answer_told(record, answer))
            case Reject(code=code):
                log.error("record %s was refused by the service: %s", record.receipt, code)
                settlements.append(Rejected(record.id, code, late))
                words.append(
                    AnswerNews(visit=record.id, receipt=record.receipt, outcome=Outcome.STAFF_CALLED)
                )
            case SendLater(after_s=after_s, reason=reason, reached=reached, soon=soon):
                settlements.append(Waits(record.id, after_s, reached, reason=reason))
                if soon:
                    return
                words += self._deferred(record.id, reason)
            case HoldBack(after_s=after_s, code=code, reason=reason):
                log.error("record %s: %s", record.receipt, reason)
                settlements.append(Waits(record.id, after_s, reached=False, reason=code))
                words += self._deferred(record.id, reason)
                if code == "key_unknown":
                    self._keys_due = 0.0
            case LineDown(reason=reason, reached=reached, after_s=after_s):
                settlements.append(Waits(record.id, after_s, reached, reason=reason))
                words += self._deferred(record.id, reason)
            case _:
                assert_never(decision)
        self._watched.pop(record.id, None)

    def _deferred(self, visit: str, reason: str) -> list[Deferred]:
        """Told once, and only for who may still be here."""
        return [Deferred(visit=visit, reason=reason)] if self._watched.pop(visit, None) else []

    def _withdraw(self) -> list[str]:
        """Take back what has not begun: the line is down, each would wait for its own time-out."""
        records: list[str] = []
        for lane in (self._lanes.fresh, self._lanes.backlog):
            for job in lane.withdraw():
                if isinstance(job, Deliver):
                    records.append(job.record.id)
        return records

    def _remember(self, record: str, answer: Answer) -> None:
        """Hold what the answer says about the person; only an answer to a record of this life opens."""
        if answer.person is None:
            return
        rules = self._rules
        person = self._response_key.open(answer.person, record, rules.terminal, rules.institution)
        if person is not None:
            self._memory.put(record, person)

    # ---- by itself ---------------------------------------------------------------------------------------

    def step(self, outbox: Outbox | None, now: Moment) -> float:
        """Start what is due; returns the seconds until something may be due again."""
        seconds = now.mono_ms / 1000
        if self.line.probe_if_due(now):
            self._ask_keys()
        if not self.line.online:
            self._drain.stop()
            return self.line.wait_s(now)
        if seconds >= self._keys_due:
            self._ask_keys()
        wait = 1.0 if self._keys_asked else max(0.0, self._keys_due - seconds)
        return wait if outbox is None else min(wait, self._drain.step(outbox, self._watched, now))

    def _ask_keys(self) -> None:
        if not self._keys_asked:
            self._keys_asked = True
            self._lanes.ask.give(GetKeys())

    def retry_now(self, outbox: Outbox, now: Moment) -> int:
        """Staff ask for it: probe at once, forget all back-off; returns how many records wait."""
        if self.line.probe_for_patient(now):
            self._ask_keys()
        self._drain.hurry(now)
        return outbox.make_due()

    def outbox_lost(self) -> None:
        """What is under way goes on, but its outcome cannot be noted: the reopened outbox will ask again."""
        self._watched.clear()


def _answer_told(record: Leased, answer: Answer) -> AnswerNews:
    validity = answer.codes.validity
    return AnswerNews(
        visit=record.id,
        receipt=record.receipt,
        outcome=outcome_of(answer.codes),
        validity=None if validity is None else validity.value,
    )
