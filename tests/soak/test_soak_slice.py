"""A slice of the soak, and that it would notice what is wrong."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.simulator.tokens.hierarchy import Hierarchy, ensure_hierarchy
from tests.soak.__main__ import Report, Size, soak
from tests.soak.patient import Odds


@pytest.fixture(scope="module")
def hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Hierarchy:
    return ensure_hierarchy(tmp_path_factory.mktemp("soak") / "pki")


def run(folder: Path, hierarchy: Hierarchy, odds: Odds, visits: int = 150) -> Report:
    return soak(folder, hierarchy, visits, 7, odds)


def test_a_hundred_and_fifty_visits_in_a_bad_world_come_out_right(
    tmp_path: Path, hierarchy: Hierarchy
) -> None:
    report = run(tmp_path, hierarchy, Odds(early_removals=0.2, unplugs=0.05))
    assert report.wrong == ()
    assert report.outcomes.total() == report.visits
    assert set(report.outcomes) == {"authenticated", "authenticated after further taps", "wrong card told"}
    assert report.lost > 0
    assert report.removals > 0
    assert report.unplugs > 0
    assert (report.end.handles, report.end.threads) == (report.warm.handles, report.warm.threads)


def test_in_a_good_world_every_visit_takes_one_tap(tmp_path: Path, hierarchy: Hierarchy) -> None:
    report = run(tmp_path, hierarchy, Odds(0, 0, 0, 0, 0), visits=40)
    assert report.outcomes == Counter({"authenticated": 40})
    assert report.messages["Evidence"] == report.messages["Presented"] == 40
    assert "ContactFailed removed" not in report.messages


@pytest.mark.parametrize(
    "grown",
    [Size(3_000_000, 10, 1), Size(1_000_000, 11, 1), Size(1_000_000, 10, 2)],
    ids=["memory", "handles", "threads"],
)
def test_growth_makes_a_soak_unsound(grown: Size) -> None:
    flat = Size(1_000_000, 10, 1)
    report = Report(1, 1, 1, Counter(), Counter(), 1, 0, 0, 0, (), flat, flat)
    assert report.sound
    assert not replace(report, end=grown).sound
    assert not replace(report, wrong=("visit 1: stuck",)).sound
