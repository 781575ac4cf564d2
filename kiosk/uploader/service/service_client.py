"""Requests to the qualification service: the only file that imports requests.

Every method returns a value of `wire`; the network never raises here. requests' own retries, redirects,
proxies from the environment and public CAs are off: retrying belongs to the outbox, trust to `tls`. One
`ServiceClient` belongs to one thread; only `abort` may be called from another.
"""

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from kiosk.uploader.service import wire
from kiosk.uploader.service.service_sockets import ServiceSockets
from kiosk.uploader.service.tls import (
    Credentials,
    NotAskedError,
    client_context,
    next_of,
    server_only_context,
)
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceProblem

V = TypeVar("V")

CONNECT_S = 5.0  #: a line that needs longer for one TCP connection is down (docs/facts/reliability.md)
IDLE_S = 20.0  #: an older idle connection is not trusted: NATs on the way drop them silently
_CHUNK = 16 * 1024
_CLOCK_ERRORS = {9, 10}  #: X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_HEADERS = {
    "Accept": "application/json, application/problem+json",
    "Accept-Encoding": "identity",
    "User-Agent": "maina-kiosk/1",
}


class _Adapter(HTTPAdapter):
    """requests' adapter with our context, our sockets, and nothing that tries twice."""

    def __init__(self, context: ssl.SSLContext, watch: Callable[[socket.socket], None]) -> None:
        self._context, self._watch = context, watch
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        watch = self._watch

        class WatchedConnection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:  # urllib3's documented place for one's own socket
                sock = super()._new_conn()
                watch(sock)
                return sock

        class WatchedPool(HTTPSConnectionPool):
            ConnectionCls = WatchedConnection

        self.poolmanager.pool_classes_by_scheme = {"https": WatchedPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Trust is settled in the context; requests would add a CA bundle here."""


class Client:
    """HTTP with one host: session, deadline, size and type bounds."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout_s
        self._sockets = ServiceSockets()
        self._session: requests.Session | None = None
        self._used = 0.0

    def open(self, context: ssl.SSLContext) -> None:
        """Begin anew with this context."""
        self.close()
        session = requests.Session()
        session.trust_env = False
        session.headers.clear()
        session.headers.update(_HEADERS)
        session.adapters.clear()
        session.mount("https://", _Adapter(context, self._sockets.watch))
        self._session = session

    def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._sockets.forget()

    def cut(self) -> None:
        """End a request that another thread waits for."""
        self._sockets.cut()

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], V],
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> V | ServiceProblem | RequestFault:
        """Make one request; `read` reads the body of a 200 or 201."""
        session = self._session
        assert session is not None, "open() comes first"
        if time.monotonic() - self._used > IDLE_S:
            session.adapters["https://"].close()
            self._sockets.forget()
        limit = self._timeout if timeout_s is None else timeout_s
        overdue = threading.Event()
        number = self._sockets.begin()

        def cut() -> None:
            overdue.set()
            self._sockets.cut(number)

        # requests limits each read; an answer of one byte a second would never end without this.
        alarm = threading.Timer(limit, cut)
        alarm.daemon = True
        alarm.start()
        try:
            with session.request(
                method,
                self._url + path,
                data=None if body is None else json.dumps(body).encode(),
                headers={**(headers or {}), **({} if body is None else {"Content-Type": "application/json"})},
                timeout=(min(CONNECT_S, limit), limit),
                allow_redirects=False,
                stream=True,
            ) as reply:
                result = _read(reply, read)
                late = overdue.is_set() and isinstance(result, ServiceProblem | RequestFault)
                return RequestFault(FaultKind.TIMEOUT, reached=True) if late else result
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as fault:
            session.adapters["https://"].close()
            self._sockets.forget()
            return RequestFault(FaultKind.TIMEOUT, reached=True) if overdue.is_set() else classify(fault)
        finally:
            alarm.cancel()
            if (
                self._sockets.end()
            ):  # answered and cut at the same moment: that connection is no good any more
                session.adapters["https://"].close()
                self._sockets.forget()
            self._used = time.monotonic()

    def fetch(
        self, path: str, start: int, take: Callable[[bytes], None]
    ) -> ServiceProblem | RequestFault | None:
        """Have the rest of a file from byte `start` on, in pieces; None when all of it came. `take` may raise
        to end it. Each piece has the time limit of a whole request; `cut` ends a trickle.
        """
        session = self._session
        assert session is not None, "open() comes first"
        self._sockets.begin()
        try:
            with session.request(
                "GET",
                self._url + path,
                headers={"Range": f"bytes={start}-"} if start else {},
                timeout=(min(CONNECT_S, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as reply:
                return _take(reply, start, take)
        except (requests.RequestException, urllib3.exceptions.HTTPError, ssl.SSLError) as fault:
            session.adapters["https://"].close()
            self._sockets.forget()
            return classify(fault)


def _take(
    reply: requests.Response, start: int, take: Callable[[bytes], None]
) -> ServiceProblem | RequestFault | None:
    asked_for = f"bytes {start}-"
    part = reply.status_code == 206 and reply.headers.get("Content-Range", "").startswith(asked_for)
    if not (part if start else reply.status_code == 200):
        return wire.read_problem(reply.status_code, b"", None, None)
    if "Content-Encoding" in reply.headers or reply.raw.length_remaining is None:
        return RequestFault(FaultKind.CONTENT, reached=True)
    while chunk := reply.raw.read(_CHUNK, decode_content=False):
        take(chunk)
    return RequestFault(FaultKind.BROKEN, reached=True) if reply.raw.length_remaining else None


def _read(reply: requests.Response, read: Callable[[bytes], V]) -> V | ServiceProblem | RequestFault:
    if not reply.raw.chunked and reply.raw.length_remaining is None:
        # Headers that were cut look like their end to http.client, and half an answer would be taken for one.
        return RequestFault(FaultKind.BROKEN, reached=True)
    body = b""
    while chunk := reply.raw.read(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > wire.MAX_BODY:
            reply.raw.close()
            return RequestFault(FaultKind.TOO_LARGE, reached=True)
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    plain = "Content-Encoding" not in reply.headers
    if reply.status_code in (200, 201):
        return (
            read(body)
            if kind == "application/json" and plain
            else RequestFault(FaultKind.CONTENT, reached=True)
        )
    described = body if kind == "application/problem+json" and plain else b""
    return wire.read_problem(
        reply.status_code, described, reply.headers.get("Retry-After"), reply.headers.get("Date")
    )


def classify(fault: BaseException) -> RequestFault:
    """Name what the network did, from the whole chain of exceptions. Only what surely went wrong before the
    request was sent counts as not reached; a refused client certificate shows in TLS 1.3 on the first read.
    """
    chain = list(_chain(fault))
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            clock = link.verify_code in _CLOCK_ERRORS
            return RequestFault(FaultKind.CLOCK if clock else FaultKind.UNTRUSTED, reached=False)
        if isinstance(link, NotAskedError):
            return RequestFault(FaultKind.NOT_ASKED, reached=False)
    for link in chain:
        if isinstance(link, ssl.SSLError) and "ALERT" in (link.reason or ""):
            version = "PROTOCOL_VERSION" in (link.reason or "")
            return RequestFault(FaultKind.TLS if version else FaultKind.REFUSED_US, reached=not version)
    if any(isinstance(link, urllib3.exceptions.NameResolutionError) for link in chain):
        return RequestFault(FaultKind.NAME, reached=False)
    if any(isinstance(link, urllib3.exceptions.NewConnectionError) for link in chain):
        return RequestFault(FaultKind.CONNECT, reached=False)
    if any(isinstance(link, urllib3.exceptions.ConnectTimeoutError) for link in chain):
        return RequestFault(FaultKind.CONNECT, reached=False)
    if any(isinstance(link, TimeoutError | urllib3.exceptions.TimeoutError) for link in chain):
        return RequestFault(FaultKind.TIMEOUT, reached=True)
    if any(isinstance(link, ssl.SSLError) and not isinstance(link, ssl.SSLEOFError) for link in chain):
        return RequestFault(FaultKind.TLS, reached=True)
    return RequestFault(FaultKind.BROKEN, reached=True)


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """The exception, its causes and contexts, and those that requests and urllib3 carry as arguments."""
    waiting, seen = [fault], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
        waiting += [each for each in inner if isinstance(each, BaseException)]


class ServiceClient:
    """The main port, with our client certificate. The files are looked at again before every request, so a
    certificate that appears or is renewed needs no restart.
    """

    def __init__(self, url: str, credentials: Credentials, timeout_s: float) -> None:
        self._credentials = credentials
        self._url, self._timeout_s = url, timeout_s
        self._client = Client(url, timeout_s)
        self._stamp: object = None
        self._fault: RequestFault | None = None

    def challenge(self, visit: str, timeout_s: float) -> wire.Challenge | ServiceProblem | RequestFault:
        """Ask for the challenge of a visit; waits at most `timeout_s`."""
        return self._ask(
            "POST",
            "/v1/challenges",
            lambda body: wire.read_challenge(body, visit),
            body={"visit": visit},
            timeout_s=timeout_s,
        )

    def deliver(self, record: str, suite: str, key_id: str, sealed: bytes) -> wire.Delivered:
        """Send one sealed request; its id is the idempotency key."""
        return self._ask(
            "POST",
            "/v1/qualifications",
            lambda body: wire.read_answer(body, record),
            body={"v": 1, "suite": suite, "key_id": key_id, "sealed": base64.b64encode(sealed).decode()},
            headers={"Idempotency-Key": record},
        )

    def status(self, record: str) -> wire.Delivered:
        """Ask for the answer to a record that may have been taken in already."""
        return self._ask("GET", f"/v1/qualifications/{record}", lambda body: wire.read_answer(body, record))

    def keys(self) -> wire.ServiceKeys | ServiceProblem | RequestFault:
        """Fetch the public keys to seal to."""
        return self._ask("GET", "/v1/keys", wire.read_keys)

    def renew(self, csr: str) -> wire.Enrolled | ServiceProblem | RequestFault:
        """Ask for a certificate for the key in the CSR, as the holder of the present one."""
        return self._ask("POST", "/v1/renewals", wire.read_enrolled, body={"csr": csr})

    def keys_with_next(self) -> wire.ServiceKeys | ServiceProblem | RequestFault:
        """The same as `keys`, over a connection of its own with the next certificate."""
        trial = ServiceClient(self._url, next_of(self._credentials), self._timeout_s)
        try:
            return trial.keys()
        finally:
            trial.close()

    def abort(self) -> None:
        """End the request under way; from any thread."""
        self._client.cut()

    def close(self) -> None:
        """End all connections."""
        self._client.close()

    def _ask(
        self, method: str, path: str, read: Callable[[bytes], V], **more: Any
    ) -> V | ServiceProblem | RequestFault:
        stamp = self._credentials.stamp()
        if stamp != self._stamp:
            context = client_context(self._credentials)
            self._fault = context if isinstance(context, RequestFault) else None
            if not isinstance(context, RequestFault):
                self._client.open(context)
            self._stamp = stamp
        if self._fault is not None:
            return self._fault
        return self._client.ask(method, path, read, **more)


def enrol(
    url: str, credentials: Credentials, request: dict[str, str], timeout_s: float
) -> wire.Enrolled | ServiceProblem | RequestFault:
    """Send an activation code and a CSR to the enrolment port, which knows no client certificates yet."""
    context = server_only_context(credentials.ca)
    if isinstance(context, RequestFault):
        return context
    client = Client(url, timeout_s)
    client.open(context)
    try:
        return client.ask("POST", "/v1/enrolments", wire.read_enrolled, body=request)
    finally:
        client.close()
