"""`kiosk simulate terminal`: what the documentation tells to try with."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import Read, read, write
from kiosk.uploader.oqs.exchange import LookUp, LookUpKind, LookUpStage, answer_name, request_name, request_of
from kiosk.uploader.oqs.folder import Folder, Put
from tests.uploader.oqs.clinic import wait_for

INSTITUTION = "1312345670"


def exchanged(folder: Path, state: LookUp, stamp: str) -> Read:
    """Put a request there as a kiosk does; returns the answer."""
    name = request_name(state, stamp)
    data = write(request_of(state, INSTITUTION), CharacterCode.SHIFT_JIS)
    assert Folder(folder / "req", folder / "work").put(name, data) == Put(name)
    answer = folder / "res" / answer_name(name)
    wait_for(lambda: answer.exists() and isinstance(read(answer.read_bytes()), Read))
    got = read(answer.read_bytes())
    assert isinstance(got, Read)
    return got


def test_it_answers_like_a_terminal_until_it_is_told_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "OQS"
    words = ["--folder", str(folder), "--people", "3", "--at-work", "1", "--delay", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "kiosk", "simulate", "terminal", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        wait_for((folder / "res").is_dir)
        today = time.strftime("%Y%m%d")
        state = LookUp(1, LookUpKind.HOME, today, str(int(today) + 1), "abc", stage=LookUpStage.SENT)
        reception = exchanged(folder, state, "1").message.header.ReceptionNumber
        assert reception
        fetch = LookUp(1, LookUpKind.HOME, today, today, "abc", reception=reception)
        assert exchanged(folder, fetch, "2").message.header.SegmentOfResult == "2"
        units = exchanged(folder, fetch, "3").message.body.BulkConfirmUnit
        assert len(units) == 3
        assert all(unit.results[0].Name for unit in units)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"answered from {folder}/req to {folder}/res" in output
