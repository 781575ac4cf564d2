"""Every staff page as a picture. PURE."""

from typing import assert_never

from kiosk.screens import pages_desk, pages_staff
from kiosk.screens.kit import Page
from kiosk.visit.staff_states import (
    StaffCase,
    StaffCheck,
    StaffDrill,
    StaffFallback,
    StaffMenu,
    StaffPage,
    StaffWaiting,
)


def place(page: Page, screen: StaffPage) -> None:
    """Put the page's widgets in their places."""
    match screen:
        case StaffMenu():
            pages_staff.menu(page, screen)
        case StaffCheck():
            pages_staff.check(page, screen)
        case StaffFallback():
            pages_staff.fallback(page, screen)
        case StaffWaiting():
            pages_desk.waiting(page, screen)
        case StaffCase():
            pages_desk.case(page, screen)
        case StaffDrill():
            pages_staff.drill(page, screen)
        case _:
            assert_never(screen)
