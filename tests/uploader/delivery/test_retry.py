"""The decision table, row by row."""

import pytest

from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
)
from kiosk.uploader.delivery.retry import (
    Accept,
    Decision,
    HoldBack,
    LineDown,
    Reject,
    RetryRules,
    SendLater,
    SendNow,
    backoff,
    decide,
    decide_line,
)
from kiosk.uploader.service.wire import Answer, FaultKind, RequestFault, ServiceProblem

RULES = RetryRules(base_s=2.0, cap_s=300.0)
ALMOST_ONE = 0.999
RECORD = "019a9f60-5d2c-7c3e-9b1f-3c1d2e4f5a6b"
WRONG_CONTENT = (FaultKind.CONTENT, FaultKind.TOO_LARGE, FaultKind.COMPRESSED)
OTHER = "019a9f60-5d2c-7c3e-9b1f-000000000000"


def high() -> float:
    return ALMOST_ONE


def answer(segment: SegmentOfResult = SegmentOfResult.NORMAL) -> Answer:
    codes = ResultCodes(segment, ProcessingResultStatus.NORMAL, QualificationValidity.VALID)
    return Answer("id", codes, "", None)


def delivered(
    reply: Answer | ServiceProblem | RequestFault, attempts: int = 1, awaited_s: float = 0.0
) -> Decision:
    return decide(reply, RECORD, attempts, RULES, high, asked_status=False, awaited_s=awaited_s)


def asked(reply: Answer | ServiceProblem | RequestFault) -> Decision:
    return decide(reply, RECORD, 1, RULES, high, asked_status=True)


def test_a_final_answer_is_accepted() -> None:
    assert delivered(answer()) == Accept(answer())
    assert asked(answer()) == Accept(answer())


def test_an_abnormal_end_is_an_answer_as_well() -> None:
    assert isinstance(delivered(answer(SegmentOfResult.ABNORMAL)), Accept)


AT_WORK = (
    answer(SegmentOfResult.IN_PROGRESS),
    ServiceProblem(409, "in_progress"),
    ServiceProblem(425, ""),
    ServiceProblem(202, ""),
)


@pytest.mark.parametrize("reply", AT_WORK)
def test_work_in_progress_is_asked_for_ever_more_seldom_once_nobody_waits(
    reply: Answer | ServiceProblem,
) -> None:
    waits = []
    for attempts in range(1, 60):
        decision = delivered(reply, attempts)
        assert isinstance(decision, SendLater)
        assert not decision.soon
        waits.append(decision.after_s)
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(ALMOST_ONE * 2)
    assert waits[-1] == pytest.approx(ALMOST_ONE * RULES.cap_s)


@pytest.mark.parametrize("reply", [ServiceProblem(409, "in_progress", 20.0), ServiceProblem(202, "", 20.0)])
def test_work_in_progress_is_not_asked_for_before_the_service_wishes(reply: ServiceProblem) -> None:
    impatient = delivered(reply, awaited_s=8)
    assert isinstance(impatient, SendLater)
    assert 20 <= impatient.after_s <= 20.5
    assert not impatient.soon, "the patient will have gone"
    patient = delivered(reply, awaited_s=60)
    assert isinstance(patient, SendLater)
    assert patient.soon


@pytest.mark.parametrize("reply", AT_WORK)
def test_work_in_progress_is_asked_for_again_soon_while_the_patient_waits(
    reply: Answer | ServiceProblem,
) -> None:
    decision = delivered(reply, awaited_s=8)
    assert isinstance(decision, SendLater)
    assert decision.soon
    assert decision.reached
    assert decision.after_s <= 0.5
    assert not decision.service_failing


def test_a_record_unknown_to_the_service_is_sent() -> None:
    assert asked(ServiceProblem(404, "unknown")) == SendNow()


def test_a_path_unknown_to_the_service_is_no_reason_to_give_a_record_up() -> None:
    assert isinstance(delivered(ServiceProblem(404, "not_found")), HoldBack)
    assert isinstance(asked(ServiceProblem(404, "not_found")), HoldBack)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "malformed"),
        (400, "unseal_failed"),
        (400, "bad_signature"),
        (400, "certificate_revoked"),
        (403, "visual_not_allowed"),
        (409, "other"),
        (410, "challenge_expired"),
        (410, "challenge_used"),
        (413, "too_large"),
        (415, "media_type"),
        (422, "payload_mismatch"),
    ],
)
def test_a_refusal_of_the_record_is_final(status: int, code: str) -> None:
    assert delivered(ServiceProblem(status, code, instance=RECORD)) == Reject(code)


@pytest.mark.parametrize("instance", ["", OTHER, RECORD.upper(), f"/v1/qualifications/{RECORD}"])
def test_a_refusal_that_does_not_name_the_record_buries_nothing(instance: str) -> None:
    decision = delivered(ServiceProblem(410, "challenge_expired", instance=instance))
    assert isinstance(decision, HoldBack)
    assert decision.code == "unnamed_refusal"
    assert "challenge_expired" in decision.reason


@pytest.mark.parametrize("status", [400, 409, 410, 413, 415, 422])
def test_a_refusal_without_a_code_is_not_the_services_and_gives_no_record_up(status: int) -> None:
    decision = delivered(ServiceProblem(status, ""))
    assert isinstance(decision, HoldBack)
    assert decision.code == f"http_{status}"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "revoked"),
        (403, "terminal_mismatch"),
        (403, ""),
        (404, ""),
        (405, ""),
        (301, ""),
        (204, ""),
        (418, ""),
    ],
)
def test_a_refusal_of_the_terminal_keeps_the_record(status: int, code: str) -> None:
    decision = delivered(ServiceProblem(status, code), attempts=20)
    assert isinstance(decision, HoldBack)
    assert decision.after_s == pytest.approx(ALMOST_ONE * 300)
    assert decision.reason


def test_an_unknown_key_keeps_the_record_and_says_so() -> None:
    decision = delivered(ServiceProblem(400, "key_unknown"))
    assert isinstance(decision, HoldBack)
    assert decision.code == "key_unknown"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_a_service_in_trouble_is_tried_again_with_back_off(status: int) -> None:
    decision = delivered(ServiceProblem(status, ""), attempts=3)
    assert isinstance(decision, SendLater)
    assert decision.after_s == pytest.approx(ALMOST_ONE * 8)
    assert not decision.soon
    assert decision.service_failing == (status >= 500)
    assert decision.reached == (status not in (429, 503))


def test_retry_after_is_honoured() -> None:
    decision = delivered(ServiceProblem(429, "", retry_after_s=40.0))
    assert isinstance(decision, SendLater)
    assert 40.0 <= decision.after_s <= 40.0 + RULES.base_s
    assert decision.quiet_s == 40.0


def test_retry_after_is_capped() -> None:
    decision = delivered(ServiceProblem(503, "", retry_after_s=1e9))
    assert isinstance(decision, SendLater)
    assert decision.quiet_s == 600.0
    assert decision.after_s <= 600.0 + RULES.base_s


@pytest.mark.parametrize("kind", [FaultKind.CONTENT, FaultKind.TOO_LARGE])
def test_nonsense_counts_against_the_service_and_waits(kind: FaultKind) -> None:
    decision = delivered(RequestFault(kind, reached=True), attempts=4)
    assert isinstance(decision, SendLater)
    assert decision.service_failing
    assert decision.reached
    assert decision.after_s == pytest.approx(ALMOST_ONE * 16)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind not in WRONG_CONTENT])
@pytest.mark.parametrize("reached", [True, False])
def test_no_reply_means_the_line_is_down(kind: FaultKind, reached: bool) -> None:
    decision = delivered(RequestFault(kind, reached))
    assert isinstance(decision, LineDown)
    assert decision.reached == reached
    assert (decision.after_s > 0) == reached, "what hung once is not repeated at every probe"


@pytest.mark.parametrize(
    ("reply", "down"),
    [
        (ServiceProblem(401, "revoked"), True),
        (ServiceProblem(404, ""), True),
        (RequestFault(FaultKind.CONTENT, reached=True), True),
        (RequestFault(FaultKind.CONNECT, reached=False), True),
        (ServiceProblem(503, ""), False),
        (ServiceProblem(429, ""), False),
        (ServiceProblem(409, "in_progress"), False),
    ],
)
def test_what_a_reply_without_record_says_of_the_line(
    reply: ServiceProblem | RequestFault, down: bool
) -> None:
    assert isinstance(decide_line(reply, RULES, high), LineDown if down else SendLater)


def test_back_off_doubles_up_to_the_cap_and_jitters_over_all_of_it() -> None:
    ceilings = [backoff(attempts, RULES, lambda: 1.0) for attempts in range(1, 12)]
    assert ceilings == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert backoff(5, RULES, lambda: 0.0) == 0.0
    assert backoff(10_000, RULES, lambda: 1.0) == 300
