"""The rules of the house (docs/architecture.md): who imports whom, what is pure, where each driver is."""

import ast
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Every room of kiosk/, a folder of files, from the top down: a file imports only from its own room and from
#: those below it. "." holds the entry points. docs/architecture.md shows the same list.
ROOMS = (
    "simulator/demo",
    "simulator/terminal",
    "simulator/service",
    "simulator/field",
    "simulator/chip",
    "simulator/radio",
    "simulator/tokens",
    "simulator",
    ".",
    "commands",
    "provisioning",
    "uploader",
    "uploader/staff",
    "uploader/oqs",
    "uploader/updates",
    "uploader/identity",
    "uploader/delivery",
    "uploader/outbox",
    "uploader/service",
    "uploader/store",
    "screens",
    "screens/conductor",
    "screens/pages/examples",
    "screens/pages",
    "screens/pages/staff",
    "screens/drawing",
    "screens/kit",
    "screens/words",
    "nfc",
    "nfc/protocol",
    "health",
    "report",
    "box",
    "config",
    "channel",
    "indicators",
    "visit",
    "visit/views",
    "qualification",
)
#: The processes' rooms: they meet in messages of `channel` and in types of `visit` and `qualification`.
PROCESSES = ("nfc", "screens", "indicators", "uploader")

#: Computed from values alone: no driver, clock, thread, file or chance; folders, with all that is in them.
#: A file elsewhere whose docstring says so ("… . PURE.") is held to it as well.
PURE = (
    "kiosk/visit/",
    "kiosk/qualification/",
    "kiosk/screens/kit/",
    "kiosk/screens/pages/",
    "kiosk/nfc/protocol/",
)
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

#: Where each driver may be imported: a folder, or the one file of a room that has only one.
DRIVERS = {
    "nfc": ("kiosk/nfc/pn533.py",),
    "usb1": ("kiosk/nfc/pn533.py",),
    "pygame": ("kiosk/screens/drawing/", "kiosk/simulator/demo/"),
    "gpiozero": ("kiosk/indicators/gpio.py", "kiosk/simulator/"),
    "lgpio": ("kiosk/indicators/gpio.py",),
    "requests": ("kiosk/uploader/service/",),
    "urllib3": ("kiosk/uploader/service/",),
    "systemd": ("kiosk/box/supervision.py",),
    "aiohttp": ("kiosk/simulator/",),
    "lxml": ("kiosk/uploader/oqs/document.py",),
}
LOADER = "kiosk/cli.py"  #: the one place that imports by name
MAX_LINES = 400


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
        """Whether this is one of the files, or lies in one of the folders (which end with /)."""
        return any(
            self.path == each or (each.endswith("/") and self.path.startswith(each)) for each in patterns
        )


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
        elif each.within("kiosk") and not is_pure(each.name):
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


def room_of(path: str) -> str:
    """The room of a file of kiosk/: its folder."""
    return path.removeprefix("kiosk/").rpartition("/")[0] or "."


@functools.cache
def room_of_module(name: str) -> str | None:
    """The room that `kiosk.x.y` is in, whether y is a room, a file or a name in one; None: not of kiosk/."""
    parts = name.split(".")
    if parts[0] != "kiosk":
        return None
    for length in range(len(parts), 0, -1):
        room = "/".join(parts[1:length])
        if not room or room in ROOMS:
            return room or "."
    return None


def rooms_never_look_up(source: Source) -> Iterator[str]:
    if not source.path.startswith("kiosk/"):
        return
    room = room_of(source.path)
    if room not in ROOMS:
        yield f"{source.path}: the room {room} has no place in the order (ROOMS)"
        return
    for each in imports(source):
        other = room_of_module(each.name)
        if other is not None and ROOMS.index(other) < ROOMS.index(room):
            yield f"{source.path}:{each.line}: {room} imports {each.name}, which is in a room above it"


def processes_do_not_meet(source: Source) -> Iterator[str]:
    parts = source.path.split("/")
    room = parts[1] if parts[0] == "kiosk" and len(parts) > 2 else ""
    if room not in PROCESSES:
        return
    for each in imports(source):
        for other in PROCESSES:
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


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


#: Packages whose private names are ours to keep.
OURS = frozenset({"kiosk", "kiosk_image", "tests"})


def private_names_stay_private(source: Source) -> Iterator[str]:
    """A test that holds a private name keeps it from being changed, and may pass though the product fails."""
    if not source.path.startswith("tests/"):
        return
    ours: set[str] = set()
    for each in (each for each in imports(source) if each.top in OURS):
        ours.add(each.name.rpartition(".")[2])
        if any(is_private(part) for part in each.name.split(".")):
            yield f"{source.path}:{each.line}: imports the private name {each.name}"
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in ours and is_private(attr):
                yield f"{source.path}:{node.lineno}: takes the private name {name}.{attr}"
            case ast.Call(args=args) if called(node) in {"setattr", "delattr", "getattr"}:
                for arg in args[:2]:
                    text = arg.value if isinstance(arg, ast.Constant) else None
                    if isinstance(text, str) and is_private(text.rpartition(".")[2]):
                        yield f"{source.path}:{node.lineno}: {called(node)} of the private name {text}"


def files_stay_small(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > MAX_LINES:
        yield f"{source.path}: {lines} lines; at most {MAX_LINES}"


RULES: tuple[Rule, ...] = (
    pure_stays_pure,
    drivers_have_one_place,
    production_knows_no_simulator,
    rooms_never_look_up,
    processes_do_not_meet,
    imports_stand_at_the_top,
    nothing_is_mocked,
    private_names_stay_private,
    files_stay_small,
)


def sources() -> list[Source]:
    paths = sorted([*(ROOT / "kiosk").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
