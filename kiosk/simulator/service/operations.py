"""What each operation of the service does, in plain values. HTTP lies around it, the store beneath.

Everything runs in one thread; an operation is one transaction, so it happens wholly or not at all.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.qualification.codes import SegmentOfResult
from kiosk.qualification.consent import ConsentForm
from kiosk.qualification.sealing import SuiteName
from kiosk.simulator.service.invented_answers import AnswerPlan, names_somebody, result_codes, sealed_answer
from kiosk.simulator.service.judging import (
    CHALLENGE_LIFE_S,
    Opened,
    check_challenge,
    check_sender,
    check_sense,
    check_token,
    is_late,
    open_request,
)
from kiosk.simulator.service.problems import ProblemCode, Refusal
from kiosk.simulator.service.store import ClientTerminal, ServiceKey, Store, StoredChallenge, StoredRecord
from kiosk.simulator.service.token_trust import TokenTrust

SUITE = SuiteName.X25519_SHA256_CHACHA20POLY1305
KEY_DAYS = 90
PURGE_EVERY_S = 3600.0
UUID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Completed:
    """An operation that went well: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Submission:
    """A body of POST /v1/qualifications, not opened yet. `body_hash` is over its fields, not its bytes."""

    suite: SuiteName
    key_id: str
    sealed: bytes
    body_hash: bytes


class Operations:
    """The operations of the main port. `clock` gives seconds since 1970, `token_bytes` random bytes."""

    def __init__(
        self,
        store: Store,
        name: str,
        trust: TokenTrust | None,
        clock: Callable[[], float],
        token_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._name = name
        self._trust = trust
        self._clock = clock
        self._token_bytes = token_bytes
        self._purged = float("-inf")
        if not store.service_keys():
            self.rotate_key()

    def keys(self) -> Completed:
        """GET /v1/keys."""
        return Completed(200, {"service": self._name, "keys": self.published_keys()})

    def published_keys(self) -> list[dict[str, str]]:
        """Every key that still opens requests, the current one first."""
        return [_published(key) for key in self._store.service_keys()]

    def rotate_key(self) -> str:
        """Make a new current key; the old ones stay accepted."""
        private = X25519PrivateKey.generate()
        now = int(self._clock())
        key_id = f"k{now}-{self._token_bytes(3).hex()}"
        self._store.add_key(
            ServiceKey(key_id, SUITE.value, private.private_bytes_raw(), now + KEY_DAYS * 86400)
        )
        return key_id

    def challenge(self, peer: ClientTerminal, body: object) -> Completed | Refusal:
        """POST /v1/challenges."""
        visit = body.get("visit") if isinstance(body, dict) else None
        if not isinstance(visit, str) or not UUID_FORM.fullmatch(visit):
            return Refusal(ProblemCode.MALFORMED, "visit must be a UUID in lower case")
        now = self._clock()
        with self._store.transaction():
            found = self._store.challenge_of_visit(peer, visit)
            if found is not None and found.used:
                return Refusal(ProblemCode.CHALLENGE_USED)
            if found is None or found.expires <= now:
                found = StoredChallenge(
                    institution=peer.institution,
                    terminal=peer.terminal,
                    visit=visit,
                    challenge=self._token_bytes(32),
                    issued=now,
                    expires=now + CHALLENGE_LIFE_S,
                    used=0,
                )
                self._store.put_challenge(found)
        return Completed(
            201,
            {
                "visit": visit,
                "challenge": base64.b64encode(found.challenge).decode(),
                "expires_in": max(1, int(found.expires - now)),
            },
        )

    def status(self, peer: ClientTerminal, record: str) -> Completed | Refusal:
        """GET /v1/qualifications/{id}."""
        with self._store.transaction():
            found = self._store.record(record)
            if found is None or not _belongs(found, peer):
                return Refusal(ProblemCode.UNKNOWN)
            return Completed(200, self._told(found))

    def qualify(
        self, peer: ClientTerminal, record: str, submission: Submission, plan: Callable[[], AnswerPlan]
    ) -> Completed | Refusal:
        """POST /v1/qualifications: repetition first, then everything else, in one transaction.

        `plan` is asked for the answer of a new record only.
        """
        now = self._clock()
        with self._store.transaction():
            self._purge_sometimes(now)
            known = self._store.record(record)
            if known is not None:
                return self._repeated(known, peer, submission)
            judged = self._judge(peer, record, submission, now)
            if isinstance(judged, Refusal):
                return judged
            chosen = plan()
            agreed = self._consent_in_force(judged)
            answer = _answer(chosen, judged, submission.suite, agreed, now)
            if isinstance(answer, Refusal):
                return answer
            if judged.transcript.challenge is not None:
                self._store.use_challenge(judged.transcript.challenge)
            stored = StoredRecord(
                id=record,
                institution=peer.institution,
                terminal=peer.terminal,
                body_hash=submission.body_hash,
                answer=answer,
                asks_left=_asks(chosen),
                told=_told_by(judged) | {"late": self._late(judged, now)},
                received=now,
            )
            self._store.add_record(stored)
            if judged.transcript.consent.form not in (ConsentForm.NOT_ASKED, ConsentForm.AS_REGISTERED):
                self._store.register_consent(_person(judged), agreed)
            return Completed(200, _current(stored))

    def _repeated(
        self, known: StoredRecord, peer: ClientTerminal, submission: Submission
    ) -> Completed | Refusal:
        if not _belongs(known, peer):
            return Refusal(ProblemCode.TERMINAL_MISMATCH)
        if known.body_hash != submission.body_hash:
            return Refusal(ProblemCode.PAYLOAD_MISMATCH)
        return Completed(200, self._told(known))

    def _told(self, known: StoredRecord) -> dict[str, Any]:
        """The stored answer; each asking brings an unfinished one nearer to its end."""
        if known.asks_left > 0:
            self._store.count_asking(known.id)
            if known.asks_left == 1:
                return known.answer
        return _current(known)

    def _judge(
        self, peer: ClientTerminal, record: str, submission: Submission, now: float
    ) -> Opened | Refusal:
        key = self._store.key(submission.key_id)
        if key is None:
            return Refusal(ProblemCode.KEY_UNKNOWN)
        opened = open_request(submission.sealed, record, submission.suite, key, peer)
        if isinstance(opened, Refusal):
            return opened
        return (
            check_sender(opened, record, self._name, peer)
            or check_sense(opened)
            or self._check_visual(opened, peer)
            or check_token(opened, self._trust, now)
            or self._check_revocation(opened)
            or self._check_challenge(opened, peer, now)
            or opened
        )

    def _check_visual(self, opened: Opened, peer: ClientTerminal) -> Refusal | None:
        if opened.visual and not self._store.visual_allowed(peer.terminal):
            return Refusal(ProblemCode.VISUAL_NOT_ALLOWED)
        return None

    def _check_revocation(self, opened: Opened) -> Refusal | None:
        if self._store.token_is_revoked(f"{opened.certificate.serial_number:x}"):
            return Refusal(ProblemCode.CERTIFICATE_REVOKED)
        return None

    def _check_challenge(self, opened: Opened, peer: ClientTerminal, now: float) -> Refusal | None:
        challenge = opened.transcript.challenge
        if challenge is None:
            return None
        return check_challenge(opened, self._store.challenge_by_value(challenge), peer, now)

    def _late(self, opened: Opened, now: float) -> bool:
        challenge = opened.transcript.challenge
        if challenge is None:
            return False
        return is_late(opened, self._store.challenge_by_value(challenge), now)

    def _consent_in_force(self, opened: Opened) -> list[str]:
        """The items agreed to, or for 前回と同じ those agreed to last time."""
        consent = opened.transcript.consent
        if consent.form is ConsentForm.AS_REGISTERED:
            return self._store.registered_consent(_person(opened))
        return [item.value for item in consent.agreed]

    def _purge_sometimes(self, now: float) -> None:
        if now - self._purged >= PURGE_EVERY_S:
            self._purged = now
            self._store.purge(now)


def read_submission(body: object) -> Submission | Refusal:
    """Read the fields of POST /v1/qualifications."""
    match body:
        case {"v": 1, "suite": str(suite), "key_id": str(key_id), "sealed": str(sealed), **rest} if not rest:
            pass
        case _:
            return Refusal(ProblemCode.MALFORMED, "the body needs exactly v (1), suite, key_id and sealed")
    try:
        name = SuiteName(suite)
        blob = base64.b64decode(sealed, validate=True)
        canonical = rfc8785.dumps({"v": 1, "suite": suite, "key_id": key_id, "sealed": sealed})
    except (binascii.Error, ValueError):
        return Refusal(ProblemCode.MALFORMED, "suite must be a documented one, sealed must be base64")
    return Submission(name, key_id, blob, hashlib.sha256(canonical).digest())


def _published(key: ServiceKey) -> dict[str, str]:
    public = X25519PrivateKey.from_private_bytes(key.private).public_key().public_bytes_raw()
    return {
        "key_id": key.key_id,
        "suite": key.suite,
        "public": base64.b64encode(public).decode(),
        "not_after": datetime.fromtimestamp(key.not_after, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _belongs(record: StoredRecord, peer: ClientTerminal) -> bool:
    return (record.institution, record.terminal) == (peer.institution, peer.terminal)


def _answer(
    plan: AnswerPlan, opened: Opened, suite: SuiteName, agreed: list[str], now: float
) -> dict[str, Any] | Refusal:
    """The whole body as it is told in the end."""
    settled = AnswerPlan(validity=plan.validity) if plan.segment is SegmentOfResult.IN_PROGRESS else plan
    sealed: dict[str, str] | None = None
    if names_somebody(settled):
        try:
            sealed = sealed_answer(settled, opened.request, opened.transcript, suite, agreed, now)
        except ValueError:  # a point of low order, to which nothing can be sealed
            return Refusal(ProblemCode.MALFORMED, "the response key is no usable X25519 key")
    return {"v": 1, "id": opened.transcript.visit, "result": result_codes(settled, now), "answer": sealed}


def _asks(plan: AnswerPlan) -> int:
    return plan.settle_after if plan.segment is SegmentOfResult.IN_PROGRESS else 0


def _current(record: StoredRecord) -> dict[str, Any]:
    """What is told now: the answer, or that it is still being worked on."""
    if record.asks_left == 0:
        return record.answer
    plan = AnswerPlan(segment=SegmentOfResult.IN_PROGRESS)
    return {"v": 1, "id": record.id, "result": result_codes(plan, record.received), "answer": None}


def _person(opened: Opened) -> bytes:
    return hashlib.sha256(opened.request.certificate).digest()


def _told_by(opened: Opened) -> dict[str, Any]:
    """What the transcript said, without the person: so that a demonstration can show what was sent."""
    transcript = opened.transcript
    return {
        "visit": transcript.visit,
        "institution": transcript.institution,
        "terminal": transcript.terminal,
        "mode": transcript.mode.value,
        "device": transcript.device.value,
        "authentication": transcript.authentication.value,
        "consent": {
            "form": transcript.consent.form.value,
            "agreed": [item.value for item in transcript.consent.agreed],
        },
        "taken_at": transcript.taken_at,
        "clock_trusted": transcript.clock_trusted,
        "challenge": transcript.challenge is not None,
        "staff": transcript.staff,
        "possession": opened.request.possession,
        "algorithm": None if opened.request.algorithm is None else opened.request.algorithm.value,
    }
