"""Changed settings on the card as examples. PURE."""

from dataclasses import replace

from kiosk.visit.staff_states import DoorPasscode, StaffChanged, StaffMenu, StaffSettings
from kiosk.visit.states import Idle, Kiosk, Screen
from kiosk.visit.views.changed_settings_view import (
    UNCHANGED,
    CardSettings,
    ChangedFile,
    SettingChange,
    SettingFault,
)

STAFF = "1001"
NAME = SettingChange(section="clinic", key="name", old="架空クリニック", new="架空クリニック 本院")
CHANGES = (
    NAME,
    SettingChange(section="visit", key="mode", old="home_consent", new="qualification_only"),
    SettingChange(section="network", key="wifi_password", secret=True),
    SettingChange(section="screen", key="theme", old=None, new="high_contrast"),
    SettingChange(section="staff", key="1002", old="1002", new=None, secret=True),
    SettingChange(section="staff", key="1003", old=None, new="1003", secret=True),
    SettingChange(section="staff", key="1004", old="1004", new="1004", secret=True),
    SettingChange(section="timing", key="patient_s", old="60", new="90"),
)
OTHER = (
    SettingChange(section="clinic", key="terminal", old="K001", new="K002", fixed=True),
    SettingChange(
        section="service", key="url", old="https://service.example", new="https://other.example", fixed=True
    ),
    NAME,
)
FAULTS = (
    SettingFault(
        ja='12 行目 clinic.institution: 医療機関コード 10 桁 (半角数字、" " の中)を書いてください',
        en="line 12: clinic.institution: must be the 10 digits of 医療機関コード in quotes",
    ),
    SettingFault(
        ja="17 行目 visit.mod: この名前の設定はありません。mode ではありませんか",
        en="line 17: visit.mod: is not known; mode is meant?",
    ),
)
LONG = SettingChange(
    section="handover", key="folder", old="none", new="/srv/clinic/shared/…/receipt-computer/in"
)


def changed_examples(menu: Kiosk) -> list[tuple[str, Kiosk]]:
    """Every form of the page, and where staff are led to it."""
    file = ChangedFile(offer="1", changes=CHANGES[:2])
    many = ChangedFile(offer="1", changes=CHANGES)
    long = ChangedFile(offer="1", changes=(LONG, LONG, LONG, LONG), more=3)
    offered = CardSettings(file=file)

    def at(screen: Screen, card: CardSettings = offered) -> Kiosk:
        return replace(menu, screen=screen, changed=card)

    page = StaffChanged(STAFF)
    return [
        ("staff_changed", at(page)),
        ("staff_changed_many", at(page, CardSettings(file=many))),
        ("staff_changed_many_last", at(StaffChanged(STAFF, 2), CardSettings(file=many))),
        ("staff_changed_long", at(page, CardSettings(file=long))),
        ("staff_changed_fixed", at(page, CardSettings(file=ChangedFile(offer="1", changes=OTHER)))),
        ("staff_changed_faults", at(page, CardSettings(file=ChangedFile(offer="", faults=FAULTS)))),
        ("staff_changed_left", at(page, CardSettings(file=file, left=True))),
        ("staff_changed_taking", at(page, CardSettings(file=file, taking=True))),
        ("staff_changed_failed", at(page, CardSettings(file=many, failed=True))),
        ("staff_changed_none", at(page, UNCHANGED)),
        ("staff_menu_changed", at(StaffMenu(STAFF))),
        ("staff_menu_more_changed", at(StaffMenu(STAFF, more=True))),
        ("staff_settings_changed", at(StaffSettings(STAFF), CardSettings(file=file, left=True))),
        ("door_passcode_takes", at(DoorPasscode(STAFF, 4, takes="1"))),
        ("start_changed", replace(at(Idle()), waiting=None)),
    ]
