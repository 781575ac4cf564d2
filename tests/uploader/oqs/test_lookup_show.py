"""`kiosk lookup show FILE`: all that a file says, for people."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.document import write
from tests.uploader.oqs.samples import answer


def show(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", "lookup", "show", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_every_element_is_shown_and_what_is_odd_is_marked(tmp_path: Path) -> None:
    person = replace(
        result(replace(PERSONS[0], name="試● 髙郎")), Sex1="8", others=(("NewElement", [("Deep", "い")]),)
    )
    data = write(answer(person), CharacterCode.SHIFT_JIS)
    (tmp_path / "face.xml").write_bytes(data)
    done = show(tmp_path / "face.xml")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "文字コード: Shift_JIS、ファイルの記述とは異なります"  # its identifier says 0
    assert "ヘッダー 処理結果区分: 1 正常終了" in lines
    assert "ボディ 資格確認結果 氏名: 試● 髙郎" in lines
    assert "ボディ 資格確認結果 性別1: 8 （表にない値）" in lines
    assert "ボディ 資格確認結果 NewElement/Deep: い" in lines
    assert "注意 Name: ●に置き換えられた文字があります" in lines
    assert "注意 Name: JIS X 0208にない文字があります" in lines
    assert not [line for line in lines if line.startswith("注意 NameKana")]


def test_an_archive_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "OQSmuonq02res_1.zip", "w") as archive:
        archive.writestr("OQSmuonq02res_1.xml", write(answer(result(PERSONS[1])), CharacterCode.UTF_8))
    done = show(tmp_path / "OQSmuonq02res_1.zip")
    assert done.returncode == 0, done.stderr
    assert "ボディ 資格確認結果 氏名: 試験 花子" in done.stdout


def test_a_refused_file_says_why_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_bytes(b'<!DOCTYPE x [<!ENTITY e "x">]><XmlMsg>&e;</XmlMsg>')
    done = show(tmp_path / "bad.xml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: bad.xml is refused: it has a document type, which these files never have\n"
