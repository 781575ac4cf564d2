"""No name of a file or of a class stands for two things in kiosk/: a search finds the one that was meant."""

import ast
from collections import Counter, defaultdict
from pathlib import PurePosixPath

from tests.house.rules import Source, sources

#: In kiosk/commands/ a file is named like its command, whatever else has that name.
COMMANDS = "kiosk/commands/"
EVERYWHERE = frozenset({"__init__.py", "__main__.py"})


def files_twice(all_sources: list[Source]) -> list[str]:
    names = Counter(
        PurePosixPath(source.path).name
        for source in all_sources
        if source.path.startswith("kiosk/") and not source.path.startswith(COMMANDS)
    )
    return sorted(name for name, count in names.items() if count > 1 and name not in EVERYWHERE)


def classes_twice(all_sources: list[Source]) -> list[str]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source in all_sources:
        if source.path.startswith("kiosk/"):
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(source.path)
    return sorted(name for name, paths in found.items() if len(paths) > 1)


def test_no_file_name_stands_twice() -> None:
    assert files_twice(sources()) == []


def test_no_class_name_stands_twice() -> None:
    assert classes_twice(sources()) == []


def test_a_second_file_of_a_name_is_found() -> None:
    twins = [Source("kiosk/nfc/link.py", ""), Source("kiosk/screens/link.py", "")]
    assert files_twice(twins) == ["link.py"]
    same = [Source("kiosk/commands/report.py", ""), Source("kiosk/report/report.py", "")]
    assert files_twice([*same, Source("kiosk/a/__init__.py", ""), Source("kiosk/b/__init__.py", "")]) == []


def test_a_second_class_of_a_name_is_found() -> None:
    one = Source("kiosk/visit/effects.py", "class AskDay: ...\nclass Link: ...\nclass _Own: ...")
    other = Source("kiosk/nfc/link.py", "class Link: ...\nclass _Own: ...")
    assert classes_twice([one, other]) == ["Link"]
    assert classes_twice([one]) == []
