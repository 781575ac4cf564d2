"""`kiosk demo --headless --handover DIR`: the whole way of a visit, to the receipt computer's folder."""

from pathlib import Path

import pytest

from kiosk.qualification.codes import QualificationValidity
from kiosk.uploader.oqs.code_tables import ReferenceClassification
from tests.system.test_story import run_demo
from tests.uploader.oqs.clinic import files_in
from tests.uploader.oqs.samples import must_read

pytestmark = pytest.mark.slow


def test_a_visits_answer_is_handed_over_from_end_to_end(tmp_path: Path) -> None:
    folder, out = tmp_path / "face", tmp_path / "out"
    only = [word for name in ("handed-over", "validity-2") for word in ("--only", name)]
    done = run_demo("--headless", "--out", str(out), "--handover", str(folder), *only)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"2 verified answers lie in {folder}/" in done.stdout
    files = files_in(folder)
    assert len(files) == 2, "one for each mode; what was not verified is not there"
    for file in files:
        assert file.name.startswith("OQSsiquc01res_face_DEMO-1_")
        message = must_read(file.read_bytes()).message
        assert message.header.ReferenceClassification == ReferenceClassification.MY_NUMBER_CARD.value
        assert message.body.QualificationValidity == QualificationValidity.VALID.value
        assert message.valid is not None


def test_without_the_option_there_is_no_such_scenario(tmp_path: Path) -> None:
    done = run_demo("--headless", "--out", str(tmp_path), "--only", "handed-over")
    assert done.returncode == 2
    assert "no scenario is called handed-over" in done.stderr
