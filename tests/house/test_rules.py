"""The rules of the house, held over every source file; each is shown to be able to fail."""

import importlib.metadata
import re

import pytest

from kiosk.config.settings import rulebook
from tests.house.rules import (
    LOADER,
    MAX_LINES,
    PURE,
    ROOMS,
    ROOT,
    RULES,
    Rule,
    Source,
    drivers_have_one_place,
    files_stay_small,
    imports_stand_at_the_top,
    nothing_is_mocked,
    private_names_stay_private,
    processes_do_not_meet,
    production_knows_no_simulator,
    pure_stays_pure,
    rooms_never_look_up,
    sources,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    assert [say for source in sources() for say in rule(source)] == []


def test_every_room_has_its_place_and_is_there() -> None:
    rooms = {path.parent.relative_to(ROOT / "kiosk").as_posix() for path in (ROOT / "kiosk").rglob("*.py")}
    assert sorted(ROOMS) == sorted(rooms)


def test_the_document_shows_the_rooms_in_their_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = text.partition("<!-- rooms: begin -->")[2].partition("<!-- rooms: end -->")[0]
    assert tuple(re.findall(r"^kiosk/(\S+?)/? ", block, re.MULTILINE)) == ROOMS


def test_every_pure_folder_is_there() -> None:
    paths = [source for source in sources() if source.path.startswith("kiosk/")]
    assert [pattern for pattern in PURE if not any(source.among((pattern,)) for source in paths)] == []


def test_pygame_and_pygame_ce_are_not_both_installed() -> None:
    installed = {dist.metadata["Name"].lower() for dist in importlib.metadata.distributions()}
    assert installed & {"pygame", "pygame-ce"} == {"pygame-ce"}


OFFENDERS: tuple[tuple[Rule, str, str], ...] = (
    (pure_stays_pure, "kiosk/visit/reduce.py", "import time"),
    (pure_stays_pure, "kiosk/visit/deep/er.py", "from threading import Lock"),
    (pure_stays_pure, "kiosk/visit/reduce.py", "from datetime import datetime\nx = datetime.now()"),
    (pure_stays_pure, "kiosk/visit/reduce.py", "import uuid\nx = uuid.uuid4()"),
    (pure_stays_pure, "kiosk/visit/reduce.py", "x = open('f')"),
    (pure_stays_pure, "kiosk/visit/reduce.py", "from kiosk.channel import seqpacket"),
    (pure_stays_pure, "kiosk/visit/reduce.py", "from kiosk.nfc import pn533"),
    (pure_stays_pure, "kiosk/qualification/codes.py", "import kiosk.config"),
    (pure_stays_pure, "kiosk/nfc/protocol/dialogue_card.py", "import os.path"),
    (pure_stays_pure, "kiosk/nfc/protocol/dialogue.py", "from .. import pn533"),
    (pure_stays_pure, "kiosk/nfc/protocol/dialogue.py", "from ..pn533 import Reader"),
    (pure_stays_pure, "kiosk/nfc/protocol/apdu.py", "import nfc.clf"),
    (pure_stays_pure, "kiosk/screens/kit/pin.py", "import pygame"),
    (pure_stays_pure, "kiosk/screens/colours.py", '"""Colours. PURE."""\nfrom kiosk.config import load'),
    (pure_stays_pure, "kiosk/screens/colours.py", '"""Colours. PURE: by role."""\nimport pygame'),
    (pure_stays_pure, "kiosk/screens/pages/pin.py", "from pathlib import Path"),
    (pure_stays_pure, "kiosk/indicators/patterns.py", '"""Patterns. PURE."""\nimport gpiozero'),
    (pure_stays_pure, "kiosk/uploader/delivery/retry.py", '"""When. PURE."""\nimport random'),
    (drivers_have_one_place, "kiosk/nfc/reader.py", "import nfc"),
    (drivers_have_one_place, "kiosk/commands/read.py", "from nfc.clf import RemoteTarget"),
    (drivers_have_one_place, "kiosk/simulator/chip/chip.py", "import nfc"),
    (drivers_have_one_place, "kiosk/indicators/patterns.py", "import pygame"),
    (drivers_have_one_place, "kiosk/indicators/pin_map.py", "from gpiozero import LED"),
    (drivers_have_one_place, "kiosk/commands/provision.py", "import requests"),
    (drivers_have_one_place, "kiosk/commands/reader.py", "from systemd import daemon"),
    (drivers_have_one_place, "kiosk/uploader/service/service_client.py", "import aiohttp"),
    (drivers_have_one_place, "kiosk/uploader/oqs/messages.py", "from lxml import etree"),
    (production_knows_no_simulator, "kiosk/commands/read.py", "from kiosk.simulator import card"),
    (production_knows_no_simulator, "kiosk/commands/read.py", "from kiosk import simulator"),
    (production_knows_no_simulator, "kiosk/commands/read.py", "x = 'kiosk.simulator.tokens.card'"),
    (processes_do_not_meet, "kiosk/screens/drawing/draw.py", "from kiosk.indicators import patterns"),
    (processes_do_not_meet, "kiosk/nfc/reader.py", "import kiosk.uploader.outbox"),
    (processes_do_not_meet, "kiosk/uploader/oqs/write.py", "from ...screens import theme"),
    (processes_do_not_meet, "kiosk/uploader/loop.py", "from kiosk import nfc"),
    (rooms_never_look_up, "kiosk/config/table.py", "from kiosk.provisioning.page import page"),
    (rooms_never_look_up, "kiosk/box/rauc.py", "from kiosk.uploader.updates import work"),
    (rooms_never_look_up, "kiosk/screens/kit/page.py", "from kiosk.screens.pages import layout"),
    (rooms_never_look_up, "kiosk/screens/pages/staff/menu_page.py", "from ..end import verified"),
    (rooms_never_look_up, "kiosk/visit/machine.py", "from kiosk import channel"),
    (rooms_never_look_up, "kiosk/commands/read.py", "import kiosk.cli"),
    (rooms_never_look_up, "kiosk/loft/roof.py", "import os"),
    (imports_stand_at_the_top, "kiosk/channel.py", "def f():\n    import os"),
    (
        imports_stand_at_the_top,
        "tests/visit/test_x.py",
        "class A:\n    async def f(self):\n        from os import path",
    ),
    (imports_stand_at_the_top, "kiosk/commands/read.py", "import importlib\nimportlib.import_module('os')"),
    (nothing_is_mocked, "tests/visit/test_x.py", "from unittest.mock import MagicMock"),
    (nothing_is_mocked, "tests/visit/test_x.py", "import unittest\nx = unittest.mock.MagicMock()"),
    (private_names_stay_private, "tests/visit/test_x.py", "from kiosk.visit.machine import _with_challenge"),
    (private_names_stay_private, "tests/visit/test_x.py", "from kiosk.commands._hidden import ask"),
    (
        private_names_stay_private,
        "tests/visit/test_x.py",
        "from kiosk.visit import machine\nmachine._heard",
    ),
    (
        private_names_stay_private,
        "tests/visit/test_x.py",
        "def test_x(monkeypatch): monkeypatch.setattr(machine, '_heard', None)",
    ),
    (
        private_names_stay_private,
        "tests/visit/test_x.py",
        "def test_x(monkeypatch): monkeypatch.setattr('kiosk.visit.machine._heard', None)",
    ),
    (files_stay_small, "kiosk/channel.py", "\n" * (MAX_LINES + 1)),
)


@pytest.mark.parametrize(("rule", "path", "text"), OFFENDERS)
def test_an_offender_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


INNOCENTS = (
    ("kiosk/visit/reduce.py", "from dataclasses import dataclass\nfrom kiosk.visit.states import Stage"),
    (
        "kiosk/visit/reduce.py",
        "from datetime import datetime\ndef f(now: datetime) -> str: return now.isoformat()",
    ),
    (
        "kiosk/nfc/protocol/dialogue.py",
        "from kiosk.nfc.protocol import apdu\nfrom kiosk.qualification.terms import Device",
    ),
    ("kiosk/nfc/protocol/dialogue.py", "from . import tlv\nfrom .apdu import CommandApdu"),
    ("kiosk/nfc/reader.py", "import time\nfrom kiosk.nfc.pn533 import Reader\nimport kiosk.nfc"),
    ("kiosk/nfc/pn533.py", "import nfc.clf.pn533\nimport usb1"),
    ("kiosk/screens/drawing/scenes.py", '"""Movements (PURE), and their drawing."""\nimport pygame'),
    (
        "kiosk/screens/drawing/draw.py",
        "import pygame\nfrom kiosk.visit import states\nfrom kiosk import channel",
    ),
    ("kiosk/commands/screen.py", "from kiosk.screens import draw\nfrom kiosk.indicators import gpio"),
    (
        "kiosk/simulator/demo/strip.py",
        "import pygame\nfrom kiosk.simulator.tokens import card\nimport aiohttp",
    ),
    ("tests/visit/test_x.py", "from kiosk import __version__\nx = __version__\nsetattr(x, 'y', 1)"),
    (LOADER, "import importlib\nx = importlib.import_module('kiosk.simulator.demo')"),
    ("kiosk/channel.py", "\n" * MAX_LINES),
)


@pytest.mark.parametrize(("path", "text"), INNOCENTS)
def test_an_innocent_file_passes_every_rule(path: str, text: str) -> None:
    assert [say for rule in RULES for say in rule(Source(path, text))] == []


def test_every_setting_is_asked_for_in_japanese_too() -> None:
    bare = {rule.what for rule in rulebook().rules if rule.what == rule.what_ja}
    assert bare == set(), "give each its line in kiosk/config/fault_words.py"
