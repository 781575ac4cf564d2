"""The token's side of ISO/IEC 14443-3 and -4, frame by frame, without chip, clock or thread."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.simulator.radio.isodep_target import BlockProtocol, WtxHabit
from kiosk.simulator.radio.picc import Picc, PiccState, RadioFace
from kiosk.simulator.tokens.card import CardAnswer, CardWork, Command, Computing, SansIoCard

ECHO_LONG = bytes.fromhex("00CA000000")


class EchoCard(SansIoCard):
    """Answers INS CA with 600 bytes, anything else with its data. Counts what it was asked."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.asked: list[Command] = []
        self.events: list[str] = []

    def answer(self, command: Command) -> CardAnswer:
        self.asked.append(command)
        body = bytes(range(200)) * 3 if command.ins == 0xCA else command.data
        return CardAnswer(body + b"\x90\x00", self.seconds)

    def power_on(self) -> None:
        self.events.append("on")

    def power_off(self) -> None:
        self.events.append("off")

    def deselected(self) -> None:
        self.events.append("deselected")


class SlowCard(EchoCard):
    """Never ready within one waiting time."""

    def begin(self, apdu: bytes) -> CardWork:
        work = super().begin(apdu)
        rounds = iter([Computing(0.1), Computing(0.1)])

        class Slow:
            def go_on(self, budget_s: float) -> object:
                return next(rounds, None) or work.go_on(budget_s)

        return Slow()  # type: ignore[return-value]  # object stands for the two results


def protocol(
    card: EchoCard, *, fsd: int = 256, fsc: int = 256, cid: int = 0, wtx: WtxHabit | None = None
) -> BlockProtocol:
    return BlockProtocol(card, fsd=fsd, fsc=fsc, cid=cid, cid_supported=True, fwt=0.3, wtx=wtx or WtxHabit())


def say(blocks: BlockProtocol, frame: str) -> bytes | None:
    reply = blocks.receive(bytes.fromhex(frame))
    return None if reply is None else reply.frame


def test_an_i_block_is_answered_with_the_readers_block_number() -> None:
    blocks = protocol(EchoCard())
    assert say(blocks, "02 00010000 01 AA") == bytes.fromhex("02 AA 9000")
    assert say(blocks, "03 00010000 01 BB") == bytes.fromhex("03 BB 9000")


def test_a_lost_answer_is_sent_again_and_the_card_is_not_asked_twice() -> None:
    card = EchoCard()
    blocks = protocol(card)
    first = say(blocks, "02 00010000 01 AA")
    assert say(blocks, "B2") == first
    assert len(card.asked) == 1


def test_a_lost_command_is_asked_for_by_acknowledging_the_one_before() -> None:
    blocks = protocol(EchoCard())
    assert say(blocks, "B2") == b"\xa3"  # rule 12: not the token's number, so R(ACK) with the token's
    assert say(blocks, "02 00010000 01 AA") == bytes.fromhex("02 AA 9000")


def test_a_chained_command_is_put_together() -> None:
    card = EchoCard()
    blocks = protocol(card)
    assert say(blocks, "12 0001") == b"\xa2"
    assert say(blocks, "13 0000") == b"\xa3"
    assert say(blocks, "02 02 AABB") == bytes.fromhex("02 AABB 9000")
    assert card.asked[0].data == b"\xaa\xbb"


def test_an_acknowledgement_of_a_chained_block_is_repeated_on_demand() -> None:
    card = EchoCard()
    blocks = protocol(card)
    assert say(blocks, "12 0001") == b"\xa2"
    assert say(blocks, "B2") == b"\xa2"
    assert say(blocks, "03 000001AA") == bytes.fromhex("03 AA 9000")
    assert len(card.asked) == 1


@pytest.mark.parametrize("fsd", [16, 24, 64, 128, 256])
def test_no_frame_is_longer_than_the_reader_takes(fsd: int) -> None:
    blocks = protocol(EchoCard(), fsd=fsd)
    reply = say(blocks, "02" + ECHO_LONG.hex())
    whole, number = b"", 0
    while reply is not None:
        assert len(reply) + 2 <= fsd
        whole += reply[1:]
        if not reply[0] & 0x10:
            break
        number ^= 1
        reply = say(blocks, f"{0xA2 | number:02X}")
    assert whole == bytes(range(200)) * 3 + b"\x90\x00"


def test_a_frame_longer_than_the_token_takes_is_ignored() -> None:
    blocks = protocol(EchoCard(), fsc=16)
    assert say(blocks, "02" + "00" * 14) is None
    assert say(blocks, "02 00010000 01 AA") is not None


def test_a_link_of_a_chain_is_sent_again_after_a_nak() -> None:
    blocks = protocol(EchoCard(), fsd=64)
    say(blocks, "02" + ECHO_LONG.hex())
    second = say(blocks, "A3")
    assert say(blocks, "B3") == second
    assert say(blocks, "A3") == second  # R(ACK) with the token's own number: also once more
    assert say(blocks, "A2") != second


def test_time_is_asked_for_before_the_answer_and_inside_chains() -> None:
    blocks = protocol(EchoCard(), fsd=64, wtx=WtxHabit(before_first=1, in_chain=2, multiplier=3))
    assert say(blocks, "12 00CA") == b"\xa2"
    assert say(blocks, "03 000000") == b"\xf2\x03"
    assert say(blocks, "F2 03") == b"\x13" + bytes(range(61))
    assert say(blocks, "A2") == b"\x12" + bytes(range(61, 122))
    assert say(blocks, "A3") == b"\xf2\x03"
    assert say(blocks, "B3") == b"\xf2\x03"  # the request for time is repeated too
    link = say(blocks, "F2 03")
    assert link is not None
    assert link[0] == 0x13


def test_a_card_that_computes_longer_than_its_waiting_time_asks_until_it_is_ready() -> None:
    card = SlowCard()
    blocks = protocol(card)
    assert say(blocks, "02 00010000 01 AA") == b"\xf2\x01"
    assert say(blocks, "F2 01") == b"\xf2\x01"
    assert say(blocks, "F2 01") == bytes.fromhex("02 AA 9000")


def test_modelled_computing_beyond_the_waiting_time_becomes_requests_and_the_sum_stays() -> None:
    blocks = protocol(EchoCard(seconds=1.0))
    total, reply = 0.0, blocks.receive(bytes.fromhex("020001000001AA"))
    requests = 0
    while reply is not None and reply.frame[0] == 0xF2:
        requests, total = requests + 1, total + reply.seconds
        reply = blocks.receive(reply.frame)
    assert reply is not None
    assert total + reply.seconds == pytest.approx(1.0)
    assert requests == 3  # 0.9 * 0.3 s each, and the rest


def test_another_multiplier_than_asked_for_is_ignored() -> None:
    blocks = protocol(EchoCard(), wtx=WtxHabit(before_first=1, multiplier=2))
    say(blocks, "02 00010000 01 AA")
    assert say(blocks, "F2 01") is None
    assert say(blocks, "F2 02") == bytes.fromhex("02 AA 9000")


def test_only_the_token_with_this_cid_answers_and_repeats_it() -> None:
    blocks = protocol(EchoCard(), cid=5)
    assert say(blocks, "02 00010000 01 AA") is None
    assert say(blocks, "0A 04 00010000 01 AA") is None
    assert say(blocks, "0A 05 00010000 01 AA") == bytes.fromhex("0A 05 AA 9000")
    assert say(blocks, "CA 05") == b"\xca\x05"
    assert blocks.deselected


@given(st.binary(max_size=70))
def test_no_frame_whatever_upsets_an_activated_token(frame: bytes) -> None:
    blocks = protocol(EchoCard())
    blocks.receive(frame)
    if not blocks.deselected:
        blocks.receive(b"\xb2")


# -- initialisation --------------------------------------------------------------------------------


def picc(face: RadioFace, card: EchoCard | None = None) -> Picc:
    token = Picc(card or EchoCard(), face, Random(1))
    token.field_on()
    return token


def hear(token: Picc, frame: str, bits: int = 8) -> bytes | None:
    reply = token.receive(bytes.fromhex(frame), bits)
    return None if reply is None else reply.frame


def test_type_a_is_selected_through_both_cascade_levels_of_a_long_uid() -> None:
    token = picc(RadioFace("A", uid=bytes.fromhex("04A1A2A3A4A5A6"), atqa=b"\x44\x00"))
    assert hear(token, "26", bits=7) == b"\x44\x00"
    assert hear(token, "9320") == bytes.fromhex("8804A1A2 8F")
    assert hear(token, "9370 8804A1A28F") == b"\x04"
    assert hear(token, "9520") == bytes.fromhex("A3A4A5A6 04")
    assert hear(token, "9570 A3A4A5A604") == b"\x20"
    assert hear(token, "E080") == bytes.fromhex("05 78 80 A0 02")


def test_a_halted_type_a_token_hears_wupa_but_not_reqa() -> None:
    token = picc(RadioFace("A", uid=bytes.fromhex("04112233")))
    hear(token, "26", bits=7)
    hear(token, "9370 0411223304")
    assert hear(token, "5000") is None
    assert hear(token, "26", bits=7) is None
    assert hear(token, "52", bits=7) == b"\x04\x00"


def test_pps_is_answered_once_and_only_right_after_the_ats() -> None:
    token = picc(RadioFace("A", uid=bytes.fromhex("04112233")))
    hear(token, "26", bits=7)
    hear(token, "9370 0411223304")
    hear(token, "E080")
    assert hear(token, "D0 11 00") == b"\xd0"
    assert hear(token, "D0 11 00") is None


def test_a_token_without_iso_14443_4_ignores_rats() -> None:
    token = picc(RadioFace("A", sak=0x08, uid=bytes.fromhex("04112233")))
    hear(token, "26", bits=7)
    assert hear(token, "9370 0411223304") == b"\x08"
    assert hear(token, "E080") is None


def test_type_b_says_what_the_my_number_card_says() -> None:
    token = picc(RadioFace("B", uid=bytes.fromhex("01020304")))
    assert hear(token, "050000") == bytes.fromhex("50 01020304 00000041 B381A1")
    assert hear(token, "1D 99999999 00080100") is None
    assert hear(token, "1D 01020304 00080100") == b"\x00"
    assert token.activated


def test_a_deselected_type_b_token_hears_wupb_but_not_reqb_and_the_card_knows() -> None:
    card = EchoCard()
    token = picc(RadioFace("B", uid=bytes.fromhex("01020304")), card)
    hear(token, "050000")
    hear(token, "1D 01020304 00080100")
    assert hear(token, "C2") == b"\xc2"
    assert card.events == ["on", "deselected"]
    assert hear(token, "050000") is None
    assert hear(token, "050008") is not None


def test_losing_the_field_loses_the_session() -> None:
    card = EchoCard()
    token = picc(RadioFace("B"), card)
    pupi = token.uid
    token.field_off()
    assert token.state is PiccState.OFF
    assert card.events == ["off"]
    assert hear(token, "050000") is None
    token.field_on()
    assert token.uid != pupi


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.sampled_from([7, 8])), max_size=12))
@pytest.mark.parametrize("technology", ["A", "B"])
def test_no_sequence_of_frames_upsets_a_token(technology: str, frames: list[tuple[bytes, int]]) -> None:
    token = picc(RadioFace(technology))  # type: ignore[arg-type]  # pytest hands over plain strings
    for frame, bits in frames:
        token.receive(frame, bits)
