"""The settings file `kiosk.toml` → frozen dataclasses. Every fault is named at once, with key and line.

Relative paths are taken from the folder of the settings file. `deploy/kiosk.toml.example` shows every key.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kiosk.config.clinic_settings import Clinic, StaffMember, clinic, rules, staff
from kiosk.config.fault_words import Mistake
from kiosk.config.first_boot_settings import (
    NEEDS,
    FirstBoot,
    Network,
    Share,
    doubts,
    first_boot,
    network,
    share,
)
from kiosk.config.folder_settings import HandoverSettings, LookupSettings, handover, lookup
from kiosk.config.reader_settings import ReaderSettings, reader
from kiosk.config.screen_settings import IndicatorSettings, ScreenSettings, indicators, screen
from kiosk.config.table import ConfigFault, Rulebook, Table, fault, key_lines
from kiosk.config.uploader_settings import (
    ClockSettings,
    MetricsSettings,
    OutboxSettings,
    ReportSettings,
    ServiceSettings,
    UpdateSettings,
    metrics,
    outbox,
    report,
    service,
    update,
)
from kiosk.visit.rules import Rules


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
class CardFile:
    """The settings file as it lies on the card: with what the first boot needs."""

    settings: Settings
    network: Network
    share: Share
    first_boot: FirstBoot
    doubts: tuple[ConfigFault, ...] = ()  #: taken, and worth a second look


class ConfigError(Exception):
    """The settings cannot be used; `faults` names all that is wrong."""

    def __init__(self, path: Path, faults: tuple[ConfigFault, ...]) -> None:
        super().__init__("\n".join(f"{path.name}: {each}" for each in faults))
        self.faults = faults


def load(path: Path) -> Settings:
    """Read the settings; raises ConfigError with every fault of the file."""
    return load_card(path, fresh=False).settings


def load_card(path: Path, fresh: bool = True) -> CardFile:
    """Read the whole file; `fresh`: of a kiosk that was never started, which needs more.

    Raises ConfigError with every fault, and with what the first boot lacks.
    """
    return card_of(read_text(path), path, fresh, fresh)


def read_text(path: Path) -> str:
    """The file's text; raises ConfigError where it has none."""
    try:
        return decoded(path.read_bytes())
    except OSError as reason:
        raise _refusal(path, Mistake.UNREADABLE, str(reason.strerror)) from None
    except UnicodeDecodeError:
        raise _refusal(path, Mistake.NOT_UTF8) from None


def card_of(text: str, path: Path, fresh: bool, complete: bool) -> CardFile:
    """The settings in `text`, which stands in `path`; `fresh`: passcodes may be digits; `complete`: what the
    first boot needs must be there. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as reason:  # also thousands of digits and deep nests
        message = str(reason)
        raise _refusal(path, Mistake.NOT_TOML, message, _line_in(message)) from None
    faults: list[ConfigFault] = []
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


def _refusal(path: Path, problem: Mistake, what: str = "", line: int | None = None) -> ConfigError:
    return ConfigError(path, (fault(line, "file", problem, what),))


def _line_in(message: str) -> int | None:
    found = re.search(r"line (\d+)", message)
    return int(found.group(1)) if found else None


def _lacking(data: dict[str, Any], lines: dict[str, int], faults: list[ConfigFault]) -> list[ConfigFault]:
    rules = {(rule.section, rule.key): rule for rule in rulebook().rules}
    told = {each.key for each in faults}
    found = []
    for need in NEEDS:
        full = f"{need.section}.{need.key}"
        if need.missing(data) and full not in told:
            rule = rules[need.section, need.key]
            line = lines.get(full, lines.get(need.section))
            problem = Mistake.MUST_BE if full in lines else Mistake.MISSING  # there and empty, or not there
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
    faults: list[ConfigFault],
    base: Path,
    book: Rulebook,
    fresh: bool,
) -> CardFile:
    tables = {name: Table(name, data.get(name, {}), lines, faults, book) for name in SECTIONS}
    settings = Settings(
        run=tables["run"].path("folder", base, "/run/kiosk"),
        run_users=tables["run"].words("users", 'a list of user names, such as ["kiosk-screen"]'),
        clinic=clinic(tables["clinic"]),
        rules=rules(tables["visit"], tables["timing"]),
        reader=reader(tables["reader"], base),
        screen=screen(tables["screen"]),
        indicators=indicators(tables["indicators"], base),
        service=service(tables["service"], base),
        outbox=outbox(tables["outbox"], base),
        clock=ClockSettings(tables["clock"].path("trust_file", base, "/run/systemd/timesync/synchronized")),
        handover=handover(tables["handover"], base),
        lookup=lookup(tables["lookup"], base),
        update=update(tables["update"], base),
        metrics=metrics(tables["metrics"], base),
        report=report(tables["report"], base),
        staff=staff(data.get("staff", []), lines, faults, book, fresh),
    )
    card = CardFile(
        settings, network(tables["network"]), share(tables["share"]), first_boot(tables["first_boot"])
    )
    if any(member.number == card.first_boot.staff_number for member in settings.staff if member.number):
        tables["first_boot"].fault("staff_number", Mistake.TWICE)
    for each in tables.values():
        each.finish()
    for name in sorted(data.keys() - set(SECTIONS) - {"staff"}):
        faults.append(fault(lines.get(name), name, Mistake.UNKNOWN_SECTION))
    return card
