"""The staff side of the screen process: long press, passcode, what the uploader sends and gets."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import msgspec
import pytest

from kiosk import channel as ch
from kiosk.qualification.guidance import RecordFinding
from kiosk.qualification.terms import FallbackReason, Mode, Outcome
from kiosk.screens.app import KNOCK_S
from kiosk.screens.conductor.staff_side import ANSWER_S, SETTLED_S, Box, StaffSide
from kiosk.screens.drawing.display import Down, Up
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.events import (
    Action,
    Began,
    CaseOpened,
    DrillAdvanced,
    FallbackChosen,
    Knocked,
)
from kiosk.visit.rules import Rules
from kiosk.visit.staff_states import (
    DoorNumber,
    StaffCase,
    StaffCheck,
    StaffDrill,
    StaffMenu,
)
from kiosk.visit.states import (
    AskConsent,
    Checking,
    Idle,
    Kiosk,
    OutOfService,
    OutOfServiceReason,
    ReaderCondition,
    Recorded,
    Visit,
)
from kiosk.visit.views.staff_views import CheckView, DrillStep, Part, PartFault
from kiosk.visit.views.waiting_view import WaitingView
from tests.screens.conductor.staff_place import (
    ALL_WELL,
    HEADER,
    JST,
    STAFF,
    VISIT,
    Now,
    Place,
    StaffSideAlone,
    open_place,
)

MakeLook = Callable[..., Look]


@pytest.fixture
def place(make_look: MakeLook, fonts: FontBook) -> Iterator[Place]:
    with open_place(make_look(), fonts) as made:
        yield made


# ---- the long press --------------------------------------------------------------------------------------


def test_a_long_press_on_the_header_asks_for_the_staff_number(place: Place) -> None:
    place.step(Down(*HEADER))
    place.wait(KNOCK_S - 0.1)
    assert place.screen == "start"
    place.wait(0.2)
    assert place.screen == "door_number"
    place.step(Up(*HEADER))
    assert place.kiosk.screen == DoorNumber()


def test_a_short_press_on_the_header_begins_a_visit_as_everywhere_else(place: Place) -> None:
    place.step(Down(*HEADER))
    place.wait(0.3)
    place.step(Up(*HEADER))
    assert place.screen == "consent"


def test_a_press_elsewhere_begins_at_once_and_a_long_one_is_no_knock(place: Place) -> None:
    place.step(Down(400, 200))
    assert place.screen == "consent"
    place.wait(KNOCK_S + 1)
    assert place.screen == "consent"


def test_two_short_presses_are_not_a_long_one(place: Place) -> None:
    place.press(Action.HELP)
    place.wait(1)
    assert place.screen == "staff_called"
    for _ in range(2):
        place.step(Down(*HEADER))
        place.wait(KNOCK_S * 0.7)
        place.step(Up(*HEADER))
    assert place.screen == "staff_called"
    place.step(Down(*HEADER))
    place.wait(KNOCK_S + 0.1)
    assert place.screen == "door_number"


def test_a_press_that_outlasts_the_picture_is_no_knock(place: Place) -> None:
    place.step(Down(*HEADER))
    place.reader.sends(ch.Presented(visit=None))
    place.wait(1)
    assert place.screen == "laid_too_early"
    place.reader.sends(ch.Removed(visit=None))
    place.wait(0.5)
    place.wait(KNOCK_S)
    assert place.screen == "start"


def test_in_the_middle_of_a_visit_nobody_can_knock(place: Place) -> None:
    place.press(Began(VISIT))
    place.wait(1)
    place.step(Down(*HEADER))
    place.wait(KNOCK_S + 1)
    assert isinstance(place.kiosk.screen, AskConsent)


# ---- the passcode ----------------------------------------------------------------------------------------


def test_the_right_passcode_opens_the_menu_and_is_audited(place: Place) -> None:
    place.press(Knocked())
    place.passcode()
    assert place.kiosk.screen == StaffMenu(STAFF)
    assert place.uploader.heard()[-2:] == [
        ch.AuditNote(event=AuditEvent.PASSCODE_ACCEPTED, staff=STAFF),
        ch.AskWaitingList(staff=STAFF),
    ]


def test_five_wrong_passcodes_lock_the_door_for_five_minutes_and_are_audited(place: Place) -> None:
    place.press(Knocked())
    for _ in range(5):
        place.passcode(b"0000")
    notes = [m.event for m in place.uploader.heard() if isinstance(m, ch.AuditNote)]
    assert sorted(notes) == ["door_locked", *["passcode_refused"] * 5]
    assert place.kiosk.door.locked
    place.press(Action.BACK)
    assert place.screen == "start", "patients are served all the while"
    place.wait(299)
    assert place.kiosk.door.locked
    place.wait(2)
    place.enter()


def test_the_menu_is_left_by_itself(place: Place) -> None:
    place.enter()
    place.wait(59)
    assert place.screen == "staff_menu"
    place.wait(2)
    assert place.screen == "start"


# ---- what the uploader gets -----------------------------------------------------------------------------


def test_fallback_operation_is_begun_and_ended_under_the_staff_number(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_FALLBACK, FallbackChosen(FallbackReason.FACE_READER))
    assert place.uploader.heard() == [ch.SetFallback(staff=STAFF, reason=FallbackReason.FACE_READER)]
    place.uploader.sends(ch.LineState(online=True, waiting=0, fallback=FallbackReason.FACE_READER))
    place.step()
    place.press(FallbackChosen(None))
    assert place.uploader.heard() == [ch.SetFallback(staff=STAFF, reason=None)]


def late(visit: str, outcome: Outcome, validity: str | None) -> ch.LateAnswer:
    return ch.LateAnswer(
        visit=visit,
        receipt="A-0041",
        taken_at="2026-11-21T23:30:00Z",
        answered_at="2026-11-22T00:10:00.5Z",
        outcome=outcome,
        validity=validity,
    )


def waiting_list(*answers: ch.LateAnswer) -> ch.WaitingList:
    return ch.WaitingList(
        waiting=2, oldest_at="2026-11-21T15:00:00Z", expired=1, quarantined=3, held=1, late=answers
    )


def test_the_board_is_shown_in_local_time_with_its_codes_as_findings(place: Place) -> None:
    place.enter()
    sent = waiting_list(late("a", Outcome.NOT_CONFIRMED, "5"), late("b", Outcome.RECORDED, None))
    place.uploader.sends(sent)
    place.step()
    view = place.kiosk.waiting
    assert view is not None
    assert view.records == msgspec.structs.replace(sent, oldest_at="2026-11-22T00:00:00+09:00")
    assert view.records.oldest == datetime(2026, 11, 22, 0, 0, tzinfo=JST)
    assert [answer.finding for answer in view.records.late] == [RecordFinding.SEVERAL, RecordFinding.EXPIRED]
    assert (view.last_recorded, view.today) == (None, date(2026, 11, 22))


def test_a_late_answer_that_was_dealt_with_is_told_to_the_uploader(place: Place) -> None:
    place.enter()
    place.uploader.sends(waiting_list(late(VISIT, Outcome.VERIFIED, "1")))
    place.step()
    place.press(Action.OPEN_WAITING, CaseOpened(VISIT))
    assert isinstance(place.kiosk.screen, StaffCase)
    place.press(Action.SEEN)
    assert place.uploader.heard() == [ch.AskWaitingList(staff=STAFF), ch.AnswerSeen(staff=STAFF, visit=VISIT)]


def test_a_board_without_a_clock_to_believe_names_no_day(place: Place) -> None:
    place.now.trusted = False
    place.enter()
    place.uploader.sends(waiting_list())
    place.step()
    assert place.kiosk.waiting is not None
    assert place.kiosk.waiting.today is None


def test_a_board_with_a_moment_that_cannot_be_read_is_shown_without_it(place: Place) -> None:
    place.enter()
    sent = ch.WaitingList(waiting=1, oldest_at="soon", expired=0, quarantined=0, late=())
    place.uploader.sends(sent)
    place.step()
    readable = msgspec.structs.replace(sent, oldest_at=None)
    assert place.kiosk.waiting == WaitingView(readable, today=date(2026, 11, 22))


def test_a_board_that_nobody_looks_at_is_kept_nowhere(place: Place) -> None:
    place.uploader.sends(waiting_list())
    place.step()
    assert place.kiosk.waiting is None


def test_right_after_a_recorded_visit_the_menu_names_its_receipt_and_the_next_day_no_longer(
    alone: StaffSideAlone,
) -> None:
    visit = Visit(VISIT, Mode.HOME_CONSENT)
    alone.staff_side.entered(Recorded(visit, "A-0042"))
    alone.staff_side.entered(Idle())
    assert alone.staff_side.view(waiting_list()).last_recorded == "A-0042"
    alone.now.passes(24 * 3600)
    assert alone.staff_side.view(waiting_list()).last_recorded is None


# ---- the drill -------------------------------------------------------------------------------------------


def test_a_drill_is_asked_for_and_followed(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_DRILL, Action.RUN)
    assert place.uploader.heard() == [ch.RunDrill(staff=STAFF)]
    place.uploader.sends(ch.DrillProgress(step="deliver"))
    place.step()
    assert place.kiosk.screen == StaffDrill(STAFF, DrillStep.DELIVER)
    place.uploader.sends(ch.DrillProgress(step="erase", passed=True))
    place.step()
    assert place.kiosk.screen == StaffDrill(STAFF, DrillStep.ERASE, True)


# ---- the day's check -------------------------------------------------------------------------------------


def asked(place: Place) -> int:
    return place.uploader.heard().count(ch.AskCheck())


def found(place: Place) -> tuple[PartFault, ...]:
    """What the kiosk knows to be mended; nothing before it has checked."""
    return place.kiosk.check.faults if place.kiosk.check is not None else ()


def test_the_day_s_check_begins_by_itself_once_the_kiosk_has_settled(place: Place) -> None:
    assert asked(place) == 0
    place.wait(SETTLED_S)
    assert asked(place) == 1
    place.uploader.sends(ALL_WELL)
    place.step()
    assert place.kiosk.check is not None
    assert (place.kiosk.check.at, found(place)) == (place.now.wall, ())
    for _ in range(5):
        place.wait(600)
    assert asked(place) == 0


def test_a_new_day_checks_again_and_not_in_the_middle_of_a_visit(place: Place) -> None:
    place.wait(SETTLED_S)
    place.uploader.sends(ALL_WELL)
    place.step()
    assert asked(place) == 1
    place.press(Began(VISIT))
    place.now.wall += timedelta(days=1)
    place.wait(1)
    assert not any(isinstance(m, ch.AskCheck) for m in place.uploader.heard())
    place.press(Action.BACK)
    place.wait(1)
    place.wait(SETTLED_S)
    assert asked(place) == 1


def test_faults_of_all_parts_come_together_and_stay_for_staff(place: Place) -> None:
    place.box[0] = False
    place.wait(SETTLED_S)
    place.uploader.sends(
        ch.CheckResult(
            parts=(
                ch.CheckItem(part="line"),
                ch.CheckItem(part="certificate", fault="ends_soon", value=14.0),
                ch.CheckItem(part="flux", fault="odd"),
            )
        )
    )
    place.step()
    assert place.kiosk.check == CheckView(
        place.now.wall,
        (
            PartFault(Part.CERTIFICATE, "ends_soon", 14),
            PartFault(Part.UNKNOWN, "odd"),
            PartFault(Part.SOUND, "silent"),
        ),
        (PartFault(Part.READER, ""), PartFault(Part.LINE, ""), PartFault(Part.LIGHTS, "")),
    )


def test_an_uploader_that_does_not_answer_is_itself_the_fault(place: Place) -> None:
    place.wait(SETTLED_S)
    assert found(place) == ()
    place.wait(ANSWER_S)
    assert found(place) == (PartFault(Part.UPLOADER, "absent"),)
    place.uploader.sends(ALL_WELL)
    place.step()
    assert found(place), "an answer to nobody's question changes nothing"


def test_staff_can_check_again_and_see_it_at_once_when_the_uploader_is_gone(place: Place) -> None:
    place.enter()
    place.uploader.absent = True
    assert place.uploader.far is not None
    place.uploader.far.close()
    place.uploader.far = None
    place.step()
    place.press(Action.OPEN_CHECK)
    assert place.kiosk.screen == StaffCheck(STAFF, running=True)
    place.wait(1)
    assert place.kiosk.screen == StaffCheck(STAFF)
    assert PartFault(Part.UPLOADER, "absent") in found(place)


# ---- the staff side alone -------------------------------------------------------------------------------


@pytest.fixture
def alone() -> StaffSideAlone:
    now = Now()
    return StaffSideAlone(
        StaffSide(lambda: now.wall, lambda: now.trusted, Box(lambda: True, lights_work=False)), now
    )


def test_a_reader_that_is_not_ready_and_lights_that_do_not_work_are_named(alone: StaffSideAlone) -> None:
    alone.now.trusted = False
    view = alone.staff_side.check(ALL_WELL, ReaderCondition.LOST)
    assert (view.at, view.faults) == (None, (PartFault(Part.READER, "lost"), PartFault(Part.LIGHTS, "dark")))
    assert [part.part.value for part in view.fine] == ["line", "clock", "outbox", "disk", "sound"]


def test_a_kiosk_out_of_service_is_checked_too_and_a_visit_is_left_alone(alone: StaffSideAlone) -> None:
    rules = Rules(Mode.HOME_CONSENT)
    closed = Kiosk(rules, "ja", OutOfService(OutOfServiceReason.READER))
    busy = Kiosk(rules, "ja", Checking(Visit(VISIT, Mode.HOME_CONSENT)))
    assert not alone.staff_side.check_due(closed, 0.0)
    assert not alone.staff_side.check_due(busy, 4.0)
    assert not alone.staff_side.check_due(closed, 5.0), "rest begins anew after a visit"
    assert alone.staff_side.check_due(closed, 10.0)
    assert not alone.staff_side.check_due(closed, 99.0)


def test_an_unknown_step_of_the_drill_is_dropped_and_a_failure_is_logged(
    alone: StaffSideAlone, caplog: pytest.LogCaptureFixture
) -> None:
    assert alone.staff_side.drill(ch.DrillProgress(step="polish")) is None
    failed = alone.staff_side.drill(ch.DrillProgress(step="seal", passed=False, reason="no key"))
    assert failed == DrillAdvanced(DrillStep.SEAL, False)
    assert "stopped at seal: no key" in caplog.text
