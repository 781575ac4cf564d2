"""After an outage: ask the 資格確認端末 for the consented results of those days, and find whose they are.

Begun by itself once late answers have come to rest, or by staff. What it takes to resume after a crash is on
the disk before anything is sent (lookup_store.py); the results are in memory only, like every answer.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

from kiosk.box.clock import JAPAN, Moment
from kiosk.channel import CheckItem
from kiosk.config.clinic_settings import Clinic
from kiosk.config.folder_settings import FileEncoding, LookupMessage, LookupSettings
from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
)
from kiosk.uploader.delivery.answer_memory import AnswerMemory
from kiosk.uploader.oqs import folder as files
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import DocumentRefused, Read, Reason, read, write
from kiosk.uploader.oqs.element import Node, from_json
from kiosk.uploader.oqs.errands import Errands
from kiosk.uploader.oqs.exchange import (
    AskAgain,
    Foreign,
    LookUp,
    LookUpKind,
    LookUpStage,
    Results,
    answer_name,
    heard,
    request_name,
    request_of,
)
from kiosk.uploader.oqs.folder import Folder, NotPut, Put, PutUnknown, Unready
from kiosk.uploader.oqs.lookup_store import Late, LookUps
from kiosk.uploader.oqs.matching import Matcher, Matches, RecordedVisit, identities
from kiosk.uploader.oqs.messages import Unit, XmlMsg
from kiosk.uploader.oqs.results import QualificationResult
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import FinalAnswer
from kiosk.uploader.service.wire import Answer
from kiosk.uploader.store.audit_sentences import LookUpEnd
from kiosk.uploader.store.database import Database
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.audit_events import KIOSK, AuditEvent

log = logging.getLogger(__name__)

RETRY_S = 5.0  #: between attempts to put a request into a folder that does not take it
IDLE_S = 60.0
_QUIET_LOOKS = 5  #: so often in a row nothing new may be late before a look-up begins by itself
_KINDS = {LookupMessage.ONLINE: LookUpKind.ONLINE, LookupMessage.HOME: LookUpKind.HOME}
_CODES = {FileEncoding.UTF_8: CharacterCode.UTF_8, FileEncoding.SHIFT_JIS: CharacterCode.SHIFT_JIS}


@dataclass(frozen=True)
class _Seen:
    """What a look at the answer's place gave, and whose the results are, if it holds any."""

    found: Read | DocumentRefused | Unready
    matches: Matches


class LookUpRunner:
    """Belongs to the main loop: `step` at every turn, `outbox_lost` when it is gone."""

    def __init__(
        self,
        settings: LookupSettings,
        clinic: Clinic,
        disk: Path,
        memory: AnswerMemory,
        errands: Errands,
        on_answer: Callable[[FinalAnswer, Moment], None],
        token: Callable[[], str],
    ) -> None:
        """`on_answer` gets each late answer that was found; `token` gives an identifier nobody else uses."""
        self._settings, self._clinic, self._memory = settings, clinic, memory
        self._errands, self._on_answer, self._token = errands, on_answer, token
        self._kind = _KINDS.get(settings.message)
        own = (Path("/"), disk) if settings.share else ()
        work = settings.work / clinic.terminal
        self._req = Folder(settings.folder / "req", work, own)
        self._res = Folder(settings.folder / "res", work, own)
        self._outbox: Outbox | None = None
        self._now: Moment | None = None
        self._state: LookUp | None = None
        self._generation = 0  #: what was sent out for an outbox that was lost since does not count
        self._busy = False
        self._due_s = self._until_s = 0.0
        self._quiet: tuple[int, int] = (0, 0)  #: the newest late record, and how often in a row it was

    def start(self) -> None:
        """Begin; requests that a crash left unsent are removed."""
        if self._kind is not None:
            self._errands.start()
            self._errands.give(lambda: files.clean(self._req), files.say_cleaned)

    def stop(self) -> None:
        """End; the wait is resumed by the next life."""
        if self._kind is not None:
            self._errands.stop(timeout_s=1.0)

    def outbox_lost(self) -> None:
        """Forget where it stood: the reopened outbox knows."""
        self._outbox, self._state, self._busy = None, None, False
        self._generation += 1

    def begin(self, date_from: str, date_to: str, outbox: Outbox) -> str | None:
        """Begin one at the wish of staff; returns why not, None when it is begun."""
        if self._kind is None:
            return "look-ups are off: set lookup.message in kiosk.toml"
        if LookUps(outbox.database).active() is not None:
            return "one is under way"
        LookUps(outbox.database).begin(self._kind, date_from, date_to, self._token())
        self._due_s = 0.0
        return None

    def check(self, outbox: Outbox) -> CheckItem | None:
        """For the daily check: what the last look-up leaves to staff, while there are visits to deal with."""
        last = next(iter(LookUps(outbox.database).last(1)), None)
        if self._kind is None or last is None or not LookUps(outbox.database).late():
            return None
        if last.stage is LookUpStage.FAILED:
            return CheckItem(part="folders", fault="lookup_failed")
        if last.uncertain:
            return CheckItem(part="folders", fault="lookup_uncertain", value=last.uncertain)
        return None

    def step(self, outbox: Outbox | None, online: bool, now: Moment) -> float:
        """Take what came back, do what is due; returns the seconds until something is due again. Raises
        OutboxLost.
        """
        if self._kind is None:
            return IDLE_S
        self._now = now
        if outbox is not None and self._outbox is not outbox:
            self._opened(outbox, now)
        self._errands.collect()
        seconds = now.mono_ms / 1000
        if self._outbox is None or self._busy:
            return IDLE_S  # what comes back wakes us
        if seconds < self._due_s:
            return self._due_s - seconds
        if self._state is None:
            self._state = LookUps(self._outbox.database).active()
            self._until_s = seconds + self._settings.wait_s
        if self._state is None:
            self._due_s = seconds + self._settings.poll_s
            self._begin_by_itself(self._outbox, online)
        elif self._state.stage is LookUpStage.READY:
            self._send(self._state, self._outbox.database, now)
        else:
            self._look(self._state, self._outbox)
        return self._idle_s(seconds)

    def _idle_s(self, seconds: float) -> float:
        return IDLE_S if self._busy else max(0.0, self._due_s - seconds)

    def _opened(self, outbox: Outbox, now: Moment) -> None:
        """A wait that a former life began is resumed, with its whole time before it."""
        self._outbox = outbox
        self._state = LookUps(outbox.database).active()
        self._due_s, self._until_s = 0.0, now.mono_ms / 1000 + self._settings.wait_s
        if self._state is not None and self._state.stage is LookUpStage.SENT:
            log.info("look-up %d: waiting again for the answer to %s", self._state.id, self._state.request)

    def _begin_by_itself(self, outbox: Outbox, online: bool) -> None:
        lookups = LookUps(outbox.database)
        newest = max((late.seq for late in lookups.late()), default=0)
        looks = self._quiet[1] + 1 if self._quiet[0] == newest else 1
        self._quiet = (newest, looks)
        if not online or looks < _QUIET_LOOKS or newest <= (covered := lookups.covered()):
            return
        lookups.cover(newest)
        dates = [late.date for late in lookups.late() if late.seq > covered and late.date is not None]
        if dates:
            self.begin(min(dates), max(dates), outbox)

    # ---- asking --------------------------------------------------------------------------------------------

    def _send(self, state: LookUp, database: Database, now: Moment) -> None:
        stamp = datetime.fromtimestamp(now.best_ms / 1000, JAPAN).strftime("%Y%m%d%H%M%S%f")[:17]
        name = request_name(state, stamp)
        data = write(request_of(state, self._clinic.institution), _CODES[self._settings.encoding])
        asks = state.asks + bool(state.reception)
        self._keep(replace(state, stage=LookUpStage.SENT, request=name, asks=asks), database)
        self._errand(lambda: self._req.put(name, data), lambda came: self._sent(state, came))

    def _sent(self, before: LookUp, came: files.PutOutcome) -> None:
        """`before` is the state in which it was surely not sent."""
        seconds, database = self._seconds(), self._database()
        match came:
            case Put() | PutUnknown():
                self._due_s, self._until_s = seconds, seconds + self._settings.wait_s
            case NotPut(reason=reason, taken=taken):
                if seconds >= self._until_s:
                    self._end(before.failed(f"the terminal's folder took no request: {reason}"), database)
                    return
                self._keep(before, database)
                self._due_s = seconds + (0.0 if taken else RETRY_S)
            case _:
                assert_never(came)

    def _look(self, state: LookUp, outbox: Outbox) -> None:
        recorded = self._recorded(LookUps(outbox.database).late())
        name = answer_name(state.request)
        self._errand(lambda: _seen(self._res, name, recorded), self._looked)

    def _recorded(self, late: list[Late]) -> list[RecordedVisit]:
        return [RecordedVisit(each.visit, _persons(self._memory.get(each.visit))) for each in late]

    def _looked(self, came: _Seen) -> None:
        state, seconds, database = self._state, self._seconds(), self._database()
        assert state is not None, "nothing is looked at without a look-up"
        match came.found:
            case Unready.TOO_LARGE:
                self._end(state.failed(f"the terminal's answer cannot be read: {came.found.value}"), database)
            case Unready():
                self._wait_on(state, came.found.value)
            case DocumentRefused(reason=Reason.NOT_XML | Reason.ENCODING as fault):  # or still being written
                self._wait_on(state, fault.value)
            case DocumentRefused(reason=fault):
                self._end(state.failed(f"the terminal's answer cannot be read: {fault.value}"), database)
            case Read(message=message, as_named=as_named):
                if not as_named:
                    log.warning("%s names another encoding than it has", answer_name(state.request))
                verdict = heard(state, message, self._clinic.institution, self._settings.asks)
                match verdict:
                    case Foreign(reason=reason):
                        self._wait_on(state, reason)
                    case AskAgain(state=following, wait=wait):
                        if following.active:
                            self._keep(following, database)
                            self._due_s = seconds + (self._settings.ask_every_s if wait else 0.0)
                            self._until_s = self._due_s + self._settings.wait_s
                        else:
                            self._end(following, database)
                    case Results():
                        self._take(state, message, came.matches)
                    case _:
                        assert_never(verdict)
            case _:
                assert_never(came.found)

    def _wait_on(self, state: LookUp, reason: str) -> None:
        seconds = self._seconds()
        self._due_s = seconds + self._settings.poll_s
        if seconds >= self._until_s:
            self._end(state.failed(f"no answer came to {state.request}: {reason}"), self._database())

    # ---- what came of it -----------------------------------------------------------------------------------

    def _take(self, state: LookUp, message: XmlMsg, matches: Matches) -> None:
        outbox, now = self._outbox, self._now
        assert outbox is not None, "the database was asked for"
        assert now is not None, "step was called"
        receipts = {late.visit: late.receipt for late in LookUps(outbox.database).late()}
        executed_at = message.header.ProcessExecutionTime or ""
        settled = [
            FinalAnswer(visit, answer, late=True, receipt=receipts[visit])
            for visit, unit in matches.found.items()
            if visit in receipts and (answer := _answer(visit, unit, executed_at)) is not None
        ]
        outbox.settle(settled, now)  # of the records, those that were given up; the others have their answer
        for each in settled:
            if self._memory.get(each.id) is None:
                self._memory.put(each.id, _person(each.id, matches.found[each.id]))
            self._on_answer(each, now)
        counts = {"found": len(settled), "uncertain": len(matches.uncertain), "others": matches.others}
        self._end(replace(state, stage=LookUpStage.DONE, **counts), outbox.database)  # type: ignore[arg-type]

    def _end(self, state: LookUp, database: Database) -> None:
        self._keep(state, database)
        self._state = None
        end = LookUpEnd.DONE if state.stage is LookUpStage.DONE else LookUpEnd.FAILED
        assert self._now is not None, "step was called"
        Ledger(database).note(AuditEvent.LOOKED_UP, KIOSK, self._now, word=end)
        if state.stage is LookUpStage.FAILED:
            log.error("look-up %d failed, look at the 資格確認端末 itself: %s", state.id, state.reason)
        else:
            log.info(
                "look-up %d: %d results belong to recorded visits, %d visits are uncertain and left to staff,"
                " %d results belong to none",
                state.id,
                state.found,
                state.uncertain,
                state.others,
            )

    # ---- small change --------------------------------------------------------------------------------------

    def _keep(self, state: LookUp, database: Database) -> None:
        LookUps(database).save(state)
        self._state = state

    def _errand(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        generation = self._generation
        self._busy = True

        def back(came: Any) -> None:
            if generation == self._generation:
                self._busy = False
                then(came)

        self._errands.give(work, back)

    def _seconds(self) -> float:
        assert self._now is not None, "step was called"
        return self._now.mono_ms / 1000

    def _database(self) -> Database:
        assert self._outbox is not None, "results of a lost outbox's time do not count"
        return self._outbox.database


def _seen(res: Folder, name: str, recorded: list[RecordedVisit]) -> _Seen:
    """In the errands' thread: read the answer and match its results while they are read."""
    data, matcher = res.look(name), Matcher(recorded)
    if isinstance(data, Unready):
        return _Seen(data, matcher.matches())
    found = read(data, matcher.take)
    return _Seen(found, matcher.matches())


def _persons(answer: bytes | None) -> frozenset[tuple[str, str, str, str, str]]:
    """Who an answer in memory is about."""
    try:
        found = json.loads(answer or b"{}").get("ResultList", [])
        return identities(QualificationResult.of(from_json(QualificationResult, each)) for each in found)
    except (ValueError, AttributeError, TypeError):
        return frozenset()


def _answer(visit: str, unit: Unit, executed_at: str) -> Answer | None:
    """The codes of a result as the service would have given them; None when they are not of the tables."""
    try:
        status = ProcessingResultStatus(unit.ProcessingResultStatus or "")
        validity = QualificationValidity(unit.QualificationValidity or "")
    except ValueError:
        return None
    codes = ResultCodes(SegmentOfResult.NORMAL, status, validity)
    return Answer(visit, codes, "", None, executed_at if executed_at.isdecimal() else "")


def _person(visit: str, unit: Unit) -> bytes:
    """A result in the form in which answers are held in memory."""
    results = [_as_json(result.nodes()) for result in unit.results]
    return json.dumps({"v": 1, "id": visit, "ResultList": results}, ensure_ascii=False).encode()


def _as_json(nodes: list[Node]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, content in nodes:
        value = content if isinstance(content, str) else _as_json(content)
        if name in found:
            several = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*several, value]
        else:
            found[name] = value
    return found
