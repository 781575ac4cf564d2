"""Every file that a comment, a docstring or a document names is in the repository."""

import re

import pytest

from tests.house.named_files import ELSEWHERE, is_there, missing, names_in_the_repository


def test_every_file_that_is_named_is_there() -> None:
    assert [str(each) for each in names_in_the_repository() if not is_there(each.name, each.by)] == []


def test_every_exception_is_still_needed() -> None:
    names = {each.name for each in names_in_the_repository()}
    unused = {pattern for pattern in ELSEWHERE if not any(re.fullmatch(pattern, name) for name in names)}
    assert unused == set()


OFFENDERS = (
    ("kiosk/visit/machine.py", '"""What visit/never.py does not say."""'),
    ("kiosk/visit/machine.py", "# the figures: facts/screens.md 1.2"),
    ("kiosk/visit/machine.py", 'def f():\n    """As `kiosk/screens/nowhere` does."""'),
    ("kiosk/visit/machine.py", "x = 1  #: of kiosk.visit.nothing_like_this"),
    ("kiosk/visit/machine.py", "# kiosk/visit/never_*.py"),
    ("tests/visit/test_x.py", "# DESIGN.md, section 2"),
    ("docs/architecture.md", "Look at [the plan](plan.md) and at `deploy/nowhere`."),
    ("docs/facts/screens.md", "[the rooms](../kiosk/visit)"),
    ("deploy/kiosk.toml.example", "port = 1  # see docs/never.md"),
    ("kiosk/uploader/store/schema.sql", "CREATE TABLE x;  -- as in store/never.py"),
)


@pytest.mark.parametrize(("path", "text"), OFFENDERS)
def test_a_file_that_is_not_there_is_found(path: str, text: str) -> None:
    assert missing(path, text)


INNOCENTS = (
    (
        "kiosk/visit/machine.py",
        '"""As visit/states.py, states.py, kiosk/visit/ and kiosk/screens/*.py say."""',
    ),
    (
        "kiosk/visit/machine.py",
        "path = 'docs/never.md'  # in /etc/kiosk/kiosk.toml, or https://example.com/a.py",
    ),
    ("kiosk/visit/machine.py", "# kiosk.visit.machine.reduce, kiosk/visit/, and kiosk.cli.main"),
    (
        "docs/architecture.md",
        "[the interface](service-interface.md#keys), `kiosk.toml`, `DIR/story.json`",
    ),
    ("docs/facts/screens.md", "[the rooms](../architecture.md), [code](../../kiosk/visit)"),
    ("deploy/kiosk.toml.example", "page = 'never.html'  # docs/keys.md"),
)


@pytest.mark.parametrize(("path", "text"), INNOCENTS)
def test_what_is_there_or_is_no_file_is_let_be(path: str, text: str) -> None:
    assert missing(path, text) == []
