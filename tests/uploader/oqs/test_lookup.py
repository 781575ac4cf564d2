"""Look-ups against a terminal's folder with bad manners; the outbox, the folders and the thread are real."""

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.box.clock import Clock
from kiosk.config.folder_settings import FileEncoding, LookupMessage, LookupSettings
from kiosk.qualification.terms import Outcome
from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import crowd, result
from kiosk.simulator.terminal.terminal_folder import Manners, TerminalFolder
from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.exchange import LookUpKind, LookUpStage
from kiosk.uploader.oqs.lookup_store import LookUps
from kiosk.uploader.oqs.matching import identities
from kiosk.uploader.oqs.results import QualificationResult
from kiosk.uploader.staff.late_answers import waiting_list
from tests.uploader.oqs.asking import CLINIC, DAY, PATIENCE_S, Asker, consented
from tests.uploader.oqs.clinic import wait_for
from tests.uploader.outbox.records import open_outbox


@pytest.fixture
def settings(tmp_path: Path) -> LookupSettings:
    folder = tmp_path / "OQS"
    return LookupSettings(
        message=LookupMessage.ONLINE,
        folder=folder,
        share=False,
        work=folder / "kiosk-work",
        encoding=FileEncoding.SHIFT_JIS,
        wait_s=PATIENCE_S,
        ask_every_s=0.02,
        asks=5,
        poll_s=0.02,
    )


@pytest.fixture
def terminal(settings: LookupSettings) -> Iterator[TerminalFolder]:
    with TerminalFolder(settings.folder, CLINIC.institution) as running:
        yield running


@pytest.fixture
def asker(tmp_path: Path, settings: LookupSettings) -> Iterator[Asker]:
    outbox = open_outbox(tmp_path / "outbox.sqlite", now=Clock().now())
    one = Asker(tmp_path, outbox, settings)
    yield one
    one.runner.stop()
    outbox.close()


MANNERS = {
    "good": Manners(),
    "slow": Manners(delay_s=0.1, at_work=2),
    "half-written": Manners(half_s=0.15),
    "locked": Manners(shut_s=0.15),
    "shuffled": Manners(shuffled=True),
    "a wrong encoding told": Manners(told=CharacterCode.UTF_8),
    "UTF-8": Manners(code=CharacterCode.UTF_8),
    "packed": Manners(zipped=True),
    "half-packed": Manners(zipped=True, half_s=0.15),
    "foreign files": Manners(foreign=True, impostor_s=0.15),
    "all of it": Manners(
        delay_s=0.05, at_work=1, half_s=0.1, shut_s=0.1, impostor_s=0.1, shuffled=True, foreign=True
    ),
}


@pytest.mark.parametrize("manners", MANNERS.values(), ids=MANNERS)
def test_results_are_found_whatever_the_manners(
    asker: Asker, terminal: TerminalFolder, manners: Manners
) -> None:
    terminal.manners = manners
    visit = asker.late()
    terminal.consented = [consented(None, 1), consented(visit), *[(DAY, unit) for unit in crowd(20)]]
    before = set(terminal.res.iterdir())
    ended = asker.run()
    assert (ended.stage, ended.reason) == (LookUpStage.DONE, "")
    assert (ended.found, ended.uncertain, ended.others) == (1, 0, 21)
    names = [name[:14] for name, _ in terminal.taken]
    assert names == ["OQSmuonq01req_"] + ["OQSmuonq02req_"] * (1 + manners.at_work)
    assert {m.body.ReceptionNumber for _, m in terminal.taken[1:]} == {"R00000001"}, "the same number again"
    assert [each.id for each in asker.found] == [visit]
    assert set(terminal.res.iterdir()) > before, "the kiosk takes nothing away"
    assert not any((asker.settings.work / "K001").iterdir())


def test_a_day_without_results_is_a_result(asker: Asker, terminal: TerminalFolder) -> None:
    terminal.consented = [("20261124", crowd(1)[0])]
    ended = asker.run()
    assert (ended.stage, ended.found, ended.others) == (LookUpStage.DONE, 0, 0)


def test_home_visits_have_messages_of_their_own(
    tmp_path: Path, settings: LookupSettings, terminal: TerminalFolder
) -> None:
    outbox = open_outbox(tmp_path / "home.sqlite", now=Clock().now())
    one = Asker(tmp_path, outbox, dataclasses.replace(settings, message=LookupMessage.HOME))
    visit = one.late()
    terminal.consented = [consented(visit)]
    assert one.run().found == 1
    assert [name[:14] for name, _ in terminal.taken] == ["OQSmuhvq01req_", "OQSmuhvq02req_"]
    one.runner.stop()
    outbox.close()


def test_at_work_for_too_long_is_a_failure(asker: Asker, terminal: TerminalFolder) -> None:
    terminal.manners = Manners(at_work=100)
    ended = asker.run()
    assert ended.stage is LookUpStage.FAILED
    assert "still at work" in ended.reason
    assert [name[:14] for name, _ in terminal.taken].count("OQSmuonq02req_") == asker.settings.asks
    assert [name[:14] for name, _ in terminal.taken].count("OQSmuonq01req_") == 1


def test_an_error_of_the_terminal_is_a_failure_that_the_audit_table_knows(
    asker: Asker, terminal: TerminalFolder
) -> None:
    terminal.manners = Manners(error="E0042")
    ended = asker.run()
    assert (ended.stage, ended.reason) == (LookUpStage.FAILED, "the terminal ended it with an error E0042")
    assert asker.outbox.database.rows("SELECT event, staff FROM audit") == [("looked_up:failed", "kiosk")]


def test_a_silent_terminal_is_waited_for_once_and_not_for_ever(
    asker: Asker, terminal: TerminalFolder
) -> None:
    terminal.manners = Manners(silent=True)
    asker.runner.stop()
    impatient = Asker(asker.folder, asker.outbox, dataclasses.replace(asker.settings, wait_s=0.3))
    ended = impatient.run()
    assert ended.stage is LookUpStage.FAILED
    assert "no answer came to OQSmuonq01req_" in ended.reason
    wait_for(lambda: bool(terminal.taken))
    for _ in range(20):
        impatient.turn()
    assert len(terminal.taken) == 1, "never sent again"
    assert list(terminal.req.iterdir()) == []
    impatient.runner.stop()


def test_a_wait_is_resumed_by_the_next_life_and_nothing_is_sent_again(
    asker: Asker, terminal: TerminalFolder
) -> None:
    terminal.manners = Manners(delay_s=1.0)
    visit = asker.late()
    terminal.consented = [consented(visit)]
    assert asker.runner.begin(DAY, DAY, asker.outbox) is None
    asker.until(LookUpStage.SENT)
    wait_for(lambda: bool(terminal.taken))
    asker.runner.stop()  # the process dies; what is on the disk is all that is known
    second = Asker(asker.folder, asker.outbox, asker.settings)
    assert second.until(LookUpStage.DONE).found == 1
    assert [name[:14] for name, _ in terminal.taken] == ["OQSmuonq01req_", "OQSmuonq02req_"]
    second.runner.stop()


def test_a_request_that_may_have_been_sent_is_not_sent_again(asker: Asker, terminal: TerminalFolder) -> None:
    """The power failed between the note that it is sent and the move: nobody knows, so it is waited for."""
    lookups = LookUps(asker.outbox.database)
    begun = lookups.begin(LookUpKind.ONLINE, DAY, DAY, "token-1")
    lookups.save(
        dataclasses.replace(begun, stage=LookUpStage.SENT, request="OQSmuonq01req_20270115000000000.xml")
    )
    asker.runner.stop()
    impatient = Asker(asker.folder, asker.outbox, dataclasses.replace(asker.settings, wait_s=0.3))
    ended = impatient.until(LookUpStage.FAILED)
    assert "no answer came" in ended.reason
    assert terminal.taken == []
    impatient.runner.stop()


def test_a_folder_that_is_away_gets_the_request_when_it_is_back(
    asker: Asker, terminal: TerminalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.uploader.oqs.lookup.RETRY_S", 0.05)
    away = terminal.req.rename(terminal.folder / "away")
    assert asker.runner.begin(DAY, DAY, asker.outbox) is None
    for _ in range(30):
        asker.turn()
        time.sleep(0.01)
    last = asker.last()
    assert last is not None
    assert last.active
    away.rename(terminal.req)
    assert asker.until(LookUpStage.DONE).asks == 1
    assert len(terminal.taken) == 2


def test_only_one_goes_on_at_a_time(asker: Asker, terminal: TerminalFolder) -> None:
    assert asker.runner.begin(DAY, DAY, asker.outbox) is None
    assert asker.runner.begin(DAY, DAY, asker.outbox) == "one is under way"
    asker.until(LookUpStage.DONE)
    assert asker.runner.begin(DAY, DAY, asker.outbox) is None


def test_it_is_off_unless_the_settings_say_otherwise(asker: Asker, tmp_path: Path) -> None:
    off = Asker(tmp_path, asker.outbox, dataclasses.replace(asker.settings, message=LookupMessage.OFF))
    asker.late()
    for _ in range(20):
        off.turn()
    assert off.last() is None
    assert "look-ups are off" in (off.runner.begin(DAY, DAY, asker.outbox) or "")


# ---- by itself ---------------------------------------------------------------------------------------------


def test_it_begins_by_itself_once_late_answers_have_come_to_rest(
    asker: Asker, terminal: TerminalFolder
) -> None:
    visit = asker.late()
    terminal.consented = [consented(visit)]
    ended = asker.until(LookUpStage.DONE)
    assert (ended.date_from, ended.date_to, ended.found) == (DAY, DAY, 1)
    for _ in range(30):
        asker.turn()
        time.sleep(0.01)
    assert len(LookUps(asker.outbox.database).last(9)) == 1, "not again for the same visits"
    asker.late()
    end = time.monotonic() + PATIENCE_S
    while len(LookUps(asker.outbox.database).last(9)) < 2:
        assert time.monotonic() < end
        asker.turn()
        time.sleep(0.005)


def test_it_does_not_begin_while_the_service_is_away(asker: Asker, terminal: TerminalFolder) -> None:
    asker.online = False
    asker.late()
    for _ in range(30):
        asker.turn()
        time.sleep(0.01)
    assert asker.last() is None


# ---- what comes of it --------------------------------------------------------------------------------------


def test_a_record_that_was_given_up_gets_its_answer(asker: Asker, terminal: TerminalFolder) -> None:
    visit = asker.late("expired")
    terminal.consented = [consented(visit)]
    asker.run()
    [late] = waiting_list(asker.outbox).late
    assert (late.visit, late.outcome, late.validity) == (visit, Outcome.VERIFIED, "1")


def test_a_found_person_is_in_memory_only_and_whole(
    asker: Asker, terminal: TerminalFolder, tmp_path: Path
) -> None:
    visit = asker.late()
    terminal.consented = [consented(visit)]
    asker.run()
    held = asker.memory.get(visit)
    assert held is not None
    [one] = json.loads(held)["ResultList"]
    from_memory = QualificationResult.of(
        [(name, value) for name, value in one.items() if isinstance(value, str)]
    )
    assert identities([from_memory]) == identities([result(PERSONS[0])])
    assert one["SpecificDiseasesCertificateList"]["SpecificDiseasesCertificateInfo"]
    content = (tmp_path / "outbox.sqlite").read_bytes()
    for text in (PERSONS[0].name, PERSONS[0].kana, PERSONS[0].number):
        assert text.encode() not in content
        assert text.encode("cp932") not in content


def test_uncertain_results_are_left_to_staff(asker: Asker, terminal: TerminalFolder) -> None:
    visit = asker.late("expired")
    terminal.consented = [consented(visit, 0), consented(visit, 1)]
    ended = asker.run()
    assert (ended.found, ended.uncertain) == (0, 1)
    assert asker.found == []
    assert asker.memory.get(visit) is None
    [late] = waiting_list(asker.outbox).late
    assert (late.visit, late.outcome) == (visit, Outcome.RECORDED), "as before: nobody decided for staff"


def test_the_answer_that_is_still_in_memory_tells_who_it_was(asker: Asker, terminal: TerminalFolder) -> None:
    visit = asker.late()
    found = {name: value for name, value in result(PERSONS[3]).nodes() if isinstance(value, str)}
    asker.memory.put(visit, json.dumps({"ResultList": [found]}).encode())
    terminal.consented = [consented(None, 3), consented(None, 1)]
    ended = asker.run()
    assert (ended.found, ended.uncertain, ended.others) == (1, 0, 1)


def test_a_visit_that_staff_have_dealt_with_is_left_alone(asker: Asker, terminal: TerminalFolder) -> None:
    visit = asker.late()
    asker.outbox.database.rows("UPDATE records SET desk = 2 WHERE id = ?", (visit,))
    terminal.consented = [consented(visit)]
    ended = asker.run()
    assert (ended.found, ended.others) == (0, 1)


# ---- the daily check ---------------------------------------------------------------------------------------


def test_what_a_look_up_leaves_to_staff_is_told_until_they_have_dealt_with_it(
    asker: Asker, terminal: TerminalFolder
) -> None:
    visit = asker.late()
    assert asker.runner.check(asker.outbox) is None
    terminal.manners = Manners(error="E0042")
    asker.run()
    item = asker.runner.check(asker.outbox)
    assert item is not None
    assert (item.part, item.fault) == ("folders", "lookup_failed")
    terminal.manners = Manners()
    terminal.consented = [consented(visit, 0), consented(visit, 1)]
    asker.run()
    item = asker.runner.check(asker.outbox)
    assert item is not None
    assert (item.fault, item.value) == ("lookup_uncertain", 1)
    asker.outbox.mark_seen(visit)
    assert asker.runner.check(asker.outbox) is None


def test_a_look_up_that_found_them_all_leaves_nothing_to_say(asker: Asker, terminal: TerminalFolder) -> None:
    visit = asker.late()
    terminal.consented = [consented(visit)]
    asker.run()
    assert asker.runner.check(asker.outbox) is None
