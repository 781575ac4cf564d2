"""What a contact may cost, whatever the token does: seconds, blocks and bytes, within one command too."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kiosk.nfc.antenna import TokenLink
from kiosk.nfc.protocol import budget
from kiosk.nfc.protocol.budget import ClockValues
from kiosk.nfc.protocol.isodep import Heard, Parameters, Technology, Unheard
from kiosk.nfc.protocol.secret import Pin
from kiosk.nfc.protocol.token_contact import Failed, Order
from kiosk.nfc.trust_folder import load_trust_folder
from kiosk.simulator.tokens.hierarchy import Hierarchy
from kiosk.visit.events import ReadFailure
from tests.nfc.unwatched import authenticate_unwatched

LONGEST_FWT_S = 4.949  #: FWI 14


@dataclass
class Air:
    """A chip that hands every frame to a token made by hand, and a clock that only it moves."""

    token: Callable[[bytes], Heard]
    answer_s: float
    model: str = "by hand"
    where: str = "memory"
    now: float = 0.0
    cpu: float = 0.0
    cpu_each: float = 0.0
    frames: list[bytes] = field(default_factory=list)

    def exchange(self, technology: Technology, frame: bytes | bytearray, limit_s: float) -> Heard:
        assert technology == "B"
        self.frames.append(bytes(frame))
        heard = self.token(bytes(frame))
        self.now += limit_s if heard is Unheard.SILENCE else min(self.answer_s, limit_s)
        self.cpu += self.cpu_each
        return heard

    def field_on(self) -> None: ...
    def field_off(self) -> None: ...
    def find_a(self) -> None: ...
    def count_a(self) -> int:
        return 0

    def find_b(self) -> None: ...
    def close(self) -> None: ...


def contact_with(air: Air, trusted: Path) -> Failed:
    link = TokenLink(air, "B", Parameters(256, LONGEST_FWT_S))
    outcome = authenticate_unwatched(
        link, load_trust_folder(trusted), Pin(), Order(None, None), lambda: ClockValues(air.now, air.cpu)
    )
    assert isinstance(outcome, Failed)
    return outcome


def wants_more_time(frame: bytes) -> Heard:
    return b"\xf2\x3b"


def wants_more_time_in_a_chain(frame: bytes) -> Heard:
    """A block of the chain, then extension after extension."""
    if frame[0] == 0xF2:
        return b"\xf2\x01"
    return b"\x12\x00" if frame[0] & 0xE2 == 0x02 else b"\xf2\x01"


def drips(frame: bytes) -> Heard:
    """An answer without end, a byte in each block."""
    number = frame[0] & 1
    return bytes([0x12 | number, 0x00])


def never_takes_a_block(frame: bytes) -> Heard:
    return bytes([0xA2 | (frame[0] & 1 ^ 1)])


@pytest.mark.parametrize("token", [wants_more_time, wants_more_time_in_a_chain, drips, never_takes_a_block])
@pytest.mark.parametrize("answer_s", [0.0, 0.01, 3.2])
def test_a_token_that_holds_us_up_within_one_command_is_ended(
    hierarchy: Hierarchy, token: Callable[[bytes], Heard], answer_s: float
) -> None:
    air = Air(token, answer_s)
    outcome = contact_with(air, hierarchy.trust)
    assert outcome.failure is ReadFailure.UNREADABLE
    assert air.now <= budget.MOST_SECONDS
    assert len(air.frames) < 600


def test_silence_at_the_end_of_the_time_is_no_longer_than_what_is_left(hierarchy: Hierarchy) -> None:
    """Extensions use the time up almost; the wait after them is cut to what remains."""
    said = iter([b"\xf2\x3b"] * 3)
    air = Air(lambda _: next(said, Unheard.SILENCE), 3.2)
    outcome = contact_with(air, hierarchy.trust)
    assert outcome.failure in (ReadFailure.UNREADABLE, ReadFailure.REMOVED)
    assert air.now <= budget.MOST_SECONDS


def test_an_answer_longer_than_what_was_asked_for_ends_soon(hierarchy: Hierarchy) -> None:
    frames = iter(range(10_000))

    def floods(frame: bytes) -> Heard:
        next(frames)
        return bytes([0x12 | (frame[0] & 1)]) + bytes(252)

    air = Air(floods, 0.0)
    assert contact_with(air, hierarchy.trust).failure is ReadFailure.UNREADABLE
    assert len(air.frames) <= 3


def test_a_token_that_costs_our_processor_is_ended(hierarchy: Hierarchy) -> None:
    air = Air(wants_more_time, 0.0, cpu_each=0.1)
    assert contact_with(air, hierarchy.trust).failure is ReadFailure.UNREADABLE
    assert air.cpu <= budget.MOST_CPU_S + air.cpu_each
