"""Which files the repository's comments, docstrings and documents name, and whether they are there.

A text that sends its reader to a file that was moved, or that never was in the repository, helps nobody.
Looked at: every document, the comments and docstrings of every Python file, the comments of every other file.
A name counts as there when it is a path from the root, from `kiosk/`, or from a folder on the way to the file
that names it; a bare name may be any file's.
"""

import ast
import functools
import io
import os
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Not of the repository: the environment, caches, what is built.
SKIPPED_FOLDERS = re.compile(r"^(\.(?!ci$).*|__pycache__|build|dist|demo-out|made|vendor|.*\.egg-info)$")
#: What programs read and people do not: no text in them sends anybody anywhere.
SKIPPED_ENDINGS = (".png", ".ogg", ".mo", ".hex", ".svg", ".lock", ".typed")
#: Names that may be written although no such file is in the repository, each with the reason.
ELSEWHERE = {
    r"kiosk\.toml": "the settings file of a kiosk; deploy/ has its two forms, .card and .example",
    r"taken\.toml": "what the first boot took, on the data partition",
    r"check-settings\.html": "written by `kiosk provision page`",
    r"(print/)?index\.html": "written by `make demo` and `make handbook`",
    r"made/[\w/-]+\.(md|svg|png)": "the generated parts of the handbook, written by `make handbook`",
    r"(input/touchscreen/edt-ft5x06|7inch-touchscreen)\.yaml": "bindings in the Linux kernel",
    r"(clf|tag)/\w+\.py": "nfcpy's own files, as its faults are told",
    r"certs/README\.md": "of myna-card, where the roots are listed",
    r"tests/(test_clf_pn533|base_clf_pn53x)\.py": "nfcpy's own tests",
    r"kiosk\.x\.y": "stands for any module",
    r"docs/usb-redirection-protocol\.md": "usbredir's own document",
}

FOLDERS = "kiosk|tests|docs|deploy|firmware|image-build|requirements"
#: A name without one of these folders is looked at only when it ends like something that people write. Data
#: (.json, .png, .pem …) come and go while the kiosk runs.
ENDINGS = "py|md|sql|po|toml|yaml|yml|js|css|html|dts"
START, END = r"(?<![\w/.~$%{}<>*@:=-])", r"(?![\w/({])"
PATH = re.compile(
    rf"{START}(?P<name>(?:\.\./)+[\w./@-]+\w|(?:{FOLDERS})/[\w./@*-]*[\w/*]|(?:[\w@-]+/)*[\w@-]+\.(?:{ENDINGS})){END}"
)
#: A module, or a name in one: `kiosk.cli.main`.
MODULE = re.compile(rf"{START}kiosk(?!\.(?:toml|img|target)\b)(?:\.[A-Za-z_]\w*)+{END}")


@dataclass(frozen=True)
class Named:
    """A file that a text names, and where it does."""

    by: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.by}:{self.line}: names {self.name}, which is not in the repository"


@functools.cache
def files() -> frozenset[str]:
    """Every file of the repository, and every folder with a / at its end."""
    found: set[str] = set()
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [each for each in folders if not SKIPPED_FOLDERS.match(each)]
        here = Path(folder).relative_to(ROOT)
        found.update((here / name).as_posix() for name in names)
        found.update((here / name).as_posix() + "/" for name in folders)
    return frozenset(found)


def prose(path: str, text: str) -> Iterator[tuple[int, str]]:
    """The parts of a file that are written for people, each with its line."""
    if path.endswith(".py"):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                said = ast.get_docstring(node, clean=False)
                if said is not None:
                    first = node.body[0].lineno
                    yield from enumerate(said.split("\n"), first)
    elif path.endswith(".md"):
        yield from enumerate(text.split("\n"), 1)
    else:
        for number, line in enumerate(text.split("\n"), 1):
            comment = re.search(r"(^|\s)(#|--|//|/\*|\*) .*", line)
            if comment:
                yield number, comment.group()


def named(path: str, text: str) -> Iterator[Named]:
    for line, said in prose(path, text):
        for match in PATH.finditer(said):
            yield Named(path, line, match["name"])
        for match in MODULE.finditer(said):
            yield Named(path, line, match.group())


def is_there(name: str, by: str) -> bool:
    if any(re.fullmatch(pattern, name) for pattern in ELSEWHERE):
        return True
    if MODULE.fullmatch(name):
        return module_is_there(name) or name in file_names(tests=False)
    if name.startswith("../"):
        name = os.path.normpath(f"{os.path.dirname(by)}/{name}")  # noqa: PTH120  # a name, not a path of the disk
        return name in files() or f"{name}/" in files()
    if "/" not in name:
        # No test is meant where the product, or a document, says a bare name.
        return name in file_names(tests=by.startswith("tests/"))
    bases = ["", "kiosk/", *(f"{folder}/" for folder in folders_above(by))]
    wanted = name.rstrip("/")
    if "*" in wanted:
        patterns = [re.compile(re.escape(base + wanted).replace(r"\*", "[^/]*") + "/?") for base in bases]
        return any(pattern.fullmatch(each) for pattern in patterns for each in files())
    return any(base + wanted in files() or f"{base}{wanted}/" in files() for base in bases)


def folders_above(path: str) -> list[str]:
    return [each.as_posix() for each in Path(path).parents if each != Path()]


@functools.cache
def file_names(tests: bool) -> frozenset[str]:
    return frozenset(each.rpartition("/")[2] for each in files() if tests or not each.startswith("tests/"))


def module_is_there(name: str) -> bool:
    """Whether `kiosk.x.y` is a module or a room, or what follows is a name that a module holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length])
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file in files():
                rest = parts[length:]
                text = (ROOT / file).read_text(encoding="utf-8")
                return not rest or re.search(rf"\b{rest[0]}\b", text) is not None
    return False


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(files()):
        if path.endswith(("/", *SKIPPED_ENDINGS)):
            continue
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@functools.cache
def names_in_the_repository() -> tuple[Named, ...]:
    return tuple(each for path, text in texts() for each in named(path, text))


def missing(path: str, text: str) -> list[str]:
    """What a file names that is not there."""
    return [str(each) for each in named(path, text) if not is_there(each.name, path)]
