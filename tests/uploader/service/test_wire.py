"""What the service says, read as values; whatever else it says is a fault, not an exception."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.qualification.codes import QualificationValidity, SegmentOfResult
from kiosk.uploader.service.wire import (
    Answer,
    Challenge,
    FaultKind,
    RequestFault,
    ServiceKeys,
    ServiceProblem,
    read_answer,
    read_challenge,
    read_enrolled,
    read_keys,
    read_problem,
    read_retry_after,
)

NONSENSE = RequestFault(FaultKind.CONTENT, reached=True)
RECORD = "0190a000-0000-7000-8000-000000000001"
RESULT = {"SegmentOfResult": "1", "ProcessingResultStatus": "1", "QualificationValidity": "1"}
KEY = {
    "key_id": "k1",
    "suite": "X25519-HKDF-SHA256-ChaCha20Poly1305",
    "public": base64.b64encode(b"\x09" + bytes(31)).decode(),  # the base point (RFC 7748, 4.1)
    "not_after": "2030-01-01T00:00:00Z",
}


def body(**changes: object) -> bytes:
    return json.dumps({"v": 1, "id": RECORD, "result": RESULT, "answer": None} | changes).encode()


def test_an_answer_is_read() -> None:
    read = read_answer(body(), RECORD)
    assert isinstance(read, Answer)
    assert read.codes.validity is QualificationValidity.VALID
    assert read.person is None


def test_an_answer_in_progress_needs_no_validity() -> None:
    read = read_answer(body(result={"SegmentOfResult": "2"}), RECORD)
    assert isinstance(read, Answer)
    assert read.codes.segment is SegmentOfResult.IN_PROGRESS


def test_free_text_of_the_service_is_not_taken_over() -> None:
    result = RESULT | {"ProcessingResultCode": "架空 花子", "ProcessingResultMessage": "架空 花子"}
    read = read_answer(body(result=result), RECORD)
    assert isinstance(read, Answer)
    assert read.processing_code == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>please log in</html>",
        b"null",
        b"[]",
        body()[:-5],
        body(id="0190a000-0000-7000-8000-000000000002"),
        body(result=RESULT | {"QualificationValidity": "7"}),
        body(result=RESULT | {"SegmentOfResult": 1}),
        body(answer={"suite": "other", "key_id": "k", "sealed": ""}),
        body(answer={"suite": KEY["suite"], "key_id": "k", "sealed": "not base64!"}),
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_anything_else_than_the_answer_to_this_record_is_nonsense(data: bytes) -> None:
    assert read_answer(data, RECORD) == NONSENSE


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_raise(data: bytes) -> None:
    for read in (
        read_answer(data, RECORD),
        read_challenge(data, RECORD),
        read_keys(data),
        read_enrolled(data),
    ):
        assert read == NONSENSE
    assert isinstance(read_problem(400, data, None, None), ServiceProblem)


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"visit": "another"}, False),
        ({"challenge": base64.b64encode(bytes(31)).decode()}, False),
        ({"challenge": "%%%"}, False),
        ({"expires_in": -1}, False),
        ({"expires_in": 1e12}, False),
    ],
)
def test_a_challenge_has_32_bytes_and_belongs_to_the_visit(changes: dict[str, object], good: bool) -> None:
    data = {"visit": RECORD, "challenge": base64.b64encode(bytes(32)).decode(), "expires_in": 600} | changes
    assert isinstance(read_challenge(json.dumps(data).encode(), RECORD), Challenge) == good


def test_keys_of_suites_that_we_do_not_speak_are_left_out() -> None:
    data = {"service": "s", "keys": [KEY | {"suite": "newer", "key_id": "k2"}, KEY]}
    read = read_keys(json.dumps(data).encode())
    assert isinstance(read, ServiceKeys)
    assert [key.key_id for key in read.keys] == ["k1"]


def test_without_a_usable_key_the_list_is_nonsense() -> None:
    assert read_keys(json.dumps({"service": "s", "keys": [KEY | {"public": "AAAA"}]}).encode()) == NONSENSE


def test_a_problem_code_is_a_word_or_nothing() -> None:
    assert read_problem(400, b'{"code": "malformed"}', None, None).code == "malformed"
    assert read_problem(400, '{"code": "架空 花子"}'.encode(), None, None).code == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("0", 0.0),
        ("-5", None),
        ("soon", None),
        ("999999999999", 999999999999.0),
        ("Wed, 21 Oct 2026 07:28:40 GMT", 40.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
    ],
)
def test_retry_after_as_seconds_or_as_date_against_the_services_own_clock(
    value: str | None, seconds: float | None
) -> None:
    assert read_retry_after(value, "Wed, 21 Oct 2026 07:28:00 GMT") == seconds


def test_a_retry_after_date_without_the_services_clock_is_not_used() -> None:
    assert read_retry_after("Wed, 21 Oct 2026 07:28:40 GMT", None) is None


@pytest.mark.parametrize(
    "time",
    [
        "20270101085960",
        "20270101240000",
        "20261131120000",
        "２０２６１１３０１２００００",
        "2026",
        "x" * 5000,
    ],
)
def test_a_moment_that_no_calendar_has_is_no_time(time: str) -> None:
    read = read_answer(body(result=RESULT | {"ProcessingExecutionTime": time}), RECORD)
    assert isinstance(read, Answer)
    assert read.executed_at == ""


#: Points of small order on Curve25519 (RFC 7748, 6.1): whatever the private key, the secret is zero.
SMALL_ORDER = (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f")


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_a_key_that_nothing_can_be_sealed_to_is_left_out(public: bytes) -> None:
    bad = KEY | {"key_id": "bad", "public": base64.b64encode(public).decode()}
    read = read_keys(json.dumps({"service": "s", "keys": [bad, KEY]}).encode())
    assert isinstance(read, ServiceKeys)
    assert [key.key_id for key in read.keys] == [KEY["key_id"]]


def test_a_key_whose_time_is_over_by_the_services_own_date_is_left_out() -> None:
    old = KEY | {"key_id": "old", "not_after": "2026-11-29T00:00:00Z"}
    keys = [old, KEY | {"not_after": "2027-01-01T00:00:00Z"}]
    data = json.dumps({"service": "s", "keys": keys}).encode()
    here, unknown = read_keys(data, datetime(2026, 11, 30, tzinfo=UTC)), read_keys(data)
    assert isinstance(here, ServiceKeys)
    assert isinstance(unknown, ServiceKeys)
    assert [key.key_id for key in here.keys] == [KEY["key_id"]]
    assert len(unknown.keys) == 2


@pytest.mark.parametrize(("letters", "good"), [(128, True), (129, False), (0, False)])
def test_a_key_id_has_up_to_128_letters(letters: int, good: bool) -> None:
    read = read_keys(json.dumps({"service": "s", "keys": [KEY | {"key_id": "k" * letters}]}).encode())
    assert isinstance(read, ServiceKeys) == good


@pytest.mark.parametrize("instance", ["7", "null", '"\\u0000"', "[]", "{}"])
def test_a_spoiled_instance_leaves_the_code(instance: str) -> None:
    read = read_problem(410, f'{{"code": "challenge_used", "instance": {instance}}}'.encode(), None, None)
    assert read.code == "challenge_used"
    assert read.instance in ("", "\x00")


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 20 Nov 9999999999 12:00:00 +0000",
        "Mon, 20 Nov 2026 12:00:00 +99999999999999999999",
        "１２",
        "NaN",
        "-1",
    ],
)
def test_a_wait_that_no_clock_has_is_none(value: str) -> None:
    assert read_problem(503, b"{}", value, "Mon, 30 Nov 2026 12:00:00 GMT").retry_after_s is None
    assert read_problem(503, b"{}", "Mon, 30 Nov 2026 12:00:07 GMT", value).retry_after_s is None
