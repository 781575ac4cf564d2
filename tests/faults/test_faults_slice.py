"""A small slice of `make faults`, and its control."""

from pathlib import Path

from tests.faults.__main__ import run_part
from tests.faults.answers import AnswersFound, answers_campaign
from tests.faults.mutations import MUTATIONS


def test_spoiled_answers_do_no_harm(tmp_path: Path) -> None:
    found = answers_campaign(tmp_path, 400, seed=7)
    assert found.answers >= 400
    assert set(found.by_mutation) == {mutation.__name__ for mutation in MUTATIONS}
    assert found.harms() == AnswersFound().harms()


def test_an_uploader_that_takes_every_refusal_for_this_record_s_buries_some() -> None:
    assert run_part(400, 7, control=True).buried > 0
