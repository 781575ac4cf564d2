"""A small slice of `make chaos`."""

from pathlib import Path

import pytest

from tests.system.chaos import VICTIMS, Plan, run


@pytest.mark.slow
def test_killed_anywhere_nothing_acknowledged_is_lost_and_nothing_takes_effect_twice(tmp_path: Path) -> None:
    found = run(Plan(kills=14, every_s=0.6, records_per_s=12, seed=5, least=11), tmp_path)
    assert found.faults == []
    assert set(found.kills) == set(VICTIMS), "each process was killed"
    assert found.acknowledged >= 11
    assert found.patient_visits > 0
