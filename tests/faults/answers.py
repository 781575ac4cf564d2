"""Spoiled answers against a running uploader: nothing ends, is lost, doubled, buried or shown untruly."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from kiosk.channel import (
    AskChallenge,
    AskRecords,
    CommitRecord,
    CommitRefused,
    Records,
    RetryNow,
    ServiceAnswered,
)
from kiosk.qualification.terms import Mode, Outcome
from tests.faults.mutations import MUTATIONS, Reply
from tests.faults.plain_service import SUITE, PlainService, plain_service, validity_of
from tests.uploader.service.tls_server import Authority
from tests.uploader.world import (
    Screen,
    Token,
    new_visit,
    now_text,
    start_uploader,
    write_config,
)

STANDING = 30  #: records on their way at any time
PATIENCE_S = 60.0
KIOSK, BELIEVING = "kiosk", "tests.faults.believing_uploader"  #: what is run with python -m


@dataclass
class AnswersFound:
    """What a campaign counts."""

    answers: int = 0  #: spoiled ones that were given
    records: int = 0
    by_mutation: dict[str, int] = field(default_factory=dict)
    ended: int = 0  #: processes that ended
    lost: int = 0  #: acknowledged and then neither answered nor waiting
    doubled: int = 0  #: effects at the service that are no record of ours
    buried: int = 0  #: refused by what was not theirs
    untrue: int = 0  #: shown as something else than the service says

    def harms(self) -> dict[str, int]:
        """What must never happen, and how often it did."""
        return {
            "processes that ended": self.ended,
            "records lost": self.lost,
            "effects that are no record's": self.doubled,
            "records buried by what was not theirs": self.buried,
            "shown as what the service does not say": self.untrue,
        }

    @property
    def harmless(self) -> bool:
        return not any(self.harms().values())

    def add(self, other: "AnswersFound") -> None:
        """Take another uploader's part in."""
        for name in ("answers", "records", "ended", "lost", "doubled", "buried", "untrue"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mutation, count in other.by_mutation.items():
            self.by_mutation[mutation] = self.by_mutation.get(mutation, 0) + count


class Spoiler:
    """Spoils a share of the answers until so many are spoiled; `calm` passes everything."""

    def __init__(self, seed: int, share: float) -> None:
        self._dice, self._share = Random(seed), share
        self.calm = False
        self.by_mutation: Counter[str] = Counter()

    def __call__(self, reply: Reply) -> Reply:
        if self.calm or self._dice.random() > self._share:
            return reply
        mutation = self._dice.choice(MUTATIONS)
        self.by_mutation[mutation.__name__] += 1
        return mutation(reply, self._dice)

    @property
    def spoiled(self) -> int:
        return self.by_mutation.total()


def answers_campaign(
    folder: Path, answers: int, seed: int, *, share: float = 0.7, control: bool = False
) -> AnswersFound:
    """Give `answers` spoiled answers to one uploader, then let it finish in peace, and judge. `control`: an
    uploader with a mended fault put back.
    """
    authority = Authority.make(folder / "pki")
    client = authority.issue("K001")
    spoiler = Spoiler(seed, share)
    found = AnswersFound()
    with plain_service(authority.issue("service"), authority.ca, spoiler) as service:
        config = write_config(
            folder,
            service.url,
            authority.ca,
            client.certificate,
            client.key,
            retry_base_s=0.01,
            retry_cap_s=0.02,
        )
        config.write_text(config.read_text("utf-8").replace("timeout_s = 2", "timeout_s = 0.15"), "utf-8")
        (folder / "run").mkdir(exist_ok=True)
        spoiler.calm = True  # the keys must come first
        run = Run(config, service, found, Random(seed + 1), BELIEVING if control else KIOSK)
        try:
            run.commit_until(lambda: spoiler.spoiled >= answers, spoiler)
            spoiler.calm = True
            run.finish()
        finally:
            run.close()
    found.answers, found.by_mutation = spoiler.spoiled, dict(spoiler.by_mutation)
    return found


class Run:
    """The screen's side: commits, hears, starts the uploader anew should it have ended."""

    def __init__(
        self, config: Path, service: PlainService, found: AnswersFound, dice: Random, program: str
    ) -> None:
        self._program, self._token = program, Token.make()
        self._uploader = start_uploader(config, self._token, program=program)
        self._service, self._found, self._dice = service, found, dice
        self._screen = self._open()
        self._screen.keys()
        self._open_visits: set[str] = set()
        self._taken: list[str] = []

    def _open(self) -> Screen:
        return Screen(self._uploader.folder / "run" / "uploader.sock", self._uploader.token)

    def close(self) -> None:
        self._screen.close()
        if self._uploader.process.poll() is None:
            self._uploader.kill()

    def commit_until(self, enough: Callable[[], bool], spoiler: Spoiler) -> None:
        spoiler.calm = False
        end = time.monotonic() + 7200
        while not enough() and time.monotonic() < end:
            self._look_after()
            while len(self._open_visits) < STANDING:
                self._commit()
            self._hear(0.02)

    def _commit(self) -> None:
        visit = new_visit()
        if self._dice.random() < 0.5:
            self._screen.send(AskChallenge(visit=visit))
        self._screen.send(
            CommitRecord(
                visit=visit,
                suite=SUITE,
                key_id="k1",
                sealed=os.urandom(600),
                mode=Mode.QUALIFICATION_ONLY,
                taken_at=now_text(),
                clock_trusted=True,
                challenged=False,
            )
        )
        self._open_visits.add(visit)
        self._taken.append(visit)
        self._found.records += 1

    def _hear(self, seconds: float) -> None:
        self._screen.poll(seconds)
        for message in self._screen.heard:
            match message:
                case ServiceAnswered(visit=visit, outcome=outcome):
                    self._open_visits.discard(visit)
                    self._found.untrue += outcome is Outcome.VERIFIED and validity_of(visit) != "1"
                case CommitRefused(visit=visit):
                    self._open_visits.discard(visit)
                    self._taken.remove(visit)
                case _:
                    pass
        self._screen.forget()

    def _look_after(self) -> None:
        """An uploader that has ended is counted and started again, as the service manager would."""
        if self._uploader.process.poll() is None:
            return
        self._found.ended += 1
        self._screen.close()
        self._uploader = start_uploader(self._uploader.config, self._token, program=self._program)
        self._screen = self._open()

    def finish(self) -> None:
        """With a service that is well, everything that was taken is answered, once and truly."""
        end = time.monotonic() + PATIENCE_S
        lines = self._lines()
        while time.monotonic() < end and any(state in ("pending", "sending") for state, _ in lines.values()):
            self._look_after()
            self._screen.send(RetryNow())
            self._hear(0.3)
            lines = self._lines()
        self._found.doubled = len(self._service.effects.keys() - set(self._taken))
        for visit in self._taken:
            state, outcome = lines.get(visit, ("lost", None))
            true = Outcome.VERIFIED if validity_of(visit) == "1" else Outcome.NOT_CONFIRMED
            self._found.buried += state == "rejected"
            self._found.lost += state not in ("answered", "rejected")
            self._found.untrue += state == "answered" and outcome != true.value

    def _lines(self) -> dict[str, tuple[str, str | None]]:
        found: dict[str, tuple[str, str | None]] = {}
        before: int | None = None
        while True:
            page = self._screen.ask(AskRecords(limit=100, before=before), Records).records
            found |= {line.visit: (line.state, line.outcome) for line in page}
            if not page:
                return found
            before = min(line.seq for line in page)
