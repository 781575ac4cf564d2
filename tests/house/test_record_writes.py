"""Every statement that writes the outbox's table `records` stands in one file."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.rules import Source, sources

HOME = "kiosk/uploader/outbox/outbox.py"
#: The simulated service has a table of the same name in a database of its own.
ANOTHER_DATABASE = "kiosk/simulator/"
#: The name of the table that is written. One that is put in while running (`{`) might be this one.
WRITES = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+"
    r"[\"`\[]?(?:main\.)?(?:records\b|\{)",
    re.IGNORECASE,
)


def writes_of_records(source: Source) -> Iterator[str]:
    if not source.path.startswith("kiosk/") or source.path.startswith((HOME, ANOTHER_DATABASE)):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and WRITES.search(text_of(node)):
            yield f"{source.path}:{node.lineno}: writes the table records; only {HOME} does"


def text_of(node: ast.expr) -> str:
    """A text as far as it stands in the source; what is put in while running is `{}`."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
        case _:
            return "{}"


def test_records_are_written_in_one_file() -> None:
    assert [fault for source in sources() for fault in writes_of_records(source)] == []


def test_the_one_file_does_write_them() -> None:
    [home] = [source for source in sources() if source.path == HOME]
    assert len(set(writes_of_records(Source("kiosk/uploader/elsewhere.py", home.text)))) >= 10


@pytest.mark.parametrize(
    "statement",
    [
        '"INSERT INTO records (seq) VALUES (1)"',
        '"insert or ignore into records values (1)"',
        '"REPLACE INTO records VALUES (1)"',
        '"UPDATE records SET desk = 2"',
        '"UPDATE OR IGNORE records SET desk = 2"',
        '"DELETE FROM records"',
        '"UPDATE" " records SET desk = 2"',
        '"UPDATE " + "records SET desk = 2"',
        'f"UPDATE records SET {column} = 2"',
        'f"DELETE FROM {table}"',
        '"INSERT INTO " + table',
    ],
)
def test_an_offender_is_found(statement: str) -> None:
    source = Source("kiosk/uploader/staff/offender.py", f"database.rows({statement})\n")
    assert list(writes_of_records(source))


@pytest.mark.parametrize(
    "statement",
    [
        '"SELECT count(*) FROM records"',
        '"INSERT INTO audit SELECT 1 WHERE EXISTS (SELECT 1 FROM records)"',
        '"UPDATE lookups SET stage = 1"',
        'f"UPDATE lookups SET {column} = 1"',
    ],
)
def test_what_reads_or_writes_another_table_is_no_offender(statement: str) -> None:
    source = Source("kiosk/uploader/staff/reader.py", f"database.rows({statement})\n")
    assert list(writes_of_records(source)) == []
