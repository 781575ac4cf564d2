"""The conductor between real sockets: what it sends, what it ignores, what comes again."""

import base64
import logging
import secrets
from pathlib import Path

import pytest

from kiosk import channel as ch
from kiosk.qualification.devices import Device
from kiosk.qualification.sealing import Purpose, SealingInfo, SuiteName, unseal
from kiosk.qualification.terms import Outcome
from kiosk.visit.events import ReadFailure
from kiosk.visit.states import (
    OutboxCondition,
    OutOfService,
    OutOfServiceReason,
    ReaderCondition,
    Stage,
    WrongTokenKind,
)
from kiosk.visit.timing import STARTING_S
from tests.screens.conductor.counter import (
    Counter,
    Secrets,
    challenges_asked,
    check,
    commits,
    digests,
    evidence,
    hold,
    open_counter,
)

STRANGER = "0199c1f0-0000-7000-8000-00000000dead"


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
        ch.CommitRefused(visit=STRANGER, reason="stale"),
        ch.ServiceAnswered(visit=STRANGER, receipt="0001", outcome=Outcome.VERIFIED, validity="1"),
        ch.Deferred(visit=STRANGER, reason="stale"),
    ]


def test_messages_of_another_visit_change_nothing_while_the_token_is_waited_for(
    counter: Counter, known: Secrets
) -> None:
    hold(counter, known)
    before = counter.conductor.kiosk
    counter.reader.forget()
    counter.uploader.forget()
    counter.reader.sends(*stale_from_reader())
    counter.uploader.sends(*stale_from_uploader())
    counter.settle()
    assert counter.conductor.kiosk == before
    assert counter.reader.packets == counter.uploader.packets == []


def test_an_answer_to_the_last_patient_is_never_shown_to_this_one(counter: Counter, known: Secrets) -> None:
    check(counter, known, b"certificate")
    before = counter.conductor.kiosk
    counter.uploader.sends(*stale_from_uploader())
    counter.reader.sends(*stale_from_reader())
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
    counter.reader.sends(ch.Presented(visit=visit))
    counter.until_screen("reading")


# ---- the record ------------------------------------------------------------------------------------------


def test_the_record_is_sealed_to_the_service_and_holds_what_the_token_gave(
    counter: Counter, known: Secrets
) -> None:
    certificate = secrets.token_bytes(1573)
    visit = check(counter, known, certificate)
    (record,) = commits(counter)
    label = SealingInfo(
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
            counter.uploader.sends(ch.Committed(visit=visit, receipt=receipt))
            counter.settle()
        counter.uploader.die()
        counter.settle()
        assert counter.screen == "checking"
        counter.uploader.begin()
        counter.until(lambda: commits(counter) != [], "waited for the record to come again")
        again = [bytes(packet) for packet in counter.uploader.packets if b"commit_record" in packet]
        assert again == first
        counter.uploader.forget()
    counter.uploader.sends(
        ch.Committed(visit=visit, receipt="0042"),
        ch.ServiceAnswered(visit=visit, receipt="0042", outcome=Outcome.VERIFIED, validity="1"),
    )
    counter.until_screen("verified")


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
    counter.reader.sends(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
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
    counter.reader.sends(ch.Presented(visit=visit), ch.Recognised(visit=visit, token=Device.CARD))
    counter.until(lambda: digests(counter) != [], "waited for the digests")
    given = base64.b64encode(secrets.token_bytes(32)).decode()
    counter.uploader.sends(ch.ChallengeGiven(visit=visit, challenge=given, valid_s=600))
    counter.settle()
    counter.reader.sends(evidence(visit, b"certificate"))
    counter.until(lambda: commits(counter) != [], "waited for the record")
    assert [record.challenged for record in commits(counter)] == [False]
    assert len(digests(counter)) == 1


# ---- the neighbours --------------------------------------------------------------------------------------


def test_without_a_key_to_seal_to_no_patient_is_let_begin(tmp_path: Path, known: Secrets) -> None:
    with open_counter(tmp_path, known.passcode) as counter:
        counter.uploader.greeting = lambda: [ch.OutboxState(condition=OutboxCondition.READY)]
        counter.until_screen("out_of_service")


def test_a_lost_reader_closes_the_kiosk_and_a_new_one_opens_it(counter: Counter) -> None:
    counter.reader.sends(ch.ReaderState(condition=ReaderCondition.LOST, reason="unplugged"))
    counter.until_screen("out_of_service")
    counter.reader.die()
    counter.settle()
    counter.reader.begin()
    counter.until_screen("start")


@pytest.mark.parametrize("comes", [False, True])
def test_a_process_that_never_starts_is_named_until_it_comes(
    tmp_path: Path, known: Secrets, comes: bool
) -> None:
    clock = [0.0]
    with open_counter(tmp_path, known.passcode, monotonic=lambda: clock[0]) as counter:
        counter.reader.die()
        clock[0] = STARTING_S - 1
        counter.settle()
        assert counter.screen == "starting"
        clock[0] = STARTING_S + 1
        counter.until_screen("out_of_service")
        assert counter.conductor.kiosk.screen == OutOfService(OutOfServiceReason.READER)
        if comes:
            counter.reader.begin()
            clock[0] += 1
            counter.until_screen("start")
