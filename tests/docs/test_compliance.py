"""What the documents name exists: files and tests of the compliance table, targets of every link."""

import ast
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from kiosk.channel.command_line_messages import Status
from tests.docs.conftest import ROOT

COMPLIANCE = ROOT / "docs" / "compliance.md"
STATES = {"met", "part", "no", "clinic"}
NAMED = re.compile(r"`([A-Za-z0-9_./-]+/[A-Za-z0-9_./-]+|[A-Z]+\.md|pyproject\.toml)(?:::(\w+))?`")


def rows(text: str) -> list[tuple[str, str, str]]:
    """Duty, state and place of every line of the tables."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and len(cells) == 3 and cells[1] in STATES:
            found.append((cells[0], cells[1], cells[2]))
    return found


ROWS = rows(COMPLIANCE.read_text(encoding="utf-8"))


def names_in(path: Path) -> set[str]:
    """The test functions of a file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


def lost(place: str) -> list[str]:
    """The files and tests of a cell that do not exist."""
    found = []
    for path, test in NAMED.findall(place):
        file = ROOT / path
        if not file.exists() or (test and test not in names_in(file)):
            found.append(f"{path}::{test}" if test else path)
    return found


def test_every_line_of_the_tables_is_read() -> None:
    text = COMPLIANCE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|[-|]+$", line)]
    heads = [line for line in lines if re.match(r"\| (duty|criterion) \|", line)]
    assert len(ROWS) == len(lines) - len(heads)
    assert {state for _, state, _ in ROWS} == STATES
    assert len(heads) == 4
    for number in range(1, 17):
        assert sum(duty.startswith(f"S1.1-{number:02} ") for duty, _, _ in ROWS) == 1, f"JC-STAR {number:02}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_what_a_line_names_exists(row: tuple[str, str, str]) -> None:
    _, state, place = row
    assert lost(place) == []
    tests = [test for _, test in NAMED.findall(place) if test]
    if state == "met":
        assert tests, "met without a test to show it"
    if state == "part":
        assert "Missing: " in place or "missing" in place.lower(), "part, and what is missing is not said"


def test_a_name_that_does_not_exist_is_found() -> None:
    assert lost("`kiosk/nowhere.py`") == ["kiosk/nowhere.py"]
    here = "tests/docs/test_compliance.py"
    assert lost(f"`{here}::test_nothing`, `{here}::test_every_line_of_the_tables_is_read`") == [
        f"{here}::test_nothing"
    ]


def test_security_tells_how_to_report() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "## Reporting" in text
    assert "never in a public issue" in text


def test_security_names_every_threat_and_the_level_that_the_device_reports() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for level in ("0", "1", "2"):
        assert re.search(rf"^\| {level} \|", text, re.MULTILINE)
    assert "`key_custody_level`" in text
    [reported] = [field for field in msgspec.structs.fields(Status) if field.name == "key_custody_level"]
    assert f"Built is level {reported.default}" in text


# ---- links of every document -------------------------------------------------------------------------------


def documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def anchors(document: Path) -> set[str]:
    """The headings of a document, as GitHub names them."""
    heads = re.findall(r"^#+ (.+?)\s*$", document.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", head) for head in heads]
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in plain}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_pictures_of_a_document_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    wrong = []
    for address in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, fragment = address.partition("#")
        if "://" in address or address.startswith("mailto:"):
            continue
        target = (document.parent / path) if path else document
        if not target.exists() or (fragment and target.suffix == ".md" and fragment not in anchors(target)):
            wrong.append(address)
    assert wrong == []
