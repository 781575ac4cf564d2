"""The settings file `kiosk.toml` → frozen dataclasses. Every fault is named at once, with key and line.

Relative paths are taken from the folder of the settings file. `deploy/kiosk.toml.example` shows every key.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.terms import Mode
from kiosk.visit.rules import Rules, Timing

E = TypeVar("E", bound=StrEnum)

#: Every language that there are words for, as gettext names it; ja@easy is やさしい日本語.
LANGUAGES = ("ja", "en")
#: Those that are on unless the settings say otherwise: no other has been checked by a native reader.
LANGUAGES_ON = ("ja", "en")


class Theme(StrEnum):
    """How the screen is coloured."""

    STANDARD = "standard"
    HIGH_CONTRAST = "high_contrast"


class ReaderSide(StrEnum):
    """Where the reader lies, seen by who stands before the screen; the drawn movements point there."""

    UNTOLD = "untold"
    LEFT = "left"
    RIGHT = "right"
    BELOW = "below"


@dataclass(frozen=True)
class Clinic:
    name: str
    institution: str  #: 医療機関コード, 10 digits
    terminal: str  #: this kiosk's name at the service; stands in its client certificate


@dataclass(frozen=True)
class ReaderSettings:
    device: str  #: "usb", "usb:VVVV:PPPP" or "virtual:PATH"
    trust: Path  #: folder of the CA certificates that the tokens' certificates must chain to
    type_b_modulation: int  #: RFConfiguration item 0C, second byte (ModGsP); see facts on nfcpy #187


@dataclass(frozen=True)
class ScreenSettings:
    width: int
    height: int
    px_per_mm: float
    fullscreen: bool
    theme: Theme
    sound: bool
    rotate: int  #: 0, 90, 180 or 270 degrees clockwise; width and height are the panel's own
    mirror: bool  #: keys at the left: mounted for the left hand
    large_text: bool
    reader_side: ReaderSide


@dataclass(frozen=True)
class IndicatorSettings:
    board: Path | None  #: pin map; None: the box has neither LEDs nor buzzer


@dataclass(frozen=True)
class ServiceSettings:
    name: str
    url: str
    ca: Path
    certificate: Path
    key: Path
    timeout_s: float


@dataclass(frozen=True)
class OutboxSettings:
    path: Path
    max_records: int
    max_age_h: float
    retry_base_s: float  #: back-off doubles from here; short in demos and tests
    retry_cap_s: float
    drain_per_s: float  #: waiting records sent per second when the service is back; 0: unpaced
    fallback_after_s: float  #: so long the service is not reached before fallback operation begins by itself


@dataclass(frozen=True)
class ClockSettings:
    trust_file: Path  #: exists once the time is synchronised (systemd-timesyncd makes it)


@dataclass(frozen=True)
class UpdateSettings:
    """Where newer versions come from; docs/updates.md."""

    channel: str | None  #: https address of the channel file; None: USB stick only
    ca: Path  #: the only CA that the channel's server is believed by
    folder: Path  #: where a bundle is kept until it is installed
    stick: Path  #: where the USB stick's files are seen while it is let in
    flags: Path  #: wishes to the service manager: files "stick" and "restart" (deploy/)
    rauc: Path  #: RAUC's system.conf: product, keyring, slots
    os_release: Path  #: IMAGE_VERSION in it is the running version, os-release(5)


@dataclass(frozen=True)
class StaffMember:
    number: str
    passcode: str  #: as `kiosk provision passcode` prints it: scrypt parameters, salt and hash


@dataclass(frozen=True)
class Settings:
    """Everything that a process may want to know; each takes its part."""

    run: Path  #: folder of the channel's sockets
    run_users: tuple[str, ...]  #: who may talk to our sockets besides this process's own user
    clinic: Clinic
    rules: Rules
    reader: ReaderSettings
    screen: ScreenSettings
    indicators: IndicatorSettings
    service: ServiceSettings
    outbox: OutboxSettings
    clock: ClockSettings
    update: UpdateSettings
    staff: tuple[StaffMember, ...]


@dataclass(frozen=True)
class Fault:
    """One thing to mend: where, and what to write instead."""

    line: int | None
    key: str
    say: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.say}"


class ConfigError(Exception):
    """The settings cannot be used; `faults` names all that is wrong."""

    def __init__(self, path: Path, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{path.name}: {fault}" for fault in faults))
        self.faults = faults


def load(path: Path) -> Settings:
    """Read the settings; raises ConfigError with every fault of the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors begin the file with a byte order mark
    except OSError as fault:
        raise ConfigError(path, (Fault(None, "file", f"cannot be read: {fault.strerror}"),)) from None
    except UnicodeDecodeError:
        raise ConfigError(path, (Fault(None, "file", "is not UTF-8 text; save it again as UTF-8"),)) from None
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:  # also thousands of digits and deep nests
        raise ConfigError(path, (Fault(_line_in(str(fault)), "file", f"is not TOML: {fault}"),)) from None
    faults: list[Fault] = []
    settings = _settings(data, _key_lines(text), faults, path.resolve().parent)
    if faults:
        raise ConfigError(path, tuple(sorted(faults, key=lambda fault: fault.line or 0)))
    return settings


def _line_in(message: str) -> int | None:
    found = re.search(r"line (\d+)", message)
    return int(found.group(1)) if found else None


def _key_lines(text: str) -> dict[str, int]:
    """Where each `section.key` and each section stands; tomllib does not tell."""
    lines: dict[str, int] = {}
    section = ""
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\[([\w.-]+)\]\]", line):
            name = found.group(1)
            section = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            lines[section] = number
        elif found := re.match(r"\s*\[([\w.-]+)\]", line):
            section = found.group(1)
            lines[section] = number
        elif found := re.match(r"\s*([\w-]+)\s*=", line):
            lines.setdefault(f"{section}.{found.group(1)}" if section else found.group(1), number)
    return lines


class _Table:
    """One section while it is read; notes faults instead of raising, so that all are found."""

    def __init__(self, name: str, data: Any, lines: dict[str, int], faults: list[Fault]) -> None:
        self._name, self._lines, self._faults = name, lines, faults
        self._known: set[str] = set()
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            faults.append(Fault(lines.get(name), name, f"must be a section [{name}]"))

    def fault(self, key: str, say: str) -> None:
        full = f"{self._name}.{key}" if self._name else key
        self._faults.append(Fault(self._lines.get(full, self._lines.get(self._name)), full, say))

    def _take(self, key: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        self._known.add(key)
        if key not in self._data:
            if default is ...:
                self.fault(key, f"is missing; write {key} = {what}")
                return None
            return default
        value = self._data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"must be {what}")
            return None
        return value

    def text(self, key: str, what: str, default: Any = ..., pattern: str = r".+") -> str:
        value = self._take(key, str, what, default)
        if value is None:
            return ""
        if not re.fullmatch(pattern, value):
            self.fault(key, f"must be {what}")
        return str(value)

    def number(self, key: str, low: float, high: float, default: Any = ...) -> float:
        value = self._take(key, (int, float), f"a number from {low:g} to {high:g}", default)
        if value is None:
            return low
        if not low <= value <= high:
            self.fault(key, f"must be a number from {low:g} to {high:g}")
            return low
        return float(value)

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        value = self.number(key, low, high, default)
        if value != int(value):
            self.fault(key, f"must be a whole number from {low} to {high}")
            return low
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._take(key, bool, "true or false", default))

    def choice(self, key: str, enum: type[E], default: Any = ...) -> E:
        what = " or ".join(f'"{member.value}"' for member in enum)
        value = self._take(key, str, what, default)
        try:
            return enum(value)
        except ValueError:
            if value is not None:
                self.fault(key, f"must be {what}")
            return next(iter(enum))

    def names(self, key: str, allowed: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._take(key, list, "a list such as [" + ", ".join(f'"{a}"' for a in allowed) + "]", None)
        if value is None:
            return default
        if not value or not all(name in allowed for name in value) or len(set(value)) != len(value):
            self.fault(key, "must list one or more of " + ", ".join(f'"{name}"' for name in allowed))
            return default
        return tuple(value)

    def words(self, key: str, what: str, pattern: str = r"[a-z_][a-z0-9_-]*") -> tuple[str, ...]:
        value = self._take(key, list, what, [])
        if not all(isinstance(word, str) and re.fullmatch(pattern, word) for word in value or ()):
            self.fault(key, f"must be {what}")
            return ()
        return tuple(value or ())

    def path(self, key: str, base: Path, default: Any = ...) -> Path:
        return base / self.text(key, f'a path, such as "{key}"', default)

    def finish(self) -> None:
        """Name the keys that nobody knows; a misspelt one must not be passed over."""
        for key in self._data.keys() - self._known:
            close = difflib.get_close_matches(key, sorted(self._known), n=1)
            self.fault(key, "is not known" + (f"; {close[0]} is meant?" if close else ""))


def _settings(data: dict[str, Any], lines: dict[str, int], faults: list[Fault], base: Path) -> Settings:
    def table(name: str) -> _Table:
        return _Table(name, data.get(name, {}), lines, faults)

    sections = {
        "clinic",
        "visit",
        "timing",
        "reader",
        "screen",
        "indicators",
        "service",
        "outbox",
        "clock",
        "update",
        "run",
    }
    tables = {name: table(name) for name in sorted(sections)}
    settings = Settings(
        run=tables["run"].path("folder", base, "/run/kiosk"),
        run_users=tables["run"].words("users", 'a list of user names, such as ["kiosk-screen"]'),
        clinic=_clinic(tables["clinic"]),
        rules=_rules(tables["visit"], tables["timing"]),
        reader=_reader(tables["reader"], base),
        screen=_screen(tables["screen"]),
        indicators=_indicators(tables["indicators"], base),
        service=_service(tables["service"], base),
        outbox=_outbox(tables["outbox"], base),
        clock=ClockSettings(tables["clock"].path("trust_file", base, "/run/systemd/timesync/synchronized")),
        update=_update(tables["update"], base),
        staff=_staff(data.get("staff", []), lines, faults),
    )
    for each in tables.values():
        each.finish()
    for name in data.keys() - sections - {"staff"}:
        faults.append(Fault(lines.get(name), name, "is not a known section"))
    return settings


def _clinic(table: _Table) -> Clinic:
    return Clinic(
        name=table.text("name", "the clinic's name"),
        institution=table.text("institution", "the 10 digits of 医療機関コード in quotes", pattern=r"\d{10}"),
        terminal=table.text(
            "terminal", "a short name such as K001 (letters, digits, - )", pattern=r"[A-Za-z0-9-]{1,32}"
        ),
    )


def _rules(table: _Table, timing: _Table) -> Rules:
    items = table.names(
        "consent_items",
        tuple(i.name.lower() for i in ConsentItem),
        tuple(i.name.lower() for i in ConsentItem),
    )
    limits = {field.name: float(str(field.default)) for field in fields(Timing)}
    return Rules(
        mode=table.choice("mode", Mode),
        languages=table.names("languages", LANGUAGES, LANGUAGES_ON),
        consent_items=tuple(ConsentItem[name.upper()] for name in items),
        offer_as_registered=table.flag("offer_as_registered", False),
        offer_visual_check=table.flag("offer_visual_check", True),
        passcode_tries=table.whole("passcode_tries", 1, 20, 5),
        timing=Timing(**{name: timing.number(name, 0.01, 3600, usual) for name, usual in limits.items()}),
    )


def _reader(table: _Table, base: Path) -> ReaderSettings:
    device = table.text(
        "device",
        '"usb", "usb:04e6:5591" or "virtual:PATH"',
        "usb",
        pattern=r"usb|usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}|virtual:.+",
    )
    if device.startswith("virtual:"):
        device = f"virtual:{base / device.removeprefix('virtual:')}"
    return ReaderSettings(
        device=device,
        trust=table.path("trust", base, "trust"),
        type_b_modulation=table.whole("type_b_modulation", 0, 255, 0x04),
    )


def _screen(table: _Table) -> ScreenSettings:
    return ScreenSettings(
        width=table.whole("width", 480, 3840, 800),
        height=table.whole("height", 320, 3840, 480),
        px_per_mm=table.number("px_per_mm", 2, 20, 5.36),
        fullscreen=table.flag("fullscreen", True),
        theme=table.choice("theme", Theme, Theme.STANDARD),
        sound=table.flag("sound", True),
        rotate=_quarter_turns(table),
        mirror=table.flag("mirror", False),
        large_text=table.flag("large_text", False),
        reader_side=table.choice("reader_side", ReaderSide, ReaderSide.UNTOLD),
    )


def _quarter_turns(table: _Table) -> int:
    degrees = table.whole("rotate", 0, 270, 0)
    if degrees % 90:
        table.fault("rotate", "must be 0, 90, 180 or 270")
    return degrees


def _indicators(table: _Table, base: Path) -> IndicatorSettings:
    board = table.text("board", 'a path to board.toml, or "none"', "none")
    return IndicatorSettings(board=None if board == "none" else base / board)


def _service(table: _Table, base: Path) -> ServiceSettings:
    return ServiceSettings(
        name=table.text("name", "the service's name as it stands in transcripts"),
        url=table.text("url", "an https:// address without a path", pattern=r"https://[^/\s]+"),
        ca=table.path("ca", base, "service-ca.pem"),
        certificate=table.path("certificate", base, "terminal.pem"),
        key=table.path("key", base, "terminal.key"),
        timeout_s=table.number("timeout_s", 0.1, 120, 30),
    )


def _outbox(table: _Table, base: Path) -> OutboxSettings:
    return OutboxSettings(
        path=table.path("path", base, "outbox.sqlite"),
        max_records=table.whole("max_records", 1, 100_000, 500),
        max_age_h=table.number("max_age_h", 1, 168, 24),
        retry_base_s=table.number("retry_base_s", 0.01, 60, 2),
        retry_cap_s=table.number("retry_cap_s", 0.01, 3600, 300),
        drain_per_s=table.number("drain_per_s", 0, 1000, 2),
        fallback_after_s=table.number("fallback_after_s", 0, 3600, 20),
    )


def _update(table: _Table, base: Path) -> UpdateSettings:
    what = 'the https:// address of the channel file, or "none"'
    channel = table.text("channel", what, "none", pattern=r"none|https://[^/\s]+/\S+")
    return UpdateSettings(
        channel=None if channel == "none" else channel,
        ca=table.path("ca", base, "update-ca.pem"),
        folder=table.path("folder", base, "/var/lib/kiosk-uploader/update"),
        stick=table.path("stick", base, "/run/kiosk-update/media"),
        flags=table.path("flags", base, "/run/kiosk-update/wanted"),
        rauc=table.path("rauc", base, "/etc/rauc/system.conf"),
        os_release=table.path("os_release", base, "/etc/os-release"),
    )


def _staff(data: Any, lines: dict[str, int], faults: list[Fault]) -> tuple[StaffMember, ...]:
    if not isinstance(data, list):
        faults.append(Fault(lines.get("staff"), "staff", "must be written as [[staff]] sections"))
        return ()
    members = []
    for index, entry in enumerate(data):
        table = _Table(f"staff[{index}]", entry, lines, faults)
        members.append(
            StaffMember(
                number=table.text("number", "a personal staff number of 3 to 6 digits", pattern=r"\d{3,6}"),
                passcode=table.text(
                    "passcode", "the text that `kiosk provision passcode` prints", pattern=r"scrypt\$.+"
                ),
            )
        )
        if any(other.number == members[-1].number for other in members[:-1] if other.number):
            table.fault("number", "is given to two members of staff")
        table.finish()
    return tuple(members)
