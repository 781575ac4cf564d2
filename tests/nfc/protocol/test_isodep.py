"""The block protocol, the reader's side, against the virtual token's side and by hand."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.nfc.protocol import isodep
from kiosk.nfc.protocol.faults import TokenGarbled, TokenLost
from kiosk.nfc.protocol.isodep import BlockPace, Heard, Initiator, Parameters, Unheard
from kiosk.simulator.radio.isodep_target import BlockProtocol, WtxHabit
from kiosk.simulator.tokens.card import CardAnswer, Command, SansIoCard

PACE = BlockPace(0.05, 3)
SILENCE, DAMAGE = Unheard.SILENCE, Unheard.DAMAGE


def talk(initiator: Initiator, command: bytes, air: Callable[[bytes], Heard]) -> bytes:
    """Drive one exchange; `air` is the token and everything between."""
    exchange = initiator.exchange(command, PACE)
    try:
        send = next(exchange)
        while True:
            send = exchange.send(air(bytes(send.frame)))
    except StopIteration as end:
        return bytes(end.value)


class Scripted:
    """Answers frame by frame, and checks what it is asked."""

    def __init__(self, *script: tuple[str, str | Unheard]) -> None:
        self._script = list(script)

    def __call__(self, frame: bytes) -> Heard:
        expected, answer = self._script.pop(0)
        assert frame.hex() == expected
        return answer if isinstance(answer, Unheard) else bytes.fromhex(answer)

    def all_said(self) -> bool:
        return not self._script


class Echo(SansIoCard):
    """Answers every command with a response of a given size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.processed = 0

    def answer(self, command: Command) -> CardAnswer:  # noqa: ARG002  # whatever is asked
        self.processed += 1
        return CardAnswer(self.answer_now())

    def answer_now(self) -> bytes:
        return bytes((i + self.processed) & 0xFF for i in range(self.size)) + b"\x90\x00"


def token(card: SansIoCard, fsc: int = 256, wtx: WtxHabit | None = None) -> BlockProtocol:
    return BlockProtocol(card, fsd=256, fsc=fsc, cid=0, cid_supported=True, fwt=0.3, wtx=wtx or WtxHabit())


def heard_from(blocks: BlockProtocol) -> Callable[[bytes], Heard]:
    def air(frame: bytes) -> Heard:
        reply = blocks.receive(frame)
        return SILENCE if reply is None else reply.frame

    return air


# ---- activation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ats", "fsc", "fwi"),
    [
        ("0678807002" + "00", 256, 7),  # TA, TB, TC and a historical byte
        ("0578807002", 256, 7),
        ("047880A0", 256, 10),
        ("0278", 256, 4),  # announces TA, TB and TC, has none; this and the next three: IndexError in nfcpy
        ("01", 32, 4),
        ("0378A0", 256, 4),
        ("037002", 16, 4),
        ("0328A0", 256, 10),  # TB without TA
        ("0208", 256, 4),
        ("047880F0", 256, 4),  # FWI 15 is reserved
    ],
)
def test_every_form_of_ats_is_read(ats: str, fsc: int, fwi: int) -> None:
    parameters = isodep.read_ats(bytes.fromhex(ats))
    assert parameters.fsc == fsc
    assert parameters.fwt_s == pytest.approx(isodep.frame_waiting_s(fwi))


@pytest.mark.parametrize("ats", ["", "00", "05", "0278A0"])
def test_an_ats_whose_length_lies_is_garbled(ats: str) -> None:
    with pytest.raises(TokenGarbled):
        isodep.read_ats(bytes.fromhex(ats))


def test_the_guard_time_of_an_ats_is_kept() -> None:
    assert isodep.read_ats(bytes.fromhex("047880A8")).guard_s == pytest.approx(0.0773 + 0.0036, abs=0.001)


def test_an_atqb_tells_frame_size_and_waiting_time() -> None:
    atqb = bytes.fromhex("50" + "01020304" + "00000041" + "B381A1")
    parameters = isodep.read_atqb(atqb)
    assert parameters == Parameters(256, isodep.frame_waiting_s(10))


def test_an_atqb_without_blocks_is_told_apart() -> None:
    assert isodep.read_atqb(bytes.fromhex("50" + "01020304" + "00000041" + "B380A1")) is None
    with pytest.raises(TokenGarbled):
        isodep.read_atqb(b"\x50\x00")


# ---- blocks ----------------------------------------------------------------------------------------------

COMMAND = bytes.fromhex("00A4040C0AD392F000260100000001")


@pytest.mark.parametrize("fsc", [16, 64, 256])
@pytest.mark.parametrize("size", [0, 1, 251, 252, 1600])
@pytest.mark.parametrize("wtx", [WtxHabit(), WtxHabit(before_first=2), WtxHabit(in_chain=1)])
def test_chains_and_waiting_times_are_carried_both_ways(fsc: int, size: int, wtx: WtxHabit) -> None:
    """S(WTX) between the blocks of a chained answer included, which nfcpy takes for data (fault 2)."""
    card = Echo(size)
    blocks, initiator = token(card, fsc, wtx), Initiator(Parameters(fsc, 0.3))
    command = bytes.fromhex("00DA0000FF") + bytes(255)
    for _ in range(3):
        answer = talk(initiator, command, heard_from(blocks))
        assert answer == card.answer_now()
    assert card.processed == 3


def test_a_lost_command_is_sent_again() -> None:
    air = Scripted(("02aa", SILENCE), ("b2", "a3"), ("02aa", "029000"))
    assert talk(Initiator(Parameters(256, 0.3)), b"\xaa", air) == b"\x90\x00"
    assert air.all_said()


def test_a_lost_answer_is_asked_for_again_and_the_command_is_not() -> None:
    air = Scripted(("02aa", SILENCE), ("b2", "029000"))
    assert talk(Initiator(Parameters(256, 0.3)), b"\xaa", air) == b"\x90\x00"


def test_a_damaged_block_of_a_chain_is_acknowledged_again() -> None:
    air = Scripted(("02aa", "1211"), ("a3", DAMAGE), ("a3", "0322"))
    assert talk(Initiator(Parameters(256, 0.3)), b"\xaa", air) == b"\x11\x22"


def test_a_waiting_time_extension_gets_its_time() -> None:
    exchange = Initiator(Parameters(256, 0.3)).exchange(b"\xaa", PACE)
    next(exchange)
    send = exchange.send(b"\xf2\x05")
    assert bytes(send.frame) == b"\xf2\x05"
    assert send.limit_s == pytest.approx(1.5, abs=0.01)


def test_silence_means_that_the_token_left() -> None:
    sent: list[bytes] = []

    def air(frame: bytes) -> Heard:
        sent.append(frame)
        return SILENCE

    with pytest.raises(TokenLost):
        talk(Initiator(Parameters(256, 0.3)), b"\xaa", air)
    assert sent == [b"\x02\xaa", b"\xb2", b"\xb2", b"\xb2"]


@pytest.mark.parametrize("answer", ["039000", "a2", "c2", "f200", "f23c", "0a009000", "ff", "12", "f2", "e0"])
def test_what_is_not_the_next_block_ends_the_activation(answer: str) -> None:
    initiator = Initiator(Parameters(256, 0.3))
    with pytest.raises((TokenGarbled, TokenLost)):
        talk(initiator, b"\xaa", Scripted(("02aa", answer)) if answer != "ff" else lambda _: b"\xff")
    with pytest.raises(TokenGarbled, match="anew"):
        talk(initiator, b"\xbb", lambda _: b"\x02\x90\x00")


def test_a_token_that_never_takes_a_block_is_given_up() -> None:
    count = 0

    def air(frame: bytes) -> Heard:
        nonlocal count
        count += 1
        return SILENCE if frame[0] == 0x02 else b"\xa3"

    with pytest.raises((TokenGarbled, TokenLost)):
        talk(Initiator(Parameters(256, 0.3)), b"\xaa", air)
    assert count <= 8


def test_endless_extensions_are_ended() -> None:
    with pytest.raises(TokenGarbled, match="extension"):
        talk(Initiator(Parameters(256, 0.3)), b"\xaa", lambda _: b"\xf2\x01")


def test_an_endless_chain_is_ended() -> None:
    number = 0

    def air(_: bytes) -> Heard:
        nonlocal number
        block = bytes([0x12 | number]) + bytes(253)
        number ^= 1
        return block

    with pytest.raises(TokenGarbled, match="nowhere"):
        talk(Initiator(Parameters(256, 0.3)), b"\xaa", air)


@settings(max_examples=300)
@given(st.lists(st.one_of(st.just(SILENCE), st.just(DAMAGE), st.binary(max_size=8)), max_size=60))
def test_any_frames_end_in_an_answer_or_a_typed_fault(frames: list[Heard]) -> None:
    heard = iter(frames)
    with contextlib.suppress(TokenLost, TokenGarbled):
        talk(Initiator(Parameters(256, 0.3)), COMMAND, lambda _: next(heard, SILENCE))


@settings(max_examples=200)
@given(
    losses=st.lists(st.sampled_from([None, "command", "answer", "damage"]), max_size=30),
    size=st.integers(0, 800),
    fsc=st.sampled_from([32, 256]),
)
def test_no_lost_frame_ever_makes_a_token_compute_twice(
    losses: list[str | None], size: int, fsc: int
) -> None:
    card = Echo(size)
    blocks, initiator = token(card, fsc), Initiator(Parameters(fsc, 0.3))
    fate = iter(losses)

    def air(frame: bytes) -> Heard:
        match next(fate, None):
            case "command":
                return SILENCE
            case "answer":
                blocks.receive(frame)
                return SILENCE
            case "damage":
                blocks.receive(frame)
                return DAMAGE
            case _:
                pass
        reply = blocks.receive(frame)
        return SILENCE if reply is None else reply.frame

    for count in range(1, 4):
        try:
            answer = talk(initiator, bytes.fromhex("00DA000020") + bytes(32), air)
        except (TokenLost, TokenGarbled):
            assert card.processed <= count
            return
        assert card.processed == count
        assert answer == card.answer_now()
