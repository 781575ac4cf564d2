"""What an answer to a request means; requests say what they must and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from kiosk.uploader.oqs.exchange import (
    AskAgain,
    Foreign,
    LookUp,
    LookUpKind,
    LookUpStage,
    Results,
    answer_name,
    heard,
    request_name,
    request_of,
)
from kiosk.uploader.oqs.messages import Body, FileHeader, XmlMsg

CODE = "1312345670"
ASKED = LookUp(
    1, LookUpKind.ONLINE, "20261124", "20261125", "abc", stage=LookUpStage.SENT, request="OQSmuonq01req_1.xml"
)
FETCHED = replace(ASKED, reception="R-77", request="OQSmuonq02req_2.xml", asks=1)


USUAL = FileHeader(MedicalInstitutionCode=CODE, ArbitraryFileIdentifier="abc", SegmentOfResult="1")


def answer(body: Body | None = None, **header: Any) -> XmlMsg:
    return XmlMsg(MessageHeader=replace(USUAL, **header), MessageBody=body)


def test_the_names_of_files() -> None:
    assert request_name(ASKED, "20261125091500123") == "OQSmuonq01req_20261125091500123.xml"
    assert request_name(FETCHED, "2") == "OQSmuonq02req_2.xml"
    assert request_name(replace(ASKED, kind=LookUpKind.HOME), "2") == "OQSmuhvq01req_2.xml"
    assert request_name(replace(FETCHED, kind=LookUpKind.HOME), "2") == "OQSmuhvq02req_2.xml"
    assert answer_name("OQSmuhvq02req_2.xml") == "OQSmuhvq02res_2.xml"


@pytest.mark.parametrize(("kind", "flag"), [(LookUpKind.ONLINE, "3"), (LookUpKind.HOME, "2")])
def test_a_request_asks_for_days_and_the_next_for_the_reception(kind: LookUpKind, flag: str) -> None:
    first = request_of(replace(ASKED, kind=kind), CODE)
    assert dict(first.shown()) == {
        "ヘッダー 医療機関コード": CODE,
        "ヘッダー 任意のファイル識別子": "abc",
        "ボディ 照会用情報 同意年月日（自）": "20261124",
        "ボディ 照会用情報 同意年月日（至）": "20261125",
        "ボディ 照会用情報 診療区分": f"{flag} {'オンライン診療等' if flag == '3' else '訪問診療等'}",
    }
    second = request_of(replace(FETCHED, kind=kind), CODE)
    assert dict(second.shown()) == {"ヘッダー 医療機関コード": CODE, "ボディ 受付番号": "R-77"}


@pytest.mark.parametrize(
    ("state", "header"),
    [
        (ASKED, {"MedicalInstitutionCode": "1312345671"}),
        (ASKED, {"ArbitraryFileIdentifier": "another"}),
        (FETCHED, {"ReceptionNumber": "R-78"}),
        (FETCHED, {"MedicalInstitutionCode": ""}),
    ],
)
def test_an_answer_that_is_not_ours_is_left_alone(state: LookUp, header: dict[str, str]) -> None:
    told = XmlMsg(MessageHeader=replace(USUAL, **header))  # type: ignore[arg-type]  # texts all
    assert isinstance(heard(state, told, CODE, 3), Foreign)


@pytest.mark.parametrize(
    "told",
    [
        answer(ReceptionNumber="R-77"),
        answer(Body(ReceptionNumber="R-77")),
        answer(SegmentOfResult="2", ReceptionNumber="R-77"),
    ],
)
def test_with_the_reception_number_the_result_is_asked_for(told: XmlMsg) -> None:
    got = heard(ASKED, told, CODE, 3)
    assert got == AskAgain(replace(ASKED, stage=LookUpStage.READY, reception="R-77"))


@pytest.mark.parametrize("number", ["", "../../etc", "R 7", "あ", "7" * 65])
def test_a_reception_number_that_is_none_is_not_used(number: str) -> None:
    got = heard(ASKED, answer(ReceptionNumber=number), CODE, 3)
    assert isinstance(got, AskAgain)
    assert (got.state.stage, got.state.reason) == (LookUpStage.FAILED, "the terminal gave no ReceptionNumber")


def test_while_it_is_at_work_the_same_number_is_asked_for_again_and_not_for_ever() -> None:
    at_work = answer(SegmentOfResult="2", ReceptionNumber="R-77")
    assert heard(FETCHED, at_work, CODE, 3) == AskAgain(replace(FETCHED, stage=LookUpStage.READY), wait=True)
    got = heard(replace(FETCHED, asks=3), at_work, CODE, 3)
    assert isinstance(got, AskAgain)
    assert got.state.stage is LookUpStage.FAILED
    assert got.state.reception == "R-77"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            answer(SegmentOfResult="9", ErrorCode="E0042", ErrorMessage="試験 太郎"),
            "the terminal ended it with an error E0042",
        ),
        (answer(SegmentOfResult="9", ErrorCode="試験 太郎"), "the terminal ended it with an error"),
        (answer(SegmentOfResult="3"), "the terminal ended it with an error"),
        (
            answer(Body(ProcessingResultStatus="2", ProcessingResultCode="X1")),
            "the terminal ended it with an error X1",
        ),
    ],
)
@pytest.mark.parametrize("state", [ASKED, FETCHED])
def test_an_error_ends_it_and_only_its_code_is_kept(state: LookUp, told: XmlMsg, reason: str) -> None:
    assert heard(state, told, CODE, 3) == AskAgain(replace(state, stage=LookUpStage.FAILED, reason=reason))


def test_a_normal_end_of_02_is_the_result() -> None:
    assert heard(FETCHED, answer(ReceptionNumber="R-77"), CODE, 3) == Results()
    assert heard(FETCHED, answer(ArbitraryFileIdentifier=""), CODE, 3) == Results()
