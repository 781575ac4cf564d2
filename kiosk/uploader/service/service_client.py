"""Requests to the qualification service: what each asks and what it reads. The network never raises here.

One `ServiceClient` belongs to one thread; only `abort` may be called from another.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from kiosk.uploader.service import wire
from kiosk.uploader.service.http_client import Client
from kiosk.uploader.service.tls import Credentials, client_context, next_of, server_only_context
from kiosk.uploader.service.wire import RequestFault, ServiceProblem

V = TypeVar("V")


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
            lambda body, _: wire.read_challenge(body, visit),
            body={"visit": visit},
            timeout_s=timeout_s,
        )

    def deliver(self, record: str, suite: str, key_id: str, sealed: bytes) -> wire.Delivered:
        """Send one sealed request; its id is the idempotency key."""
        return self._ask(
            "POST",
            "/v1/qualifications",
            lambda body, _: wire.read_answer(body, record),
            body={"v": 1, "suite": suite, "key_id": key_id, "sealed": base64.b64encode(sealed).decode()},
            headers={"Idempotency-Key": record},
        )

    def status(self, record: str) -> wire.Delivered:
        """Ask for the answer to a record that may have been taken in already."""
        path = f"/v1/qualifications/{record}"
        return self._ask("GET", path, lambda body, _: wire.read_answer(body, record))

    def keys(self) -> wire.ServiceKeys | ServiceProblem | RequestFault:
        """Fetch the public keys to seal to."""
        return self._ask("GET", "/v1/keys", wire.read_keys)

    def renew(self, csr: str) -> wire.Enrolled | ServiceProblem | RequestFault:
        """Ask for a certificate for the key in the CSR, as the holder of the present one."""
        return self._ask("POST", "/v1/renewals", lambda body, _: wire.read_enrolled(body), body={"csr": csr})

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
        self, method: str, path: str, read: Callable[[bytes, datetime | None], V], **more: Any
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
        return client.ask("POST", "/v1/enrolments", lambda body, _: wire.read_enrolled(body), body=request)
    finally:
        client.close()
