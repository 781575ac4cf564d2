"""The fuzzer's seeds and found cases keep every promise, and the harness would notice a broken one."""

import tracemalloc
from collections.abc import Callable

import pytest

from kiosk.nfc.protocol.apdu import CommandApdu
from kiosk.nfc.protocol.token_contact import Authenticated, Failed
from kiosk.simulator.tokens.jpki_token import TokenKind
from kiosk.visit.events import ReadFailure
from tests.fuzz import lines, seeds
from tests.fuzz.harness import Harness, Watch, WatchedLink, opening
from tests.fuzz.script import Bytes, Do, Lie, lies, write

TARGETS = ("token", "parsers", "channel")
MOST_GROWTH = 64 * 1024


@pytest.fixture(scope="module")
def harness() -> Harness:
    return Harness()


@pytest.mark.filterwarnings("ignore:.*serial number:Warning")
@pytest.mark.parametrize("kind", ["cases", "seeds"])
@pytest.mark.parametrize("target", TARGETS)
def test_what_the_fuzzer_kept_breaks_no_promise(harness: Harness, target: str, kind: str) -> None:
    for data in seeds.kept(kind, target):
        harness.targets[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_breaks_no_promise(harness: Harness, target: str) -> None:
    inputs = seeds.made(target, harness.world)
    assert inputs
    for data in inputs:
        harness.targets[target](data)


def test_an_honest_token_still_authenticates_in_the_harness(harness: Harness) -> None:
    for order, kind in enumerate((TokenKind.CARD, TokenKind.ANDROID, TokenKind.IPHONE, TokenKind.CARD)):
        for type_a in (False, True):
            assert isinstance(harness.token(opening(kind, order, type_a=type_a)), Authenticated)


def test_a_lie_in_the_middle_reaches_the_middle(harness: Harness) -> None:
    outcomes = {
        outcome.failure
        for number in range(1, 25)
        if isinstance(
            outcome := harness.token(opening(TokenKind.CARD, 0) + write(number, Lie(Do.REFUSE, b"\x63\xc1"))),
            Failed,
        )
    }
    assert {ReadFailure.PIN_ONE_LEFT, ReadFailure.PIN_WRONG, ReadFailure.UNREADABLE} <= outcomes


def test_a_script_is_read_as_it_was_written() -> None:
    script: list[int | Lie] = [
        2,
        Lie(Do.LITERAL, b"\x00" * 256),
        1,
        Lie(Do.STATUS, b"\x6a\x82"),
        Lie(Do.GONE),
    ]
    entries = list(lies(Bytes(write(*script))))
    assert entries == [None, None, script[1], None, script[3], script[4]]


def test_replaying_everything_again_and_again_grows_nothing(harness: Harness) -> None:
    inputs = seeds.made("token", harness.world)[::7]
    for data in inputs:
        harness.token(data)
    tracemalloc.start()
    try:
        for data in inputs:
            harness.token(data)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            for data in inputs:
                harness.token(data)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < MOST_GROWTH


def test_the_seeds_reach_most_of_what_a_token_can_reach(harness: Harness) -> None:
    inputs = [*seeds.kept("seeds", "token"), *seeds.made("token", harness.world)]
    reached = lines.measure(harness.token, inputs, lines.FILES["token"])
    assert {name: round(part, 2) for name, part in reached.items() if part < 0.9} == {}


# ---- the harness would notice ----------------------------------------------------------------------------

EMPTY = CommandApdu(0, 0x20, 0, 0x98)


class Says:
    """A link that answers each command with the next of these."""

    def __init__(self, *answers: str) -> None:
        self._answers = [bytes.fromhex(answer) for answer in answers]

    def exchange(self, command: CommandApdu, left: Callable[[], float]) -> bytes:
        assert left() > 0
        assert command.ins in (0x20, 0xB0)
        return self._answers.pop(0)


def verify(p2: int) -> CommandApdu:
    return CommandApdu(0, 0x20, 0, p2, bytearray(b"1234"))


@pytest.mark.parametrize(
    ("link", "commands", "broken"),
    [
        (Says("9000"), [verify(0x98)], "without its counter"),
        (Says("63C3", "9000"), [EMPTY, verify(0x80)], "another form"),
        (Says("63C1", "9000"), [EMPTY, verify(0x98)], "fewer than two"),
        (Says("9000", "9000"), [EMPTY, verify(0x98)], "no counter"),
        (Says("63C3", "9000", "9000"), [EMPTY, CommandApdu(0, 0xB0, 0, 0), verify(0x98)], "just before"),
    ],
)
def test_a_verify_against_the_rule_would_be_noticed(
    link: Says, commands: list[CommandApdu], broken: str
) -> None:
    watched = WatchedLink(link, Watch())
    for command in commands[:-1]:
        watched.exchange(command, lambda: 1.0)
    with pytest.raises(AssertionError, match=broken):
        watched.exchange(commands[-1], lambda: 1.0)
