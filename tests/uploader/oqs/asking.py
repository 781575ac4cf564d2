"""Looking results up, played by hand: the outbox, the folders and the thread are real."""

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.box.clock import Clock, Moment
from kiosk.config.clinic_settings import Clinic
from kiosk.config.folder_settings import LookupSettings
from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.uploader.delivery.answer_memory import AnswerMemory
from kiosk.uploader.oqs.errands import Errands
from kiosk.uploader.oqs.exchange import LookUp, LookUpStage
from kiosk.uploader.oqs.lookup import LookUpRunner
from kiosk.uploader.oqs.lookup_store import LookUps
from kiosk.uploader.oqs.messages import Unit
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.records import FinalAnswer, KeptRecord, Rejected
from tests.uploader.outbox.records import answered, entry

CLINIC = Clinic("架空クリニック", "1312345670", "K001")
DAY = "20270115"  # of the records that `entry` makes
PATIENCE_S = 60.0  #: of a busy machine; nothing is measured by it


def consented(visit: str | None, person: int = 0) -> tuple[str, Unit]:
    """A result that the terminal holds for a visit."""
    one = result(PERSONS[person], reference=visit)
    return (DAY, Unit(ProcessingResultStatus="1", QualificationValidity="1", ResultList=(one,)))


@dataclass
class Asker:
    """One life of what looks results up; `found` is what it told of."""

    folder: Path
    outbox: Outbox
    settings: LookupSettings
    memory: AnswerMemory = field(default_factory=lambda: AnswerMemory(time.monotonic))
    found: list[FinalAnswer] = field(default_factory=list)
    online: bool = True

    def __post_init__(self) -> None:
        self.clock = Clock(synchronized=Path("/"))
        self.runner = LookUpRunner(
            self.settings,
            CLINIC,
            self.folder,
            self.memory,
            Errands("test", lambda: None),
            lambda settled, _now: self.found.append(settled),
            lambda: "token-1",
        )
        self.runner.start()

    def now(self) -> Moment:
        return self.clock.now()

    def late(self, state: str = "answered") -> str:
        """A visit whose patient was told "recorded", and what came of it since."""
        now = self.now()
        visit = entry()
        assert isinstance(self.outbox.commit(visit, now, send_now=True), KeptRecord)
        if state == "answered":
            self.outbox.settle([dataclasses.replace(answered(visit.id), late=True)], now)
        elif state == "rejected":
            self.outbox.settle([Rejected(visit.id, "unknown", late=True)], now)
        else:
            self.outbox.database.rows(
                "UPDATE records SET state = 'expired', desk = 1 WHERE id = ?", (visit.id,)
            )
        return visit.id

    def turn(self) -> None:
        self.runner.step(self.outbox, self.online, self.now())

    def last(self) -> LookUp | None:
        return next(iter(LookUps(self.outbox.database).last(1)), None)

    def until(self, stage: LookUpStage) -> LookUp:
        """Go on until the newest look-up stands there."""
        end = time.monotonic() + PATIENCE_S
        while (last := self.last()) is None or last.stage is not stage:
            assert time.monotonic() < end, last
            self.turn()
            time.sleep(0.002)
        return last

    def run(self) -> LookUp:
        """Begin one and go on until it has ended."""
        assert self.runner.begin(DAY, DAY, self.outbox) is None
        end = time.monotonic() + PATIENCE_S
        while (last := self.last()) is None or last.active:
            assert time.monotonic() < end, last
            self.turn()
            time.sleep(0.002)
        return last
