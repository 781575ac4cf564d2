"""A stick that hangs: drained, reset, told; one that hangs for good inside a call: ended by the watchdog."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kiosk.channel import (
    ArmReader,
    BeginContact,
    Evidence,
    ReaderState,
    Recognised,
    SignDigests,
)
from kiosk.nfc.opening import RESET_EVERY_S, Opening
from kiosk.nfc.pn533 import Pn533, open_reader
from kiosk.nfc.protocol.faults import ReaderGone, ReaderStuck
from kiosk.nfc.reader_counters import ReaderCounters
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from kiosk.simulator.field.field import VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.visit.states import ReaderCondition
from tests.nfc.screen_side import DIGESTS, VISIT, Rig, Screen, reconnected, running_reader, screen_of
from tests.nfc.supervisor import Supervisor
from tests.nfc.test_programs import settings

WATCHDOG_S = 4.0  #: a busy machine may leave a process alone for a second


@pytest.fixture
def rig(tmp_path: Path, field: VirtualField) -> Iterator[Rig]:
    with running_reader(tmp_path, field) as running:
        yield running


@pytest.fixture
def screen(rig: Rig) -> Screen:
    return screen_of(rig)


def becomes(screen: Screen, condition: ReaderCondition) -> ReaderState:
    return screen.wait(ReaderState, lambda state: state.condition is condition)


# ---- the ladder ------------------------------------------------------------------------------------------


def test_a_stick_that_hangs_until_it_is_reset_is_reset(rig: Rig, screen: Screen, hand: FieldClient) -> None:
    hand.fault(hung=2)  # this connection and the next: for a virtual stick a reset is one more
    becomes(screen, ReaderCondition.LOST)
    becomes(screen, ReaderCondition.READY)
    assert (rig.health.lost, rig.health.resets) == (1, 1)
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)


def test_a_stick_that_hung_once_is_opened_again_without_a_reset(
    rig: Rig, screen: Screen, hand: FieldClient
) -> None:
    hand.fault(hung=1)
    becomes(screen, ReaderCondition.LOST)
    becomes(screen, ReaderCondition.READY)
    assert (rig.health.lost, rig.health.resets, rig.health.opened) == (1, 0, 2)


def test_a_stick_that_no_reset_helps_is_told_clearly_and_works_when_replugged(
    rig: Rig, screen: Screen, hand: FieldClient
) -> None:
    hand.fault(hung=1000)
    screen.wait(ReaderState, lambda state: "a reset did not help: unplug" in state.reason)
    hand.unplug()
    hand.plug()
    becomes(screen, ReaderCondition.READY)
    assert rig.health.resets == 1
    screen.arm_card()
    hand.tap("card")
    screen.wait(Evidence)


class Bench:
    """An opening whose tries and resets are counted; `answers` says what each try comes to."""

    def __init__(self, answers: list[Callable[[], Pn533]]) -> None:
        self.answers = answers
        self.resets: list[str] = []
        self.now = 100.0
        self.health = ReaderCounters()
        self.opening = Opening(
            "usb",
            4,
            self.health,
            opener=self.open,
            resetter=self.resets.append,
            monotonic=lambda: self.now,
        )

    def open(self, device: str, modulation: int) -> Pn533:
        assert (device, modulation) == ("usb", 4)
        return self.answers.pop(0)()


def stuck() -> Pn533:
    raise ReaderStuck("input/output error")


def absent() -> Pn533:
    raise ReaderGone("no PN533 reader on USB")


def test_an_absent_stick_is_not_reset() -> None:
    bench = Bench([absent])
    with pytest.raises(ReaderGone, match="no PN533"):
        bench.opening()
    assert bench.resets == []


def test_a_stick_that_a_reset_does_not_help_is_not_reset_at_every_try(field: VirtualField) -> None:
    bench = Bench([stuck] * 6)
    for later in (0.0, 1.0, 1.0, RESET_EVERY_S):
        bench.now += later
        with pytest.raises(ReaderGone, match="a reset did not help"):
            bench.opening()
    assert bench.resets == ["usb", "usb"]
    assert (bench.health.resets, bench.health.opened) == (2, 0)
    bench.now += 1
    bench.answers = [stuck]
    with pytest.raises(ReaderGone):
        bench.opening()
    bench.answers = [lambda: open_reader(f"virtual:{field.settings.path}", 4)]
    bench.opening().close()
    bench.answers = [stuck, absent]  # it worked in between: a new fault is reset at once
    with pytest.raises(ReaderGone, match="no PN533"):
        bench.opening()
    assert len(bench.resets) == 3


def test_what_a_reset_may_help_is_told_apart_from_what_it_may_not() -> None:
    """Only a stick that is there and misbehaves is reset, not one that is absent, forbidden or held."""

    class Mute:
        TYPE = "USB"
        where = "memory"
        manufacturer_name = product_name = None

        def __init__(self, number: int) -> None:
            self.number = number

        def read(self, timeout: int) -> bytearray:  # noqa: ARG002
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

        def write(self, frame: bytes | bytearray) -> None:  # noqa: ARG002
            raise OSError(self.number, os.strerror(self.number))

        def close(self) -> None: ...

    for number in (errno.EIO, errno.ETIMEDOUT):
        with pytest.raises(ReaderStuck):
            Pn533(Mute(number), 4)
    for number in (errno.ENODEV, errno.EACCES, errno.EBUSY):
        with pytest.raises(ReaderGone) as gone:
            Pn533(Mute(number), 4)
        assert not isinstance(gone.value, ReaderStuck)


# ---- a call that never returns ---------------------------------------------------------------------------


@pytest.mark.parametrize("after_recognised", [False, True])
def test_a_write_that_never_returns_is_ended_by_the_watchdog_and_the_visit_goes_on(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tmp_path: Path, after_recognised: bool
) -> None:
    """The first process's transport blocks at a word; the service manager's rules are played by hand.

    What the screen makes of it (interrupted, then on with the visit) is tests/system/test_kill.py.
    """
    config = settings(tmp_path, f"virtual:{field.settings.path}", hierarchy.trust)
    word, socket = tmp_path / "block now", tmp_path / "run" / "reader.sock"
    blocking = [sys.executable, "-m", "tests.nfc.blocking_reader", str(config), str(word)]
    plain = [sys.executable, "-m", "kiosk", "reader", "--config", str(config)]
    with Supervisor([blocking, plain], WATCHDOG_S) as supervisor, ExitStack() as hold:
        screen = Screen(hold.enter_context(reconnected(socket)), answers=False)
        becomes(screen, ReaderCondition.READY)
        screen.send(BeginContact(visit=VISIT))
        screen.arm(Device.IPHONE, Authentication.PHONE)
        if after_recognised:
            hand.tap("iphone")
            screen.wait(Recognised)
        word.touch()
        if after_recognised:
            screen.send(SignDigests(visit=VISIT, digests=DIGESTS))  # what is written next is the signature
        supervisor.wait_for_starts(2)
        assert supervisor.ends == [-6], "SIGABRT, as the service manager does it"
        screen = Screen(hold.enter_context(reconnected(socket)))
        becomes(screen, ReaderCondition.READY)
        screen.send(ArmReader(visit=VISIT, device=Device.IPHONE, authentication=Authentication.PHONE))
        hand.tap("iphone")
        assert screen.wait(Evidence).visit == VISIT


def test_a_reader_process_that_works_is_left_alone_by_the_watchdog(
    field: VirtualField, hand: FieldClient, hierarchy: Hierarchy, tmp_path: Path
) -> None:
    """Also while it waits in vain for the digests, and for a slow signature."""
    config = settings(tmp_path, f"virtual:{field.settings.path}", hierarchy.trust)
    command = [sys.executable, "-m", "kiosk", "reader", "--config", str(config)]
    with (
        Supervisor([command], WATCHDOG_S) as supervisor,
        reconnected(tmp_path / "run" / "reader.sock") as peer,
    ):
        screen = Screen(peer)
        becomes(screen, ReaderCondition.READY)
        screen.send(BeginContact(visit=VISIT))
        screen.arm(Device.IPHONE, Authentication.PHONE)
        hand.tap("iphone", sign_ms=700)
        screen.wait(Evidence)
        assert supervisor.starts == 1
        assert supervisor.heartbeats > 10


def test_the_unit_gives_the_reader_a_watchdog_and_a_new_start() -> None:
    unit = (Path(__file__).parents[2] / "deploy" / "kiosk-reader.service").read_text(encoding="utf-8")
    for line in ("Type=notify", "WatchdogSec=20", "Restart=always"):
        assert line in unit
