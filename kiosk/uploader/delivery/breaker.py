"""The circuit breaker: after a failure the service is left alone for a while, then probed. PURE.

One for the whole kiosk: while the line is down, no record waits for a time-out of its own.
"""

from dataclasses import dataclass, replace

from kiosk.uploader.delivery.retry import Dice, RetryRules, backoff


@dataclass(frozen=True)
class Breaker:
    """Whether the service is worth trying: closed, open until an instant, or half-open with one probe.

    Instants are seconds of the monotonic clock.
    """

    failures: int = 0
    open_until: float | None = None
    probing: bool = False
    last_probe: float = float("-inf")

    @property
    def closed(self) -> bool:
        """The service may be asked freely."""
        return self.open_until is None

    def probe_due(self, now: float) -> bool:
        """Open long enough: one probing request may go out."""
        return self.open_until is not None and not self.probing and now >= self.open_until

    def patient_may_probe(self, now: float, rules: RetryRules) -> bool:
        """A patient stands here: probe earlier than due, but not more often than the base interval."""
        return not self.closed and not self.probing and now >= self.last_probe + rules.base_s

    def probe(self, now: float) -> "Breaker":
        """The probing request goes out."""
        return replace(self, probing=True, last_probe=now)

    def line_failed(self, now: float, rules: RetryRules, dice: Dice) -> "Breaker":
        """No usable reply: open at once, each time for longer."""
        if not self.closed and not self.probing:
            return self  # a straggler sent before it opened tells nothing new
        failures = self.failures + 1
        wait = backoff(failures, rules, dice)
        return replace(self, failures=failures, open_until=now + wait, probing=False, last_probe=now)

    def service_failed(self, now: float, rules: RetryRules, dice: Dice, quiet_s: float | None) -> "Breaker":
        """The service answers but cannot work; opens when that repeats, or when it asks for quiet."""
        if quiet_s is None and self.closed and self.failures + 1 < rules.failures_to_open:
            return replace(self, failures=self.failures + 1)
        if quiet_s is None:
            return self.line_failed(now, rules, dice)
        wait = quiet_s + dice() * rules.base_s
        return replace(self, failures=self.failures + 1, open_until=now + wait, probing=False, last_probe=now)

    def succeeded(self) -> "Breaker":
        """A reply of the interface came in."""
        return Breaker(last_probe=self.last_probe)
