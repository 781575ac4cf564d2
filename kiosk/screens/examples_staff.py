"""The door and the staff pages as examples, with everything that they may have to show. PURE."""

from dataclasses import replace
from datetime import date, datetime

from kiosk.qualification.guidance import REASONS, Finding
from kiosk.qualification.terms import FallbackReason
from kiosk.visit.desk import CheckView, DeskCase, DeskView, Door, DrillStep, Part, PartFault
from kiosk.visit.staff_states import (
    DoorNumber,
    DoorPasscode,
    StaffCase,
    StaffCheck,
    StaffDrill,
    StaffFallback,
    StaffMenu,
    StaffWaiting,
)
from kiosk.visit.states import Idle, Kiosk, Line, OutboxCondition, ReaderCondition, Screen

STAFF = "1001"
MORNING = datetime(2026, 11, 22, 8, 5)
BEFORE = datetime(2026, 11, 21, 18, 40)
FINDINGS = tuple(found for found in Finding if found is not Finding.RECORDED)
LATE = tuple(
    DeskCase(f"late-{index}", f"A-{index:04}", found, BEFORE, MORNING)
    for index, found in enumerate(FINDINGS, 41)
)
BOARD = DeskView(
    waiting=3,
    oldest=BEFORE,
    late=LATE[:4],
    last_recorded="A-0042",
    drill_passed=datetime(2026, 11, 2, 13, 30),
    today=date(2026, 11, 22),
)
OK = CheckView(MORNING)
TO_MEND = CheckView(
    MORNING,
    (
        PartFault(Part.READER, "lost"),
        PartFault(Part.CERTIFICATE, "ends_soon", 14),
        PartFault(Part.DISK, "low", 120),
        PartFault(Part.LINE, "nonsense"),
    ),
)


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
    ]


def _menus(menu: Kiosk) -> list[tuple[str, Kiosk]]:
    quiet = replace(BOARD, waiting=0, oldest=None, late=(), last_recorded=None, drill_passed=None)
    fallback = replace(menu, line=Line(fallback=FallbackReason.FACE_READER))
    return [
        ("staff_menu", replace(menu, desk=quiet)),
        ("staff_menu_busy", replace(fallback, check=TO_MEND)),
        ("staff_menu_asking", replace(menu, desk=None, check=None)),
    ]


def _checks(page: Kiosk) -> list[tuple[str, Kiosk]]:
    def found(*faults: PartFault) -> Kiosk:
        return replace(page, check=CheckView(MORNING, faults))

    return [
        ("staff_check_ok", page),
        ("staff_check_ok_no_time", replace(page, check=CheckView(None))),
        ("staff_check_running", replace(page, screen=StaffCheck(STAFF, running=True))),
        ("staff_check_mend", replace(page, check=TO_MEND)),
        ("staff_check_mend_more", replace(page, check=TO_MEND, screen=StaffCheck(STAFF, position=3))),
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
        ("staff_waiting_none", replace(page, desk=DeskView())),
        ("staff_waiting_no_late", replace(page, desk=replace(BOARD, late=()))),
        ("staff_waiting_asking", replace(page, desk=None)),
        ("staff_waiting_kinds", replace(page, desk=replace(BOARD, late=LATE[2:], expired=1, quarantined=2))),
        (
            "staff_waiting_many",
            replace(page, screen=StaffWaiting(STAFF, 6), desk=replace(BOARD, late=many, held=4)),
        ),
    ]


def _cases(page: Kiosk) -> list[tuple[str, Kiosk]]:
    last = DeskCase(None, "A-0042", Finding.RECORDED)
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
