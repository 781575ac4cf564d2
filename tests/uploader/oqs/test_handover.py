"""The hand-over by hand: what is handed over, what is not, and what a folder that misbehaves does to it."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.box.clock import Moment
from kiosk.config.clinic_settings import Clinic
from kiosk.config.folder_settings import FileEncoding, HandoverSettings
from kiosk.qualification.codes import (
    ProcessingResultStatus,
    QualificationValidity,
    ResultCodes,
    SegmentOfResult,
)
from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.uploader.delivery.answer_memory import AnswerMemory
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.errands import Errands
from kiosk.uploader.oqs.handover import PATIENCE_S, HandOver
from kiosk.uploader.outbox.records import FinalAnswer
from kiosk.uploader.service.wire import Answer
from tests.uploader.oqs.samples import must_read

PATIENCE = 60.0  #: seconds of a busy machine; nothing is measured by it
CLINIC = Clinic("架空クリニック", "1312345670", "K001")
NOW = Moment("boot", 1_000_000, 1_795_565_700_000, True)
RECORD = "01a20000-0000-7000-8000-000000000001"
STAMP = "20261125091502"
VALID = ResultCodes(SegmentOfResult.NORMAL, ProcessingResultStatus.NORMAL, QualificationValidity.VALID)


def later(seconds: float, now: Moment = NOW) -> Moment:
    ms = int(seconds * 1000)
    return dataclasses.replace(now, mono_ms=now.mono_ms + ms, wall_ms=now.wall_ms + ms)


def person(*results: dict[str, object]) -> bytes:
    return json.dumps({"v": 1, "id": RECORD, "ResultList": list(results)}, ensure_ascii=False).encode()


def as_json(name: str | None = None) -> dict[str, object]:
    one = result(PERSONS[2] if name is None else dataclasses.replace(PERSONS[2], name=name))
    return {key: value for key, value in one.nodes() if isinstance(value, str)}


@dataclasses.dataclass
class Folders:
    """A hand-over with a real folder and a real thread, and a clock in the test's hand."""

    folder: Path
    memory: AnswerMemory
    errands: Errands
    over: HandOver

    def answer(
        self,
        what: bytes | None = None,
        *,
        record: str = RECORD,
        codes: ResultCodes = VALID,
        late: bool = False,
        executed_at: str = STAMP,
        now: Moment = NOW,
    ) -> None:
        """An answer comes in."""
        self.memory.put(record, person(as_json()) if what is None else what)
        self.over.answered(
            FinalAnswer(record, Answer(record, codes, "", None, executed_at), late, "1234"), now
        )

    def until(self, reached: Callable[[], bool], now: Moment = NOW) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end
            self.over.step(now)
            time.sleep(0.002)

    def files(self) -> list[Path]:
        return sorted(each for each in self.folder.iterdir() if each.is_file())


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Folders]]:
    made: list[Folders] = []

    def desk(**changes: object) -> Folders:
        folder = tmp_path / "face"
        folder.mkdir(exist_ok=True)
        settings = HandoverSettings(folder, False, folder / "kiosk-work", FileEncoding.UTF_8, False, False)
        settings = dataclasses.replace(settings, **changes)  # type: ignore[arg-type]
        memory = AnswerMemory(time.monotonic)
        errands = Errands("test", lambda: None)
        one = Folders(folder, memory, errands, HandOver(settings, CLINIC, tmp_path, memory, errands))
        one.over.start()
        made.append(one)
        return one

    yield desk
    for one in made:
        one.over.stop()


@pytest.mark.parametrize("encoding", FileEncoding)
def test_a_verified_answer_becomes_a_face_style_file(
    make: Callable[..., Folders], encoding: FileEncoding
) -> None:
    desk = make(encoding=encoding)
    desk.answer()
    desk.until(lambda: desk.over.handed_over == 1)
    [file] = desk.files()
    assert file.name == "OQSsiquc01res_face_K001_20261125091500.xml"
    got = must_read(file.read_bytes())
    assert got.as_named
    assert got.code is (CharacterCode.UTF_8 if encoding is FileEncoding.UTF_8 else CharacterCode.SHIFT_JIS)
    header = got.message.header
    assert (header.ArbitraryFileIdentifier, header.MedicalInstitutionCode) == (RECORD, "1312345670")
    assert (header.ProcessExecutionTime, header.QualificationConfirmationDate) == (STAMP, "20261125")
    valid = got.message.valid
    assert valid is not None
    assert (valid.Name, valid.NameKana, valid.InsurerNumber) == ("架空 一郎", "ｶｸｳ ｲﾁﾛｳ", "  999902")


OTHERS = {
    "invalid": dataclasses.replace(VALID, validity=QualificationValidity.INVALID),
    "several": dataclasses.replace(VALID, validity=QualificationValidity.SEVERAL),
    "an error": dataclasses.replace(VALID, status=ProcessingResultStatus.ERROR),
    "at work": ResultCodes(SegmentOfResult.IN_PROGRESS),
}


@pytest.mark.parametrize("codes", OTHERS.values(), ids=OTHERS)
def test_only_a_verified_answer_is_handed_over(make: Callable[..., Folders], codes: ResultCodes) -> None:
    desk = make()
    desk.answer(codes=codes)
    desk.answer(record="another")  # the thread's turn comes after the first's
    desk.until(lambda: desk.over.handed_over == 1)
    assert (len(desk.files()), desk.over.given_up) == (1, 0)


def test_nothing_is_handed_over_while_it_is_switched_off(make: Callable[..., Folders]) -> None:
    desk = make(folder=None)
    desk.answer()
    assert desk.over.step(NOW) > 1
    assert desk.files() == []


def test_a_late_answer_is_left_to_staff_unless_the_settings_say_otherwise(
    make: Callable[..., Folders],
) -> None:
    desk = make()
    desk.answer(late=True)
    desk.answer(record="another")
    desk.until(lambda: desk.over.handed_over == 1)
    assert len(desk.files()) == 1
    willing = make(late=True)
    willing.answer(late=True)
    willing.until(lambda: willing.over.handed_over == 1)


def test_two_patients_of_one_second_get_two_names(make: Callable[..., Folders]) -> None:
    desk = make()
    for number in range(3):
        desk.answer(record=f"record-{number}")
    desk.until(lambda: desk.over.handed_over == 3)
    assert [file.name[-18:] for file in desk.files()] == [
        "20261125091500.xml",
        "20261125091501.xml",
        "20261125091502.xml",
    ]


def test_another_programs_file_of_that_name_is_left_alone(make: Callable[..., Folders]) -> None:
    desk = make(plain_names=True)
    theirs = desk.folder / "OQSsiquc01res_face_20261125091500.xml"
    theirs.write_bytes(b"theirs")
    desk.answer()
    desk.until(lambda: desk.over.handed_over == 1)
    assert theirs.read_bytes() == b"theirs"
    assert [file.name for file in desk.files()] == [theirs.name, "OQSsiquc01res_face_20261125091501.xml"]


def test_a_folder_that_is_away_for_a_moment_gets_its_file_when_it_is_back(
    make: Callable[..., Folders], caplog: pytest.LogCaptureFixture
) -> None:
    desk = make()
    away = desk.folder.rename(desk.folder.with_name("away"))
    desk.answer()
    desk.until(lambda: "not handed over yet" in caplog.text)
    away.rename(desk.folder)
    desk.until(lambda: desk.over.handed_over == 1, later(5))
    assert len(desk.files()) == 1


def test_a_folder_that_stays_away_gets_nothing_when_the_patient_has_gone(
    make: Callable[..., Folders], caplog: pytest.LogCaptureFixture
) -> None:
    desk = make()
    away = desk.folder.rename(desk.folder.with_name("away"))
    desk.answer()
    desk.until(lambda: "not handed over yet" in caplog.text)
    away.rename(desk.folder)
    desk.over.step(later(PATIENCE_S + 1))
    assert desk.over.given_up == 1
    assert desk.files() == []
    assert "record 1234 is not handed over, staff fetch it" in caplog.text


def test_an_answer_whose_time_in_memory_is_over_is_not_handed_over(
    make: Callable[..., Folders],
) -> None:
    desk = make(late=True)
    desk.answer()
    desk.memory.forget(RECORD)
    desk.over.step(NOW)
    assert (desk.over.given_up, desk.files()) == (1, [])


def test_a_receipt_computer_that_takes_at_once_finds_whole_files_only(
    make: Callable[..., Folders],
) -> None:
    desk = make()
    taken: list[bytes] = []
    closed = threading.Event()

    def take() -> None:
        while not closed.is_set():
            for file in desk.files():
                taken.append(file.read_bytes())
                file.unlink()

    taker = threading.Thread(target=take)
    taker.start()
    try:
        for number in range(20):
            desk.answer(record=f"record-{number}")
            desk.until(lambda number=number: desk.over.handed_over == number + 1)  # type: ignore[misc]
        desk.until(lambda: len(taken) == 20)
    finally:
        closed.set()
        taker.join()
    identifiers = [must_read(data).message.header.ArbitraryFileIdentifier for data in taken]
    assert identifiers == [f"record-{number}" for number in range(20)]


def test_a_share_that_hangs_keeps_nobody_longer_than_a_minute(
    make: Callable[..., Folders], caplog: pytest.LogCaptureFixture
) -> None:
    desk = make()
    hang, went_on = threading.Event(), threading.Event()
    desk.errands.give(hang.wait, lambda _: None)  # as a write to a share that does not answer
    desk.answer()
    desk.over.step(NOW)
    desk.over.step(later(PATIENCE_S + 1))
    assert desk.over.given_up == 1
    assert desk.over.step(later(PATIENCE_S + 1)) > 1, "the main loop does not spin while a share hangs"
    assert "the folder did not answer in time" in caplog.text
    desk.errands.give(went_on.set, lambda _: None)
    hang.set()
    assert went_on.wait(PATIENCE)
    desk.over.step(later(PATIENCE_S + 2))
    assert (desk.over.handed_over, desk.over.given_up, desk.files()) == (0, 1, [])


def test_an_answer_whose_hour_in_memory_ends_while_a_share_hangs_is_not_written(
    make: Callable[..., Folders],
) -> None:
    desk = make(late=True)
    hang, went_on = threading.Event(), threading.Event()
    desk.errands.give(hang.wait, lambda _: None)
    desk.answer()
    desk.over.step(NOW)
    desk.memory.forget(RECORD)
    desk.over.step(later(1))
    desk.errands.give(went_on.set, lambda _: None)
    hang.set()
    assert went_on.wait(PATIENCE)
    desk.over.step(later(2))
    assert (desk.over.handed_over, desk.over.given_up, desk.files()) == (0, 1, [])


BAD = {
    "no JSON": b"\xff{",
    "no list": b'{"ResultList": 3}',
    "another shape": b'["ResultList"]',
    "nobody": person(),
    "two": person(as_json(), as_json()),
    "a control character": person(as_json("試\x07験")),
    "a name that is no element's": person(as_json() | {"a b": "x"}),
}


@pytest.mark.parametrize("what", BAD.values(), ids=BAD)
def test_an_answer_that_is_no_such_file_is_left_to_staff_without_a_word_of_it(
    make: Callable[..., Folders], what: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    desk = make()
    desk.answer(what)
    desk.until(lambda: desk.over.given_up == 1)
    assert desk.files() == []
    assert "架空" not in caplog.text
    assert "record 1234" in caplog.text


def test_without_any_time_to_be_believed_nothing_is_handed_over(make: Callable[..., Folders]) -> None:
    lost = dataclasses.replace(NOW, trusted=False)
    desk = make()
    desk.answer(executed_at="", now=lost)
    desk.over.step(lost)
    assert (desk.over.given_up, desk.files()) == (1, [])
    desk.answer(now=lost)  # the service tells the time
    desk.until(lambda: desk.over.handed_over == 1, lost)
    assert desk.files()[0].name.endswith(f"{STAMP}.xml")


def test_what_a_crash_left_in_the_work_folder_is_removed_at_start(make: Callable[..., Folders]) -> None:
    first = make()
    work = first.folder / "kiosk-work" / "K001"
    work.mkdir(parents=True)
    (work / "OQSsiquc01res_face_K001_20261124170000.xml").write_text("half a per")
    other = work.parent / "K002" / "another kiosk's.xml"
    other.parent.mkdir()
    other.touch()
    make()
    end = time.monotonic() + PATIENCE
    while any(work.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.002)
    assert other.exists()


# ---- the daily check ---------------------------------------------------------------------------------------


def checked(desk: Folders, now: Moment = NOW) -> str | None:
    item = desk.over.check(now)
    assert item is not None
    return item.fault


def test_the_daily_check_says_when_the_folder_is_away_and_when_it_is_back(
    make: Callable[..., Folders],
) -> None:
    desk = make()
    away = desk.folder.rename(desk.folder.with_name("away"))
    desk.until(lambda: checked(desk) == "away")
    away.rename(desk.folder)
    desk.until(lambda: checked(desk) is None, later(61))
    assert desk.files() == [], "a look leaves nothing behind"


def test_the_daily_check_says_when_nobody_takes_what_is_handed_over(
    make: Callable[..., Folders],
) -> None:
    desk = make()
    desk.answer()
    desk.until(lambda: desk.over.handed_over == 1)
    assert checked(desk, later(600)) is None
    assert checked(desk, later(1_000)) == "untaken"
    desk.files()[0].unlink()  # the receipt computer has taken it
    desk.until(lambda: checked(desk, later(1_000)) is None, later(1_000))


def test_the_daily_check_is_silent_while_nothing_is_handed_over(make: Callable[..., Folders]) -> None:
    assert make(folder=None).over.check(NOW) is None
