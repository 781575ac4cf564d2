"""The messages between the processes: all survive the way, and nothing else gets in."""

import json
import typing
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import channel as ch
from kiosk.visit.audit_events import AuditEvent
from tests.channel.samples import FROM_UPLOADER, VISIT, WAYS


def packed(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("way", WAYS)
def test_every_message_survives_the_way(way: str) -> None:
    samples, inbox, _ = WAYS[way]
    assert [ch.decode(ch.encode(message), inbox) for message in samples] == samples


@pytest.mark.parametrize("way", WAYS)
def test_the_samples_hold_every_message(way: str) -> None:
    samples, _, union = WAYS[way]
    assert {type(message) for message in samples} == set(typing.get_args(union))


@pytest.mark.parametrize("way", WAYS)
def test_a_message_of_another_way_is_refused(way: str) -> None:
    _, inbox, _ = WAYS[way]
    for other in WAYS:
        if other != way:
            for message in WAYS[other][0]:
                with pytest.raises(ch.ChannelError):
                    ch.decode(ch.encode(message), inbox)


def test_the_screen_takes_what_is_for_it_and_nothing_meant_for_the_command_line() -> None:
    for_screen = typing.get_args(ch.ForScreen)
    for message in FROM_UPLOADER:
        packet = ch.encode(message)
        if type(message) in for_screen:
            assert ch.decode(packet, ch.SCREEN_INBOX) == message
        else:
            with pytest.raises(ch.ChannelError):
                ch.decode(packet, ch.SCREEN_INBOX)


def test_a_message_is_plain_json_with_version_and_type() -> None:
    assert json.loads(ch.encode(ch.EndContact(visit=VISIT))) == {
        "type": "end_contact",
        "v": 1,
        "visit": VISIT,
    }


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(packed(v=1, type="nonsense", visit=VISIT), id="unknown type"),
        pytest.param(packed(v=1, visit=VISIT), id="no type"),
        pytest.param(packed(v=2, type="end_contact", visit=VISIT), id="another version"),
        pytest.param(packed(v="1", type="end_contact", visit=VISIT), id="version as text"),
        pytest.param(packed(v=1, type="end_contact", visit=VISIT, extra=1), id="a field too many"),
        pytest.param(packed(v=1, type="end_contact"), id="a field too few"),
        pytest.param(packed(v=1, type="end_contact", visit=7), id="wrong type of a field"),
        pytest.param(
            packed(v=1, type="arm_reader", visit=VISIT, device="watch", authentication="pin"),
            id="unknown device",
        ),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff\xfe{}", id="no UTF-8"),
        pytest.param(b'{"v":1,"type":"end_contact","visit":"\xff"}', id="no UTF-8 inside"),
        pytest.param(b"[" * 60000, id="deep"),
        pytest.param(ch.PIN_MARK + bytes(16) + b"1234", id="a PIN frame"),
    ],
)
def test_what_is_no_message_is_refused_without_telling_its_content(packet: bytes) -> None:
    with pytest.raises(ch.ChannelError) as refused:
        ch.decode(packet, ch.READER_INBOX)
    assert VISIT not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "\n" not in str(refused.value)


def test_a_packet_too_large_is_refused_before_it_is_read() -> None:
    fitting = ch.encode(ch.EndContact(visit=VISIT))
    padded = fitting + b" " * (ch.MAX_MESSAGE - len(fitting))
    assert ch.decode(padded, ch.READER_INBOX) == ch.EndContact(visit=VISIT)
    with pytest.raises(ch.ChannelError, match=r"more than 65536 bytes"):
        ch.decode(padded + b" ", ch.READER_INBOX)


def test_a_message_too_large_is_not_sent() -> None:
    with pytest.raises(ch.ChannelError, match="exceeds 65536"):
        ch.encode(ch.Deferred(visit=VISIT, reason="x" * ch.MAX_MESSAGE))


@given(st.binary(max_size=300))
def test_no_packet_does_anything_but_decode_or_be_refused(packet: bytes) -> None:
    for _, inbox, _ in WAYS.values():
        try:
            message = ch.decode(packet, inbox)
        except ch.ChannelError:
            continue
        assert ch.decode(ch.encode(message), inbox) == message


def test_a_pin_frame_carries_visit_and_digits_in_buffers_that_can_be_wiped() -> None:
    pin = bytearray(b"1234")
    frame = ch.pin_frame(VISIT, pin)
    assert frame[:1] == ch.PIN_MARK
    assert isinstance(frame, bytearray)
    visit, digits = ch.read_pin_frame(frame)
    assert (visit, digits) == (VISIT, pin)
    frame[:] = bytes(len(frame))
    assert digits == b"1234"
    digits[:] = bytes(4)
    assert pin == b"1234"


@pytest.mark.parametrize("pin", [b"", b"123", b"12345", b"12a4", b"12\xb24", "１２".encode()[:4]])
def test_a_pin_frame_without_four_digits_is_refused_and_not_told(pin: bytes) -> None:
    frame = bytearray(ch.PIN_MARK + uuid.UUID(VISIT).bytes + pin)
    with pytest.raises(ch.ChannelError) as refused:
        ch.read_pin_frame(frame)
    assert str(refused.value) == "a PIN frame was refused: not four digits"
    copies = [entry.locals["digits"] for entry in refused.traceback if "digits" in entry.locals]
    assert len(copies) == 1
    assert not any(copies[0]), "the copy must be wiped: a crash dump would hold it"


@given(st.binary(max_size=40))
def test_a_broken_pin_frame_is_refused_and_nothing_worse(tail: bytes) -> None:
    try:
        visit, digits = ch.read_pin_frame(bytearray(ch.PIN_MARK + tail))
    except ch.ChannelError:
        return
    assert uuid.UUID(visit).bytes + digits == tail


def test_an_audit_event_travels_as_its_word() -> None:
    note = ch.AuditNote(event=AuditEvent.DESK_OPENED, staff="1001")
    assert json.loads(ch.encode(note)) == {
        "type": "audit_note",
        "v": 1,
        "event": "desk_opened",
        "staff": "1001",
        "visit": None,
    }
    packet = packed(v=1, type="audit_note", event="desk_opend", staff="1001")
    with pytest.raises(ch.ChannelError):
        ch.decode(packet, ch.UPLOADER_INBOX)
