"""Exactly once in effect, whatever is lost, doubled, delayed or garbled on the way."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from kiosk.simulator.service.service_control import ControlError
from tests.simulator.service.running import (
    RunningService,
    Terminal,
    client_context,
    new_visit,
    pinned_session,
)

NewTerminal = Callable[..., Terminal]


def prepared(terminal: Terminal) -> tuple[str, dict[str, Any]]:
    visit = new_visit()
    return visit, terminal.sealed(visit, terminal.transcript(visit, terminal.challenge(visit)))


def post_alone(terminal: Terminal, visit: str, body: dict[str, Any]) -> requests.Response:
    """Post over a connection of its own, so that several can be under way at once."""
    with pinned_session(client_context(terminal.service.files.ca, terminal.client)) as session:
        url = f"{terminal.service.url}/v1/qualifications"
        return session.post(url, json=body, headers={"Idempotency-Key": visit}, timeout=10)


def test_a_repetition_is_answered_alike_and_has_one_effect(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    answers = [terminal.post(visit, body).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert terminal.service.control.effects(visit) == 1
    assert terminal.service.control.requests(visit) == 3


def test_white_space_in_a_repetition_does_not_count(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    first = terminal.post(visit, body).json()
    text = ",\n  ".join(f'"{key}": {value!r}' for key, value in reversed(body.items())).replace("'", '"')
    headers = {"Idempotency-Key": visit, "Content-Type": "application/json"}
    again = terminal.call("POST", "/v1/qualifications", data="{\n" + text + "}", headers=headers)
    assert again.json() == first


def test_the_same_id_with_another_body_is_refused(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    first = terminal.post(visit, body).json()
    other = terminal.sealed(visit, terminal.transcript(visit, None))
    refused = terminal.post(visit, other)
    assert (refused.status_code, refused.json()["code"]) == (422, "payload_mismatch")
    assert terminal.status(visit).json() == first


def test_many_identical_posts_at_once_have_one_effect(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    barrier = threading.Barrier(8)

    def post() -> requests.Response:
        barrier.wait()
        return post_alone(terminal, visit, body)

    with ThreadPoolExecutor(8) as pool:
        answers = [future.result() for future in [pool.submit(post) for _ in range(8)]]
    for answer in answers:
        terminal.conformity.check("POST", "/v1/qualifications", answer)
    done = [answer.json() for answer in answers if answer.status_code == 200]
    assert done
    assert all(each == done[0] for each in done)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert terminal.service.control.effects(visit) == 1


def test_a_post_that_comes_while_the_first_is_worked_on(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    other = terminal.sealed(visit, terminal.transcript(visit, None))
    terminal.service.control.delay(1.0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post_alone, terminal, visit, body)
        until(lambda: terminal.service.control.requests(visit) == 1)
        refused = terminal.post(visit, body)
        assert (refused.status_code, refused.json()["code"]) == (409, "in_progress")
        assert terminal.post(visit, other).json()["code"] == "payload_mismatch"
        assert terminal.status(visit).json()["code"] == "unknown"
        assert first.result().status_code == 200
    assert terminal.post(visit, body).json() == first.result().json()
    assert terminal.service.control.effects(visit) == 1


def test_a_terminal_that_hangs_up_early_has_its_effect_all_the_same(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.delay(0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        terminal.session.post(
            f"{terminal.service.url}/v1/qualifications",
            json=body,
            headers={"Idempotency-Key": visit},
            timeout=0.2,
        )
    until(lambda: terminal.service.control.effects(visit) == 1)
    assert terminal.status(visit).status_code == 200


@pytest.mark.parametrize("after_bytes", [None, 0, 10, 300])
def test_an_answer_lost_after_the_commit_is_found_by_the_status_query(
    terminal: Terminal, after_bytes: int | None
) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.lose_answer(after_bytes=after_bytes)
    with pytest.raises(requests.exceptions.RequestException):
        terminal.post(visit, body)
    answer = terminal.status(visit).json()
    assert answer["result"]["QualificationValidity"] == "1"
    assert terminal.post(visit, body).json() == answer
    assert terminal.service.control.effects(visit) == 1


def collect(answer: requests.Response, into: list[bytes]) -> None:
    """Read byte by byte, keeping what came before the connection broke."""
    for piece in answer.iter_content(1):
        into.append(piece)


def test_as_many_bytes_arrive_as_were_asked_for(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.lose_answer(after_bytes=100)
    url = f"{terminal.service.url}/v1/qualifications"
    answer = terminal.session.post(
        url, json=body, headers={"Idempotency-Key": visit}, timeout=10, stream=True
    )
    assert answer.status_code == 200
    got: list[bytes] = []
    with pytest.raises(requests.exceptions.RequestException):
        collect(answer, got)
    assert len(got) == 100
    assert int(answer.headers["Content-Length"]) > 100


def test_a_lost_request_has_no_effect(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.lose_request(times=2)
    for _ in range(2):
        with pytest.raises(requests.exceptions.RequestException):
            terminal.post(visit, body)
    assert terminal.service.control.effects(visit) == 0
    assert terminal.post(visit, body).status_code == 200
    assert terminal.service.control.requests(visit) == 3


def test_requests_and_answers_lost_by_chance_never_double_an_effect(terminal: Terminal) -> None:
    terminal.service.control.lose_request(times=None, chance=0.3)
    terminal.service.control.lose_answer(times=None, chance=0.3)
    lost = 0
    for _ in range(20):
        visit, body = prepared(terminal)
        answered = False
        while not answered:
            try:
                answered = terminal.post(visit, body).ok
            except requests.exceptions.RequestException:
                lost += 1
        assert terminal.service.control.effects(visit) == 1
    assert lost > 0


@pytest.mark.parametrize(
    ("status", "code", "retry_after"),
    [
        (429, "too_many_requests", 7),
        (500, "internal", None),
        (503, "unavailable", 30),
        (503, "unavailable", None),
    ],
)
@pytest.mark.parametrize("operation", ["challenge", "qualification", "status", "keys"])
def test_a_passing_refusal_says_when_to_come_back(
    terminal: Terminal, operation: str, status: int, code: str, retry_after: int | None
) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.refuse(status, retry_after=retry_after, operation=operation)
    calls: dict[str, Callable[[], requests.Response]] = {
        "challenge": lambda: terminal.call("POST", "/v1/challenges", json={"visit": visit}),
        "qualification": lambda: terminal.post(visit, body),
        "status": lambda: terminal.status(visit),
        "keys": lambda: terminal.call("GET", "/v1/keys"),
    }
    refused = calls[operation]()
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert terminal.post(visit, body).status_code == 200


def test_a_refusal_may_carry_any_documented_code(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.refuse(409, code="in_progress")
    assert terminal.post(visit, body).json()["code"] == "in_progress"
    with pytest.raises(ControlError, match="no problem code"):
        terminal.service.control.refuse(400, code="nonsuch")


@pytest.mark.parametrize("kind", ["html", "truncated", "schema", "oversized", "empty"])
def test_nonsense_comes_with_status_200_after_the_commit(terminal: Terminal, kind: str) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.nonsense(kind)
    url = f"{terminal.service.url}/v1/qualifications"
    answer = terminal.session.post(url, json=body, headers={"Idempotency-Key": visit}, timeout=10)
    assert answer.status_code == 200
    match kind:
        case "html":
            assert answer.headers["Content-Type"].startswith("text/html")
        case "oversized":
            assert len(answer.content) > 2_000_000
        case "schema":
            assert answer.json()["v"] == 99
        case _:
            with pytest.raises(requests.exceptions.JSONDecodeError):
                answer.json()
    assert terminal.status(visit).json()["result"]["QualificationValidity"] == "1"
    assert terminal.service.control.effects(visit) == 1


def test_a_late_answer_is_committed_before_it_leaves(terminal: Terminal) -> None:
    visit, body = prepared(terminal)
    terminal.service.control.delay(1.0, after_commit=True)
    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        first = pool.submit(post_alone, terminal, visit, body)
        until(lambda: terminal.service.control.effects(visit) == 1)
        assert terminal.status(visit).status_code == 200
        assert first.result().status_code == 200
        assert time.monotonic() - begun >= 1.0


def test_the_service_goes_down_and_comes_back_on_its_port(
    service: RunningService, terminal: Terminal
) -> None:
    visit, body = prepared(terminal)
    service.control.close()
    with pytest.raises(requests.exceptions.ConnectionError):
        terminal.post(visit, body)
    assert service.control.requests(visit) == 0
    service.control.close()
    service.control.open()
    service.control.open()
    assert terminal.post(visit, body).status_code == 200


def test_what_is_armed_can_be_seen_and_cleared(terminal: Terminal) -> None:
    control = terminal.service.control
    control.lose_answer()
    control.delay(9, operation="any")
    assert len(control.armed()) == 2
    control.clear()
    assert control.armed() == []


def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    """Wait for something that another thread or process brings about."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
