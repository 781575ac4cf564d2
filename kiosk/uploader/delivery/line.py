"""What is known of the line to the service: since when it is down, and why, as a word and as a sentence."""

from dataclasses import dataclass, replace
from typing import assert_never

from kiosk.box.clock import Moment
from kiosk.uploader.delivery.lanes import Reply
from kiosk.uploader.delivery.retry import Again, Decision, Hold, LineDown
from kiosk.uploader.service.wire import Fault, FaultKind, Problem

SAY_EXPIRED = "the service's certificate has expired, by a clock that is trusted: call support"


@dataclass(frozen=True)
class LineView:
    """Seconds are of the monotonic clock. `word` is one of those that channel/desk.py lists for "line"."""

    say: str = ""
    word: str | None = None
    down_s: float | None = None  #: since when; None while it is up, or nothing is known yet
    heard_s: float | None = None  #: when the service last answered, in this life

    def failed(self, say: str, reply: Reply, now: Moment) -> "LineView":
        """The service is not worth trying; `reply` is why."""
        seconds = now.mono_ms / 1000
        word = word_of(reply, clock_trusted=now.trusted)
        return replace(
            self,
            say=SAY_EXPIRED if word == "service_expired" else say,
            word=word,
            down_s=seconds if self.down_s is None else self.down_s,
        )

    def heard(self, now: Moment) -> "LineView":
        """It answered."""
        return LineView(heard_s=now.mono_ms / 1000)


def word_of(reply: Reply, *, clock_trusted: bool) -> str:
    """Name what is wrong with the line. Dates that do not fit are the clock's fault while it is untrusted:
    a box without a clock of its own starts in the past, and no certificate is to blame for that.
    """
    match reply:
        case Fault(kind=kind):
            return _word(kind, clock_trusted)
        case Problem(status=401 | 403):
            return "refused"
        case Problem(status=status) if status in (408, 425, 429) or status >= 500:
            return "failing"
        case Problem():
            return "address"
        case _:
            return "failing"


def retry_reasons(decision: Decision, reply: Reply, now: Moment) -> tuple[str, ...]:
    """Why a record has to be sent again, as one stable word; nothing when it has not."""
    match decision:
        case Hold(code=code):
            return (code,)
        case LineDown() | Again(service_failing=True):
            return (word_of(reply, clock_trusted=now.trusted),)
        case Again():
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
        case FaultKind.CONTENT | FaultKind.TOO_LARGE:
            return "nonsense"
        case _:
            assert_never(kind)
