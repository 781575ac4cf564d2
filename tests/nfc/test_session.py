"""What the screen may ask of the reader, and what is refused."""

import uuid

import pytest

from kiosk.channel import (
    ArmReader,
    BeginContact,
    ChannelError,
    EndContact,
    Message,
    Presented,
    SignDigests,
    encode,
    pin_frame,
)
from kiosk.nfc.session import Session
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, SignatureAlgorithm

VISIT, OTHER = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
DIGESTS = {SignatureAlgorithm.RSA_PKCS1_SHA256: bytes(32), SignatureAlgorithm.ECDSA_P384_SHA384: bytes(48)}


def send(session: Session, message: Message) -> None:
    session.take(bytearray(encode(message)))


def arm(visit: str = VISIT) -> ArmReader:
    return ArmReader(visit=visit, device=Device.CARD, authentication=Authentication.PIN)


@pytest.fixture
def session() -> Session:
    begun = Session()
    send(begun, BeginContact(visit=VISIT))
    return begun


def pin(session: Session, visit: str = VISIT, digits: bytes = b"1234") -> bytearray:
    frame = pin_frame(visit, bytearray(digits))
    session.take(frame)
    return frame


def test_a_pin_is_held_and_its_frame_wiped(session: Session) -> None:
    frame = pin(session)
    assert session.pin.held
    assert not any(frame)


def test_a_pin_of_another_visit_is_refused_and_wiped(session: Session) -> None:
    frame = pin_frame(OTHER, bytearray(b"1234"))
    with pytest.raises(ChannelError, match="another visit"):
        session.take(frame)
    assert not session.pin.held
    assert not any(frame)


@pytest.mark.parametrize("digits", [b"123", b"12345", b"12a4", b""])
def test_what_is_not_four_digits_is_refused_and_wiped(session: Session, digits: bytes) -> None:
    frame = pin_frame(VISIT, bytearray(digits))
    with pytest.raises(ChannelError):
        session.take(frame)
    assert not session.pin.held
    assert not any(frame)


@pytest.mark.parametrize(
    "message", [arm(OTHER), SignDigests(visit=OTHER, digests=DIGESTS), EndContact(visit=OTHER)]
)
def test_messages_of_another_visit_change_nothing(session: Session, message: Message) -> None:
    pin(session)
    send(session, arm())
    with pytest.raises(ChannelError, match="another visit"):
        send(session, message)
    assert session.pin.held
    assert session.order == arm()


@pytest.mark.parametrize(
    "message", [BeginContact(visit=OTHER), BeginContact(visit=VISIT), EndContact(visit=VISIT)]
)
def test_a_new_or_ended_or_disarmed_visit_forgets_pin_and_order(session: Session, message: Message) -> None:
    pin(session)
    send(session, arm())
    before = session.orders
    send(session, message)
    assert not session.pin.held
    assert session.order is None
    assert session.orders != before


def test_a_restarted_reader_takes_up_the_visit_that_it_is_told_of() -> None:
    session = Session()
    send(session, arm())
    assert session.visit == VISIT
    assert session.lacks_pin


@pytest.mark.parametrize(
    ("device", "authentication"),
    [
        (Device.IPHONE, Authentication.VISUAL),
        (Device.ANDROID, Authentication.VISUAL),
        (Device.IPHONE, Authentication.PIN),
        (Device.CARD, Authentication.PHONE),
    ],
)
def test_what_a_device_cannot_do_does_not_arm(
    session: Session, device: Device, authentication: Authentication
) -> None:
    with pytest.raises(ChannelError, match="not armed"):
        send(session, ArmReader(visit=VISIT, device=device, authentication=authentication))
    assert session.order is None


@pytest.mark.parametrize(
    "packet", [b"", b"{}", b"\xff\xfe", b'{"type":"begin_contact"}', b"[" * 1000, b"\x01"]
)
def test_anything_else_is_refused(session: Session, packet: bytes) -> None:
    with pytest.raises(ChannelError):
        session.take(bytearray(packet))


def test_messages_for_the_screen_are_refused(session: Session) -> None:
    with pytest.raises(ChannelError):
        send(session, Presented(visit=VISIT))


def test_digests_of_a_wrong_size_are_refused(session: Session) -> None:
    with pytest.raises(ChannelError, match="wrong size"):
        send(session, SignDigests(visit=VISIT, digests={SignatureAlgorithm.RSA_PKCS1_SHA256: bytes(31)}))


def test_digests_count_only_for_the_token_recognised_last(session: Session) -> None:
    session.await_digests()
    session.await_digests()  # the first contact broke off before its digests came
    send(session, SignDigests(visit=VISIT, digests=DIGESTS))
    assert session.digests is None
    send(session, SignDigests(visit=VISIT, digests=DIGESTS))
    assert session.digests == DIGESTS


def test_digests_that_did_not_come_are_not_waited_for_by_the_next(session: Session) -> None:
    session.await_digests()
    session.give_up_digests()
    session.await_digests()
    send(session, SignDigests(visit=VISIT, digests=DIGESTS))
    assert session.digests == DIGESTS
