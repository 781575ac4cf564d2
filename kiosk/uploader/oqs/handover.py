"""Hand-over: a verified answer as a face reader's result file in the receipt computer's folder.

Off unless the clinic switches it on: this file is the one place where person data leaves the kiosk's memory.
The receipt computer takes such a file as "this person stands at the desk", so an answer is
handed over only while that is so: late answers, and those that the folder did not take within `PATIENCE_S`,
are left to staff, unless the settings say otherwise.
"""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.box.clock import JAPAN, Moment
from kiosk.channel import CheckItem
from kiosk.config.clinic_settings import Clinic
from kiosk.config.folder_settings import FileEncoding, HandoverSettings
from kiosk.qualification.codes import ResultCodes, outcome_of
from kiosk.qualification.terms import Outcome
from kiosk.uploader.delivery.answer_memory import AnswerMemory
from kiosk.uploader.oqs import folder as files
from kiosk.uploader.oqs.code_tables import CharacterCode, ReferenceClassification
from kiosk.uploader.oqs.document import write
from kiosk.uploader.oqs.element import from_json
from kiosk.uploader.oqs.errands import Errands
from kiosk.uploader.oqs.folder import Folder, NotPut, Put, PutUnknown
from kiosk.uploader.oqs.messages import Body, FileHeader, FileKind, XmlMsg
from kiosk.uploader.oqs.results import QualificationResult
from kiosk.uploader.outbox.records import FinalAnswer

log = logging.getLogger(__name__)

PATIENCE_S = 60.0  #: so long the folder may take, while the person is taken to stand at the desk
RETRY_S = 2.0
LOOK_S = 60.0  #: between looks whether the folder is there; they keep a share mounted, too
UNTAKEN_S = 900.0  #: a receipt computer takes a file within seconds
_MAX_NAMES = 500
_STAMP = "%Y%m%d%H%M%S"
_CODES = {FileEncoding.UTF_8: CharacterCode.UTF_8, FileEncoding.SHIFT_JIS: CharacterCode.SHIFT_JIS}


@dataclass
class _Waiting:
    """An answer on its way; who it is about is in the memory of answers, and in `person` while an errand may
    need it: emptied when its time is over, however long a share hangs.
    """

    receipt: str
    codes: ResultCodes
    executed_at: str
    until_s: float  #: on the monotonic clock; then it is given up
    try_s: float
    under_way: bool = False
    person: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class _Looked:
    """What a look at the folder gave."""

    fault: str | None
    there: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Unwritable:
    """The answer cannot be such a file."""

    reason: str


class HandOver:
    """Belongs to the main loop: `answered` with each answer, `step` at every turn."""

    def __init__(
        self,
        settings: HandoverSettings,
        clinic: Clinic,
        disk: Path,
        memory: AnswerMemory,
        errands: Errands,
    ) -> None:
        """`disk`: a path on the kiosk's own disk, where no answer may come to lie."""
        self._settings, self._clinic, self._memory, self._errands = settings, clinic, memory, errands
        self._folder = None
        if settings.folder is not None:
            own = (Path("/"), disk) if settings.share else ()
            self._folder = Folder(settings.folder, settings.work / clinic.terminal, own)
        self._waiting: dict[str, _Waiting] = {}
        self._last_stamp = ""
        self._names: dict[str, float] = {}  # handed over in this life and not known to be taken -> when
        self._fault: str | None = None
        self._looking, self._look_s = False, 0.0
        self.handed_over = self.given_up = 0  #: in this life

    def start(self) -> None:
        """Begin, and remove what a crash left in the work folder: it may name somebody."""
        if (folder := self._folder) is not None:
            self._errands.start()
            self._errands.give(lambda: files.clean(folder), files.say_cleaned)

    def stop(self) -> None:
        """End; what is not handed over by now is not."""
        if self._folder is not None:
            self._errands.stop(timeout_s=1.0)

    def answered(self, settled: FinalAnswer, now: Moment) -> None:
        """Hand an answer over, if it is of that kind. It is committed, and its person in memory."""
        if self._folder is None or (settled.late and not self._settings.late):
            return
        if outcome_of(settled.answer.codes) is not Outcome.VERIFIED:
            return
        if self._memory.get(settled.id) is None:
            log.info("record %s is not handed over: its answer is for an earlier life", settled.receipt)
            return
        seconds = now.mono_ms / 1000
        patience = float("inf") if self._settings.late else PATIENCE_S
        self._waiting[settled.id] = _Waiting(
            settled.receipt, settled.answer.codes, settled.answer.executed_at, seconds + patience, seconds
        )

    def step(self, now: Moment) -> float:
        """Take what came back, start what is due; returns the seconds until something is due again."""
        if self._folder is None:
            return LOOK_S
        self._errands.collect()
        seconds = now.mono_ms / 1000
        if seconds >= self._look_s and not self._looking:
            self._look(self._folder, seconds)
        due = LOOK_S if self._looking else max(0.0, self._look_s - seconds)
        for record, waiting in list(self._waiting.items()):
            if waiting.under_way:
                if seconds > waiting.until_s or self._memory.get(record) is None:
                    self._give_up(record, "the folder did not answer in time")
            elif seconds >= waiting.try_s:
                self._try(record, waiting, now)
            else:
                due = min(due, waiting.try_s - seconds)
        return due

    @property
    def counts(self) -> tuple[int, int] | None:
        """Handed over and given up in this life; None while it is off."""
        return None if self._folder is None else (self.handed_over, self.given_up)

    def check(self, now: Moment) -> CheckItem | None:
        """For the daily check; None while nothing is handed over."""
        if self._folder is None:
            return None
        seconds = now.mono_ms / 1000
        if self._fault is not None:
            return CheckItem(part="folders", fault="away", value=len(self._waiting))
        untaken = sum(seconds - since >= UNTAKEN_S for since in self._names.values())
        return CheckItem(part="folders", fault="untaken" if untaken else None, value=untaken)

    def _look(self, folder: Folder, seconds: float) -> None:
        names = tuple(self._names)
        self._looking, self._look_s = True, seconds + LOOK_S
        self._errands.give(lambda: _looked(folder, names), lambda came: self._saw(names, came))

    def _saw(self, names: tuple[str, ...], came: _Looked) -> None:
        self._looking = False
        if came.fault != self._fault and came.fault is not None:
            log.error("nothing can be handed over: %s", came.fault)
        self._fault = came.fault
        if came.fault is None:
            for taken in set(names) - came.there:
                self._names.pop(taken, None)

    def _try(self, record: str, waiting: _Waiting, now: Moment) -> None:
        person, seconds = self._memory.get(record), now.mono_ms / 1000
        executed_at = waiting.executed_at or _now(now)
        if person is None or seconds > waiting.until_s:
            self._give_up(record, "the folder did not take it in time")
        elif executed_at is None:
            self._give_up(record, "the time is not known: the clock is not set")
        elif self._folder is not None:
            folder, stamp = self._folder, self._stamp(_now(now) or executed_at)
            waiting.under_way, waiting.person = True, [person]
            waiting.try_s = seconds + RETRY_S
            self._errands.give(
                lambda: self._put(folder, stamp, record, waiting, executed_at),
                lambda came: self._came(record, waiting, came),
            )

    def _stamp(self, stamp: str) -> str:
        """A time that no file of this life bears: names have seconds, and two patients may share one."""
        if stamp <= self._last_stamp:
            later = datetime.strptime(self._last_stamp, _STAMP).replace(tzinfo=JAPAN) + timedelta(seconds=1)
            stamp = later.strftime(_STAMP)
        self._last_stamp = stamp
        return stamp

    def _put(
        self, folder: Folder, stamp: str, record: str, waiting: _Waiting, executed_at: str
    ) -> files.PutOutcome | _Unwritable:
        """In the errands' thread."""
        code = _CODES[self._settings.encoding]
        try:
            person = waiting.person.pop()
        except IndexError:
            return _Unwritable("its time is over")
        try:
            message = face_message(record, waiting.codes, executed_at, person, self._clinic.institution, code)
            data = None if message.valid is None else write(message, code)
        except ValueError:  # no JSON, or a text or name that XML cannot hold
            data = None
        if data is None:
            return _Unwritable("it is not one valid qualification that such a file can hold")
        mark = "" if self._settings.plain_names else f"{self._clinic.terminal}_"
        return folder.put(f"{FileKind.FACE.value}{mark}{stamp}.xml", data)

    def _came(self, record: str, waiting: _Waiting, came: files.PutOutcome | _Unwritable) -> None:
        waiting.under_way = False
        given_up = self._waiting.get(record) is not waiting
        match came:
            case Put(name=name):
                if given_up:
                    log.warning("record %s is handed over after all", waiting.receipt)
                self.handed_over += 1
                self._waiting.pop(record, None)
                self._fault = None
                if len(self._names) < _MAX_NAMES:
                    self._names[name] = waiting.try_s - RETRY_S
            case _ if given_up:
                pass
            case NotPut(taken=True):
                waiting.try_s = 0.0  # at once, with the next second's name
            case NotPut(reason=reason):
                self._fault = reason
                log.warning("record %s is not handed over yet: %s", waiting.receipt, reason)
            case PutUnknown(reason=reason):
                self._give_up(record, f"whether the folder took it is not known ({reason})")
            case _Unwritable(reason=reason):
                self._give_up(record, reason)

    def _give_up(self, record: str, reason: str) -> None:
        waiting = self._waiting.pop(record)
        waiting.person.clear()
        self.given_up += 1
        log.error("record %s is not handed over, staff fetch it: %s", waiting.receipt, reason)


def face_message(
    record: str, codes: ResultCodes, executed_at: str, person: bytes, institution: str, code: CharacterCode
) -> XmlMsg:
    """An answer as a face reader's result; raises ValueError when `person` is not the interface's JSON."""
    found = json.loads(person)
    results = found.get("ResultList") if isinstance(found, dict) else None
    if not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
        raise ValueError("the answer holds no results")
    return XmlMsg(
        MessageHeader=FileHeader(
            ProcessExecutionTime=executed_at,
            QualificationConfirmationDate=executed_at[:8],
            MedicalInstitutionCode=institution,
            ArbitraryFileIdentifier=record,
            ReferenceClassification=ReferenceClassification.MY_NUMBER_CARD.value,
            SegmentOfResult=codes.segment.value,
            CharacterCodeIdentifier=code.value,
        ),
        MessageBody=Body(
            ProcessingResultStatus=None if codes.status is None else codes.status.value,
            QualificationValidity=None if codes.validity is None else codes.validity.value,
            ResultList=tuple(
                QualificationResult.of(from_json(QualificationResult, each)) for each in results
            ),
        ),
    )


def _looked(folder: Folder, names: tuple[str, ...]) -> _Looked:
    fault = folder.fault()
    try:
        return _Looked(fault, frozenset(names) if fault is not None else folder.still_there(names))
    except OSError as gone:
        return _Looked(gone.strerror or type(gone).__name__)


def _now(now: Moment) -> str | None:
    """This kiosk's own time as the files write it; None while its clock is not to be believed."""
    return datetime.fromtimestamp(now.wall_ms / 1000, JAPAN).strftime(_STAMP) if now.trusted else None
