"""Every refusal of the main port: its status, its code, and that nothing took effect."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from cryptography import x509

from kiosk.qualification.consent import NO_CONSENT, ConsentItem, consent_to_all
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode, SignatureAlgorithm
from kiosk.simulator.tokens.jpki_token import Identity
from tests.simulator.service.running import Terminal, new_visit, sign

NewTerminal = Callable[..., Terminal]


def refused(terminal: Terminal, visit: str, response: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal that left no trace and names its record."""
    assert terminal.service.control.effects(visit) == 0
    assert response.json()["instance"] == visit
    return response.status_code, response.json()["code"]


def unchallenged(terminal: Terminal, visit: str, /, **changes: Any) -> requests.Response:
    return terminal.post(visit, terminal.sealed(visit, terminal.transcript(visit, None, **changes)))


def raw(terminal: Terminal, path: str, **options: Any) -> tuple[int, str]:
    response = terminal.call("POST", path, **options)
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize(
    "content", ["", "{", '"x"', "[]", "{}", '{"visit": 7}', '{"visit": "../etc"}', "[" * 50_000]
)
def test_a_malformed_challenge_request(terminal: Terminal, content: str) -> None:
    options = {"data": content, "headers": {"Content-Type": "application/json"}}
    assert raw(terminal, "/v1/challenges", **options) == (400, "malformed")


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"suite": "rot13"},
        {"sealed": "not base64!"},
        {"sealed": None},
        {"key_id": 7},
        {"extra": 1},
    ],
)
def test_a_malformed_qualification(terminal: Terminal, change: dict[str, Any]) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None)) | change
    options = {"json": body, "headers": {"Idempotency-Key": visit}}
    assert raw(terminal, "/v1/qualifications", **options) == (400, "malformed")


def test_an_idempotency_key_that_is_missing_or_no_uuid(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None))
    assert raw(terminal, "/v1/qualifications", json=body) == (400, "malformed")
    for key in ("", "1", visit.upper(), f'"{visit}"'):
        options = {"json": body, "headers": {"Idempotency-Key": key}}
        assert raw(terminal, "/v1/qualifications", **options) == (400, "malformed")


@pytest.mark.parametrize("record", ["1", "%ff", "%ed%a0%80", "x%00y", "a" * 3000])
def test_a_record_id_that_is_none_is_unknown(terminal: Terminal, record: str) -> None:
    assert terminal.status(record).json()["code"] == "unknown"


@pytest.mark.parametrize("path", ["/v1/challenges", "/v1/qualifications"])
def test_a_body_of_another_kind_or_size(terminal: Terminal, path: str) -> None:
    form = {"data": "visit=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    assert raw(terminal, path, **form) == (415, "media_type")
    large = {"data": b" " * 70_000, "headers": {"Content-Type": "application/json"}}
    assert raw(terminal, path, **large) == (413, "too_large")


def test_unknown_paths_and_methods_are_problems_too(terminal: Terminal) -> None:
    response = terminal.session.put(terminal.service.url + "/v1/keys", timeout=10)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    response = terminal.session.get(terminal.service.url + "/v2/keys", timeout=10)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    terminal.conformity.validate("Problem", response.json())


def test_a_plaintext_that_is_no_request(terminal: Terminal) -> None:
    visit = new_visit()
    for plain in (b"", b"hello", b"[]", b'{"v":1}', json.dumps({"transcript": "AAAA"}).encode()):
        assert refused(terminal, visit, terminal.post(visit, terminal.sealed_bytes(visit, plain))) == (
            400,
            "malformed",
        )


def test_a_certificate_or_response_key_that_is_none(terminal: Terminal) -> None:
    visit = new_visit()
    transcript = terminal.transcript(visit, None)
    odd_version = terminal.identity.certificate.replace(
        bytes.fromhex("a003020102"), bytes.fromhex("a00302014c"), 1
    )
    for change in (
        {"certificate": b"none"},
        {"certificate": odd_version},
        {"response_key": b"short"},
        {"response_key": bytes(32)},
        {"response_key_id": ""},
        {"response_key_id": 7},
    ):
        body = terminal.sealed(visit, transcript, **change)
        assert refused(terminal, visit, terminal.post(visit, body)) == (400, "malformed")


def test_a_transcript_that_is_not_canonical(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None), transcript=b"{}")
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "malformed")


@pytest.mark.parametrize(
    "change",
    [
        {"service": "another"},
        {"taken_at": "yesterday"},
        {"taken_at": "2026-11-22T10:00:00"},
        {"mode": Mode.HOME_CONSENT},
        {"consent": NO_CONSENT},
        {"staff": "S0007"},
        {"staff": 7},
        {"clock_trusted": "yes"},
        {"taken_at": 7},
        {"authentication": Authentication.VISUAL},
        {"authentication": Authentication.VISUAL, "staff": "S0007", "device": Device.ANDROID},
    ],
)
def test_a_transcript_that_makes_no_sense(terminal: Terminal, change: dict[str, Any]) -> None:
    visit = new_visit()
    assert refused(terminal, visit, unchallenged(terminal, visit, **change)) == (400, "malformed")


def test_a_header_of_another_visit(terminal: Terminal) -> None:
    visit, other = new_visit(), new_visit()
    body = terminal.sealed(other, terminal.transcript(visit, None))
    assert refused(terminal, other, terminal.post(other, body)) == (400, "malformed")


def test_a_blob_moved_to_another_record_does_not_open(terminal: Terminal) -> None:
    visit, other = new_visit(), new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None))
    assert refused(terminal, other, terminal.post(other, body)) == (400, "unseal_failed")


def test_a_blob_sent_by_another_terminal_does_not_open(new_terminal: NewTerminal) -> None:
    thief, victim, visit = new_terminal(), new_terminal(), new_visit()
    body = victim.sealed(visit, victim.transcript(visit, None))
    assert refused(thief, visit, thief.post(visit, body)) == (400, "unseal_failed")


@pytest.mark.parametrize("change", [{"terminal": "K999"}, {"institution": "0000000000"}])
def test_a_transcript_of_another_terminal(terminal: Terminal, change: dict[str, Any]) -> None:
    visit = new_visit()
    assert refused(terminal, visit, unchallenged(terminal, visit, **change)) == (403, "terminal_mismatch")


def test_a_record_answered_for_another_terminal_is_not_told(new_terminal: NewTerminal) -> None:
    owner, thief, visit = new_terminal(), new_terminal(), new_visit()
    body = owner.sealed(visit, owner.transcript(visit, None))
    assert owner.post(visit, body).status_code == 200
    assert thief.post(visit, body).json()["code"] == "terminal_mismatch"
    assert thief.status(visit).json()["code"] == "unknown"


def test_an_unknown_record_or_key(terminal: Terminal) -> None:
    response = terminal.status(new_visit())
    assert (response.status_code, response.json()["code"]) == (404, "unknown")
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None)) | {"key_id": "k0"}
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "key_unknown")


def test_a_dropped_key_opens_nothing_more(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None))
    terminal.service.control.rotate_key()
    terminal.service.control.drop_key(body["key_id"])
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "key_unknown")


def test_consent_altered_after_signing_is_detected(terminal: Terminal) -> None:
    visit = new_visit()
    signed = terminal.transcript(visit, None, mode=Mode.HOME_CONSENT, consent=NO_CONSENT)
    altered = replace(signed, consent=consent_to_all(ConsentItem))
    body = terminal.sealed(visit, signed, transcript=altered.encode())
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "bad_signature")


def test_a_signature_of_another_kind_than_the_key(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(
        visit, terminal.transcript(visit, None), algorithm=SignatureAlgorithm.ECDSA_P384_SHA384
    )
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "bad_signature")


def test_no_signature_without_a_visual_check(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None), signature=None, algorithm=None)
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "bad_signature")


def test_a_signature_by_another_token(new_terminal: NewTerminal) -> None:
    terminal, other, visit = new_terminal(key="ec"), new_terminal(), new_visit()
    transcript = terminal.transcript(visit, None)
    _, signature = sign(other.identity.key, transcript.encode())
    body = terminal.sealed(visit, transcript, signature=signature)
    assert refused(terminal, visit, terminal.post(visit, body)) == (400, "bad_signature")


def test_a_certificate_of_no_known_ca(terminal: Terminal, foreign_identity: Identity) -> None:
    terminal.identity = foreign_identity
    visit = new_visit()
    assert refused(terminal, visit, unchallenged(terminal, visit)) == (400, "certificate_untrusted")


def test_an_expired_certificate(new_terminal: NewTerminal) -> None:
    terminal, visit = new_terminal(expired=True), new_visit()
    assert refused(terminal, visit, unchallenged(terminal, visit)) == (400, "certificate_expired")


def test_a_revoked_certificate_refuses_the_record_only(new_terminal: NewTerminal) -> None:
    terminal, visit = new_terminal(key="ec"), new_visit()
    serial = x509.load_der_x509_certificate(terminal.identity.certificate).serial_number
    terminal.service.control.revoke_token(serial)
    try:
        assert refused(terminal, visit, unchallenged(terminal, visit)) == (400, "certificate_revoked")
    finally:
        terminal.service.control.restore_token(serial)
    assert unchallenged(terminal, visit).status_code == 200


def test_a_visual_check_from_a_terminal_that_may_not(terminal: Terminal) -> None:
    visit = new_visit()
    visual = {"authentication": Authentication.VISUAL, "staff": "S0007"}
    assert refused(terminal, visit, unchallenged(terminal, visit, **visual)) == (403, "visual_not_allowed")
    terminal.service.control.allow_visual(terminal.name)
    terminal.service.control.allow_visual(terminal.name, allowed=False)
    assert refused(terminal, visit, unchallenged(terminal, visit, **visual)) == (403, "visual_not_allowed")


def test_a_challenge_that_is_not_ours(new_terminal: NewTerminal) -> None:
    terminal, other, visit = new_terminal(), new_terminal(), new_visit()
    for challenge in (bytes(32), other.challenge(visit), terminal.challenge(new_visit())):
        body = terminal.sealed(visit, terminal.transcript(visit, challenge))
        assert refused(terminal, visit, terminal.post(visit, body)) == (410, "challenge_expired")


def test_a_challenge_serves_once(terminal: Terminal) -> None:
    first, second = new_visit(), new_visit()
    challenge = terminal.challenge(first)
    assert terminal.post(first, terminal.sealed(first, terminal.transcript(first, challenge))).ok
    body = terminal.sealed(second, terminal.transcript(second, challenge))
    assert refused(terminal, second, terminal.post(second, body)) == (410, "challenge_used")
    assert raw(terminal, "/v1/challenges", json={"visit": first}) == (410, "challenge_used")


def test_a_refused_request_leaves_its_challenge_unused(terminal: Terminal) -> None:
    visit = new_visit()
    challenge = terminal.challenge(visit)
    bad = terminal.sealed(visit, terminal.transcript(visit, challenge), signature=b"x" * 256)
    assert refused(terminal, visit, terminal.post(visit, bad)) == (400, "bad_signature")
    assert terminal.post(visit, terminal.sealed(visit, terminal.transcript(visit, challenge))).ok


def test_a_revoked_terminal_is_refused_everywhere(terminal: Terminal) -> None:
    visit = new_visit()
    body = terminal.sealed(visit, terminal.transcript(visit, None))
    terminal.service.control.revoke(terminal.institution, terminal.name)
    answers = [
        terminal.post(visit, body),
        terminal.status(visit),
        terminal.call("GET", "/v1/keys"),
        terminal.call("POST", "/v1/challenges", json={"visit": visit}),
    ]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(401, "revoked")}
    terminal.service.control.restore(terminal.institution, terminal.name)
    assert terminal.post(visit, body).ok


@pytest.mark.parametrize("part", ["plaintext", "certificate"])
def test_garbled_requests_are_always_answered_as_documented(terminal: Terminal, part: str) -> None:
    chance = random.Random(7)
    key = terminal.keys()[0]
    for _ in range(150):
        visit = new_visit()
        request = terminal.request(terminal.transcript(visit, None))
        if part == "certificate":
            request = replace(request, certificate=garbled(request.certificate, chance))
            plain = request.encode()
        else:
            plain = garbled(request.encode(), chance)
        assert terminal.post(visit, terminal.sealed_bytes(visit, plain, key)).status_code in (200, 400, 403)


def garbled(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, anywhere."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
