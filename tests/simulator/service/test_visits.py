"""What the service does when all is well: every operation, every answer, and what it tells about a record."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from kiosk.qualification.consent import AS_REGISTERED, NO_CONSENT, ConsentItem, consent_to_all
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication
from tests.simulator.service.running import RunningService, Terminal, home, new_visit

NewTerminal = Callable[..., Terminal]
VISUAL = {"authentication": Authentication.VISUAL, "staff": "S0007"}


def time_text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_visit_is_answered_with_a_person_only_the_terminal_can_read(terminal: Terminal) -> None:
    visit = new_visit()
    answer = terminal.submit(visit).json()
    assert answer["result"]["QualificationValidity"] == "1"
    person = terminal.open_answer(answer)["ResultList"][0]
    assert person["Name"] not in str(answer)
    assert len(person["InsurerNumber"]) == 8
    assert terminal.status(visit).json() == answer


def test_an_elliptic_curve_token_is_as_good(new_terminal: NewTerminal) -> None:
    terminal = new_terminal(key="ec")
    visit = new_visit()
    assert terminal.submit(visit).status_code == 200
    told = terminal.service.control.transcript(visit)
    assert told is not None
    assert told["algorithm"] == "ecdsa-p384-sha384"


@pytest.mark.parametrize("validity", ["1", "2", "3", "4", "5", "6"])
def test_each_validity_is_answered_at_will(terminal: Terminal, validity: str) -> None:
    terminal.service.control.next_validity(validity)
    answer = terminal.submit(new_visit()).json()
    assert answer["result"]["QualificationValidity"] == validity
    if validity == "4":
        assert answer["answer"] is None
    else:
        assert len(terminal.open_answer(answer)["ResultList"]) == (2 if validity == "5" else 1)
    assert terminal.submit(new_visit()).json()["result"]["QualificationValidity"] == "1"


def test_next_goes_before_always(terminal: Terminal) -> None:
    terminal.service.control.always_validity("2")
    terminal.service.control.next_validity("6")
    seen = [terminal.submit(new_visit()).json()["result"]["QualificationValidity"] for _ in range(3)]
    assert seen == ["6", "2", "2"]


def test_a_repetition_does_not_use_up_the_next_answer(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None))
    first = terminal.post(visit, body).json()
    terminal.service.control.next_validity("3")
    assert terminal.post(visit, body).json() == first
    assert terminal.submit(new_visit()).json()["result"]["QualificationValidity"] == "3"


def test_an_answer_in_progress_comes_at_the_next_asking(terminal: Terminal) -> None:
    terminal.service.control.next_segment("2")
    visit = new_visit()
    first = terminal.submit(visit).json()
    assert (first["result"]["SegmentOfResult"], first["answer"]) == ("2", None)
    second = terminal.status(visit).json()
    assert second["result"]["QualificationValidity"] == "1"
    assert terminal.status(visit).json() == second
    assert terminal.service.control.effects(visit) == 1


def test_an_answer_may_stay_in_progress_for_good(terminal: Terminal) -> None:
    terminal.service.control.next_segment("2", settle_after=-1)
    visit = new_visit()
    terminal.submit(visit)
    segments = [terminal.status(visit).json()["result"]["SegmentOfResult"] for _ in range(4)]
    assert segments == ["2"] * 4


def test_failed_processing_names_nobody(terminal: Terminal) -> None:
    terminal.service.control.answer(segment="9", status="2", code="SIM0001", message="試験用")
    answer = terminal.submit(new_visit()).json()
    assert answer["result"]["ProcessingResultCode"] == "SIM0001"
    assert answer["result"]["ProcessingResultMessage"] == "試験用"
    assert "QualificationValidity" not in answer["result"]
    assert answer["answer"] is None


def test_the_same_visit_gets_the_same_challenge_until_it_is_used(terminal: Terminal) -> None:
    visit = new_visit()
    challenge = terminal.challenge(visit)
    assert terminal.challenge(visit) == challenge
    assert terminal.challenge(new_visit()) != challenge


def test_the_same_visit_of_another_terminal_gets_its_own_challenge(new_terminal: NewTerminal) -> None:
    visit = new_visit()
    assert new_terminal().challenge(visit) != new_terminal().challenge(visit)


def test_an_expired_challenge_is_replaced(terminal: Terminal) -> None:
    visit = new_visit()
    challenge = terminal.challenge(visit)
    assert terminal.service.control.expire_challenges() >= 1
    assert terminal.challenge(visit) != challenge


def test_a_record_without_challenge_is_accepted_and_marked(terminal: Terminal) -> None:
    visit = new_visit()
    assert terminal.post(visit, terminal.sealed(visit, terminal.transcript(visit, None))).status_code == 200
    told = terminal.service.control.transcript(visit)
    assert told is not None
    assert told["challenge"] is False


def test_a_record_that_waited_counts_if_it_was_signed_in_time(terminal: Terminal) -> None:
    visit = new_visit()
    transcript = terminal.transcript(visit, terminal.challenge(visit))
    terminal.service.control.expire_challenges()
    assert terminal.post(visit, terminal.sealed(visit, transcript)).status_code == 200


def test_a_record_signed_too_late_by_a_trusted_clock_is_refused(
    terminal: Terminal,
) -> None:
    visit = new_visit()
    later = time_text(datetime.now(UTC) + timedelta(hours=2))
    transcript = terminal.transcript(visit, terminal.challenge(visit), taken_at=later)
    terminal.service.control.expire_challenges()
    refused = terminal.post(visit, terminal.sealed(visit, transcript))
    assert (refused.status_code, refused.json()["code"]) == (410, "challenge_expired")


def test_a_record_that_waited_on_a_kiosk_without_a_clock_is_taken_and_marked_late(terminal: Terminal) -> None:
    visit = new_visit()
    in_1970 = "1970-01-01T00:05:00.000Z"
    transcript = terminal.transcript(visit, terminal.challenge(visit), taken_at=in_1970, clock_trusted=False)
    terminal.service.control.expire_challenges()
    assert terminal.post(visit, terminal.sealed(visit, transcript)).status_code == 200
    told = terminal.service.control.transcript(visit)
    assert told is not None
    assert told["late"] is True
    assert terminal.service.control.effects(visit) == 1


def test_without_a_clock_a_challenge_still_serves_one_visit_once(terminal: Terminal) -> None:
    first, second = new_visit(), new_visit()
    challenge = terminal.challenge(first)
    terminal.service.control.expire_challenges()
    for visit, code in ((second, "challenge_expired"), (first, None), (second, "challenge_used")):
        transcript = terminal.transcript(visit, challenge, clock_trusted=False)
        answer = terminal.post(visit, terminal.sealed(visit, transcript))
        assert answer.json().get("code") == code
    unknown = new_visit()
    transcript = terminal.transcript(unknown, bytes(32), clock_trusted=False)
    assert terminal.post(unknown, terminal.sealed(unknown, transcript)).status_code == 410


def test_refused_consent_reaches_the_service_as_none(terminal: Terminal) -> None:
    visit = new_visit()
    answer = terminal.submit(visit, **home(NO_CONSENT)).json()
    told = terminal.service.control.transcript(visit)
    assert told is not None
    assert told["consent"] == {"form": "none", "agreed": []}
    person = terminal.open_answer(answer)["ResultList"][0]
    assert {person[name] for name in person if name.endswith("ConsFlg")} == {"0"}


def test_as_registered_keeps_what_was_agreed_before(terminal: Terminal) -> None:
    terminal.submit(new_visit(), **home(NO_CONSENT.with_item(ConsentItem.MEDICINE, True)))
    answer = terminal.submit(new_visit(), **home(AS_REGISTERED)).json()
    person = terminal.open_answer(answer)["ResultList"][0]
    assert (person["PharmacistsInfoConsFlg"], person["DiagnosisInfoConsFlg"]) == ("1", "0")


def test_the_limited_mode_tells_no_consent_at_all(terminal: Terminal) -> None:
    terminal.submit(new_visit(), **home(consent_to_all(ConsentItem)))
    person = terminal.open_answer(terminal.submit(new_visit()).json())["ResultList"][0]
    assert not [name for name in person if "Cons" in name]


def test_a_visual_check_is_accepted_from_an_allowed_terminal(terminal: Terminal) -> None:
    terminal.service.control.allow_visual(terminal.name)
    visit = new_visit()
    assert terminal.submit(visit, **VISUAL).status_code == 200
    told = terminal.service.control.transcript(visit)
    assert told is not None
    assert (told["possession"], told["staff"], told["authentication"]) == ("unproven", "S0007", "visual")


def test_all_that_a_transcript_said_can_be_asked(terminal: Terminal) -> None:
    visit = new_visit()
    terminal.submit(visit, device=Device.IPHONE, authentication=Authentication.PHONE)
    told = terminal.service.control.transcript(visit)
    assert told is not None
    assert told | {"taken_at": ""} == {
        "visit": visit,
        "institution": terminal.institution,
        "terminal": terminal.name,
        "mode": "qualification_only",
        "device": "iphone",
        "authentication": "phone",
        "consent": {"form": "not_asked", "agreed": []},
        "taken_at": "",
        "clock_trusted": True,
        "challenge": True,
        "late": False,
        "staff": None,
        "possession": "proven",
        "algorithm": "rsa-pkcs1-sha256",
    }
    assert terminal.service.control.transcript(new_visit()) is None


def test_a_record_sealed_to_the_old_key_is_still_opened(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None))
    new = terminal.service.control.rotate_key()
    keys = terminal.keys()
    assert keys[0]["key_id"] == new
    assert body["key_id"] in {key["key_id"] for key in keys[1:]}
    assert len(base64.b64decode(keys[0]["public"])) == 32
    assert terminal.post(visit, body).status_code == 200
    assert terminal.sealed(visit, terminal.transcript(visit, None))["key_id"] == new


def test_requests_are_counted_per_record_and_operation(service: RunningService, terminal: Terminal) -> None:
    before, visit = service.control.requests(), new_visit()
    terminal.submit(visit)
    terminal.status(visit)
    assert service.control.requests(visit) == 2
    assert service.control.requests() == before + 4  # challenge, keys, qualification, status
    assert service.control.requests_by_operation()["qualification"] >= 1
