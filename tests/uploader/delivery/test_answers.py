"""Answers about persons in memory, and ages over boots."""

import dataclasses

import pytest

from kiosk.box.clock import Moment
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, SuiteName, seal
from kiosk.uploader.delivery.answer_memory import AnswerMemory, ResponseKey
from kiosk.uploader.service.wire import SealedAnswer

SUITE = SuiteName.X25519_SHA256_CHACHA20POLY1305
NOW = Moment("boot-2", mono_ms=600_000, wall_ms=1_800_000_000_000, trusted=True)


class Dial:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_forgotten_after_an_hour() -> None:
    dial = Dial()
    memory = AnswerMemory(dial)
    memory.put("a", b"invented person")
    dial.now = 3599.0
    assert memory.get("a") == b"invented person"
    dial.now = 3600.0
    memory.sweep()
    assert len(memory) == 0
    assert memory.get("a") is None


def test_only_so_many_answers_are_held() -> None:
    memory = AnswerMemory(Dial(), most=2)
    for name in ("a", "b", "c"):
        memory.put(name, name.encode())
    assert [memory.get(name) for name in ("a", "b", "c")] == [None, b"b", b"c"]


def sealed_to(key: ResponseKey, record: str, purpose: Purpose = Purpose.ANSWER) -> SealedAnswer:
    label = SealingInfo(purpose, record, "K001", "1312345678", key.key_id, SUITE)
    blob = seal(b"invented person", SealingKey(key.key_id, SUITE, key.public), label)
    return SealedAnswer(SUITE, key.key_id, blob)


def test_only_the_answer_to_this_record_and_this_life_opens() -> None:
    ours, former = ResponseKey.generate(), ResponseKey.generate()
    assert ours.open(sealed_to(ours, "r"), "r", "K001", "1312345678") == b"invented person"
    assert ours.open(sealed_to(ours, "r"), "other", "K001", "1312345678") is None
    assert ours.open(sealed_to(ours, "r", Purpose.REQUEST), "r", "K001", "1312345678") is None
    assert ours.open(sealed_to(former, "r"), "r", "K001", "1312345678") is None
    forged = dataclasses.replace(sealed_to(former, "r"), key_id=ours.key_id)
    assert ours.open(forged, "r", "K001", "1312345678") is None


@pytest.mark.parametrize(
    ("boot", "mono_ms", "wall_ms", "trusted", "age_s"),
    [
        ("boot-2", 500_000, 0, False, 100.0),  # same boot: the wall clock does not matter
        ("boot-2", 700_000, 0, True, 0.0),
        ("boot-1", 5, NOW.wall_ms - 7_200_000, True, 7200.0),
        ("boot-1", 5, NOW.wall_ms - 7_200_000, False, 600.0),  # untrusted: as old as this boot, at least
        ("boot-1", 5, NOW.wall_ms + 9_000_000, True, 600.0),  # a wall clock that jumped back
    ],
)
def test_the_age_of_a_record(boot: str, mono_ms: int, wall_ms: int, trusted: bool, age_s: float) -> None:
    assert NOW.age_s(boot, mono_ms, wall_ms, trusted) == age_s


def test_without_a_trusted_clock_now_only_this_boot_counts() -> None:
    unsure = dataclasses.replace(NOW, trusted=False, wall_ms=NOW.wall_ms + 10**12)
    assert unsure.age_s("boot-1", 5, NOW.wall_ms, trusted=True) == 600.0


def test_hours_are_counted_in_japanese_time() -> None:
    assert dataclasses.replace(NOW, wall_ms=1_800_000_000_000).hour == "2027-01-15T17"
