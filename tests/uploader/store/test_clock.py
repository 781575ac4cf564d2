"""Wrong clocks and clocks that jump, under a whole uploader: no record is lost, given up or hurried.

The uploader's `Clock` is turned by hand (no faketime here); certificates are judged by OpenSSL with the
machine's own clock: what a wrong one does to TLS is in test_service_client.py (`FaultKind.CLOCK`), the
arithmetic of ages in tests/uploader/delivery/test_answers.py.
"""

import dataclasses
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.box.clock import Clock, Moment
from kiosk.box.supervision import Supervision
from kiosk.channel import (
    UPLOADER_SOCKET,
    AskRecords,
    AskStatus,
    Committed,
    Deferred,
    Records,
    ServiceAnswered,
    Status,
)
from kiosk.channel.seqpacket import Hub, Listener
from kiosk.commands.uploader import assemble
from kiosk.config.settings import load
from kiosk.qualification.terms import Outcome
from kiosk.uploader.service.credentials import credentials_of
from tests.simulator.service.running import RunningService
from tests.uploader.world import Screen, Token, new_visit, sealed_request

HOUR_S, YEAR_S = 3600.0, 365.25 * 86_400


class TurnedClock(Clock):
    """The machine's clock, moved by so many seconds, in a boot of its own."""

    def __init__(self, boot: str, *, trusted: bool, by_s: float = 0.0) -> None:
        super().__init__()
        self.boot, self.trusted, self.by_s = boot, trusted, by_s
        self._began_ms = super().now().mono_ms if boot != "boot-1" else 0

    def now(self) -> Moment:
        real = super().now()
        return dataclasses.replace(
            real,
            boot_id=self.boot,
            mono_ms=real.mono_ms - self._began_ms,
            wall_ms=real.wall_ms + int(self.by_s * 1000),
            trusted=self.trusted,
        )

    def set_to_1970(self) -> None:
        self.by_s = 0.0
        self.by_s = -self.now().wall_ms / 1000


@dataclass
class Kiosk:
    screen: Screen
    clock: TurnedClock


@contextmanager
def kiosk_with(config: Path, token: Token, clock: TurnedClock) -> Iterator[Kiosk]:
    """An uploader in a thread of this process, and a screen at it."""
    settings = load(config)
    settings.run.mkdir(exist_ok=True)
    path = settings.run / UPLOADER_SOCKET
    hub = Hub(Listener(path, frozenset({os.getuid()})))
    uploader = assemble(settings, credentials_of(settings.service, b""), hub, clock, Supervision({}))
    thread = threading.Thread(target=uploader.run, name="uploader")
    thread.start()
    screen = Screen(path, token)
    try:
        yield Kiosk(screen, clock)
    finally:
        screen.close()
        uploader.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def kiosk(config: Path, token: Token) -> Iterator[Kiosk]:
    with kiosk_with(config, token, TurnedClock("boot-1", trusted=True)) as kiosk:
        yield kiosk


def state_of(screen: Screen, visit: str) -> str:
    listed = screen.ask(AskRecords(), Records).records
    return next(line.state for line in listed if line.visit == visit)


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("years", [None, 30.0, -1.0], ids=["1970", "+30 years", "-1 year"])
def test_with_a_clock_far_off_a_record_is_taken_and_answered(
    config: Path, token: Token, service: RunningService, years: float | None, trusted: bool
) -> None:
    clock = TurnedClock("boot-1", trusted=trusted)
    clock.by_s = -clock.now().wall_ms / 1000 if years is None else years * YEAR_S
    with kiosk_with(config, token, clock) as kiosk:
        visit = kiosk.screen.visit()
        assert kiosk.screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert service.control.effects(visit) == 1


@pytest.mark.parametrize("by_s", [-HOUR_S, HOUR_S, -30 * YEAR_S, 30 * YEAR_S])
@pytest.mark.parametrize("trusted", [False, True])
def test_a_step_during_back_off_neither_expires_a_record_nor_delays_it(
    kiosk: Kiosk, service: RunningService, token: Token, by_s: float, trusted: bool
) -> None:
    keys = kiosk.screen.keys()
    service.control.close()
    visit = new_visit()
    kiosk.screen.send(sealed_request(token, keys, visit))
    kiosk.screen.wait_for(Deferred, visit)
    kiosk.clock.by_s, kiosk.clock.trusted = by_s, trusted
    status = kiosk.screen.ask(AskStatus(), Status)
    assert status.waiting == 1
    assert status.oldest_s is not None
    assert status.oldest_s < 60, "ages are told by the monotonic clock"
    service.control.open()
    assert kiosk.screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert state_of(kiosk.screen, visit) == "answered"


@pytest.mark.parametrize("by_s", [-HOUR_S, 30 * YEAR_S])
def test_a_step_during_a_request_does_not_end_it(
    kiosk: Kiosk, service: RunningService, token: Token, by_s: float
) -> None:
    keys = kiosk.screen.keys()
    service.control.delay(0.8)
    visit = new_visit()
    kiosk.screen.send(sealed_request(token, keys, visit))
    kiosk.screen.wait_for(Committed, visit)
    kiosk.clock.by_s = by_s
    assert kiosk.screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert not any(isinstance(each, Deferred) for each in kiosk.screen.heard)
    assert service.control.effects(visit) == 1


@pytest.mark.parametrize("start", ["1970", "+30 years"])
def test_after_a_power_cut_an_untrusted_clock_gives_no_waiting_record_up(
    config: Path, token: Token, service: RunningService, start: str
) -> None:
    """No RTC: the next boot begins in 1970, or far ahead, and its monotonic clock at zero."""
    with kiosk_with(config, token, TurnedClock("boot-1", trusted=True)) as before:
        keys = before.screen.keys()
        service.control.close()
        visit = new_visit()
        before.screen.send(sealed_request(token, keys, visit))
        before.screen.wait_for(Deferred, visit)
    clock = TurnedClock("boot-2", trusted=False, by_s=30 * YEAR_S)
    if start == "1970":
        clock.set_to_1970()
    with kiosk_with(config, token, clock) as after:
        assert state_of(after.screen, visit) in ("pending", "sending")
        clock.by_s, clock.trusted = 0.0, True  # the time has come in from the network
        service.control.open()
        assert after.screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
    assert service.control.effects(visit) == 1
