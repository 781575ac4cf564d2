"""What goes on at the kiosk while its processes are killed: a patient at the screen, and a second screen
process played by hand that commits records faster than any patient could.
"""

import contextlib
import random
import threading
import time
from collections import Counter
from pathlib import Path

import uuid6

from kiosk.channel import (
    UPLOADER_OUTBOX,
    CommitRecord,
    CommitRefused,
    Committed,
    FromUploader,
    LineState,
    SealingKeys,
    ServiceAnswered,
    decode,
    encode,
)
from kiosk.channel.seqpacket import Peer, connect
from kiosk.qualification.consent import NOT_ASKED
from kiosk.qualification.devices import Device
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, SuiteName, seal
from kiosk.qualification.terms import Authentication, Mode
from kiosk.qualification.transcript import Transcript
from kiosk.simulator.demo.demo_folder import INSTITUTION, TERMINAL
from kiosk.simulator.demo.hand import RESULTS
from kiosk.simulator.demo.screen_hand import ScreenHand, StoryError
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.jpki_token import Identity
from tests.simulator.service.running import now_text, sign

_AGAIN_S = 2.0  #: a commit without an answer is sent again after this
_REPEATED = 0.1  #: of the acknowledged ones, so many are committed again: an acknowledgement may be lost too


class Load:
    """Commits records, again and again until each is acknowledged. Read it after `close`."""

    def __init__(self, socket: Path, identity: Identity, per_s: float, chance: random.Random) -> None:
        self._socket, self._identity, self._every_s, self._chance = socket, identity, 1 / per_s, chance
        self._keys: SealingKeys | None = None
        self._open: dict[str, CommitRecord] = {}
        self._done: list[CommitRecord] = []
        self._sent_at: dict[str, float] = {}
        self._taking = True
        self._ended = False
        self.begun: set[str] = set()  #: its own visits
        self.receipts: dict[str, str] = {}  #: by visit, as acknowledged; everybody hears of every commit
        self.answers: dict[str, str] = {}
        self.faults: list[str] = []
        self.refusals: Counter[str] = Counter()
        self.connections = 0
        self.waiting: int | None = None  #: what the uploader said last, None while it is away
        self._thread = threading.Thread(target=self._run, name="load")
        self._thread.start()

    @property
    def outstanding(self) -> int:
        """How many commits have not been acknowledged yet."""
        return len(self._open)

    def no_more(self) -> None:
        """Begin nothing new, but bring what was begun to its end."""
        self._taking = False

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            peer = connect(self._socket)
            if peer is None:
                time.sleep(0.02)
                continue
            self.connections += 1
            self._sent_at.clear()
            while peer.open and not self._ended:
                self._take(peer)
                self._give(peer)
                time.sleep(0.01)
            self.waiting = None
            peer.close()

    def _give(self, peer: Peer) -> None:
        now = time.monotonic()
        for visit, record in list(self._open.items()):
            if now - self._sent_at.get(visit, -_AGAIN_S) >= _AGAIN_S:
                self._sent_at[visit] = now
                peer.send(encode(record))
        if not self._taking or self._keys is None or self._chance.random() > 0.01 / self._every_s:
            return
        if self._done and self._chance.random() < _REPEATED:
            peer.send(encode(self._chance.choice(self._done)))
            return
        record = self._record(self._keys)
        self.begun.add(record.visit)
        self._open[record.visit] = record
        self._sent_at[record.visit] = now
        peer.send(encode(record))

    def _take(self, peer: Peer) -> None:
        while (packet := peer.receive()) is not None:
            self._heard(decode(bytes(packet), UPLOADER_OUTBOX))

    def _heard(self, message: FromUploader) -> None:
        match message:
            case SealingKeys():
                self._keys = message
            case LineState(waiting=waiting):
                self.waiting = waiting
            case Committed(visit=visit, receipt=receipt):
                if self.receipts.setdefault(visit, receipt) != receipt:
                    self.faults.append(f"{visit} had receipt {self.receipts[visit]} and now {receipt}")
                if visit in self._open:
                    self._done.append(self._open.pop(visit))
            case CommitRefused(reason=say):
                self.refusals[say] += 1
            case ServiceAnswered(visit=visit, outcome=outcome):
                if self.answers.setdefault(visit, outcome.value) != outcome.value:
                    self.faults.append(f"{visit} was {self.answers[visit]} and is now {outcome.value}")
            case _:
                pass

    def _record(self, keys: SealingKeys) -> CommitRecord:
        transcript = Transcript(
            service=keys.service,
            terminal=TERMINAL,
            institution=INSTITUTION,
            visit=str(uuid6.uuid7()),
            mode=Mode.QUALIFICATION_ONLY,
            device=Device.CARD,
            authentication=Authentication.PIN,
            consent=NOT_ASKED,
            taken_at=now_text(),
            clock_trusted=True,
            challenge=None,
        )
        encoded = transcript.encode()
        algorithm, signature = sign(self._identity.key, encoded)
        request = QualificationRequest(
            transcript=encoded,
            certificate=self._identity.certificate,
            signature=signature,
            algorithm=algorithm,
            response_key_id=keys.response_key_id,
            response_key=keys.response_key,
        )
        suite = SuiteName(keys.suite)
        label = SealingInfo(Purpose.REQUEST, transcript.visit, TERMINAL, INSTITUTION, keys.key_id, suite)
        return CommitRecord(
            visit=transcript.visit,
            suite=keys.suite,
            key_id=keys.key_id,
            sealed=seal(request.encode(), SealingKey(keys.key_id, suite, keys.public), label),
            mode=transcript.mode,
            taken_at=transcript.taken_at,
            clock_trusted=True,
            challenged=False,
        )


class Patient:
    """Comes to the screen with an iPhone, one visit after the other, as far as the screen lives."""

    def __init__(self, client: ScreenHand, field: FieldClient) -> None:
        self._client, self._field = client, field
        self._ended = False
        self.visits = 0
        self.results: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run, name="patient")
        self._thread.start()

    def close(self) -> None:
        """No further visit; waits for the present one to end."""
        self._ended = True
        self._client.interrupt()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            with contextlib.suppress(StoryError, OSError):  # a process of the kiosk dies under this visit
                self._visit()
            self._field.remove()
            self._leave()

    def _visit(self) -> None:
        self._client.wait_for("start", seconds=5)
        self._client.forget()
        self.visits += 1
        self._client.touch("start", on="start", seconds=2)
        self._client.touch("own", on="method", seconds=2)
        self._client.touch("iphone", on="device", seconds=2)
        self._client.wait_for("hold", seconds=2)
        self._field.tap("iphone", state="normal", forgets="both")
        self.results[self._client.wait_for(*RESULTS, seconds=6).name] += 1

    def _leave(self) -> None:
        """Towards the start screen by what is offered."""
        with contextlib.suppress(StoryError, OSError):
            now = self._client.present(seconds=2)
            way = next((target for target in ("finish", "help") if target in now.targets), None)
            if way is not None and now.name not in ("start", "starting", "out_of_service"):
                self._client.touch(way, on=now.name, seconds=1)
                self._client.changed_since(now, seconds=1)
