"""What `make fresh` makes of a run's report, and what it tells a bare root of this machine."""

from pathlib import Path

import pytest

from tests.fresh.bare_root import inside, paths_in, pip_files, values
from tests.fresh.verdict import CANNOT, judge

REASON = next(iter(CANNOT))


def report(*cases: str) -> str:
    """pytest's file with these tests in it."""
    body = "".join(
        f'<testcase classname="tests.a" name="n{i}">{case}</testcase>' for i, case in enumerate(cases)
    )
    return f"<testsuites><testsuite>{body}</testsuite></testsuites>"


def skipped(reason: str) -> str:
    return f'<skipped type="pytest.skip" message="{reason}">tests/a.py:1: {reason}</skipped>'


def test_what_is_listed_may_be_skipped_and_is_named_with_its_number() -> None:
    verdict = judge(report("", skipped(f"{REASON}: more of it"), skipped(REASON), ""))
    assert (verdict.passed, verdict.wrong) == (2, [])
    said, count = verdict.lines()
    assert said == f"left out, 2 tests: {REASON}; {CANNOT[REASON]}"
    assert count == "2 passed, 0 failed, 2 left out"


@pytest.mark.parametrize(
    ("case", "word"),
    [
        (skipped("no chromium here"), "not in the list"),
        (skipped(""), "not in the list"),
        ('<failure message="x">y</failure>', "failed: tests.a::n0"),
        ('<error message="x">y</error>', "failed: tests.a::n0"),
    ],
)
def test_any_other_skip_is_a_failure_like_the_others(case: str, word: str) -> None:
    verdict = judge(report(case, ""))
    assert verdict.passed == 1
    [wrong] = verdict.wrong
    assert word in wrong


def test_pips_configuration_is_found_where_pip_looks_for_it(tmp_path: Path) -> None:
    system, home = tmp_path / "etc", tmp_path / "home"
    for folder in (system / "pip", home / ".config/pip"):
        folder.mkdir(parents=True)
        (folder / "pip.conf").touch()
    found = pip_files({"XDG_CONFIG_DIRS": str(system)}, home)
    assert [path for path in found if path.is_relative_to(tmp_path)] == [
        system / "pip/pip.conf",
        home / ".config/pip/pip.conf",
    ]


def test_folders_that_pip_is_told_of_are_found_in_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nfind-links = /srv/wheels\ntimeout = 60\n"
        "extra-index-url = file:///srv/index/simple file:///srv/other https://index.example/simple\n",
        encoding="utf-8",
    )
    named = [path for text in values([file]) for path in paths_in(text)]
    assert named == [Path("/srv/wheels"), Path("/srv/index"), Path("/srv/other")]


def test_what_lies_in_the_home_lies_in_roots_home_inside(tmp_path: Path) -> None:
    home = Path("/home/somebody")
    assert inside(tmp_path, home / ".config/pip/pip.conf", home) == tmp_path / "root/.config/pip/pip.conf"
    assert inside(tmp_path, Path("/etc/hosts"), home) == tmp_path / "etc/hosts"
