"""What the service answers: result codes, and invented persons sealed to the terminal's response key.

Field names and values are those of the public interface (外部インターフェイス仕様書 別紙3-1, 別紙5-1).
Every person here is invented and named so; numbers that real insurers or persons bear are avoided.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import assert_never

from kiosk.qualification.codes import ProcessingResultStatus, QualificationValidity, SegmentOfResult
from kiosk.qualification.consent import ConsentForm, ConsentItem
from kiosk.qualification.request import QualificationRequest
from kiosk.qualification.sealing import Purpose, SealingInfo, SealingKey, SuiteName, seal
from kiosk.qualification.transcript import Transcript

JST = timezone(timedelta(hours=9))

CONSENT_FLAGS = {
    ConsentItem.DIAGNOSIS: "DiagnosisInfo",
    ConsentItem.MEDICINE: "PharmacistsInfo",
    ConsentItem.CHECKUP: "SpecificHealthCheckupsInfo",
    ConsentItem.OPERATION: "OperationInfo",
}


@dataclass(frozen=True)
class AnswerPlan:
    """What the next qualification is to be answered; the default is a valid one."""

    segment: SegmentOfResult = SegmentOfResult.NORMAL
    status: ProcessingResultStatus = ProcessingResultStatus.NORMAL
    validity: QualificationValidity = QualificationValidity.VALID
    code: str | None = None
    message: str | None = None
    settle_after: int = 1  #: segment IN_PROGRESS: further askings until the answer is told; -1: never


@dataclass(frozen=True)
class Person:
    """An invented insured person."""

    name: str
    kana: str
    birthdate: str
    sex: str
    insurer: str
    insurer_name: str
    symbol: str
    number: str
    branch: str


PERSONS = (
    Person("試験 太郎", "ｼｹﾝ ﾀﾛｳ", "19570103", "1", "99999901", "試験健康保険組合", "試験", "1000001", "00"),
    Person("試験 花子", "ｼｹﾝ ﾊﾅｺ", "19880229", "2", "99999901", "試験健康保険組合", "試験", "1000001", "01"),
    Person("架空 一郎", "ｶｸｳ ｲﾁﾛｳ", "20190415", "1", "999902", "架空市国民健康保険", "架", "2000002", "02"),
    Person(
        "模擬 さくら", "ﾓｷﾞ ｻｸﾗ", "19471231", "2", "99999903", "模擬後期高齢者医療広域連合", "", "30000003", ""
    ),
)


def result_codes(plan: AnswerPlan, now: float) -> dict[str, str]:
    """The part of the answer that names nobody; `now` in seconds since 1970."""
    codes = {
        "SegmentOfResult": plan.segment.value,
        "ProcessingResultStatus": plan.status.value,
        "ProcessingExecutionTime": datetime.fromtimestamp(now, JST).strftime("%Y%m%d%H%M%S"),
    }
    if _is_normal(plan):
        codes["QualificationValidity"] = plan.validity.value
    if plan.code is not None:
        codes["ProcessingResultCode"] = plan.code
    if plan.message is not None:
        codes["ProcessingResultMessage"] = plan.message
    return codes


def names_somebody(plan: AnswerPlan) -> bool:
    """Whether the answer comes with person data."""
    return _is_normal(plan) and plan.validity is not QualificationValidity.NOT_FOUND


def _is_normal(plan: AnswerPlan) -> bool:
    return plan.segment is SegmentOfResult.NORMAL and plan.status is ProcessingResultStatus.NORMAL


def sealed_answer(
    plan: AnswerPlan,
    request: QualificationRequest,
    transcript: Transcript,
    suite: SuiteName,
    agreed: list[str],
    now: float,
) -> dict[str, str]:
    """Person data for the terminal's eyes only: sealed to the response key of the request."""
    label = SealingInfo(
        purpose=Purpose.ANSWER,
        record=transcript.visit,
        terminal=transcript.terminal,
        institution=transcript.institution,
        key_id=request.response_key_id,
        suite=suite,
    )
    plaintext = json.dumps(
        {
            "v": 1,
            "id": transcript.visit,
            "ResultList": _results(plan.validity, request, transcript, agreed, now),
        },
        ensure_ascii=False,
    ).encode()
    key = SealingKey(request.response_key_id, suite, request.response_key)
    return {
        "suite": suite.value,
        "key_id": request.response_key_id,
        "sealed": base64.b64encode(seal(plaintext, key, label)).decode(),
    }


def _results(
    validity: QualificationValidity,
    request: QualificationRequest,
    transcript: Transcript,
    agreed: list[str],
    now: float,
) -> list[dict[str, str]]:
    person = PERSONS[hashlib.sha256(request.certificate).digest()[0] % len(PERSONS)]
    first = _result(person) | _consent_flags(transcript, agreed, now)
    match validity:
        case QualificationValidity.VALID:
            return [first]
        case QualificationValidity.INVALID:
            return [first | {"DisqualificationDate": "20250331", "ReasonOfLoss": "99"}]
        case QualificationValidity.INVALID_NEW_EXISTS:
            return [first | {"DisqualificationDate": "20250331", "ReasonOfLoss": "03"}]
        case QualificationValidity.SEVERAL:
            return [first, first | {"InsurerNumber": "99999904", "InsurerName": "試験第二健康保険組合"}]
        case QualificationValidity.VALID_NOT_REGISTERED:
            return [first | {"InsuredCardClassification": "A1", "InsurerName": "試験福祉事務所"}]
        case QualificationValidity.NOT_FOUND:
            return []
        case _:
            assert_never(validity)


def _result(person: Person) -> dict[str, str]:
    """ResultOfQualificationConfirmation; InsurerNumber is padded with spaces on the left, never zeros."""
    return {
        "InsuredCardClassification": "01",
        "InsurerNumber": person.insurer.rjust(8),
        "InsuredCardSymbol": person.symbol,
        "InsuredIdentificationNumber": person.number,
        "InsuredBranchNumber": person.branch,
        "PersonalFamilyClassification": "1" if person.branch in ("", "00") else "2",
        "Name": person.name,
        "NameKana": person.kana,
        "Sex1": person.sex,
        "Birthdate": person.birthdate,
        "QualificationDate": "20240401",
        "InsurerName": person.insurer_name,
    }


def _consent_flags(transcript: Transcript, agreed: list[str], now: float) -> dict[str, str]:
    """OQSCD016 per item: 0 同意なし, 1 同意あり. Where nothing was asked nothing is told."""
    if transcript.consent.form is ConsentForm.NOT_ASKED:
        return {}
    time = datetime.fromtimestamp(now, JST).strftime("%Y%m%d%H%M%S")
    flags: dict[str, str] = {}
    for item, name in CONSENT_FLAGS.items():
        flags[f"{name}ConsFlg"] = "1" if item.value in agreed else "0"
        if item.value in agreed:
            flags[f"{name}ConsTime"] = time
    return flags
