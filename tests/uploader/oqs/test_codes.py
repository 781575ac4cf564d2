"""The code tables: all that are public, each code once, each with its meaning."""

import inspect
import re

import pytest

from kiosk.qualification import codes as answer_codes
from kiosk.qualification.codes import Code
from kiosk.uploader.oqs import code_tables as codes
from kiosk.uploader.oqs.code_tables import ConsentFlag, SegmentOfResult, meaning

TABLES = sorted(
    {
        table
        for module in (codes, answer_codes)
        for table in vars(module).values()
        if inspect.isclass(table) and issubclass(table, Code) and table is not Code
    },
    key=lambda table: table.__name__,
)


def number(table: type[Code]) -> int:
    found = re.match(r"OQSCD(\d{3})", table.__doc__ or "")
    assert found, table
    return int(found[1])


def test_every_public_table_is_there() -> None:
    assert {number(table) for table in TABLES} == set(range(1, 45))


@pytest.mark.parametrize("table", TABLES)
def test_every_code_has_a_japanese_meaning_and_stands_once(table: type[Code]) -> None:
    members = list(table.__members__.values())
    assert len({member.value for member in members}) == len(members)
    for member in members:
        assert member.ja, member
        assert member.ja not in ("1", "2")


def test_a_code_is_explained_and_an_unknown_one_is_not_made_up() -> None:
    assert meaning(SegmentOfResult, "9") == "異常終了"
    assert meaning(ConsentFlag, "3") == "同意取得困難"
    assert meaning(SegmentOfResult, "3") is None
    assert SegmentOfResult("2") is SegmentOfResult.IN_PROGRESS
