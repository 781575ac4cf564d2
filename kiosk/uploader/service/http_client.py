"""HTTP with the service, by requests: the only file that imports it.

Nothing raises here whatever the network or a peer does: it becomes a value of `wire`. requests' own retries,
redirects, proxies from the environment and public CAs are off: retrying belongs to the outbox, trust to
`tls`.

HTTP as RFC 9110 and 9112 have it: interim answers are read past; a connection is used again only after a
whole answer of the interface, so that what comes late on it is never taken for the answer to the next
request.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from kiosk.uploader.service import wire
from kiosk.uploader.service.connecting import Addresses
from kiosk.uploader.service.service_sockets import ServiceSockets
from kiosk.uploader.service.tls import NotAskedError
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceProblem

V = TypeVar("V")

CONNECT_S = 5.0  #: a line that needs longer for one TCP connection is down (docs/facts/reliability.md)
IDLE_S = 20.0  #: an older idle connection is not trusted: NATs on the way drop them silently
_CHUNK = 16 * 1024
_MOST_INTERIM = 32  #: interim answers before the final one; the interface has none
#: What requests, urllib3 and http.client raise for what comes over the network. http.client lets a ValueError
#: through for a chunk of negative size, and UnicodeError is one.
_OF_THE_NETWORK = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
_CLOCK_ERRORS = {9, 10}  #: X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_HEADERS = {
    "Accept": "application/json, application/problem+json",
    "Accept-Encoding": "identity",
    "User-Agent": "maina-kiosk/1",
}


class _FinalResponse(http.client.HTTPResponse):
    """An answer after all interim ones (RFC 9110, 15.2). http.client itself passes over 100 only: it would
    take a 103 for the answer, and the answer for that to the next request.
    """

    def begin(self) -> None:
        for _ in range(_MOST_INTERIM):
            super().begin()
            if not 100 <= self.status < 200:
                return
            if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.BadStatusLine("101: nobody asked for another protocol")
            self.headers = self.msg = None  # type: ignore[assignment]  # so that it begins once more
        raise http.client.BadStatusLine(f"more than {_MOST_INTERIM} interim answers")


class _Adapter(HTTPAdapter):
    """requests' adapter with our context, our sockets, and nothing that tries twice."""

    def __init__(
        self,
        context: ssl.SSLContext,
        watch: Callable[[socket.socket], None],
        addresses: dict[tuple[str, int], Addresses],
    ) -> None:
        self._context, self._watch = context, watch
        self._addresses = addresses
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        watch, addresses = self._watch, self._addresses

        class WatchedConnection(HTTPSConnection):
            response_class = _FinalResponse

            def _new_conn(self) -> socket.socket:  # urllib3's documented place for one's own socket
                port = self.port or 443
                place = addresses.setdefault((self.host, port), Addresses(self.host, port))
                limit = self.timeout if isinstance(self.timeout, int | float) else CONNECT_S
                try:
                    sock = place.connect(limit, self.socket_options or ())
                except socket.gaierror as fault:
                    raise urllib3.exceptions.NameResolutionError(self.host, self, fault) from fault
                except TimeoutError as fault:
                    raise urllib3.exceptions.ConnectTimeoutError(self, str(fault)) from fault
                except OSError as fault:
                    raise urllib3.exceptions.NewConnectionError(self, str(fault)) from fault
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
        self._addresses: dict[tuple[str, int], Addresses] = {}  # outlive a new context
        self._used = 0.0

    def open(self, context: ssl.SSLContext) -> None:
        """Begin anew with this context."""
        self.close()
        session = requests.Session()
        session.trust_env = False
        session.headers.clear()
        session.headers.update(_HEADERS)
        session.adapters.clear()
        session.mount("https://", _Adapter(context, self._sockets.watch, self._addresses))
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
        read: Callable[[bytes, datetime | None], V],
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> V | ServiceProblem | RequestFault:
        """Make one request; `read` reads the body of a 200 or 201, with the service's own date beside it."""
        session = self._session
        assert session is not None, "open() comes first"
        if time.monotonic() - self._used > IDLE_S:
            self._drop_connections()
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
                came = _whole(reply)
        except _OF_THE_NETWORK as fault:
            came = classify(fault)
        finally:
            alarm.cancel()
            # Answered and cut at the same moment: that connection is no good any more.
            was_cut = self._sockets.end()
            self._used = time.monotonic()
        result = came if isinstance(came, RequestFault) else _understood(came, read)
        failed = isinstance(result, RequestFault) or (isinstance(result, ServiceProblem) and not result.code)
        if was_cut or failed:
            self._drop_connections()
        late = overdue.is_set() and isinstance(result, ServiceProblem | RequestFault)
        return RequestFault(FaultKind.TIMEOUT, reached=True) if late else result

    def _drop_connections(self) -> None:
        """Use none of them again: what comes late on one would be taken for the next request's answer."""
        if self._session is not None:
            self._session.adapters["https://"].close()
        self._sockets.forget()

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
        except _OF_THE_NETWORK as fault:
            self._drop_connections()
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


@dataclass(frozen=True)
class _Whole:
    """A final answer that came to its end."""

    status: int
    kind: str  #: media type, without parameters
    body: bytes
    retry_after: str | None
    date: str | None


def _whole(reply: requests.Response) -> _Whole | RequestFault:
    encodings = {each.strip().lower() for each in reply.headers.get("Content-Encoding", "").split(",")}
    if encodings - {"", "identity"}:  # RFC 9110, 8.4.1
        return RequestFault(FaultKind.COMPRESSED, reached=True)
    ends_with_connection = not reply.raw.chunked and reply.raw.length_remaining is None
    body = b""
    while chunk := reply.raw.read(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > wire.MAX_BODY:
            reply.raw.close()
            return RequestFault(FaultKind.TOO_LARGE, reached=True)
    if ends_with_connection and not _is_object(body):
        # Headers that were cut look like their end to http.client. A JSON object that was cut is none.
        return RequestFault(FaultKind.BROKEN, reached=True)
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return _Whole(reply.status_code, kind, body, reply.headers.get("Retry-After"), reply.headers.get("Date"))


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _understood(
    came: _Whole, read: Callable[[bytes, datetime | None], V]
) -> V | ServiceProblem | RequestFault:
    if came.status in (200, 201):
        if came.kind != "application/json":
            return RequestFault(FaultKind.CONTENT, reached=True)
        return read(came.body, wire.read_date(came.date))
    described = came.body if came.kind == "application/problem+json" else b""
    return wire.read_problem(came.status, described, came.retry_after, came.date)


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
