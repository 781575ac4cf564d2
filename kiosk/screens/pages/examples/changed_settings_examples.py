"""Changed settings on the card as examples. PURE."""

from dataclasses import replace

from kiosk.visit.staff_states import DoorPasscode, StaffChanged, StaffMenu, StaffSettings
from kiosk.visit.states import Idle, Kiosk, Screen
from kiosk.visit.views.changed_settings_view import Change, ChangedView

STAFF = "1001"
NAME = Change("clinic", "name", "架空クリニック", "架空クリニック 本院")
CHANGES = (
    NAME,
    Change("visit", "mode", "home_consent", "qualification_only"),
    Change("network", "wifi_password", secret=True),
    Change("screen", "theme", None, "high_contrast"),
    Change("staff", "1002", "1002", None, secret=True),
    Change("staff", "1003", None, "1003", secret=True),
    Change("staff", "1004", "1004", "1004", secret=True),
    Change("timing", "patient_s", "60", "90"),
)
OTHER = (
    Change("clinic", "terminal", "K001", "K002", fixed=True),
    Change("service", "url", "https://service.example", "https://other.example", fixed=True),
    NAME,
)
FAULTS = (
    (
        '12 行目 clinic.institution: 医療機関コード 10 桁 (半角数字、" " の中)を書いてください',
        "line 12: clinic.institution: must be the 10 digits of 医療機関コード in quotes",
    ),
    (
        "17 行目 visit.mod: この名前の設定はありません。mode ではありませんか",
        "line 17: visit.mod: is not known; mode is meant?",
    ),
)
LONG = Change("handover", "folder", "none", "/srv/clinic/shared/…/receipt-computer/in")


def changed_examples(menu: Kiosk) -> list[tuple[str, Kiosk]]:
    """Every form of the page, and where staff are told of it."""
    offered = ChangedView("1", CHANGES[:2])
    many = ChangedView("1", CHANGES)

    def at(screen: Screen, view: ChangedView | None = offered) -> Kiosk:
        return replace(menu, screen=screen, changed=view)

    page = StaffChanged(STAFF)
    return [
        ("staff_changed", at(page)),
        ("staff_changed_many", at(page, many)),
        ("staff_changed_many_last", at(StaffChanged(STAFF, 2), many)),
        ("staff_changed_long", at(page, replace(offered, changes=(LONG, LONG, LONG, LONG), more=3))),
        ("staff_changed_fixed", at(page, ChangedView("1", OTHER))),
        ("staff_changed_faults", at(page, ChangedView("", faults=FAULTS))),
        ("staff_changed_left", at(page, replace(offered, left=True))),
        ("staff_changed_taking", at(page, replace(offered, taking=True))),
        ("staff_changed_failed", at(page, replace(many, failed=True))),
        ("staff_changed_none", at(page, None)),
        ("staff_menu_changed", at(StaffMenu(STAFF))),
        ("staff_menu_more_changed", at(StaffMenu(STAFF, more=True))),
        ("staff_settings_changed", at(StaffSettings(STAFF), replace(offered, left=True))),
        ("door_passcode_takes", at(DoorPasscode(STAFF, 4, takes="1"))),
        ("start_changed", replace(at(Idle()), desk=None)),
    ]
