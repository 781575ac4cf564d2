"""Every staff page as a picture. PURE."""

from typing import assert_never

from kiosk.screens.kit.page import Page
from kiosk.screens.pages.staff import changed_settings_page as pages_changed
from kiosk.screens.pages.staff import day_page as pages_day
from kiosk.screens.pages.staff import help_page as pages_help
from kiosk.screens.pages.staff import menu_page as pages_staff
from kiosk.screens.pages.staff import tool_pages as pages_tools
from kiosk.screens.pages.staff import update_page as pages_update
from kiosk.screens.pages.staff import waiting_page
from kiosk.visit.staff_states import (
    StaffCase,
    StaffChanged,
    StaffCheck,
    StaffDay,
    StaffDrill,
    StaffFallback,
    StaffHelp,
    StaffMenu,
    StaffPage,
    StaffReading,
    StaffSettings,
    StaffTest,
    StaffUpdate,
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
            waiting_page.waiting(page, screen)
        case StaffCase():
            waiting_page.case(page, screen)
        case StaffDrill():
            pages_staff.drill(page, screen)
        case StaffDay():
            pages_day.day(page, screen)
        case StaffReading():
            pages_tools.reading(page, screen)
        case StaffTest():
            pages_tools.test(page, screen)
        case StaffSettings():
            pages_tools.settings(page, screen)
        case StaffUpdate():
            pages_update.update(page, screen)
        case StaffChanged():
            pages_changed.changed(page, screen)
        case StaffHelp():
            pages_help.help_page(page, screen)
        case _:
            assert_never(screen)
