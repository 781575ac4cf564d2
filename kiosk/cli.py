"""`kiosk …`: the commands, loaded on use, and the one place where faults become lines and exit codes.

Lazy loading is a promise, not only a matter of speed: `kiosk reader` must never import pygame, nor
`kiosk screen` nfcpy or requests, because each process has its own privileges. Exit codes: 0 done, 1 refused
or failed (one line per fault on stderr), 2 usage.

To add a command: a click command anywhere in the package and its line in `COMMANDS` or `SIMULATE`.
"""

import importlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from kiosk.config.settings import ConfigError

log = logging.getLogger(__name__)

VERBOSITY = (logging.INFO, logging.DEBUG, 5)  #: 5: `kiosk.nfc.antenna.TRAFFIC`
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


@dataclass(frozen=True)
class Lazy:
    """Where a command lives, and its line in the help, which must not import it."""

    target: str  #: "module:attribute"
    help: str


COMMANDS: Mapping[str, Lazy] = {
    "demo": Lazy("kiosk.simulator.demo.demo_command:demo", "Everything on one desk, no hardware."),
    "reader": Lazy("kiosk.commands.reader:reader", "The reader process: token, PIN, signature."),
    "screen": Lazy("kiosk.commands.screen:screen", "The screen process: visit, display, LEDs and buzzer."),
    "uploader": Lazy("kiosk.commands.uploader:uploader", "The uploader process: outbox, service, answers."),
    "first-boot": Lazy("kiosk.commands.first_boot:command", "From a written card to a kiosk that runs."),
    "notice": Lazy("kiosk.commands.notice:notice", "Show a notice while the kiosk itself cannot run."),
    "read": Lazy("kiosk.commands.read:read", "Read one token and tell what it gave, as JSON."),
    "status": Lazy("kiosk.commands.status:status", "Tell the uploader's state."),
    "outbox": Lazy("kiosk.commands.outbox:outbox", "List, show, retry or export records."),
    "lookup": Lazy("kiosk.commands.lookup:lookup", "Look up consented results after an outage."),
    "audit": Lazy("kiosk.commands.audit:audit", "Export the audit table; verify an export."),
    "metrics": Lazy("kiosk.commands.metrics:metrics", "Write the metrics file for node-exporter."),
    "doctor": Lazy("kiosk.commands.doctor:doctor", "Every part by name, what is wrong, how to mend it."),
    "report": Lazy("kiosk.commands.report:report", "A day or a month as one HTML file."),
    "update": Lazy("kiosk.commands.update:update", "What newer version there is; install it; publish one."),
    "provision": Lazy("kiosk.commands.provision:provision", "Keys, enrolment, passcodes."),
}
SIMULATE: Mapping[str, Lazy] = {
    "field": Lazy("kiosk.simulator.field.field_commands:field", "A virtual PN533 and what lies on it."),
    "tap": Lazy(
        "kiosk.simulator.field.field_commands:tap", "Lay a token on the virtual field, or take it off."
    ),
    "card": Lazy("kiosk.simulator.field.field_commands:card", "Put our card into a vpcd reader."),
    "tape": Lazy("kiosk.simulator.field.field_commands:tape", "Tell what a recording of kiosk read says."),
    "service": Lazy("kiosk.simulator.service.service_command:service", "The virtual qualification service."),
    "terminal": Lazy("kiosk.simulator.terminal.terminal_command:terminal", "A folder like a 資格確認端末's."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when one is called, and not for `--help`."""

    def __init__(self, *args: Any, table: Mapping[str, Lazy] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = dict(table or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._table, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._table.get(cmd_name)
        return super().get_command(ctx, cmd_name) if entry is None else _load(cmd_name, entry.target)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        rows = [(name, entry.help) for name, entry in self._table.items()]
        rows += [(name, command.get_short_help_str()) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _load(name: str, target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as fault:
        raise click.ClickException(
            f"{name} needs the Python module {fault.name}, which is not installed here; "
            "`make demo` or `make test` installs everything"
        ) from fault
    if not isinstance(command, click.Command):
        raise TypeError(f"{target} is not a click command")
    return command


class JournalFormatter(logging.Formatter):
    """Lines with the priority that journald reads and removes: sd-daemon(3), `SD_WARNING` and others."""

    def format(self, record: logging.LogRecord) -> str:
        priority = next((p for level, p in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def in_journal(environ: Mapping[str, str], stream: TextIO) -> bool:
    """Tell whether `stream` is the journal: JOURNAL_STREAM names its device and inode, systemd.exec(5)."""
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def set_up_logging(level: int, stream: TextIO, *, journal: bool) -> None:
    """Send the log to `stream`: our own modules from `level` on, everybody else's from WARNING on.

    Others never get below WARNING, whatever `-v` asks for: nfcpy's DEBUG lines are the frames that it sends,
    and one of them carries the PIN.
    """
    handler = logging.StreamHandler(stream)
    text = "%(name)s: %(message)s"
    handler.setFormatter(
        JournalFormatter(text) if journal else logging.Formatter(f"%(asctime)s %(levelname)-7s {text}")
    )
    # At the handler: nfcpy sets a level of its own for its loggers, whatever the root's is.
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.startswith("kiosk"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("kiosk").setLevel(level)


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The reception kiosk for the My Number Card and the phones that carry it.",
)
@click.option(
    "-v",
    "--verbose",
    count=True,
    help="Log in detail; -vv also every command to a token, without its data. Never shows a PIN or a person.",
)
@click.version_option(package_name="maina-kiosk", message="%(prog)s %(version)s")
def cli(verbose: int) -> None:
    level = VERBOSITY[min(verbose, len(VERBOSITY) - 1)]
    set_up_logging(level, sys.stderr, journal=in_journal(os.environ, sys.stderr))


cli.add_command(LazyGroup("simulate", table=SIMULATE, help="The world outside the box, simulated."))


def leave_package_folder(path: MutableSequence[str]) -> None:
    """Take this package's own folder off the search path: from inside it `import nfc` would find ours."""
    own = Path(__file__).resolve().parent
    path[:] = [entry for entry in path if Path(entry or Path.cwd()).resolve() != own]


def run(command: Callable[[], object]) -> int:
    """Call `command`, return its exit code; what can be expected to go wrong becomes a line per fault."""
    try:
        command()
    except SystemExit as end:  # click's own end, with its exit code
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except ConfigError as fault:
        click.echo(fault, err=True)
    except OSError as fault:
        log.debug("the fault in detail", exc_info=True)
        place = f"{os.fsdecode(fault.filename)}: " if isinstance(fault.filename, str | bytes) else ""
        click.echo(f"Error: {place}{fault.strerror or fault}", err=True)
    else:
        return 0
    return 1


def main() -> None:
    """The console script `kiosk`."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # pygame greets on stdout when it is imported
    leave_package_folder(sys.path)
    sys.exit(run(lambda: cli(prog_name="kiosk")))
