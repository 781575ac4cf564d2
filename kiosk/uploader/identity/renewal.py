"""The client certificate's life: renewed at two thirds of it, with a new key; the old pair stays until the
new one has brought an answer. Warnings go to the log at 30, 14 and 3 days, to staff by the daily check.
"""

import logging
from collections.abc import Callable
from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.uploader.delivery.lanes import Lane, Renew, ServiceReply, TryNext
from kiosk.uploader.identity.certificates import LOUDER_DAYS, life_used, look_at
from kiosk.uploader.identity.keypairs import (
    csr,
    draft_next,
    drop_next,
    has_next,
    keep_next,
    promote_next,
    tidy,
)
from kiosk.uploader.service.custody import is_locked
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.service.wire import (
    Answer,
    Challenge,
    Enrolled,
    FaultKind,
    RequestFault,
    ServiceKeys,
    ServiceProblem,
)

log = logging.getLogger(__name__)

RENEW_AT = 2 / 3  #: of a certificate's life
EVERY_S = 3600.0  #: between two looks at it
AGAIN_S = 300.0  #: after an attempt that came to nothing
REFUSALS = 3  #: so often in a row the service refuses a new pair before another one is made


class Renewal:
    """Belongs to the main loop: `step` at every turn, `result` for what comes from its lane. `proven` says
    whether the running version is here to stay (`draft_next`).
    """

    def __init__(
        self,
        credentials: Credentials,
        institution: str,
        terminal: str,
        make_lane: Callable[[], Lane],
        proven: Callable[[], bool],
    ) -> None:
        self._credentials, self._proven = credentials, proven
        self._institution, self._terminal = institution, terminal
        self._make_lane = make_lane
        self._lane: Lane | None = None
        self._due_s = 0.0
        self._refused = 0
        self._warned: int | None = None

    def step(self, now: Moment) -> None:
        """Start what is due."""
        seconds = now.mono_ms / 1000
        if self._lane is not None or seconds < self._due_s:
            return
        self._due_s = seconds + EVERY_S
        self._warn(now)
        try:
            job = self._next_job(now)
        except OSError as fault:
            log.error("the client certificate cannot be renewed: %s", fault.strerror)
            return
        if job is not None:
            self._due_s = seconds + AGAIN_S
            self._lane = self._make_lane()
            self._lane.give(job)

    def _next_job(self, now: Moment) -> Renew | TryNext | None:
        if is_locked(self._credentials.key, self._credentials.secret):
            return None  # it may open at the next start: nothing is thrown away meanwhile
        tidy(self._credentials)
        if has_next(self._credentials):
            return TryNext()
        used = life_used(self._credentials.certificate, now)
        if used is None or used < RENEW_AT:
            return None
        key = draft_next(self._credentials, may_seal=self._proven())
        return Renew(csr(key, self._institution, self._terminal))

    def _warn(self, now: Moment) -> None:
        days = look_at(self._credentials, now).days
        level = None if days is None else min((each for each in LOUDER_DAYS if days <= each), default=None)
        if level is not None and level != self._warned:
            log.warning("the client certificate ends in %.0f days", days)
        self._warned = level

    def owns(self, lane: Lane) -> bool:
        """Whether a result from this lane is the renewal's."""
        return self._lane is lane

    def result(self, reply: ServiceReply, now: Moment) -> bool:
        """What came of a job; True when a new certificate is in use from now on."""
        self.stop()
        try:
            return self._result(reply, now)
        except OSError as fault:
            log.error("the client certificate cannot be renewed: %s", fault.strerror)
            return False

    def _result(self, reply: ServiceReply, now: Moment) -> bool:
        match reply:
            case Enrolled(certificate=certificate):
                if not keep_next(self._credentials, certificate):
                    log.error("the service renewed the certificate for another key: call support")
                    return False
                self._refused = 0
                self._due_s = now.mono_ms / 1000  # try it at once
                return False
            case ServiceKeys():
                promote_next(self._credentials)
                log.info("the client certificate was renewed")
                return True
            case ServiceProblem(status=400 | 401 | 403 | 409 as status, code=code):
                log.error("the service refuses to renew the client certificate: %d %s", status, code)
                self._count_refusal()
                return False
            case RequestFault(kind=FaultKind.REFUSED_US | FaultKind.BROKEN) if has_next(self._credentials):
                log.warning("the service does not take the new client certificate")
                self._count_refusal()
                return False
            case ServiceProblem(status=status, code=code):
                log.warning("the client certificate is not renewed yet: %d %s", status, code)
                return False
            case RequestFault(kind=kind):
                log.warning("the client certificate is not renewed yet: %s", kind.value)
                return False
            case Answer() | Challenge():
                raise TypeError("a certificate or keys were asked for")
            case _:
                assert_never(reply)

    def _count_refusal(self) -> None:
        """A pair that is refused again and again is given up; the present one is not touched."""
        self._refused += 1
        if self._refused >= REFUSALS:
            self._refused = 0
            drop_next(self._credentials)

    def stop(self) -> None:
        """Let go of the lane."""
        if self._lane is not None:
            self._lane.stop(timeout_s=1.0)
            self._lane = None
