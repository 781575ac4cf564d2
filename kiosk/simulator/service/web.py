"""HTTP around the operations: who asks, what comes in, what goes out, and the faults made on purpose."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from aiohttp import web

from kiosk.simulator.service.enrolments import EnrolmentOperations
from kiosk.simulator.service.injected_faults import (
    AnswerAs,
    AnswerNonsense,
    Delay,
    DelayAnswer,
    FaultPlan,
    LoseAnswer,
    LoseRequest,
    NonsenseKind,
    Operation,
    Refuse,
)
from kiosk.simulator.service.invented_answers import AnswerPlan
from kiosk.simulator.service.operations import UUID_FORM, Completed, Operations, Submission, read_submission
from kiosk.simulator.service.problems import CONTENT_TYPE, ProblemCode, Refusal, code_for, code_of
from kiosk.simulator.service.store import ClientTerminal, Store

MAX_BODY = 64 * 1024
OVERSIZED = 2 * 1024 * 1024
JSON_TYPE = "application/json"

Reply = Completed | Refusal
Work = Callable[[], Awaitable[Reply]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class RequestMeter:
    """What came in since the start, lost and refused requests included."""

    by_operation: Counter[str] = field(default_factory=Counter)
    by_record: Counter[str] = field(default_factory=Counter)
    answered_at: dict[str, float] = field(default_factory=dict)  #: CLOCK_MONOTONIC, per record

    def count(self, operation: Operation, record: str | None) -> None:
        self.by_operation[operation.value] += 1
        if record is not None:
            self.by_record[record] += 1


class Front:
    """The handlers. `working` holds the records whose work has begun and whose answer is not committed."""

    def __init__(
        self,
        store: Store,
        operations: Operations,
        enrolment: EnrolmentOperations,
        plan: FaultPlan,
        meter: RequestMeter,
    ) -> None:
        self._store = store
        self._operations = operations
        self._enrolment = enrolment
        self._plan = plan
        self._meter = meter
        self._working: dict[str, bytes] = {}

    def main_app(self) -> web.Application:
        """The port that demands client certificates."""
        app = web.Application(middlewares=[_as_problems], client_max_size=MAX_BODY)
        app.router.add_post("/v1/challenges", self._on_challenge)
        app.router.add_post("/v1/qualifications", self._on_qualification)
        app.router.add_get("/v1/qualifications/{id}", self._on_status)
        app.router.add_get("/v1/keys", self._on_keys)
        app.router.add_post("/v1/renewals", self._on_renewal)
        return app

    def enrolment_app(self) -> web.Application:
        """The port for terminals that have no certificate yet."""
        app = web.Application(middlewares=[_as_problems], client_max_size=MAX_BODY)
        app.router.add_post("/v1/enrolments", self._on_enrolment)
        return app

    # ---- one handler per operation

    async def _on_challenge(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Reply:
            peer, body = self._peer(request), await _body(request)
            if isinstance(peer, Refusal):
                return peer
            return body if isinstance(body, Refusal) else self._operations.challenge(peer, body)

        return await self._served(request, Operation.CHALLENGE, None, work)

    async def _on_qualification(self, request: web.Request) -> web.StreamResponse:
        record = request.headers.get("Idempotency-Key")

        async def work() -> Reply:
            peer, body = self._peer(request), await _body(request)
            if isinstance(peer, Refusal):
                return peer
            submission = body if isinstance(body, Refusal) else read_submission(body)
            if isinstance(submission, Refusal):
                return submission
            if record is None or not UUID_FORM.fullmatch(record):
                return Refusal(
                    ProblemCode.MALFORMED, "the header Idempotency-Key must be the visit's UUID in lower case"
                )
            return await self._qualified(peer, record, submission)

        return await self._served(request, Operation.QUALIFICATION, record, work)

    async def _on_status(self, request: web.Request) -> web.StreamResponse:
        record = request.match_info["id"]

        async def work() -> Reply:
            peer = self._peer(request)
            if isinstance(peer, Refusal):
                return peer
            return (
                self._operations.status(peer, record)
                if UUID_FORM.fullmatch(record)
                else Refusal(ProblemCode.UNKNOWN)
            )

        return await self._served(request, Operation.STATUS, record, work)

    async def _on_keys(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Reply:
            peer = self._peer(request)
            return peer if isinstance(peer, Refusal) else self._operations.keys()

        return await self._served(request, Operation.KEYS, None, work)

    async def _on_enrolment(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Reply:
            body = await _body(request)
            return body if isinstance(body, Refusal) else self._enrolment.enrol(body)

        return await self._served(request, Operation.ENROLMENT, None, work)

    async def _on_renewal(self, request: web.Request) -> web.StreamResponse:
        async def work() -> Reply:
            peer, present, body = self._peer(request), certificate_of(request), await _body(request)
            if isinstance(peer, Refusal):
                return peer
            assert present is not None, "the main port demands a certificate"
            return body if isinstance(body, Refusal) else self._enrolment.renew(peer, present, body)

        return await self._served(request, Operation.RENEWAL, None, work)

    async def _qualified(self, peer: ClientTerminal, record: str, submission: Submission) -> Reply:
        begun = self._working.get(record)
        if begun is not None:
            same = begun == submission.body_hash
            return Refusal(ProblemCode.IN_PROGRESS if same else ProblemCode.PAYLOAD_MISMATCH)
        self._working[record] = submission.body_hash
        try:
            await self._pause(self._plan.take(Delay, Operation.QUALIFICATION))
            return self._operations.qualify(peer, record, submission, self._next_answer)
        finally:
            del self._working[record]

    # ---- what all operations share

    async def _served(
        self, request: web.Request, operation: Operation, record: str | None, work: Work
    ) -> web.StreamResponse:
        """Count the request, let it meet its faults, do the work, and answer (or not)."""
        self._meter.count(operation, record)
        if self._plan.take(LoseRequest, operation) is not None:
            return _cut(request)
        refuse = self._plan.take(Refuse, operation)
        if refuse is not None:
            return _refused(refuse, record)
        if operation is not Operation.QUALIFICATION:  # which delays while the record counts as worked on
            await self._pause(self._plan.take(Delay, operation))
        content = _content(_naming(await work(), record))
        await self._pause(self._plan.take(DelayAnswer, operation))
        nonsense = self._plan.take(AnswerNonsense, operation)
        if nonsense is not None:
            content = _nonsense(nonsense.kind, content)
        lose = self._plan.take(LoseAnswer, operation)
        if lose is not None:
            return _cut(request, content, lose.after_bytes)
        if record is not None:
            self._meter.answered_at[record] = time.monotonic()
        return content.response()

    async def _pause(self, delay: Delay | DelayAnswer | None) -> None:
        if delay is not None:
            await asyncio.sleep(delay.seconds)

    def _next_answer(self) -> AnswerPlan:
        answered = self._plan.take(AnswerAs, Operation.QUALIFICATION)
        return AnswerPlan() if answered is None else answered.plan

    def _peer(self, request: web.Request) -> ClientTerminal | Refusal:
        """The terminal by its client certificate: O is the institution, CN the terminal."""
        peer = peer_of(request)
        if peer is None:
            return Refusal(
                ProblemCode.TERMINAL_MISMATCH, "the client certificate names no institution and terminal"
            )
        return Refusal(ProblemCode.REVOKED) if self._store.is_revoked(peer) else peer


@dataclass(frozen=True)
class _Content:
    """A response before it is sent."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        return web.Response(
            status=self.status, body=self.body, content_type=self.content_type, headers=self.headers
        )

    def raw(self) -> tuple[bytes, bytes]:
        """Head and body as they go over the wire."""
        head = f"HTTP/1.1 {self.status} -\r\nContent-Type: {self.content_type}\r\n"
        return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode(), self.body


def peer_of(request: web.Request) -> ClientTerminal | None:
    """Read the subject of the certificate that the TLS layer has verified; None if it lacks O or CN."""
    transport = request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert()
    if not certificate:
        return None
    subject = {key: value for rdn in certificate["subject"] for key, value in rdn}
    institution, terminal = subject.get("organizationName"), subject.get("commonName")
    if institution is None or terminal is None:
        return None
    return ClientTerminal(institution, terminal, certificate["serialNumber"].lstrip("0").lower())


def certificate_of(request: web.Request) -> bytes | None:
    """The certificate that the terminal came with, DER."""
    transport = request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)


async def _body(request: web.Request) -> object | Refusal:
    if request.content_type != JSON_TYPE:
        return Refusal(ProblemCode.MEDIA_TYPE)
    try:
        body: object = json.loads(await request.read())
    except (ValueError, RecursionError):
        return Refusal(ProblemCode.MALFORMED, "the body is not JSON in UTF-8")
    return body


def _naming(reply: Reply, record: str | None) -> Reply:
    """A refusal names its record, so that it is never taken for that of another one."""
    if isinstance(reply, Refusal) and record is not None and UUID_FORM.fullmatch(record):
        return replace(reply, instance=record)
    return reply


def _content(reply: Reply, status: int | None = None) -> _Content:
    match reply:
        case Completed(status, body):
            return _Content(status, JSON_TYPE, _json(body))
        case Refusal(code):
            return _problem(reply, code.status if status is None else status)
        case _:
            assert_never(reply)


def _problem(problem: Refusal, status: int) -> _Content:
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return _Content(status, CONTENT_TYPE, _json(problem.body(status)), headers)


def _refused(refuse: Refuse, record: str | None) -> web.Response:
    code = code_for(refuse.status) if refuse.code is None else code_of(refuse.code)
    assert code is not None, "the control checks the code when the fault is armed"
    problem = Refusal(code, retry_after=refuse.retry_after)
    return _content(_naming(problem, record), refuse.status).response()


def _nonsense(kind: NonsenseKind, content: _Content) -> _Content:
    match kind:
        case NonsenseKind.HTML:
            return _Content(200, "text/html", b"<!doctype html><title>Sign in</title><h1>Welcome</h1>")
        case NonsenseKind.TRUNCATED:
            return _Content(200, JSON_TYPE, content.body[: len(content.body) // 2])
        case NonsenseKind.SCHEMA:
            return _Content(200, JSON_TYPE, _json({"v": 99, "hello": ["world"], "result": None}))
        case NonsenseKind.OVERSIZED:
            return _Content(200, JSON_TYPE, _json({"v": 1, "padding": "x" * OVERSIZED}))
        case NonsenseKind.EMPTY:
            return _Content(200, JSON_TYPE, b"")
        case _:
            assert_never(kind)


def _cut(request: web.Request, content: _Content | None = None, after: int | None = None) -> web.Response:
    """Break the connection, after `after` bytes of the body if given. The returned response goes nowhere."""
    transport = request.transport
    if transport is not None:
        if content is not None and after is not None:
            head, body = content.raw()
            transport.write(head + body[:after])
        transport.abort()
    return web.Response()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@web.middleware
async def _as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """aiohttp's own refusals as problems of ours."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return _content(Refusal(ProblemCode.NOT_FOUND)).response()
    except web.HTTPMethodNotAllowed as fault:
        content = _content(Refusal(ProblemCode.METHOD_NOT_ALLOWED))
        return replace(content, headers={"Allow": ", ".join(sorted(fault.allowed_methods))}).response()
    except web.HTTPRequestEntityTooLarge:
        return _content(Refusal(ProblemCode.TOO_LARGE)).response()
