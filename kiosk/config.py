"""The settings file `kiosk.toml` → frozen dataclasses. Every fault is named at once, with key and line.

Relative paths are taken from the folder of the settings file. `deploy/kiosk.toml.example` shows every key.
"""

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from kiosk.config_folders import HandoverSettings, LookupSettings, handover, lookup
from kiosk.config_reader import ReaderSettings, reader
from kiosk.config_table import Fault, Rulebook, Table, fault, key_lines
from kiosk.config_words import Problem
from kiosk.provisioning.notice import doubts
from kiosk.provisioning.sections import (
    NEEDS,
    PASSCODE,
    PASSCODE_WHAT,
    STAFF_NUMBER,
    STORED,
    FirstBoot,
    Network,
    Share,
    first_boot,
    network,
    share,
)
from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.terms import Mode
from kiosk.visit.rules import Rules, Timing

#: Every language that there are words for, as gettext names it; ja@easy is やさしい日本語.
LANGUAGES = ("ja", "ja@easy", "en", "zh", "ko", "pt", "vi")
#: Those that are on unless the settings say otherwise: no other has been checked by a native reader.
LANGUAGES_ON = ("ja", "ja@easy", "en")


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
    handbook: str = "none"  #: where staff read this kiosk's handbook; a QR code on their help page


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

    @property
    def slot_good(self) -> Path:
        """There when the boot loader was told that the running version works (deploy/)."""
        return self.flags.with_name("good")


@dataclass(frozen=True)
class MetricsSettings:
    file: Path | None  #: the text file for node-exporter's textfile collector; None: no metrics
    every_s: float


@dataclass(frozen=True)
class ReportSettings:
    folder: Path | None  #: where each day's and each month's report is put by itself; None: nowhere
    language: str  #: "ja" or "en"


@dataclass(frozen=True)
class StaffMember:
    number: str
    #: as `kiosk provision passcode` prints it: scrypt parameters, salt and hash; digits before the first boot
    passcode: str = field(repr=False)


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
    handover: HandoverSettings
    lookup: LookupSettings
    update: UpdateSettings
    metrics: MetricsSettings
    report: ReportSettings
    staff: tuple[StaffMember, ...]


@dataclass(frozen=True)
class Card:
    """The settings file as it lies on the card: with what the first boot needs."""

    settings: Settings
    network: Network
    share: Share
    first_boot: FirstBoot
    doubts: tuple[Fault, ...] = ()  #: taken, and worth a second look


class ConfigError(Exception):
    """The settings cannot be used; `faults` names all that is wrong."""

    def __init__(self, path: Path, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{path.name}: {each}" for each in faults))
        self.faults = faults


def load(path: Path) -> Settings:
    """Read the settings; raises ConfigError with every fault of the file."""
    return load_card(path, fresh=False).settings


def load_card(path: Path, fresh: bool = True) -> Card:
    """Read the whole file; `fresh`: of a kiosk that was never started, which needs more.

    Raises ConfigError with every fault, and with what the first boot lacks.
    """
    return card_of(read_text(path), path, fresh, fresh)


def read_text(path: Path) -> str:
    """The file's text; raises ConfigError where it has none."""
    try:
        return decoded(path.read_bytes())
    except OSError as reason:
        raise _refusal(path, Problem.UNREADABLE, str(reason.strerror)) from None
    except UnicodeDecodeError:
        raise _refusal(path, Problem.NOT_UTF8) from None


def card_of(text: str, path: Path, fresh: bool, complete: bool) -> Card:
    """The settings in `text`, which stands in `path`; `fresh`: passcodes may be digits; `complete`: what the
    first boot needs must be there. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as reason:  # also thousands of digits and deep nests
        say = str(reason)
        raise _refusal(path, Problem.NOT_TOML, say, _line_in(say)) from None
    faults: list[Fault] = []
    lines = key_lines(text)
    card = _card(data, lines, faults, path.resolve().parent, Rulebook(), fresh)
    if complete:
        faults += _lacking(data, lines, faults)
    if faults:
        raise ConfigError(path, tuple(sorted(faults, key=lambda each: each.line or 0)))
    return replace(card, doubts=doubts(card.settings.clinic.institution, lines.get("clinic.institution")))


def decoded(data: bytes) -> str:
    """The file's text; Windows editors begin it with a byte order mark and end lines with CR LF."""
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def rulebook(fresh: bool = False) -> Rulebook:
    """Every rule that a settings file is held to (`fresh`: before the first boot); the page judges by it."""
    book = Rulebook()
    _card({"staff": [{}]}, {}, [], Path(), book, fresh)
    return book


def _refusal(path: Path, problem: Problem, what: str = "", line: int | None = None) -> ConfigError:
    return ConfigError(path, (fault(line, "file", problem, what),))


def _line_in(message: str) -> int | None:
    found = re.search(r"line (\d+)", message)
    return int(found.group(1)) if found else None


def _lacking(data: dict[str, Any], lines: dict[str, int], faults: list[Fault]) -> list[Fault]:
    rules = {(rule.section, rule.key): rule for rule in rulebook().rules}
    told = {each.key for each in faults}
    found = []
    for need in NEEDS:
        full = f"{need.section}.{need.key}"
        if need.missing(data) and full not in told:
            rule = rules[need.section, need.key]
            line = lines.get(full, lines.get(need.section))
            problem = Problem.MUST_BE if full in lines else Problem.MISSING  # there and empty, or not there
            found.append(fault(line, full, problem, rule.what, rule.what_ja))
    return found


SECTIONS = (
    "clinic",
    "visit",
    "timing",
    "reader",
    "screen",
    "indicators",
    "service",
    "outbox",
    "clock",
    "handover",
    "lookup",
    "update",
    "metrics",
    "report",
    "run",
    "network",
    "share",
    "first_boot",
)


def _card(
    data: dict[str, Any],
    lines: dict[str, int],
    faults: list[Fault],
    base: Path,
    book: Rulebook,
    fresh: bool,
) -> Card:
    tables = {name: Table(name, data.get(name, {}), lines, faults, book) for name in SECTIONS}
    settings = Settings(
        run=tables["run"].path("folder", base, "/run/kiosk"),
        run_users=tables["run"].words("users", 'a list of user names, such as ["kiosk-screen"]'),
        clinic=_clinic(tables["clinic"]),
        rules=_rules(tables["visit"], tables["timing"]),
        reader=reader(tables["reader"], base),
        screen=_screen(tables["screen"]),
        indicators=_indicators(tables["indicators"], base),
        service=_service(tables["service"], base),
        outbox=_outbox(tables["outbox"], base),
        clock=ClockSettings(tables["clock"].path("trust_file", base, "/run/systemd/timesync/synchronized")),
        handover=handover(tables["handover"], base),
        lookup=lookup(tables["lookup"], base),
        update=_update(tables["update"], base),
        metrics=_metrics(tables["metrics"], base),
        report=_report(tables["report"], base),
        staff=_staff(data.get("staff", []), lines, faults, book, fresh),
    )
    card = Card(
        settings, network(tables["network"]), share(tables["share"]), first_boot(tables["first_boot"])
    )
    if any(member.number == card.first_boot.staff_number for member in settings.staff if member.number):
        tables["first_boot"].fault("staff_number", Problem.TWICE)
    for each in tables.values():
        each.finish()
    for name in sorted(data.keys() - set(SECTIONS) - {"staff"}):
        faults.append(fault(lines.get(name), name, Problem.UNKNOWN_SECTION))
    return card


def _clinic(table: Table) -> Clinic:
    return Clinic(
        name=table.text("name", "the clinic's name"),
        institution=table.text(
            "institution", "the 10 digits of 医療機関コード in quotes", pattern=r"[0-9]{10}"
        ),
        terminal=table.text(
            "terminal", "a short name such as K001 (letters, digits, - )", pattern=r"[A-Za-z0-9-]{1,32}"
        ),
        handbook=table.text("handbook", 'an https:// address, or "none"', "none", r"none|https://[!-~]+"),
    )


def _rules(table: Table, timing: Table) -> Rules:
    items = table.names(
        "consent_items",
        tuple(i.name.lower() for i in ConsentItem),
        tuple(i.name.lower() for i in ConsentItem),
    )
    limits = {each.name: float(str(each.default)) for each in fields(Timing)}
    return Rules(
        mode=table.choice("mode", Mode),
        languages=table.names("languages", LANGUAGES, LANGUAGES_ON),
        known_languages=LANGUAGES,
        consent_items=tuple(ConsentItem[name.upper()] for name in items),
        large_text=table.flag("large_text", False),
        offer_as_registered=table.flag("offer_as_registered", False),
        offer_visual_check=table.flag("offer_visual_check", True),
        passcode_tries=table.whole("passcode_tries", 1, 20, 5),
        timing=Timing(**{name: timing.number(name, 0.01, 3600, usual) for name, usual in limits.items()}),
    )


def _screen(table: Table) -> ScreenSettings:
    return ScreenSettings(
        width=table.whole("width", 480, 3840, 800),
        height=table.whole("height", 320, 3840, 480),
        px_per_mm=table.number("px_per_mm", 2, 20, 5.36),
        fullscreen=table.flag("fullscreen", True),
        theme=table.choice("theme", Theme, Theme.STANDARD),
        sound=table.flag("sound", True),
        rotate=table.whole("rotate", 0, 270, 0, step=90),
        mirror=table.flag("mirror", False),
        reader_side=table.choice("reader_side", ReaderSide, ReaderSide.UNTOLD),
    )


def usual_screen() -> ScreenSettings:
    """The screen where no settings can be read."""
    return _screen(Table("screen", {}, {}, [], Rulebook()))


def _indicators(table: Table, base: Path) -> IndicatorSettings:
    board = table.text("board", 'a path to board.toml, or "none"', "none")
    return IndicatorSettings(board=None if board == "none" else base / board)


def _service(table: Table, base: Path) -> ServiceSettings:
    return ServiceSettings(
        name=table.text("name", "the service's name as it stands in transcripts"),
        url=table.text("url", "an https:// address without a path", pattern=r"https://[A-Za-z0-9.:\[\]-]+"),
        ca=table.path("ca", base, "service-ca.pem"),
        certificate=table.path("certificate", base, "terminal.pem"),
        key=table.path("key", base, "terminal.key"),
        timeout_s=table.number("timeout_s", 0.1, 120, 30),
    )


def _outbox(table: Table, base: Path) -> OutboxSettings:
    return OutboxSettings(
        path=table.path("path", base, "outbox.sqlite"),
        max_records=table.whole("max_records", 1, 100_000, 500),
        max_age_h=table.number("max_age_h", 1, 168, 24),
        retry_base_s=table.number("retry_base_s", 0.01, 60, 2),
        retry_cap_s=table.number("retry_cap_s", 0.01, 3600, 300),
        drain_per_s=table.number("drain_per_s", 0, 1000, 2),
        fallback_after_s=table.number("fallback_after_s", 0, 3600, 20),
    )


def _update(table: Table, base: Path) -> UpdateSettings:
    what = 'the https:// address of the channel file, or "none"'
    channel = table.text("channel", what, "none", pattern=r"none|https://[A-Za-z0-9.:\[\]-]+/[!-~]+")
    return UpdateSettings(
        channel=None if channel == "none" else channel,
        ca=table.path("ca", base, "update-ca.pem"),
        folder=table.path("folder", base, "/var/lib/kiosk-uploader/update"),
        stick=table.path("stick", base, "/run/kiosk-update/media"),
        flags=table.path("flags", base, "/run/kiosk-update/wanted"),
        rauc=table.path("rauc", base, "/etc/rauc/system.conf"),
        os_release=table.path("os_release", base, "/etc/os-release"),
    )


def _metrics(table: Table, base: Path) -> MetricsSettings:
    file = table.text("file", 'a path that ends in .prom, or "none"', "none", pattern=r"none|.+\.prom")
    return MetricsSettings(
        file=None if file == "none" else base / file, every_s=table.number("every_s", 1, 3600, 30)
    )


def _report(table: Table, base: Path) -> ReportSettings:
    folder = table.text("folder", 'a path to a folder, or "none"', "none")
    language = table.text("language", '"ja" or "en"', "ja", pattern=r"ja|en")
    return ReportSettings(None if folder == "none" else base / folder, language)


def _staff(
    data: Any, lines: dict[str, int], faults: list[Fault], book: Rulebook, fresh: bool
) -> tuple[StaffMember, ...]:
    if not isinstance(data, list):
        faults.append(fault(lines.get("staff"), "staff", Problem.NOT_SECTIONS, "staff"))
        return ()
    members: list[StaffMember] = []
    for index, entry in enumerate(data):
        table = Table(f"staff[{index}]", entry, lines, faults, book)
        number = table.text("number", "a personal staff number of 3 to 6 digits", pattern=STAFF_NUMBER)
        # Before the first boot digits will do: it keeps their hash, and empties them on the card.
        what = PASSCODE_WHAT if fresh else "the text that `kiosk provision passcode` prints"
        passcode = table.text("passcode", what, pattern=f"{STORED}|{PASSCODE}" if fresh else STORED)
        if number and any(other.number == number for other in members):
            table.fault("number", Problem.TWICE)
        members.append(StaffMember(number, passcode))
        table.finish()
    return tuple(members)
