"""The line to the service: whether it is worth trying, since when it is down, and why, as a word and as a
sentence.
"""

import logging
from dataclasses import dataclass, replace
from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.uploader.delivery.breaker import Breaker
from kiosk.uploader.delivery.lanes import ServiceReply
from kiosk.uploader.delivery.retry import Decision, Dice, HoldBack, LineDown, RetryRules, SendLater
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceProblem

log = logging.getLogger(__name__)

EXPIRED_REASON = "the service's certificate has expired, by a clock that is trusted: call support"


@dataclass(frozen=True)
class LineView:
    """Seconds are of the monotonic clock. `word`: channel/staff_messages.py lists them for "line"."""

    reason: str = ""
    word: str | None = None
    down_s: float | None = None  #: since when; None while it is up, or nothing is known yet
    heard_s: float | None = None  #: when the service last answered, in this life

    def failed(self, reason: str, reply: ServiceReply, now: Moment) -> "LineView":
        """The service is not worth trying; `reply` is why."""
        seconds = now.mono_ms / 1000
        word = word_of(reply, clock_trusted=now.trusted)
        return replace(
            self,
            reason=EXPIRED_REASON if word == "service_expired" else reason,
            word=word,
            down_s=seconds if self.down_s is None else self.down_s,
        )

    def heard(self, now: Moment) -> "LineView":
        """It answered."""
        return LineView(heard_s=now.mono_ms / 1000)


class ServiceLine:
    """Belongs to the main loop: learns from every reply. `view` is what others may know."""

    def __init__(self, rules: RetryRules, dice: Dice) -> None:
        self._rules, self._dice = rules, dice
        self._breaker = Breaker()
        self.view = LineView()

    @property
    def online(self) -> bool:
        """Whether the service is worth trying, as far as is known."""
        return self._breaker.closed

    def observe(self, decision: Decision, reply: ServiceReply, now: Moment) -> None:
        """Learn from a reply and what was decided over it."""
        seconds = now.mono_ms / 1000
        match decision:
            case LineDown(reason=reason):
                self._breaker = self._breaker.line_failed(seconds, self._rules, self._dice)
                self._failed(reason, reply, now)
            case SendLater(service_failing=True, quiet_s=quiet_s, reason=reason):
                self._breaker = self._breaker.service_failed(seconds, self._rules, self._dice, quiet_s)
                if not self._breaker.closed:
                    self._failed(reason, reply, now)
            case _:
                self.heard(now)

    def heard(self, now: Moment) -> None:
        """The service answered."""
        if not self._breaker.closed:
            log.info("online: the service answers again")
        self._breaker = self._breaker.succeeded()
        self.view = self.view.heard(now)

    def _failed(self, reason: str, reply: ServiceReply, now: Moment) -> None:
        view = self.view.failed(reason, reply, now)
        if view.reason != self.view.reason:
            log.warning("offline: %s", view.reason)
        self.view = view

    def probe_if_due(self, now: Moment) -> bool:
        """Whether the probing request of an open breaker is to go out now; it counts as sent."""
        seconds = now.mono_ms / 1000
        if not self._breaker.probe_due(seconds):
            return False
        self._breaker = self._breaker.probe(seconds)
        return True

    def probe_for_patient(self, now: Moment) -> bool:
        """The same, earlier than it is due, for somebody stands here and waits."""
        seconds = now.mono_ms / 1000
        if not self._breaker.patient_may_probe(seconds, self._rules):
            return False
        self._breaker = self._breaker.probe(seconds)
        return True

    def wait_s(self, now: Moment) -> float:
        """Seconds until the next probe is due, while the line is down."""
        until = self._breaker.open_until
        assert until is not None, "an open breaker says until when"
        return 1.0 if self._breaker.probing else max(0.0, until - now.mono_ms / 1000)


def word_of(reply: ServiceReply, *, clock_trusted: bool) -> str:
    """Name what is wrong with the line. Dates that do not fit are the clock's fault while it is untrusted:
    a box without a clock of its own starts in the past, and no certificate is to blame for that.
    """
    match reply:
        case RequestFault(kind=kind):
            return _word(kind, clock_trusted)
        case ServiceProblem(status=401 | 403):
            return "refused"
        case ServiceProblem(status=status) if status in (408, 425, 429) or status >= 500:
            return "failing"
        case ServiceProblem():
            return "address"
        case _:
            return "failing"


def retry_reasons(decision: Decision, reply: ServiceReply, now: Moment) -> tuple[str, ...]:
    """Why a record has to be sent again, as one stable word; nothing when it has not."""
    match decision:
        case HoldBack(code=code):
            return (code,)
        case LineDown() | SendLater(service_failing=True):
            return (word_of(reply, clock_trusted=now.trusted),)
        case SendLater():
            return ("later",)
        case _:
            return ()


def _word(kind: FaultKind, clock_trusted: bool) -> str:
    match kind:
        case FaultKind.NO_CREDENTIALS:
            return "not_enrolled"
        case FaultKind.KEY_UNSAFE:
            return "key_unsafe"
        case FaultKind.KEY_LOCKED:
            return "key_locked"
        case FaultKind.NAME | FaultKind.CONNECT | FaultKind.TIMEOUT | FaultKind.BROKEN:
            return "unreachable"
        case FaultKind.CLOCK:
            return "service_expired" if clock_trusted else "clock"
        case FaultKind.UNTRUSTED:
            return "untrusted"
        case FaultKind.REFUSED_US:
            return "refused"
        case FaultKind.TLS | FaultKind.NOT_ASKED:
            return "insecure"
        case FaultKind.CONTENT | FaultKind.TOO_LARGE | FaultKind.COMPRESSED:
            return "nonsense"
        case _:
            assert_never(kind)
