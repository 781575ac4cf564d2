"""Files as bytes: encodings, told and real; hostile and broken files."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import crowd, result
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import MAX_BYTES, DocumentRefused, Read, Reason, read, write
from kiosk.uploader.oqs.messages import Body, FileHeader, Unit, XmlMsg
from tests.uploader.oqs.samples import answer, as_file, must_read

UTF_8, SHIFT_JIS = CharacterCode.UTF_8, CharacterCode.SHIFT_JIS
NAME = "<MessageBody><ResultList><ResultOfQualificationConfirmation><Name>{}</Name>"
NAME += "</ResultOfQualificationConfirmation></ResultList></MessageBody>"
HEADER = "<MessageHeader><CharacterCodeIdentifier>{}</CharacterCodeIdentifier></MessageHeader>"


def name_in(message: XmlMsg) -> str | None:
    return message.body.ResultList[0].Name


@pytest.mark.parametrize(
    ("codec", "declared", "identifier", "code", "as_named"),
    [
        ("utf-8", "UTF-8", "0", UTF_8, True),
        ("cp932", "Shift_JIS", "1", SHIFT_JIS, True),
        ("cp932", "windows-31j", "1", SHIFT_JIS, True),
        ("cp932", "UTF-8", "0", SHIFT_JIS, False),  # told wrongly
        ("utf-8", "Shift_JIS", "1", UTF_8, False),
        ("cp932", "UTF-8", "1", SHIFT_JIS, False),  # the two disagree
        ("utf-8", "Shift_JIS", "0", UTF_8, False),
        ("utf-8-sig", "UTF-8", "0", UTF_8, True),
        ("cp932", "Shift_JIS", "7", SHIFT_JIS, True),  # an unknown identifier says nothing
        ("utf-8", "EUC-JP", "0", UTF_8, True),
    ],
)
def test_the_bytes_decide_and_a_wrong_statement_is_told(
    codec: str, declared: str, identifier: str, code: CharacterCode, as_named: bool
) -> None:
    got = must_read(as_file(HEADER.format(identifier) + NAME.format("髙橋　試験①"), codec, declared))
    assert name_in(got.message) == "髙橋　試験①"
    assert (got.code, got.as_named) == (code, as_named)
    assert got.message.header.CharacterCodeIdentifier == identifier


@pytest.mark.parametrize("code", CharacterCode)
def test_a_file_is_written_in_the_encoding_that_it_names(code: CharacterCode) -> None:
    message = answer(result(PERSONS[0]))
    data = write(message, code)
    codec = {"0": "utf-8", "1": "cp932"}[code.value]
    assert "試験 太郎".encode(codec) in data
    assert b'standalone="no"?>' in data.splitlines()[0]
    assert must_read(data).message == message


def test_what_shift_jis_lacks_is_written_as_a_reference_and_read_back() -> None:
    message = answer(result(replace(PERSONS[0], name="𠮷野 试")))
    data = write(message, SHIFT_JIS)
    assert b"&#134071;" in data
    assert must_read(data).message == message


def test_control_characters_are_no_text_of_a_file() -> None:
    with pytest.raises(ValueError, match="XML compatible"):
        write(answer(result(replace(PERSONS[0], name="試験\x00"))), UTF_8)


@pytest.mark.parametrize(
    "data", [b"\x81 no kanji \x81\xff", "<XmlMsg/>".encode("utf-16"), "<XmlMsg/>".encode("utf-16-be")]
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    assert read(data) == DocumentRefused(Reason.ENCODING)


HOSTILE = {
    "billion laughs": (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><XmlMsg>&b;</XmlMsg>',
        Reason.HOSTILE,
    ),
    "external entity": (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><XmlMsg>&e;</XmlMsg>',
        Reason.HOSTILE,
    ),
    "external subset": (b'<!DOCTYPE XmlMsg SYSTEM "http://127.0.0.1:1/x.dtd"><XmlMsg/>', Reason.HOSTILE),
    "unknown entity": (b"<XmlMsg><MessageHeader>&passwd;</MessageHeader></XmlMsg>", Reason.NOT_XML),
    "deep": (b"<XmlMsg>" + b"<a>" * 17 + b"</a>" * 17 + b"</XmlMsg>", Reason.TOO_DEEP),
    "very deep": (b"<XmlMsg>" + b"<a>" * 100_000, Reason.TOO_DEEP),
    "wide": (b"<XmlMsg>" + b"<a/>" * 20_001 + b"</XmlMsg>", Reason.TOO_MANY),
    "large": (b"<XmlMsg>" + b" " * MAX_BYTES + b"</XmlMsg>", Reason.TOO_LARGE),
    "one endless unit": (
        b"<XmlMsg><MessageBody><BulkConfirmUnit>" + b"<a/>" * 20_001,
        Reason.TOO_MANY,
    ),
    "other root": (b"<html><body/></html>", Reason.NOT_A_MESSAGE),
    "half": (b"<XmlMsg><MessageHeader><SegmentOfResult>1</Segm", Reason.NOT_XML),
    "empty": (b"", Reason.NOT_XML),
    "two roots": (b"<XmlMsg/><XmlMsg/>", Reason.NOT_XML),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_broken_file_is_refused_by_its_reason(name: str) -> None:
    data, reason = HOSTILE[name]
    units: list[Unit] = []
    assert read(data, units.append) == DocumentRefused(reason)


def test_every_beginning_of_a_file_is_refused_and_nothing_worse() -> None:
    data = write(answer(result(PERSONS[0])), SHIFT_JIS).rstrip()
    for length in range(len(data)):
        got = read(data[:length])
        assert isinstance(got, DocumentRefused), length
        assert got.reason in (Reason.NOT_XML, Reason.ENCODING)


@settings(max_examples=150)
@given(
    code=st.sampled_from(CharacterCode),
    cuts=st.lists(
        st.tuples(st.integers(0, 4000), st.binary(max_size=6), st.integers(0, 6)), min_size=1, max_size=5
    ),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_worse(
    code: CharacterCode, cuts: list[tuple[int, bytes, int]]
) -> None:
    data = write(answer(result(PERSONS[0])), code)
    for at, put_in, taken_out in cuts:
        data = data[: at % len(data)] + put_in + data[at % len(data) + taken_out :]
    got = read(data, lambda _unit: None)
    if isinstance(got, Read):
        assert got.message.shown() is not None
        assert read(write(got.message, code)) != DocumentRefused(Reason.NOT_XML)


def test_comments_and_processing_instructions_are_passed_over() -> None:
    got = must_read(as_file("<!-- x --><MessageHeader><?y z?><ErrorCode>E1</ErrorCode></MessageHeader>"))
    assert got.message.header == FileHeader(ErrorCode="E1")


def bulk(count: int) -> tuple[list[Unit], bytes]:
    units = crowd(count)
    header = FileHeader(SegmentOfResult="1", ReceptionNumber="R1", CharacterCodeIdentifier="1")
    return units, write(
        XmlMsg(MessageHeader=header, MessageBody=Body(BulkConfirmUnit=tuple(units))), SHIFT_JIS
    )


def test_the_units_of_a_bulk_answer_come_one_by_one_and_are_not_held() -> None:
    units, data = bulk(300)
    came: list[Unit] = []
    got = read(data, came.append)
    assert isinstance(got, Read)
    assert came == units
    assert got.message.body.BulkConfirmUnit == ()
    assert got.message.header.ReceptionNumber == "R1"
    whole = must_read(data)
    assert whole.message.body.BulkConfirmUnit == tuple(units)


def test_a_long_bulk_answer_takes_little_memory() -> None:
    _, data = bulk(2_000)
    count = 0

    def one(unit: Unit) -> None:
        nonlocal count
        count += 1

    tracemalloc.start()
    try:
        assert isinstance(read(data, one), Read)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"{len(data):,} bytes of file, {peak:,} bytes of memory at most")
    assert count == 2_000
    assert peak < 2_000_000
