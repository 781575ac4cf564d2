"""The conductor between real sockets: what it sends, what it ignores, what it forgets, what it never logs."""

import base64
import gc
import logging
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from kiosk import channel as ch
from kiosk.commands.screen import staff_check
from kiosk.config import StaffMember
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import Label, Purpose, SuiteName, unseal
from kiosk.qualification.terms import Authentication, Device, Outcome, SignatureAlgorithm
from kiosk.qualification.transcript import Transcript
from kiosk.screens.secret_pad import SecretPad
from kiosk.staff import hash_passcode
from kiosk.visit.events import Action, DeviceChosen, NumberTyped, ReadFailure
from kiosk.visit.states import OutboxCondition, ReaderCondition, Stage, WrongTokenKind
from tests.screens.counter import STAFF_NUMBER, Counter, open_counter

STRANGER = "0199c1f0-0000-7000-8000-00000000dead"
ALGORITHM = next(iter(SignatureAlgorithm))
SECRET_CLASSES = (ch.Evidence, ch.CommitRecord, ch.SignDigests, Transcript, QualificationRequest)


@dataclass(frozen=True)
class Secrets:
    """What only this test run knows; digits one by one, so that nobody but the kiosk joins them."""

    pin: tuple[int, ...]
    passcode: tuple[int, ...]


@pytest.fixture
def known() -> Secrets:
    return Secrets(
        tuple(secrets.randbelow(10) for _ in range(4)), tuple(secrets.randbelow(10) for _ in range(12))
    )


@pytest.fixture
def counter(tmp_path: Path, known: Secrets) -> Iterator[Counter]:
    with open_counter(tmp_path, known.passcode) as counter:
        counter.until_screen("start")
        yield counter


def digits_in(text: bytes | bytearray) -> tuple[int, ...]:
    return tuple(byte - ord("0") for byte in text)


def memory() -> Iterator[bytes]:
    """All of this process's memory that can be written, map by map."""
    with Path("/proc/self/maps").open() as maps:
        ranges = [re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line) for line in maps]
    descriptor = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        for found in ranges:
            if found is None:
                continue
            start, end = int(found[1], 16), int(found[2], 16)
            try:
                yield os.pread(descriptor, end - start, start)
            except OSError:
                continue  # unmapped meanwhile, or not readable ([vvar])
    finally:
        os.close(descriptor)


def hold(counter: Counter, known: Secrets) -> str:
    """From start to the armed reader with a typed PIN; returns the visit."""
    visit = counter.begin(Device.CARD)
    counter.type(known.pin)
    counter.press(Action.OK)
    counter.settle()
    assert counter.screen == "hold"
    return visit


def evidence(visit: str, certificate: bytes) -> ch.Evidence:
    return ch.Evidence(
        visit=visit,
        token=Device.CARD,
        certificate=certificate,
        signature=secrets.token_bytes(256),
        algorithm=ALGORITHM,
        not_after="2030-01-01T00:00:00Z",
        stages=(ch.StageTime(name="sign", ms=1.5, apdus=1, bytes_to=60, bytes_from=258),),
    )


def check(counter: Counter, known: Secrets, certificate: bytes) -> str:
    """On to `checking`: the token has signed and the record was handed over."""
    visit = hold(counter, known)
    counter.reader.say(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    counter.reader.say(evidence(visit, certificate))
    counter.until_screen("checking")
    counter.until(lambda: commits(counter) != [], "waited for the record")
    return visit


def digests(counter: Counter) -> list[ch.SignDigests]:
    return [message for message in counter.reader.messages if isinstance(message, ch.SignDigests)]


def commits(counter: Counter) -> list[ch.CommitRecord]:
    return [message for message in counter.uploader.messages if isinstance(message, ch.CommitRecord)]


def challenges_asked(counter: Counter) -> int:
    return sum(isinstance(message, ch.AskChallenge) for message in counter.uploader.messages)


# ---- the PIN and the passcode ----------------------------------------------------------------------------


def test_the_pin_goes_out_once_in_a_binary_frame_between_begin_and_arm(
    counter: Counter, known: Secrets
) -> None:
    visit = hold(counter, known)
    (frame,) = counter.reader.frames
    told, digits = ch.read_pin_frame(frame)
    assert (told, digits_in(digits)) == (visit, known.pin)
    digits[:] = bytes(4)
    kinds = [packet[:1] == ch.PIN_MARK for packet in counter.reader.packets]
    assert kinds == [False, True, False]
    assert counter.reader.messages == [
        ch.BeginContact(visit=visit),
        ch.ArmReader(visit=visit, device=Device.CARD, authentication=Authentication.PIN),
    ]
    counter.settle()
    assert len(counter.reader.frames) == 1


def test_every_buffer_that_held_the_pin_is_overwritten(counter: Counter, known: Secrets) -> None:
    counter.begin(Device.CARD)
    counter.type(known.pin)
    held: list[bytearray] = []

    def watch(frame: FrameType, event: str, value: object) -> None:
        if event == "return" and frame.f_code in (ch.pin_frame.__code__, SecretPad.copy.__code__):
            assert isinstance(value, bytearray)
            held.append(value)

    sys.setprofile(watch)
    try:
        counter.press(Action.OK)
    finally:
        sys.setprofile(None)
    assert len(held) == 2
    assert all(buffer == bytes(len(buffer)) for buffer in held)
    counter.settle()
    assert len(counter.reader.frames) == 1


def test_a_wrong_pin_is_typed_anew_and_the_first_is_never_sent_again(
    counter: Counter, known: Secrets
) -> None:
    visit = hold(counter, known)
    counter.reader.forget()
    counter.reader.say(
        ch.Presented(visit=visit),
        ch.Recognised(visit=visit, token=Device.CARD),
        ch.ContactFailed(visit=visit, failure=ReadFailure.PIN_WRONG, tries_left=1),
    )
    counter.until_screen("pin_wrong")
    assert counter.reader.frames == []
    counter.press(Action.RETRY)
    other = tuple((digit + 1) % 10 for digit in known.pin)
    counter.type(other)
    counter.press(Action.OK)
    counter.settle()
    (frame,) = counter.reader.frames
    assert digits_in(ch.read_pin_frame(frame)[1]) == other


def test_digits_that_were_typed_before_going_back_are_not_part_of_the_next_pin(
    counter: Counter, known: Secrets
) -> None:
    counter.begin(Device.CARD)
    counter.type(known.pin[:3])
    counter.press(Action.BACK)
    counter.settle()
    assert counter.reader.frames == []
    counter.touch(DeviceChosen(Device.CARD))
    counter.type(known.pin[:2])
    counter.press(Action.ERASE)
    counter.type([*known.pin[1:], 9, 9, 9])  # more than fit
    counter.press(Action.OK)
    counter.settle()
    (frame,) = counter.reader.frames
    assert digits_in(ch.read_pin_frame(frame)[1]) == known.pin


def test_a_new_reader_process_is_not_given_the_pin_of_the_old_one(counter: Counter, known: Secrets) -> None:
    visit = hold(counter, known)
    counter.reader.forget()
    counter.reader.die()
    counter.until_screen("interrupted")
    counter.reader.begin()
    counter.until_screen("pin")
    counter.settle()
    assert counter.reader.frames == []
    assert counter.visit == visit
    counter.type(known.pin)
    counter.press(Action.OK)
    counter.until_screen("hold")
    counter.settle()
    assert len(counter.reader.frames) == 1


def test_a_passcode_is_checked_and_no_copy_stays_in_memory(counter: Counter, known: Secrets) -> None:
    counter.begin(Device.CARD)
    counter.press(Action.NO_PIN, Action.STAFF_HERE)
    counter.touch(*(NumberTyped(digit) for digit in STAFF_NUMBER))
    counter.press(Action.OK)
    counter.type([(digit + 1) % 10 for digit in known.passcode])
    counter.press(Action.OK)
    counter.until(lambda: counter.screen == "staff_number", "a wrong passcode is refused")
    counter.touch(*(NumberTyped(digit) for digit in STAFF_NUMBER))
    counter.press(Action.OK)
    counter.type(known.passcode)
    counter.press(Action.OK)
    counter.until_screen("hold")
    counter.settle()
    notes = [message for message in counter.uploader.messages if isinstance(message, ch.AuditNote)]
    assert [(note.event, note.staff) for note in notes] == [
        ("passcode_refused", STAFF_NUMBER),
        ("visual_check", STAFF_NUMBER),
    ]
    assert counter.reader.frames == []
    for area in memory():
        for found in re.finditer(rb"[0-9]{12}", area):
            assert digits_in(found.group()) != known.passcode


@pytest.mark.parametrize("number", [STAFF_NUMBER, "9999"])
@pytest.mark.parametrize("right", [True, False])
def test_checking_a_passcode_overwrites_it(number: str, right: bool) -> None:
    passcode = bytearray(b"246810")
    stored = hash_passcode(bytearray(b"246810" if right else b"135790"), b"salt for a test.")
    assert staff_check((StaffMember(STAFF_NUMBER, stored),))(number, passcode) is (
        right and number == STAFF_NUMBER
    )
    assert passcode == bytes(6)


# ---- what is not of this visit ---------------------------------------------------------------------------


def stale_from_reader() -> list[ch.Message]:
    return [
        ch.Presented(visit=STRANGER),
        ch.Recognised(visit=STRANGER, token=Device.CARD),
        ch.StageDone(visit=STRANGER, stage=Stage.SIGNED),
        ch.WrongTokenSeen(visit=STRANGER, kind=WrongTokenKind.PAYMENT),
        ch.OtherDeviceSeen(visit=STRANGER, presented=Device.IPHONE),
        ch.ContactFailed(visit=STRANGER, failure=ReadFailure.PIN_BLOCKED),
        evidence(STRANGER, b"certificate of somebody else"),
        ch.Removed(visit=STRANGER),
    ]


def stale_from_uploader() -> list[ch.Message]:
    return [
        ch.ChallengeGiven(visit=STRANGER, challenge=base64.b64encode(bytes(32)).decode(), valid_s=600),
        ch.Committed(visit=STRANGER, receipt="0001"),
        ch.CommitRefused(visit=STRANGER, say="stale"),
        ch.Answered(visit=STRANGER, receipt="0001", outcome=Outcome.VERIFIED, validity="1"),
        ch.Deferred(visit=STRANGER, say="stale"),
    ]


def test_messages_of_another_visit_change_nothing_while_the_token_is_waited_for(
    counter: Counter, known: Secrets
) -> None:
    hold(counter, known)
    before = counter.conductor.kiosk
    counter.reader.forget()
    counter.uploader.forget()
    counter.reader.say(*stale_from_reader())
    counter.uploader.say(*stale_from_uploader())
    counter.settle()
    assert counter.conductor.kiosk == before
    assert counter.reader.packets == counter.uploader.packets == []


def test_an_answer_to_the_last_patient_is_never_shown_to_this_one(counter: Counter, known: Secrets) -> None:
    check(counter, known, b"certificate")
    before = counter.conductor.kiosk
    counter.uploader.say(*stale_from_uploader())
    counter.reader.say(*stale_from_reader())
    counter.settle()
    assert counter.conductor.kiosk == before
    assert counter.screen == "checking"


def test_what_is_no_message_is_logged_without_its_content_and_dropped(
    counter: Counter, known: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    visit = hold(counter, known)
    with caplog.at_level(logging.WARNING):
        for packet in (
            b"\xff\xfe private",
            b'{"type":"no_such","v":1}',
            b'{"type":"presented","v":2,"visit":null}',
            b'{"type":"evidence","v":1,"visit":"private"}',
            b"[" * 50_000,
            b"x" * (ch.MAX_MESSAGE + 1),
        ):
            counter.reader.send(packet)
            counter.uploader.send(packet)
            counter.settle()
    assert len([record for record in caplog.records if "refused" in record.getMessage()]) == 12
    assert "private" not in caplog.text
    counter.reader.say(ch.Presented(visit=visit))
    counter.until_screen("reading")


# ---- the record ------------------------------------------------------------------------------------------


def test_the_record_is_sealed_to_the_service_and_holds_what_the_token_gave(
    counter: Counter, known: Secrets
) -> None:
    certificate = secrets.token_bytes(1573)
    visit = check(counter, known, certificate)
    (record,) = commits(counter)
    label = Label(
        purpose=Purpose.REQUEST,
        record=visit,
        terminal="TEST-1",
        institution="1312345670",
        key_id="k1",
        suite=SuiteName(record.suite),
    )
    plain = unseal(record.sealed, counter.private, label)
    assert certificate in plain or base64.b64encode(certificate) in plain
    assert certificate not in record.sealed


def test_after_the_uploader_came_back_the_very_same_bytes_are_committed_again(
    counter: Counter, known: Secrets
) -> None:
    visit = check(counter, known, b"certificate")
    first = [bytes(packet) for packet in counter.uploader.packets if b"commit_record" in packet]
    counter.uploader.forget()
    for receipt in (None, "0042"):  # not heard of the commit; heard of it, but not of the answer
        if receipt is not None:
            counter.uploader.say(ch.Committed(visit=visit, receipt=receipt))
            counter.settle()
        counter.uploader.die()
        counter.settle()
        assert counter.screen == "checking"
        counter.uploader.begin()
        counter.until(lambda: commits(counter) != [], "waited for the record to come again")
        again = [bytes(packet) for packet in counter.uploader.packets if b"commit_record" in packet]
        assert again == first
        counter.uploader.forget()
    counter.uploader.say(
        ch.Committed(visit=visit, receipt="0042"),
        ch.Answered(visit=visit, receipt="0042", outcome=Outcome.VERIFIED, validity="1"),
    )
    counter.until_screen("verified")


def test_nothing_of_the_evidence_is_held_after_the_visit(counter: Counter, known: Secrets) -> None:
    visit = check(counter, known, secrets.token_bytes(1573))
    assert alive(ch.CommitRecord) == 1
    counter.uploader.say(
        ch.Committed(visit=visit, receipt="0042"),
        ch.Answered(visit=visit, receipt="0042", outcome=Outcome.VERIFIED),
    )
    counter.until_screen("verified")
    assert {kind.__name__: alive(kind) for kind in SECRET_CLASSES} == dict.fromkeys(
        (kind.__name__ for kind in SECRET_CLASSES), 0
    )
    counter.settle()
    assert counter.reader.messages[-1] == ch.EndContact(visit=visit)


def test_a_visit_given_up_in_the_middle_leaves_nothing_either(counter: Counter, known: Secrets) -> None:
    visit = hold(counter, known)
    counter.reader.say(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    assert alive(Transcript) == 1
    counter.reader.say(ch.ContactFailed(visit=visit, failure=ReadFailure.REMOVED, pin_kept=True))
    counter.until_screen("again")
    counter.press(Action.HELP)
    counter.settle()
    assert counter.screen == "staff_called"
    assert alive(Transcript) == 0
    assert counter.reader.messages[-1] == ch.EndContact(visit=visit)


def alive(kind: type) -> int:
    """How many objects of a class the garbage collector knows of."""
    gc.collect()
    return sum(1 for each in gc.get_objects() if type(each) is kind)


# ---- the challenge ---------------------------------------------------------------------------------------


def test_a_challenge_is_asked_for_at_the_first_touch_and_again_of_a_new_uploader(
    counter: Counter, known: Secrets
) -> None:
    visit = hold(counter, known)
    assert challenges_asked(counter) == 1
    counter.uploader.die()
    counter.settle()
    counter.uploader.begin()
    counter.until(lambda: challenges_asked(counter) == 2, "asked again")
    counter.reader.say(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    counter.uploader.die()
    counter.settle()
    counter.uploader.begin()
    counter.until(lambda: counter.conductor.kiosk.outbox is OutboxCondition.READY, "connected again")
    counter.settle()
    assert challenges_asked(counter) == 2, "the transcript is frozen: a challenge would come too late"


def test_a_challenge_that_comes_after_the_token_was_recognised_changes_no_digest(
    counter: Counter, known: Secrets
) -> None:
    visit = hold(counter, known)
    counter.reader.say(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    given = base64.b64encode(secrets.token_bytes(32)).decode()
    counter.uploader.say(ch.ChallengeGiven(visit=visit, challenge=given, valid_s=600))
    counter.settle()
    counter.reader.say(evidence(visit, b"certificate"))
    counter.until(lambda: commits(counter) != [], "waited for the record")
    assert [record.challenged for record in commits(counter)] == [False]
    assert len(digests(counter)) == 1


# ---- the neighbours --------------------------------------------------------------------------------------


def test_without_a_key_to_seal_to_no_patient_is_let_begin(tmp_path: Path, known: Secrets) -> None:
    with open_counter(tmp_path, known.passcode) as counter:
        counter.uploader.greeting = lambda: [ch.OutboxState(condition=OutboxCondition.READY)]
        counter.until_screen("out_of_service")


def test_a_lost_reader_closes_the_kiosk_and_a_new_one_opens_it(counter: Counter) -> None:
    counter.reader.say(ch.ReaderState(condition=ReaderCondition.LOST, say="unplugged"))
    counter.until_screen("out_of_service")
    counter.reader.die()
    counter.settle()
    counter.reader.begin()
    counter.until_screen("start")


# ---- the log ---------------------------------------------------------------------------------------------


def test_no_digit_no_certificate_and_no_sealed_byte_is_logged(
    counter: Counter, known: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = secrets.token_bytes(1573)
    with caplog.at_level(logging.DEBUG):
        visit = check(counter, known, certificate)
        counter.uploader.say(ch.CommitRefused(visit=visit, say="the disk is full"))
        counter.until_screen("staff_called")
    (record,) = commits(counter)
    text = caplog.text
    assert "staff_called" in text
    for runs in re.findall(r"[0-9]{4,}", text):
        assert joined(known.pin) not in runs
    for secret in (certificate, record.sealed):
        for form in (secret.hex()[:40], base64.b64encode(secret).decode()[:40], repr(secret)[2:42]):
            assert form not in text


def joined(digits: Sequence[int]) -> str:
    return "".join(map(str, digits))
