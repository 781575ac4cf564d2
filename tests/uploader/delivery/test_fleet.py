"""A slice of the fleet: what thousands of kiosks do to the service when it comes back."""

from dataclasses import replace
from random import Random
from xml.etree import ElementTree

import pytest

from kiosk.uploader.delivery.drain import drain_gap_s
from kiosk.uploader.delivery.retry import RetryRules
from tests.uploader.delivery.fleet import GOAL, Fleet, Load, Story, headlong, spread
from tests.uploader.delivery.fleet_plot import Curve, draw

RULES = RetryRules()
#: Fewer kiosks with as many requests: chance weighs no more in ten seconds than with all of them.
SLICE = Story(kiosks=1000, visit_s=60.0, before_s=300.0, outage_s=1200.0, after_s=1500.0)


@pytest.fixture(scope="module")
def load() -> Load:
    return Fleet(SLICE, RULES, spread(SLICE, RULES)).play()


def test_the_service_sees_less_than_three_times_its_steady_rate_after_the_return(load: Load) -> None:
    assert load.steady == pytest.approx(2 * SLICE.kiosks / SLICE.visit_s, rel=0.1)
    assert load.ratio <= GOAL


def test_the_backlog_is_gone_after_half_the_outage_and_a_little_more(load: Load) -> None:
    assert load.left < SLICE.kiosks, "only who came in the last moment waits"
    assert load.drained_s <= SLICE.outage_s / 2 + RULES.cap_s + SLICE.visit_s


def test_nobody_knocks_at_a_closed_door_in_step() -> None:
    """The control: the same kiosks, each draining as fast as it may."""
    assert Fleet(SLICE, RULES, headlong(SLICE)).play().ratio > 2 * GOAL


def test_the_same_seed_tells_the_same_story() -> None:
    short = replace(SLICE, kiosks=50)
    first, second = (Fleet(short, RULES, spread(short, RULES)).play() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("waiting", "oldest_s", "gap_s"),
    [
        (1, 0.5, 0.5),  # a hiccup: the settings' pace
        (1, 20.0, 10.0),
        (20, 3600.0, 90.0),
        (500, 86_000.0, 3.6),  # a day: half an hour, no more
        (10_000, 3600.0, 0.5),  # never faster than the settings say
        (0, 3600.0, 1800.0),
    ],
)
def test_a_backlog_is_spread_over_half_the_time_that_it_took_to_gather(
    waiting: int, oldest_s: float, gap_s: float
) -> None:
    assert drain_gap_s(waiting, oldest_s, 2.0, RULES) == pytest.approx(gap_s)


def test_the_plot_is_an_svg_with_every_curve() -> None:
    rates = [Random(7).random() for _ in range(300)]
    drawn = draw([Curve("a", "red", rates), Curve("b", "blue", rates)], 0.5, 3.0, (10, 20), 5000)
    lines = ElementTree.fromstring(drawn).findall("{http://www.w3.org/2000/svg}polyline")
    assert [each.get("stroke") for each in lines] == ["red", "blue"]
