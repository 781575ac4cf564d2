"""The door and the staff pages as examples, with everything that they may have to show. PURE."""

from dataclasses import replace
from datetime import date, datetime

from kiosk.qualification.call_centre import CallHours
from kiosk.qualification.guidance import REASONS, Finding
from kiosk.qualification.terms import FallbackReason
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
from kiosk.visit.states import Idle, Kiosk, Line, OutboxCondition, ReaderCondition, Screen
from kiosk.visit.views.staff_views import (
    CheckView,
    DayView,
    Door,
    DrillStep,
    HourView,
    Part,
    PartFault,
    SeenToken,
    TestStep,
    WaitingCase,
    WaitingView,
)
from kiosk.visit.views.update_view import Offer, UpdateFault, UpdatePhase, UpdateSource, UpdateView

STAFF = "1001"
MORNING = datetime(2026, 11, 22, 8, 5)
BEFORE = datetime(2026, 11, 21, 18, 40)
FINDINGS = tuple(found for found in Finding if found is not Finding.RECORDED)
LATE = tuple(
    WaitingCase(f"late-{index}", f"A-{index:04}", found, BEFORE, MORNING)
    for index, found in enumerate(FINDINGS, 41)
)
BOARD = WaitingView(
    waiting=3,
    oldest=BEFORE,
    late=LATE[:4],
    last_recorded="A-0042",
    drill_passed=datetime(2026, 11, 2, 13, 30),
    today=date(2026, 11, 22),
)
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


CHANGES = (
    ("ja", ("iPhoneとAndroidの読み取りが速くなりました。", "受付票の文字が大きくなりました。")),
    ("en", ("iPhone and Android phones are read faster.", "The receipt's letters are larger.")),
)
OFFER = Offer("1.4.0", UpdateSource.CHANNEL, 148, CHANGES)
DUE = UpdateView("1.3.2", offers=(OFFER,), due=True)


def staff_examples(kiosk: Kiosk) -> list[tuple[str, Kiosk]]:
    """Every staff page, in the rules and language of `kiosk`."""
    ready = replace(kiosk, reader=ReaderCondition.READY, outbox=OutboxCondition.READY, desk=BOARD, check=OK)

    def at(screen: Screen) -> Kiosk:
        return replace(ready, screen=screen)

    return [
        ("door_number", at(DoorNumber("100"))),
        ("door_number_refused", at(DoorNumber(refused=True))),
        ("door_number_locked", replace(at(DoorNumber(refused=True)), door=Door(5, locked=True))),
        ("door_passcode", at(DoorPasscode(STAFF, 4))),
        ("door_passcode_checking", at(DoorPasscode(STAFF, 6, checking=True))),
        ("start_to_mend", replace(at(Idle()), check=TO_MEND, desk=None)),
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
    quiet = replace(BOARD, waiting=0, oldest=None, late=(), last_recorded=None, drill_passed=None)
    fallback = replace(menu, line=Line(fallback=FallbackReason.FACE_READER))
    return [
        ("staff_menu", replace(menu, desk=quiet)),
        ("staff_menu_busy", replace(fallback, check=TO_MEND)),
        ("staff_menu_asking", replace(menu, desk=None, check=None)),
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
            (f"staff_fallback_{reason.value}", replace(page, line=Line(fallback=reason)))
            for reason in (*REASONS, FallbackReason.OFFLINE)
        ),
    ]


def _waiting(page: Kiosk) -> list[tuple[str, Kiosk]]:
    many = tuple(replace(LATE[i % len(LATE)], record=f"r{i}", receipt=f"A-{i:04}") for i in range(50))
    return [
        ("staff_waiting", page),
        ("staff_waiting_none", replace(page, desk=WaitingView())),
        ("staff_waiting_no_late", replace(page, desk=replace(BOARD, late=()))),
        ("staff_waiting_asking", replace(page, desk=None)),
        ("staff_waiting_kinds", replace(page, desk=replace(BOARD, late=LATE[2:], expired=1, quarantined=2))),
        (
            "staff_waiting_many",
            replace(page, screen=StaffWaiting(STAFF, 6), desk=replace(BOARD, late=many, held=4)),
        ),
    ]


def _cases(page: Kiosk) -> list[tuple[str, Kiosk]]:
    last = WaitingCase(None, "A-0042", Finding.RECORDED)
    found = [(case.finding.value, replace(page, screen=StaffCase(STAFF, case))) for case in (*LATE, last)]
    ways = StaffCase(STAFF, LATE[1], ways=True)
    march = replace(BOARD, today=date(2026, 3, 1))
    return [
        *((f"staff_case_{name}", kiosk) for name, kiosk in found),
        ("staff_case_ways", replace(page, screen=ways)),
        ("staff_case_ways_in_march", replace(page, screen=ways, desk=march)),
        ("staff_case_ways_no_date", replace(page, screen=ways, desk=replace(BOARD, today=None))),
    ]


def _drills(page: Kiosk) -> list[tuple[str, Kiosk]]:
    def at(step: DrillStep, passed: bool | None = None) -> Kiosk:
        return replace(page, screen=StaffDrill(STAFF, step, passed))

    return [
        ("staff_drill", page),
        ("staff_drill_first", replace(page, desk=replace(BOARD, drill_passed=None))),
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
    told = [
        (f"staff_reading_{seen.value}", replace(page, screen=StaffReading(STAFF, seen, 1240)))
        for seen in SeenToken
    ]
    return [*told, ("staff_reading_no_reader", lost)]


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
    def told(view: UpdateView, position: int = 0) -> Kiosk:
        return replace(page, screen=StaffUpdate(STAFF, position), update=view)

    stick = Offer("1.4.1", UpdateSource.STICK, 150, CHANGES)
    later = replace(OFFER, from_when=datetime(2026, 11, 24, 10, 0))
    absent = (
        UpdateFault(UpdateSource.CHANNEL, "unreachable"),
        UpdateFault(UpdateSource.STICK, "no_stick"),
    )
    under_way = [
        (f"staff_update_{phase.value}", told(UpdateView("1.3.2", phase, version="1.4.0", percent=42)))
        for phase in (UpdatePhase.FETCHING, UpdatePhase.CHECKING, UpdatePhase.INSTALLING)
    ]
    faults = [
        (
            f"staff_update_fault_{word}",
            told(replace(DUE, due=False, fault=UpdateFault(UpdateSource.CHANNEL, word))),
        )
        for word in (*sorted(FAULTS), "damaged", "something_new")
    ]
    return [
        ("staff_update_looking", told(UpdateView("1.3.2", UpdatePhase.LOOKING))),
        ("staff_update_offer", told(DUE)),
        ("staff_update_two", told(replace(DUE, offers=(OFFER, stick)), 1)),
        ("staff_update_later", told(replace(DUE, offers=(later,), due=False))),
        ("staff_update_nothing", told(UpdateView("1.3.2", absent=absent))),
        ("staff_update_installed", told(UpdateView("1.3.2", UpdatePhase.INSTALLED, version="1.4.0"))),
        *under_way,
        *faults,
    ]
