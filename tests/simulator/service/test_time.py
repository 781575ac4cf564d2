"""What ends by itself: challenges, activation codes, closed enrolments, and the memory of 72 hours."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.simulator.service.enrolments import EnrolmentOperations
from kiosk.simulator.service.operations import Completed, Operations
from kiosk.simulator.service.problems import Refusal
from kiosk.simulator.service.service_pki import prepare_service
from kiosk.simulator.service.store import ClientTerminal, Store, StoredRecord
from tests.simulator.service.running import INSTITUTION, new_visit
from tests.simulator.service.test_enrolment import csr

HOUR = 3600.0
NOON = 1_800_000_000.0
PEER = ClientTerminal(INSTITUTION, "K001", "1")
CODE = "123456789012"


class World:
    """Both kinds of operations over a store, with a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        files = prepare_service(folder)
        self.store = Store(files.database)
        self.operations = Operations(self.store, "simulator", None, lambda: self.now, secrets.token_bytes)
        self.enrolment = EnrolmentOperations(
            self.store, self.operations, files, "simulator", lambda: self.now
        )
        self.csr = csr(ec.generate_private_key(ec.SECP256R1()))

    def challenge(self, visit: str) -> tuple[str, int]:
        done = self.operations.challenge(PEER, {"visit": visit})
        assert isinstance(done, Completed)
        return done.body["challenge"], done.body["expires_in"]

    def enrol(self, code: str) -> str:
        """The code of the problem, or the status."""
        body = {"institution": INSTITUTION, "terminal": "K001", "activation_code": code, "csr": self.csr}
        reply = self.enrolment.enrol(body)
        return reply.code.word if isinstance(reply, Refusal) else str(reply.status)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def test_a_challenge_lives_ten_minutes(world: World) -> None:
    visit = new_visit()
    challenge, left = world.challenge(visit)
    assert left == 600
    world.now += 599
    assert world.challenge(visit) == (challenge, 1)
    world.now += 1
    assert world.challenge(visit)[0] != challenge


def test_an_activation_code_lives_a_day(world: World) -> None:
    world.enrolment.issue_code(INSTITUTION, CODE)
    world.now += 24 * HOUR
    assert world.enrol(CODE) == "activation_expired"


def test_a_certificate_is_told_again_long_after_the_code_has_expired(world: World) -> None:
    world.enrolment.issue_code(INSTITUTION, CODE)
    assert world.enrol(CODE) == "201"
    world.now += 1000 * HOUR
    assert world.enrol(CODE) == "200"


def test_a_closed_enrolment_opens_after_a_day(world: World) -> None:
    for _ in range(5):
        assert world.enrol("000000000000") == "activation_code"
    world.now += 24 * HOUR - 1
    assert world.enrol("000000000000") == "too_many_attempts"
    world.now += 1
    assert world.enrol("000000000000") == "activation_code"


def test_a_record_is_forgotten_after_72_hours_but_its_effect_is_not(world: World) -> None:
    record = StoredRecord("r", INSTITUTION, "K001", b"hash", {"v": 1}, 0, {}, NOON)
    world.store.add_record(record)
    world.store.purge(NOON + 72 * HOUR)
    assert world.operations.status(PEER, "r") == Completed(200, {"v": 1})
    world.store.purge(NOON + 72 * HOUR + 1)
    assert isinstance(world.operations.status(PEER, "r"), Refusal)
    assert world.store.effects("r") == 1


def test_a_published_key_is_dated_90_days_ahead(world: World) -> None:
    key = world.operations.published_keys()[0]
    assert key["not_after"] == "2027-04-15T08:00:00Z"
    world.now += 1
    world.operations.rotate_key()
    assert [each["key_id"] for each in world.operations.published_keys()][1] == key["key_id"]
