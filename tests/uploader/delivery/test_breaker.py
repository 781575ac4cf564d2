"""The breaker as a value."""

from kiosk.uploader.delivery.breaker import Breaker
from kiosk.uploader.delivery.retry import RetryRules

RULES = RetryRules(base_s=2.0, cap_s=300.0)


def test_the_breaker_opens_at_the_first_transport_failure() -> None:
    breaker = Breaker().line_failed(100.0, RULES, lambda: 1.0)
    assert not breaker.closed
    assert not breaker.probe_due(101.9)
    assert breaker.probe_due(102.0)


def test_half_open_lets_one_probe_through() -> None:
    breaker = Breaker().line_failed(100.0, RULES, lambda: 1.0).probe(102.0)
    assert not breaker.probe_due(200.0)
    assert not breaker.patient_may_probe(200.0, RULES)


def test_each_failed_probe_waits_for_longer() -> None:
    breaker = Breaker().line_failed(0.0, RULES, lambda: 1.0)
    waits = []
    now = 0.0
    for _ in range(10):
        assert breaker.open_until is not None
        waits.append(breaker.open_until - now)
        now = breaker.open_until
        breaker = breaker.probe(now).line_failed(now, RULES, lambda: 1.0)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_straggler_does_not_lengthen_the_wait() -> None:
    breaker = Breaker().line_failed(0.0, RULES, lambda: 1.0)
    assert breaker.line_failed(1.0, RULES, lambda: 1.0) == breaker


def test_a_reply_closes_the_breaker() -> None:
    breaker = Breaker().line_failed(0.0, RULES, lambda: 1.0).probe(5.0).succeeded()
    assert breaker.closed
    assert breaker.failures == 0


def test_a_patient_may_probe_earlier_but_not_more_often_than_the_base() -> None:
    breaker = Breaker(failures=8).line_failed(100.0, RULES, lambda: 1.0)
    assert not breaker.probe_due(103.0)
    assert not breaker.patient_may_probe(101.0, RULES)
    assert breaker.patient_may_probe(102.0, RULES)
    assert not Breaker().patient_may_probe(102.0, RULES), "nothing to probe for"


def test_the_breaker_opens_only_at_the_fifth_5xx_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker = breaker.service_failed(0.0, RULES, lambda: 1.0, None)
        assert breaker.closed
    assert not breaker.service_failed(0.0, RULES, lambda: 1.0, None).closed


def test_the_breaker_stays_open_as_long_as_the_service_asks_for_quiet() -> None:
    breaker = Breaker().service_failed(0.0, RULES, lambda: 0.5, 40.0)
    assert breaker.open_until == 41.0
