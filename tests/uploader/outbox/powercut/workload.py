"""The recorded process: a busy clinic on the real outbox, with a mark before and after each transaction.

python -m tests.uploader.outbox.powercut.workload FOLDER SEED STEPS PRAGMAS-AS-JSON
"""

import json
import random
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from kiosk.box.clock import Moment
from kiosk.channel import VisitEnded
from kiosk.qualification.devices import Device
from kiosk.qualification.sealing import SealingKey, SuiteName
from kiosk.qualification.terms import Authentication, Mode, Outcome
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.outbox.record_list import list_records
from kiosk.uploader.outbox.records import Entry, Rejected, Settlement, StoredState, Untried, Waits
from kiosk.uploader.outbox.service_keys import keep_keys
from kiosk.uploader.service.wire import ServiceKeys
from kiosk.uploader.store.ledger import Ledger
from kiosk.visit.audit_events import AuditEvent
from tests.uploader.outbox.powercut.oracle import Contents, changes, contents
from tests.uploader.outbox.powercut.recorder import Marker
from tests.uploader.outbox.records import answered, entry, open_outbox

NAME = "outbox.sqlite"
BEGINS, ENDS = b"begins", b"ends "
KEEP_SETTLED = 40
MAX_WAITING = 40
#: Sizes of sealed blobs: usual ones, one that fills a page, some that need overflow pages.
_SIZES = (2600, 2600, 2600, 2900, 3900, 9_000, 30_000)


def open_at(
    path: Path,
    now: Moment,
    pragmas: dict[str, str | int],
    first_seq: int | None = 0,
    max_waiting: int = MAX_WAITING,
) -> Outbox:
    """The outbox of this test."""
    return open_outbox(
        path,
        max_records=max_waiting,
        now=now,
        first_seq=first_seq or 0,
        keep_settled=KEEP_SETTLED,
        pragmas=pragmas,
    )


class Clinic:
    """Takes random steps; the same seed takes the same ones."""

    def __init__(self, folder: Path, seed: int, pragmas: dict[str, str | int], marker: Marker) -> None:
        self._path, self._pragmas, self._marker = folder / NAME, pragmas, marker
        self._chance = random.Random(seed)
        self._boots = 0
        self._ms = 1_000_000
        self._known: Contents = {}
        self._outbox = self._open_between_marks()

    def _now(self) -> Moment:
        self._ms += self._chance.randrange(10, 3_000)
        return Moment(f"boot-{self._boots}", self._ms, 1_800_000_000_000 + self._ms, self._boots % 2 == 0)

    def _open(self) -> Outbox:
        self._boots += self._chance.random() < 0.5
        return open_at(self._path, self._now(), self._pragmas)

    def _open_between_marks(self) -> Outbox:
        self._marker.mark(BEGINS)
        outbox = self._open()
        self._acknowledge(outbox)
        return outbox

    def _do(self, act: Callable[[], object]) -> None:
        """Do one transaction between two marks."""
        self._marker.mark(BEGINS)
        act()
        self._acknowledge(self._outbox)

    def _acknowledge(self, outbox: Outbox) -> None:
        now = contents(outbox.database)
        self._marker.mark(ENDS + changes(self._known, now))
        self._known = now

    def run(self, steps: int) -> None:
        """Take so many steps and close."""
        acts: dict[Callable[[], None], float] = {
            self._commit: 34,
            self._settle_one: 26,
            self._settle_many: 4,
            self._claim: 12,
            self._note: 7,
            self._count: 8,
            self._keys: 2,
            self._expire: 1,
            self._make_due: 1,
            self._decay: 1,
            self._restart: 4,
        }
        for act in self._chance.choices(list(acts), list(acts.values()), k=steps):
            act()
        self._outbox.close()

    def _entry(self) -> Entry:
        record = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return entry(record, size=self._chance.choice(_SIZES))

    def _sending(self) -> list[str]:
        return [
            line.id
            for line in list_records(self._outbox.database, limit=MAX_WAITING, states=[StoredState.SENDING])
        ]

    # ---- the steps; each at most one transaction -----------------------------------------------------------

    def _commit(self) -> None:
        new, now, at_once = self._entry(), self._now(), self._chance.random() < 0.7
        self._do(lambda: self._outbox.commit(new, now, send_now=at_once))

    def _settlement(self, record: str) -> Settlement:
        chance = self._chance.random()
        if chance < 0.75:
            return answered(record)
        if chance < 0.80:
            return Rejected(record, "bad_signature")
        if chance < 0.95:
            return Waits(record, self._chance.choice((0.0, 2.0, 60.0)), chance < 0.9, "no line")
        return Untried(record)

    def _settle(self, most: int) -> None:
        now = self._now()
        settlements = [self._settlement(record) for record in self._sending()[:most]]
        if settlements:
            self._do(lambda: self._outbox.settle(settlements, now))

    def _settle_one(self) -> None:
        self._settle(1)

    def _settle_many(self) -> None:
        self._settle(12)

    def _claim(self) -> None:
        now, limit = self._now(), self._chance.choice((1, 5))
        self._do(lambda: self._outbox.claim(now, limit))

    def _note(self) -> None:
        now = self._now()
        self._do(lambda: Ledger(self._outbox.database).note(AuditEvent.FALLBACK_ON, "1001", now))

    def _count(self) -> None:
        now = self._now()
        ended = VisitEnded(
            visit=self._entry().id,
            outcome=self._chance.choice(list(Outcome)),
            mode=Mode.HOME_CONSENT,
            device=Device.CARD,
            authentication=Authentication.PIN,
            stages_ms={"verified": 740.0, "signed": 1200.0},
        )
        self._do(lambda: Ledger(self._outbox.database).count(ended, now))

    def _keys(self) -> None:
        suite = SuiteName.X25519_SHA256_CHACHA20POLY1305
        keys = (SealingKey(f"k{self._chance.randrange(9)}", suite, self._chance.randbytes(32)) for _ in "ab")
        kept = ServiceKeys("simulator", tuple(keys))
        self._do(lambda: keep_keys(self._outbox.database, kept))

    def _expire(self) -> None:
        now = self._now()
        self._do(lambda: self._outbox.expire(now, 120.0))

    def _make_due(self) -> None:
        self._do(self._outbox.make_due)

    def _decay(self) -> None:
        """A blob changes on the disk; the next claim sets its record aside."""
        database = self._outbox.database

        def decay() -> None:
            with database.writing():
                database.rows(
                    "UPDATE records SET sealed = zeroblob(100) WHERE seq ="
                    " (SELECT max(seq) FROM records WHERE state = 'pending')"
                )

        self._do(decay)
        self._make_due()
        self._claim()

    def _restart(self) -> None:
        self._outbox.close()
        self._outbox = self._open_between_marks()


def main() -> None:
    """Run as a recorded process."""
    folder, seed, steps, pragmas = sys.argv[1:]
    Clinic(Path(folder), int(seed), json.loads(pragmas), Marker()).run(int(steps))


if __name__ == "__main__":
    main()
