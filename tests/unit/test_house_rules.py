"""The rules of the house (DESIGN §2), held over every source file; each is shown to be able to fail."""

import ast
import fnmatch
import functools
import importlib.metadata
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.config import rulebook

ROOT = Path(__file__).resolve().parents[2]

#: Computed from values alone: no driver, clock, thread, file or chance. In the patterns `*` crosses folders.
#: A file whose docstring says so ("… . PURE.") is held to it as well.
PURE = (
    "kiosk/visit/*.py",
    "kiosk/qualification/*.py",
    "kiosk/nfc/apdu.py",
    "kiosk/nfc/tlv.py",
    "kiosk/nfc/status.py",
    "kiosk/nfc/tokens.py",
    "kiosk/nfc/dialogue*.py",
    "kiosk/screens/layout*.py",
    "kiosk/indicators/patterns.py",
    "kiosk/uploader/retry.py",
)
#: Words of the settings that pictures are made by; their module reads a file only when `load` is called.
PURE_MAY_NAME = frozenset({"kiosk.config.Theme", "kiosk.config.ReaderSide", "kiosk.config.LANGUAGES"})
IMPURE_MODULES = frozenset(
    {"time", "threading", "_thread", "concurrent", "multiprocessing", "asyncio", "subprocess", "signal"}
    | {"socket", "ssl", "select", "selectors", "http", "urllib"}
    | {"os", "io", "pathlib", "shutil", "tempfile", "glob", "fcntl", "sqlite3", "sys", "importlib"}
    | {"random", "secrets"}
)
#: Calls that read a clock or draw lots although their module may be imported for its types.
IMPURE_CALLS = frozenset(
    {"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7", "urandom", "monotonic"}
)
IMPURE_BUILTINS = frozenset({"open", "print", "input", "breakpoint"})

#: Where each driver may be imported.
DRIVERS = {
    "nfc": ("kiosk/nfc/pn533.py",),
    "usb1": ("kiosk/nfc/pn533.py",),
    "pygame": ("kiosk/screens/*.py", "kiosk/simulator/*.py"),
    "gpiozero": ("kiosk/indicators/gpio.py", "kiosk/simulator/*.py"),
    "lgpio": ("kiosk/indicators/gpio.py",),
    "requests": ("kiosk/uploader/service.py",),
    "urllib3": ("kiosk/uploader/service.py",),
    "systemd": ("kiosk/supervision.py",),
    "aiohttp": ("kiosk/simulator/*.py",),
    "lxml": ("kiosk/uploader/oqs/document.py",),
}
ROOMS = ("nfc", "screens", "indicators", "uploader")
LOADER = "kiosk/cli.py"  #: the one place that imports by name
MAX_LINES = 450


@dataclass(frozen=True)
class Source:
    """One file: its path from the repository's root, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def package(self) -> list[str]:
        return self.path.removesuffix(".py").split("/")[:-1]

    @property
    def pure(self) -> bool:
        return self.among(PURE) or re.search(r"\. PURE[.:;]", ast.get_docstring(self.tree) or "") is not None

    def among(self, patterns: tuple[str, ...]) -> bool:
        return any(fnmatch.fnmatchcase(self.path, pattern) for pattern in patterns)


@dataclass(frozen=True)
class Imported:
    """What a file imports; `from a import b` is `a.b`, whether b is a module or a name in one."""

    name: str
    line: int

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    def within(self, package: str) -> bool:
        return self.name == package or self.name.startswith(package + ".")


Rule = Callable[[Source], Iterator[str]]


def imports(source: Source) -> Iterator[Imported]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (Imported(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = source.package[: len(source.package) - node.level + 1] if node.level else []
            base = ".".join([*here, *([node.module] if node.module else [])])
            yield from (Imported(f"{base}.{alias.name}", node.lineno) for alias in node.names)


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


@functools.cache
def is_pure(module: str) -> bool:
    """Tell whether `kiosk.x.y` is a pure module, a pure package, or a name inside one."""
    parts = module.split(".")
    for length in range(len(parts), 1, -1):
        path = "/".join(parts[:length])
        for name in (f"{path}.py", f"{path}/__init__.py"):
            text = (ROOT / name).read_text(encoding="utf-8") if (ROOT / name).exists() else ""
            if Source(name, text).pure:
                return True
    return False


def pure_stays_pure(source: Source) -> Iterator[str]:
    if not source.pure:
        return
    for each in imports(source):
        if each.top in IMPURE_MODULES or each.top in DRIVERS:
            yield f"{source.path}:{each.line}: a pure file imports {each.name}"
        elif each.within("kiosk") and not is_pure(each.name) and each.name not in PURE_MAY_NAME:
            yield f"{source.path}:{each.line}: a pure file imports {each.name}, which is not pure"
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        if name in IMPURE_CALLS or (isinstance(node.func, ast.Name) and name in IMPURE_BUILTINS):
            yield f"{source.path}:{node.lineno}: a pure file calls {name}()"


def drivers_have_one_place(source: Source) -> Iterator[str]:
    if not source.path.startswith("kiosk/"):
        return
    for each in imports(source):
        if each.top in DRIVERS and not source.among(DRIVERS[each.top]):
            places = " and ".join(DRIVERS[each.top])
            yield f"{source.path}:{each.line}: {each.top} is imported in {places} only"


def production_knows_no_simulator(source: Source) -> Iterator[str]:
    if not source.path.startswith("kiosk/") or source.path.startswith("kiosk/simulator/"):
        return
    for each in imports(source):
        if each.within("kiosk.simulator"):
            yield f"{source.path}:{each.line}: production imports {each.name}"
    if source.path == LOADER:
        return
    texts = (node for node in ast.walk(source.tree) if isinstance(node, ast.Constant))
    for text in texts:
        if isinstance(text.value, str) and text.value.startswith("kiosk.simulator"):
            yield f"{source.path}:{text.lineno}: production names {text.value}"


def rooms_do_not_meet(source: Source) -> Iterator[str]:
    room = source.package[1] if source.package[:1] == ["kiosk"] and len(source.package) > 1 else ""
    if room not in ROOMS:
        return
    for each in imports(source):
        for other in ROOMS:
            if other != room and each.within(f"kiosk.{other}"):
                yield f"{source.path}:{each.line}: {room} imports {each.name}"


def imports_stand_at_the_top(source: Source) -> Iterator[str]:
    for outer in ast.walk(source.tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(outer):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield f"{source.path}:{node.lineno}: import inside a function"
    if source.path == LOADER or not source.path.startswith("kiosk/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            yield f"{source.path}:{node.lineno}: import by name; only {LOADER} does that"


def nothing_is_mocked(source: Source) -> Iterator[str]:
    for each in imports(source):
        if each.within("unittest.mock") or each.top in {"mock", "pytest_mock"}:
            yield f"{source.path}:{each.line}: imports {each.name}; write a small twin instead"
    for node in ast.walk(source.tree):
        names = {getattr(node, "id", None), getattr(node, "attr", None)}
        if names & {"MagicMock", "AsyncMock"}:
            yield f"{source.path}:{getattr(node, 'lineno', 0)}: a MagicMock agrees with everything"


def files_stay_small(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > MAX_LINES:
        yield f"{source.path}: {lines} lines; at most {MAX_LINES}"


RULES: tuple[Rule, ...] = (
    pure_stays_pure,
    drivers_have_one_place,
    production_knows_no_simulator,
    rooms_do_not_meet,
    imports_stand_at_the_top,
    nothing_is_mocked,
    files_stay_small,
)


def sources() -> list[Source]:
    paths = sorted([*(ROOT / "kiosk").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    assert [say for source in sources() for say in rule(source)] == []


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
    (pure_stays_pure, "kiosk/visit/reduce.py", "from kiosk import seqpacket"),
    (pure_stays_pure, "kiosk/visit/reduce.py", "from kiosk.nfc import pn533"),
    (pure_stays_pure, "kiosk/qualification/codes.py", "import kiosk.config"),
    (pure_stays_pure, "kiosk/nfc/dialogue_card.py", "import os.path"),
    (pure_stays_pure, "kiosk/nfc/dialogue.py", "from . import pn533"),
    (pure_stays_pure, "kiosk/nfc/dialogue.py", "from .pn533 import Reader"),
    (pure_stays_pure, "kiosk/nfc/apdu.py", "import nfc.clf"),
    (pure_stays_pure, "kiosk/screens/layout/pin.py", "import pygame"),
    (pure_stays_pure, "kiosk/screens/colours.py", '"""Colours. PURE."""\nfrom kiosk.config import load'),
    (pure_stays_pure, "kiosk/screens/colours.py", '"""Colours. PURE: by role."""\nimport pygame'),
    (pure_stays_pure, "kiosk/screens/layout_pin.py", "from pathlib import Path"),
    (pure_stays_pure, "kiosk/indicators/patterns.py", "import gpiozero"),
    (pure_stays_pure, "kiosk/uploader/retry.py", "import random"),
    (drivers_have_one_place, "kiosk/nfc/reader.py", "import nfc"),
    (drivers_have_one_place, "kiosk/commands/read.py", "from nfc.clf import RemoteTarget"),
    (drivers_have_one_place, "kiosk/simulator/pn533_chip.py", "import nfc"),
    (drivers_have_one_place, "kiosk/indicators/patterns.py", "import pygame"),
    (drivers_have_one_place, "kiosk/indicators/board.py", "from gpiozero import LED"),
    (drivers_have_one_place, "kiosk/commands/provision.py", "import requests"),
    (drivers_have_one_place, "kiosk/commands/reader.py", "from systemd import daemon"),
    (drivers_have_one_place, "kiosk/uploader/service.py", "import aiohttp"),
    (drivers_have_one_place, "kiosk/uploader/oqs/messages.py", "from lxml import etree"),
    (production_knows_no_simulator, "kiosk/commands/read.py", "from kiosk.simulator import card"),
    (production_knows_no_simulator, "kiosk/commands/read.py", "from kiosk import simulator"),
    (production_knows_no_simulator, "kiosk/commands/read.py", "x = 'kiosk.simulator.card'"),
    (rooms_do_not_meet, "kiosk/screens/draw.py", "from kiosk.indicators import patterns"),
    (rooms_do_not_meet, "kiosk/nfc/reader.py", "import kiosk.uploader.outbox"),
    (rooms_do_not_meet, "kiosk/uploader/oqs/write.py", "from ...screens import theme"),
    (rooms_do_not_meet, "kiosk/uploader/loop.py", "from kiosk import nfc"),
    (imports_stand_at_the_top, "kiosk/channel.py", "def f():\n    import os"),
    (
        imports_stand_at_the_top,
        "tests/unit/test_x.py",
        "class A:\n    async def f(self):\n        from os import path",
    ),
    (imports_stand_at_the_top, "kiosk/commands/read.py", "import importlib\nimportlib.import_module('os')"),
    (nothing_is_mocked, "tests/unit/test_x.py", "from unittest.mock import MagicMock"),
    (nothing_is_mocked, "tests/unit/test_x.py", "import unittest\nx = unittest.mock.MagicMock()"),
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
    ("kiosk/nfc/dialogue.py", "from kiosk.nfc import apdu\nfrom kiosk.qualification.terms import Device"),
    ("kiosk/nfc/dialogue.py", "from . import tlv\nfrom .apdu import CommandApdu"),
    ("kiosk/nfc/reader.py", "import time\nfrom kiosk.nfc.pn533 import Reader\nimport kiosk.nfc"),
    ("kiosk/nfc/pn533.py", "import nfc.clf.pn533\nimport usb1"),
    ("kiosk/screens/scenes.py", '"""Movements (PURE), and their drawing."""\nimport pygame'),
    ("kiosk/screens/draw.py", "import pygame\nfrom kiosk.visit import states\nfrom kiosk import channel"),
    ("kiosk/commands/screen.py", "from kiosk.screens import draw\nfrom kiosk.indicators import gpio"),
    ("kiosk/simulator/desk/strip.py", "import pygame\nfrom kiosk.simulator import card\nimport aiohttp"),
    (LOADER, "import importlib\nx = importlib.import_module('kiosk.simulator.desk')"),
    ("kiosk/channel.py", "\n" * MAX_LINES),
)


@pytest.mark.parametrize(("path", "text"), INNOCENTS)
def test_an_innocent_file_passes_every_rule(path: str, text: str) -> None:
    assert [say for rule in RULES for say in rule(Source(path, text))] == []


def test_every_setting_is_asked_for_in_japanese_too() -> None:
    bare = {rule.what for rule in rulebook().rules if rule.what == rule.what_ja}
    assert bare == set(), "give each its line in kiosk/config_words.py"
