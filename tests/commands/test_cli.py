"""The command line: lazy commands, one line per fault, exit codes, logging."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click
import pytest

from kiosk.cli import (
    COMMANDS,
    SIMULATE,
    Lazy,
    LazyGroup,
    cli,
    in_journal,
    leave_package_folder,
    run,
    set_up_logging,
)
from kiosk.config.settings import ConfigError
from kiosk.config.table import ConfigFault

ALL = [("", name) for name in COMMANDS] + [("simulate", name) for name in SIMULATE]

#: What a process must never load: its privileges are too narrow for it (docs/architecture.md).
NEVER = {
    "reader": {
        "pygame",
        "requests",
        "gpiozero",
        "sqlite3",
        "kiosk.screens",
        "kiosk.uploader",
        "kiosk.indicators",
    },
    "screen": {"nfc", "usb1", "requests", "urllib3", "sqlite3", "kiosk.nfc", "kiosk.uploader"},
    "uploader": {"nfc", "usb1", "pygame", "gpiozero", "kiosk.nfc", "kiosk.screens", "kiosk.indicators"},
    "read": {"pygame", "requests", "gpiozero", "sqlite3", "kiosk.screens", "kiosk.uploader"},
    "status": {"nfc", "usb1", "pygame", "gpiozero", "kiosk.nfc", "kiosk.screens"},
}


def kiosk(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=cwd)


def modules_after(*words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run `kiosk WORDS` in a process of its own; return it with the modules that it had loaded at the end."""
    code = (
        "import sys; from kiosk.cli import cli, run;"
        f"code = run(lambda: cli({[*words]!r}, prog_name='kiosk'));"
        "print('\\n'.join(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done, done.stderr.split()


@pytest.fixture
def quiet_root() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("kiosk")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)


@pytest.mark.parametrize(("group", "name"), ALL, ids=lambda word: word or "kiosk")
def test_every_command_of_the_table_is_there(group: str, name: str) -> None:
    parent = cli.get_command(click.Context(cli), group) if group else cli
    assert isinstance(parent, LazyGroup)
    assert isinstance(parent.get_command(click.Context(parent), name), click.Command)


def test_help_names_every_command_and_loads_none() -> None:
    done, loaded = modules_after("--help")
    assert not {name for name in loaded if name.startswith(("kiosk.commands", "kiosk.simulator"))}
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("process", NEVER)
def test_a_process_loads_no_driver_of_another(process: str) -> None:
    _, loaded = modules_after(process, "--help")
    never = NEVER[process] | {"kiosk.simulator", "aiohttp"}
    found = {name for name in loaded for bad in never if name == bad or name.startswith(bad + ".")}
    assert found == set()


def test_version_is_told() -> None:
    done = kiosk("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("kiosk ")


def test_an_unknown_command_is_a_usage_fault() -> None:
    done = kiosk("nonsense")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: No such command 'nonsense'."


def test_a_command_whose_package_is_missing_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = LazyGroup("kiosk", table={"gone": Lazy("no_such_package.command:gone", "")})
    assert run(lambda: group(["gone"])) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_table_entry_that_is_no_command_is_a_bug_and_raises() -> None:
    group = LazyGroup("kiosk", table={"path": Lazy("os:path", "")})
    with pytest.raises(TypeError, match="os:path is not a click command"):
        run(lambda: group(["path"]))


def test_every_fault_of_the_settings_gets_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> NoReturn:
        faults = (ConfigFault(3, "clinic.name", "is missing"), ConfigFault(None, "file", "is odd"))
        raise ConfigError(Path("kiosk.toml"), faults)

    assert run(broken) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["kiosk.toml: line 3: clinic.name: is missing", "kiosk.toml: file: is odd"]


def test_a_fault_of_the_system_is_one_line_with_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "gone"
    assert run(missing.read_bytes) == 1
    assert capsys.readouterr().err == f"Error: {missing}: No such file or directory\n"


def test_a_fault_of_the_system_without_a_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def unplugged() -> NoReturn:
        raise OSError(19, "No such device")

    assert run(unplugged) == 1
    assert capsys.readouterr().err == "Error: No such device\n"


def test_a_bug_is_not_hidden() -> None:
    def bug() -> NoReturn:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        run(bug)


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (2, 2), (None, 0), ("said", 1)])
def test_exit_codes_pass_through(code: int | str | None, expected: int) -> None:
    assert run(lambda: sys.exit(code)) == expected


def test_a_command_that_returns_has_done_its_work() -> None:
    assert run(lambda: None) == 0
    assert run(lambda: click.Command("fine", callback=lambda: 7)([])) == 0


def test_others_never_log_below_warning_because_a_frame_may_hold_the_pin(quiet_root: None) -> None:
    stream = io.StringIO()
    set_up_logging(logging.DEBUG, stream, journal=False)
    theirs = logging.Logger("nfc.clf.transport", logging.DEBUG)  # nfcpy sets levels of its own
    theirs.parent = logging.getLogger()
    theirs.debug("frame with digits")
    theirs.info("frame with digits")
    theirs.warning("reader gone")
    logging.getLogger("kiosk.nfc").debug("our detail")
    text = stream.getvalue()
    assert "digits" not in text
    assert "reader gone" in text
    assert "our detail" in text


def test_without_verbose_our_detail_stays_out(quiet_root: None) -> None:
    stream = io.StringIO()
    set_up_logging(logging.INFO, stream, journal=False)
    logging.getLogger("kiosk.nfc").debug("detail")
    assert stream.getvalue() == ""


def test_the_journal_gets_priorities_and_no_time(quiet_root: None) -> None:
    stream = io.StringIO()
    set_up_logging(logging.DEBUG, stream, journal=True)
    ours = logging.getLogger("kiosk.uploader")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        ours.log(level, "one\ntwo")
    assert stream.getvalue().splitlines() == [
        line for p in (7, 6, 4, 3, 2) for line in (f"<{p}>kiosk.uploader: one", f"<{p}>two")
    ]


def test_a_terminal_gets_the_time(quiet_root: None) -> None:
    stream = io.StringIO()
    set_up_logging(logging.INFO, stream, journal=False)
    logging.getLogger("kiosk").info("hello")
    assert stream.getvalue()[:2] == "20"


def test_the_journal_is_known_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        stat = os.fstat(stream.fileno())
        assert in_journal({"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}, stream)
        assert not in_journal({"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"}, stream)
        assert not in_journal({}, stream)
    assert not in_journal({"JOURNAL_STREAM": "1:1"}, io.StringIO())


def test_the_packages_own_folder_leaves_the_search_path(tmp_path: Path) -> None:
    package = Path(__file__).resolve().parents[2] / "kiosk"
    path = [str(package), str(tmp_path), f"{package}/../kiosk"]
    leave_package_folder(path)
    assert path == [str(tmp_path)]
