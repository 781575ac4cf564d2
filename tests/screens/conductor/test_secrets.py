"""PIN, passcode and evidence in the conductor: sent once, overwritten, forgotten, never logged."""

import base64
import gc
import logging
import os
import re
import secrets
import sys
from collections import Counter as Counted
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import pytest

from kiosk import channel as ch
from kiosk.commands.screen import staff_check
from kiosk.config.clinic_settings import StaffMember
from kiosk.config.passcodes import hash_passcode
from kiosk.qualification.devices import Device
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.terms import Authentication, Outcome
from kiosk.qualification.transcript import Transcript
from kiosk.screens.conductor.secret_pad import SecretPad
from kiosk.visit.events import Action, DeviceChosen, NumberTyped, ReadFailure
from tests.screens.conductor.counter import (
    STAFF_NUMBER,
    Counter,
    Secrets,
    check,
    commits,
    digests,
    digits_in,
    hold,
)

SECRET_CLASSES = (ch.Evidence, ch.CommitRecord, ch.SignDigests, Transcript, QualificationRequest)


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


# ---- the PIN and the passcode ----------------------------------------------------------------------------


def test_the_pin_goes_out_once_in_a_binary_frame_between_begin_and_arm(
    counter: Counter, known: Secrets
) -> None:
    visit = hold(counter, known)
    (frame,) = counter.reader.frames
    named, digits = ch.read_pin_frame(frame)
    assert (named, digits_in(digits)) == (visit, known.pin)
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
    counter.reader.sends(
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


# ---- the evidence ----------------------------------------------------------------------------------------


def test_nothing_of_the_evidence_is_held_after_the_visit(counter: Counter, known: Secrets) -> None:
    before = living()
    visit = check(counter, known, secrets.token_bytes(1573))
    assert born_since(before)[ch.CommitRecord] == 1
    counter.uploader.sends(
        ch.Committed(visit=visit, receipt="0042"),
        ch.ServiceAnswered(visit=visit, receipt="0042", outcome=Outcome.VERIFIED),
    )
    counter.until_screen("verified")
    assert born_since(before) == {}
    counter.settle()
    assert counter.reader.messages[-1] == ch.EndContact(visit=visit)


def test_a_visit_given_up_in_the_middle_leaves_nothing_either(counter: Counter, known: Secrets) -> None:
    before = living()
    visit = hold(counter, known)
    counter.reader.sends(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    assert born_since(before)[Transcript] == 1
    counter.reader.sends(ch.ContactFailed(visit=visit, failure=ReadFailure.REMOVED, pin_kept=True))
    counter.until_screen("again")
    counter.press(Action.HELP)
    counter.settle()
    assert counter.screen == "staff_called"
    assert born_since(before) == {}
    assert counter.reader.messages[-1] == ch.EndContact(visit=visit)


def living() -> list[object]:
    """The secret objects that the garbage collector knows of.

    Those of other tests may live on in a fixture or a traceback; holding them keeps their identities theirs.
    """
    gc.collect()
    return [each for each in gc.get_objects() if type(each) in SECRET_CLASSES]


def born_since(before: list[object]) -> Counted[type]:
    """How many there are of each class that were not there before."""
    known = {id(each) for each in before}
    return Counted(type(each) for each in living() if id(each) not in known)


# ---- the log ---------------------------------------------------------------------------------------------


def test_no_digit_no_certificate_and_no_sealed_byte_is_logged(
    counter: Counter, known: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = secrets.token_bytes(1573)
    with caplog.at_level(logging.DEBUG):
        visit = check(counter, known, certificate)
        counter.uploader.sends(ch.CommitRefused(visit=visit, reason="the disk is full"))
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
