"""`kiosk.toml.example` shows every key, loads as it stands, and tells the defaults truly."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from kiosk.config.clinic_settings import Clinic, StaffMember
from kiosk.config.first_boot_settings import FirstBoot, Network, Share
from kiosk.config.folder_settings import HandoverSettings, LookupSettings
from kiosk.config.reader_settings import ReaderSettings
from kiosk.config.screen_settings import IndicatorSettings, ScreenSettings
from kiosk.config.settings import Settings, load
from kiosk.config.uploader_settings import (
    ClockSettings,
    MetricsSettings,
    OutboxSettings,
    ReportSettings,
    ServiceSettings,
    UpdateSettings,
)
from kiosk.visit.rules import Rules, Timing

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "kiosk.toml.example"

#: What stands in each section. `run` and `rules` of Settings are spread over sections of their own.
SECTIONS: dict[str, set[str]] = {
    "clinic": {field.name for field in fields(Clinic)},
    "visit": {field.name for field in fields(Rules)} - {"timing", "known_languages"},
    "timing": {field.name for field in fields(Timing)},
    "reader": {field.name for field in fields(ReaderSettings)},
    "screen": {field.name for field in fields(ScreenSettings)},
    "indicators": {field.name for field in fields(IndicatorSettings)},
    "service": {field.name for field in fields(ServiceSettings)},
    "outbox": {field.name for field in fields(OutboxSettings)},
    "clock": {field.name for field in fields(ClockSettings)},
    "handover": {field.name for field in fields(HandoverSettings)},
    "report": {field.name for field in fields(ReportSettings)},
    "metrics": {field.name for field in fields(MetricsSettings)},
    "lookup": {field.name for field in fields(LookupSettings)},
    "update": {field.name for field in fields(UpdateSettings)},
    "run": {"folder", "users"},
    "network": {field.name for field in fields(Network)},
    "share": {field.name for field in fields(Share)},
    "first_boot": {field.name for field in fields(FirstBoot)},
    "staff": {field.name for field in fields(StaffMember)},
}

MINIMAL = """
clinic = {name = "架空クリニック", institution = "1312345678", terminal = "K001"}
visit = {mode = "home_consent"}
service = {name = "qualification.example", url = "https://qualification.example"}
"""


def keys_shown() -> dict[str, set[str]]:
    """The keys of each section, also those that are commented out."""
    shown: dict[str, set[str]] = {}
    section = ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"#?\[+(\w+)\]", line):
            section = found[1]
        elif found := re.match(r"#?(\w+) = ", line):
            shown.setdefault(section, set()).add(found[1])
    return shown


def test_the_example_loads() -> None:
    settings = load(EXAMPLE)
    assert settings.clinic.terminal == "K001"
    assert settings.run_users == ("kiosk-screen", "kiosk-metrics")


def test_every_key_is_shown_and_no_other() -> None:
    assert keys_shown() == SECTIONS


def test_no_part_of_the_settings_was_forgotten_here() -> None:
    spread = {"rules": {"visit", "timing"}, "run": {"run"}, "run_users": {"run"}}
    named = set().union(*(spread.get(field.name, {field.name}) for field in fields(Settings)))
    assert named == set(SECTIONS) - {"network", "share", "first_boot"}  # of `Card`, used once


def test_every_key_has_a_word_in_japanese() -> None:
    bare = [
        line
        for line in EXAMPLE.read_text(encoding="utf-8").splitlines()
        if re.match(r"#?\w+ = ", line) and not re.search(r"# .*[\u3040-\u30ff\u4e00-\u9fff]", line)
    ]
    assert bare == []


def test_what_the_example_calls_default_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "kiosk.toml").write_text(MINIMAL, encoding="utf-8")
    shown, default = load(EXAMPLE), load(tmp_path / "kiosk.toml")
    assert shown.rules == default.rules
    assert shown.screen == default.screen
    assert shown.run == default.run
    assert shown.clock == default.clock
    assert shown.lookup == default.lookup
    assert replace(shown.handover, work=default.handover.work) == default.handover
    assert shown.service.timeout_s == default.service.timeout_s
    assert replace(shown.outbox, path=default.outbox.path) == default.outbox
    assert shown.metrics == default.metrics
    assert shown.report == default.report
    assert replace(shown.update, ca=default.update.ca) == default.update
    assert replace(shown.reader, trust=default.reader.trust) == default.reader


@pytest.mark.parametrize("path", ["certificate", "key"])
def test_keys_stand_where_the_uploader_alone_can_read(path: str) -> None:
    settings = load(EXAMPLE)
    assert settings.outbox.path.parent == Path("/var/lib/kiosk-uploader")
    assert getattr(settings.service, path).parent == Path("/var/lib/kiosk-uploader")


def test_no_passcode_is_shipped() -> None:
    assert load(EXAMPLE).staff == ()
