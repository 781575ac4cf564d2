"""The door and the staff pages as examples, with everything that they may have to show. PURE."""

from dataclasses import replace
from datetime import date, datetime

import msgspec

from kiosk.qualification.call_centre import CallHours
from kiosk.qualification.codes import QualificationValidity
from kiosk.qualification.devices import Device
from kiosk.qualification.guidance import REASONS, RecordFinding
from kiosk.qualification.terms import FallbackReason, Outcome
from kiosk.screens.pages.examples.changed_settings_examples import changed_examples
from kiosk.screens.pages.staff.update_page import FAULTS
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPasscode,
    StaffCase,
    StaffCheck,
    StaffDay,
    StaffDrill,
    StaffFallback,
    StaffHelp,
    StaffMenu,
    StaffReading,
    StaffSettings,
    StaffTest,
    StaffUpdate,
    StaffWaiting,
)
from kiosk.visit.states import Idle, Kiosk, LineStatus, OutboxCondition, ReaderCondition, Screen
from kiosk.visit.views.staff_views import (
    CheckView,
    DayView,
    DoorTries,
    DrillStep,
    HourView,
    Part,
    PartFault,
    SeenToken,
    TestStep,
)
from kiosk.visit.views.update_view import UpdateFault, UpdateOffer, UpdatePhase, UpdateSource, UpdateStatus
from kiosk.visit.views.waiting_view import LateAnswer, WaitingCase, WaitingList, WaitingView, case_of

STAFF = "1001"
MORNING = datetime(2026, 11, 22, 8, 5)
BEFORE = "2026-11-21T18:40"
#: Every answer that may come late: each code, then a refused record and one that waited for too long.
ANSWERS: tuple[tuple[Outcome, str | None], ...] = (
    *((Outcome.NOT_CONFIRMED, validity.value) for validity in QualificationValidity),
    (Outcome.STAFF_CALLED, None),
    (Outcome.RECORDED, None),
)
LATE = tuple(
    LateAnswer(
        visit=f"late-{index}",
        receipt=f"A-{index:04}",
        taken_at=BEFORE,
        answered_at="2026-11-22T08:05",
        outcome=outcome,
        validity=validity,
    )
    for index, (outcome, validity) in enumerate(ANSWERS, 41)
)
RECORDS = WaitingList(
    waiting=3,
    oldest_at=BEFORE,
    expired=0,
    quarantined=0,
    late=LATE[:4],
    drill_passed_at="2026-11-02T13:30",
)
WAITING = WaitingView(RECORDS, last_recorded="A-0042", today=date(2026, 11, 22))
NOTHING = WaitingList(waiting=0, oldest_at=None, expired=0, quarantined=0, late=())
FINE = (
    PartFault(Part.READER, ""),
    PartFault(Part.LINE, "", 12),
    PartFault(Part.CLOCK, ""),
    PartFault(Part.CERTIFICATE, "", 214),
    PartFault(Part.OUTBOX, "", 3),
    PartFault(Part.DISK, "", 5120),
    PartFault(Part.HEAT, "", 52),
    PartFault(Part.POWER, ""),
    PartFault(Part.FOLDERS, ""),
    PartFault(Part.SOUND, ""),
    PartFault(Part.LIGHTS, ""),
)
OK = CheckView(MORNING, (), FINE)
_VISITS = (0, 2, 9, 14, 11, 7, 3, 6, 12, 9, 4, 1)
DAY = DayView(
    date(2026, 11, 22),
    tuple(
        HourView(
            hour,
            verified=0 if hour in (11, 12) else visits,
            not_confirmed=hour % 3 == 0,
            recorded=visits if hour in (11, 12) else 0,
            others=hour % 4 == 1,
            offline_s=2400.0 if hour == 11 else 1500.0 if hour == 12 else 0.0,
        )
        for hour, visits in enumerate(_VISITS, 7)
    ),
    23.4,
    1.8,
)
TO_MEND = CheckView(
    MORNING,
    (
        PartFault(Part.READER, "lost"),
        PartFault(Part.CERTIFICATE, "ends_soon", 14),
        PartFault(Part.DISK, "low", 120),
        PartFault(Part.LINE, "nonsense"),
    ),
)


CHANGES: dict[str, tuple[str, ...]] = {
    "ja": ("iPhoneとAndroidの読み取りが速くなりました。", "受付票の文字が大きくなりました。"),
    "en": ("iPhone and Android phones are read faster.", "The receipt's letters are larger."),
}
OFFER = UpdateOffer(version="1.4.0", source=UpdateSource.CHANNEL, megabytes=148, changes=CHANGES)
IDLE = UpdateStatus(running="1.3.2", phase=UpdatePhase.IDLE)
DUE = msgspec.structs.replace(IDLE, offers=(OFFER,), offer_at_start=OFFER.version)


def records(**changes: object) -> WaitingView:
    """What waits, with some of it changed."""
    return replace(WAITING, records=msgspec.structs.replace(RECORDS, **changes))


def staff_examples(kiosk: Kiosk) -> list[tuple[str, Kiosk]]:
    """Every staff page, in the rules and language of `kiosk`."""
    well = replace(kiosk, reader=ReaderCondition.READY, outbox=OutboxCondition.READY)
    ready = replace(well, waiting=WAITING, check=OK)

    def at(screen: Screen) -> Kiosk:
        return replace(ready, screen=screen)

    return [
        ("door_number", at(DoorNumber("100"))),
        ("door_number_refused", at(DoorNumber(refused=True))),
        ("door_number_locked", replace(at(DoorNumber(refused=True)), door=DoorTries(5, locked=True))),
        ("door_passcode", at(DoorPasscode(STAFF, 4))),
        ("door_passcode_checking", at(DoorPasscode(STAFF, 6, checking=True))),
        ("start_to_mend", replace(at(Idle()), check=TO_MEND, waiting=None)),
        *_menus(at(StaffMenu(STAFF))),
        *_checks(at(StaffCheck(STAFF))),
        *_fallbacks(at(StaffFallback(STAFF))),
        *_waiting(at(StaffWaiting(STAFF))),
        *_cases(at(StaffMenu(STAFF))),
        *_drills(at(StaffDrill(STAFF))),
        *_days(at(StaffDay(STAFF))),
        *_readings(at(StaffReading(STAFF))),
        *_tests(at(StaffTest(STAFF))),
        *_settings(at(StaffSettings(STAFF))),
        *_helps(at(StaffHelp(STAFF))),
        *_updates(at(StaffUpdate(STAFF))),
        *changed_examples(at(StaffMenu(STAFF))),
        ("staff_menu_update_due", replace(at(StaffMenu(STAFF)), update=DUE)),
        ("staff_menu_more_update_due", replace(at(StaffMenu(STAFF, more=True)), update=DUE)),
    ]


def _menus(menu: Kiosk) -> list[tuple[str, Kiosk]]:
    quiet = replace(WAITING, records=NOTHING, last_recorded=None)
    fallback = replace(menu, line=LineStatus(fallback=FallbackReason.FACE_READER))
    return [
        ("staff_menu", replace(menu, waiting=quiet)),
        ("staff_menu_busy", replace(fallback, check=TO_MEND)),
        ("staff_menu_asking", replace(menu, waiting=None, check=None)),
        ("staff_menu_more", replace(menu, screen=StaffMenu(STAFF, more=True))),
    ]


def _checks(page: Kiosk) -> list[tuple[str, Kiosk]]:
    def found(*faults: PartFault) -> Kiosk:
        return replace(page, check=CheckView(MORNING, faults))

    return [
        ("staff_check_ok", page),
        ("staff_check_ok_no_time", replace(page, check=CheckView(None))),
        ("staff_check_running", replace(page, screen=StaffCheck(STAFF, running=True))),
        ("staff_check_parts", replace(page, screen=StaffCheck(STAFF, page=1))),
        ("staff_check_parts_more", replace(page, screen=StaffCheck(STAFF, page=2))),
        ("staff_check_box", found(PartFault(Part.HEAT, "hot", 84), PartFault(Part.POWER, "undervoltage"))),
        (
            "staff_check_folders",
            found(PartFault(Part.FOLDERS, "away"), PartFault(Part.FOLDERS, "untaken", 3)),
        ),
        (
            "staff_check_lookup",
            found(PartFault(Part.FOLDERS, "lookup_failed"), PartFault(Part.FOLDERS, "lookup_uncertain", 2)),
        ),
        ("staff_check_mend", replace(page, check=TO_MEND)),
        ("staff_check_mend_more", replace(page, check=TO_MEND, screen=StaffCheck(STAFF, page=1))),
        (
            "staff_check_line",
            found(
                PartFault(Part.LINE, "unreachable"),
                PartFault(Part.CLOCK, "untrusted"),
                PartFault(Part.SOUND, "silent"),
            ),
        ),
        (
            "staff_check_outbox",
            found(
                PartFault(Part.OUTBOX, "lost"),
                PartFault(Part.DISK, "read_only"),
                PartFault(Part.LIGHTS, "dark"),
            ),
        ),
        (
            "staff_check_records",
            found(
                PartFault(Part.OUTBOX, "key_unknown", 12),
                PartFault(Part.LINE, "failing"),
                PartFault(Part.CERTIFICATE, "expired"),
            ),
        ),
        (
            "staff_check_given_up",
            found(
                PartFault(Part.OUTBOX, "expired", 2),
                PartFault(Part.OUTBOX, "quarantined", 1),
                PartFault(Part.LINE, "refused"),
            ),
        ),
        (
            "staff_check_settings",
            found(
                PartFault(Part.LINE, "address"),
                PartFault(Part.OUTBOX, "full", 500),
                PartFault(Part.LINE, "not_asked_yet"),
            ),
        ),
        (
            "staff_check_processes",
            found(PartFault(Part.READER, "unknown"), PartFault(Part.UPLOADER, "absent")),
        ),
    ]


def _fallbacks(page: Kiosk) -> list[tuple[str, Kiosk]]:
    return [
        ("staff_fallback", page),
        *(
            (f"staff_fallback_{reason.value}", replace(page, line=LineStatus(fallback=reason)))
            for reason in (*REASONS, FallbackReason.OFFLINE)
        ),
    ]


def _waiting(page: Kiosk) -> list[tuple[str, Kiosk]]:
    many = tuple(
        msgspec.structs.replace(LATE[i % len(LATE)], visit=f"r{i}", receipt=f"A-{i:04}") for i in range(50)
    )
    return [
        ("staff_waiting", page),
        ("staff_waiting_none", replace(page, waiting=WaitingView(NOTHING))),
        ("staff_waiting_no_late", replace(page, waiting=records(late=()))),
        ("staff_waiting_asking", replace(page, waiting=None)),
        ("staff_waiting_kinds", replace(page, waiting=records(late=LATE[2:], expired=1, quarantined=2))),
        (
            "staff_waiting_many",
            replace(page, screen=StaffWaiting(STAFF, 6), waiting=records(late=many, held=4)),
        ),
    ]


def _cases(page: Kiosk) -> list[tuple[str, Kiosk]]:
    last = WaitingCase(None, "A-0042", RecordFinding.RECORDED)
    cases = (*map(case_of, LATE), last)
    found = [(case.finding.value, replace(page, screen=StaffCase(STAFF, case))) for case in cases]
    ways = StaffCase(STAFF, cases[1], ways=True)
    march = replace(WAITING, today=date(2026, 3, 1))
    return [
        *((f"staff_case_{name}", kiosk) for name, kiosk in found),
        ("staff_case_ways", replace(page, screen=ways)),
        ("staff_case_ways_in_march", replace(page, screen=ways, waiting=march)),
        ("staff_case_ways_no_date", replace(page, screen=ways, waiting=replace(WAITING, today=None))),
    ]


def _drills(page: Kiosk) -> list[tuple[str, Kiosk]]:
    def at(step: DrillStep, passed: bool | None = None) -> Kiosk:
        return replace(page, screen=StaffDrill(STAFF, step, passed))

    return [
        ("staff_drill", page),
        ("staff_drill_first", replace(page, waiting=records(drill_passed_at=None))),
        *((f"staff_drill_{step.value}", at(step)) for step in DrillStep),
        ("staff_drill_passed", at(DrillStep.ERASE, True)),
        ("staff_drill_failed", at(DrillStep.DELIVER, False)),
    ]


def _days(page: Kiosk) -> list[tuple[str, Kiosk]]:
    night = DayView(None, (HourView(2, verified=1, offline_s=3600.0), HourView(23, recorded=30)))
    return [
        ("staff_day_asking", page),
        ("staff_day", replace(page, screen=StaffDay(STAFF, DAY))),
        ("staff_day_empty", replace(page, screen=StaffDay(STAFF, DayView(date(2026, 11, 22))))),
        ("staff_day_night", replace(page, screen=StaffDay(STAFF, night))),
    ]


def _readings(page: Kiosk) -> list[tuple[str, Kiosk]]:
    lost = replace(page, reader=ReaderCondition.LOST)
    seen = [
        (f"staff_reading_{seen.value}", replace(page, screen=StaffReading(STAFF, seen, 1240)))
        for seen in (*SeenToken, *Device)
    ]
    return [*seen, ("staff_reading_no_reader", lost)]


def _tests(page: Kiosk) -> list[tuple[str, Kiosk]]:
    steps = [(f"staff_test_{step.value}", replace(page, screen=StaffTest(STAFF, step))) for step in TestStep]
    touched = [
        (f"staff_test_touch_{count}", replace(page, screen=StaffTest(STAFF, touched=count)))
        for count in (4, 8, 9)
    ]
    return [*steps, *touched]


def _settings(page: Kiosk) -> list[tuple[str, Kiosk]]:
    one = replace(page.rules, languages=page.rules.languages[:1])
    return [
        ("staff_settings", page),
        ("staff_settings_one_language", replace(page, rules=one, volume=0)),
        ("staff_settings_lost", replace(page, outbox=OutboxCondition.LOST)),
    ]


def _helps(page: Kiosk) -> list[tuple[str, Kiosk]]:
    opened = CallHours(True, datetime(2026, 11, 24, 18, 0))
    closed = CallHours(False, datetime(2026, 11, 24, 8, 0))
    return [
        ("staff_help", page),
        ("staff_help_open", replace(page, screen=StaffHelp(STAFF, opened))),
        ("staff_help_closed", replace(page, screen=StaffHelp(STAFF, closed))),
    ]


def _updates(page: Kiosk) -> list[tuple[str, Kiosk]]:
    def at(status: UpdateStatus, position: int = 0, **changes: object) -> Kiosk:
        status = msgspec.structs.replace(status, **changes)
        return replace(page, screen=StaffUpdate(STAFF, position), update=status)

    stick = UpdateOffer(version="1.4.1", source=UpdateSource.STICK, megabytes=150, changes=CHANGES)
    later = msgspec.structs.replace(OFFER, by_hand=False, by_hand_from="2026-11-24T10:00")
    absent = (
        UpdateFault(source=UpdateSource.CHANNEL, word="unreachable"),
        UpdateFault(source=UpdateSource.STICK, word="no_stick"),
    )
    under_way = [
        (f"staff_update_{phase.value}", at(IDLE, phase=phase, version="1.4.0", percent=42))
        for phase in (UpdatePhase.FETCHING, UpdatePhase.CHECKING, UpdatePhase.INSTALLING)
    ]
    faults = [
        (
            f"staff_update_fault_{word}",
            at(DUE, offer_at_start=None, fault=UpdateFault(source=UpdateSource.CHANNEL, word=word)),
        )
        for word in (*sorted(FAULTS), "damaged", "something_new")
    ]
    return [
        ("staff_update_looking", at(IDLE, phase=UpdatePhase.LOOKING)),
        ("staff_update_offer", at(DUE)),
        ("staff_update_two", at(DUE, 1, offers=(OFFER, stick))),
        ("staff_update_later", at(DUE, offers=(later,), offer_at_start=None)),
        ("staff_update_nothing", at(IDLE, absent=absent)),
        ("staff_update_installed", at(IDLE, phase=UpdatePhase.INSTALLED, version="1.4.0")),
        *under_way,
        *faults,
    ]
