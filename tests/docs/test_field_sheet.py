"""The sheet of the field test names files, options and settings that exist."""

import re
from pathlib import Path

import click
import pytest

from kiosk.cli import cli

ROOT = Path(__file__).resolve().parents[2]
SHEET = (ROOT / "docs" / "field-test.md").read_text(encoding="utf-8")


def words() -> list[str]:
    return [word for text in re.findall(r"`([^`\n]+)`", SHEET) for word in text.split()]


def test_every_unknown_is_listed_once_and_either_has_a_step_or_says_why_not() -> None:
    listed = re.findall(r"^(\d+)\. (.*)$", SHEET.partition("## The unknowns")[2], re.MULTILINE)
    assert [int(number) for number, _ in listed] == list(range(1, 11))
    steps = set(re.findall(r"^### (\d+)\. ", SHEET, re.MULTILINE))
    for _, text in listed:
        named = re.findall(r"steps? ([\d, ]+)", text)
        assert named or "not here" in text
        assert {step for group in named for step in re.findall(r"\d+", group)} <= steps


@pytest.mark.parametrize(
    "path", sorted({w for w in words() if re.match(r"(kiosk|tests|docs|firmware)/[\w./-]+$", w)})
)
def test_every_file_that_the_sheet_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def _options(*names: str) -> set[str]:
    command: click.Command | None = cli
    context = click.Context(cli)
    for name in names:
        assert isinstance(command, click.Group)
        command = command.get_command(context, name)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts}


def test_every_option_that_the_sheet_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", SHEET))
    known = (
        _options("read")
        | _options("simulate", "field")
        | _options("simulate", "tap")
        | {"--json", "--version"}
    )
    known |= {"--user"}  # firmware/check-reader
    assert named - known == set()


def test_the_settings_that_the_sheet_decides_are_in_the_example() -> None:
    example = (ROOT / "deploy" / "kiosk.toml.example").read_text(encoding="utf-8")
    assert "type_b_modulation" in SHEET
    assert "type_b_modulation" in example
