"""The same commit built twice must give the same bytes; where it does not, say which files differ and why.

The first build is the one in the cache, made now if it is not there. The second is made anew beside it, in
another folder, from the same tools and keys: what depends on the day, on a path or on chance differs.
"""

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from kiosk_image.disk import digest
from kiosk_image.steps import BuildError, Step, Workshop, remove

OURS = ("wheels", "base", "system", "boot", "disk")  #: native steps, made from the cached Debian root
ALL = ("debian", "initrd", "boot-packages", *OURS)
#: What must be the same, and the trees where a difference is looked for.
FILES = (("initrd", "initrd.img"), ("disk", "boot.vfat"), ("disk", "root.ext4"), ("disk", "kiosk.img"))
TREES = (("debian", "root"), ("base", "root"), ("system", "root"), ("boot", "boot"))
#: What Debian itself writes differently each time; none of it is taken into the kiosk's root.
REASONS = {
    "var/log/*": "a log with the time of day",
    "var/cache/ldconfig/aux-cache": "ldconfig notes inodes and times of the libraries",
    "var/cache/apt/*": "apt's own cache",
    "var/lib/apt/*": "the mirror's lists and when they were fetched",
    "var/lib/dpkg/*-old": "dpkg's copy of the state before",
    "*.pyc": "byte code with the time of its source; the base compiles all of it anew, without times",
    "etc/*-": "the state before of a list of users",
}


def compare(cache: Path, goal: Step, again: tuple[str, ...]) -> int:
    """Exit code 0: not one byte of the card differs; 1: it does; 2: the mirror moved, nothing can be said."""
    other = cache / "twice"
    remove(other)
    try:
        print(f"First build: as it lies in {cache}")
        first = Workshop(cache).run(goal)
        other.mkdir()
        for step in goal.in_order():
            if step.name not in again:
                step.folder(other).symlink_to(step.folder(cache))
        print(f"Second build, anew: {', '.join(again)}")
        return told(first, Workshop(other).run(goal), again)
    except BuildError as fault:
        print(f"Error: {fault}", file=sys.stderr)
        return 1
    finally:
        remove(other)


def told(first: dict[str, Path], second: dict[str, Path], again: tuple[str, ...]) -> int:
    """Print what differs; the exit code."""
    if "debian" in again and (moved := sorted(_moved(first["debian"], second["debian"]))):
        for line in moved:
            print(f"  other version: {line}")
        print("The mirror moved between the two builds: they are of different packages. Run it once more.")
        return 2
    same = True
    for step, name in FILES:
        for file in first[step].glob(name):
            one, two = digest(file), digest(second[step] / file.name)
            same &= one == two
            print(f"{file.name:24} {'same   ' if one == two else 'DIFFERS'}  {one}")
    count = 0
    for step, folder in TREES:
        if step in again:
            one_tree, two_tree = first[step] / folder, second[step] / folder
            count += sum(1 for _ in one_tree.rglob("*"))
            for path in sorted(different(one_tree, two_tree)):
                print(f"  differs in {step}: {path} ({reason(path)})")
    print(f"{count} files and folders compared; made anew: {', '.join(again)}")
    return 0 if same else 1


def reason(path: str) -> str:
    """Why a file of Debian's root may differ."""
    return next((why for pattern, why in REASONS.items() if fnmatch(path, pattern)), "reason not known")


def _moved(one: Path, other: Path) -> Iterator[str]:
    """Packages whose versions differ between two Debian roots."""
    before, after = (_versions(root / "root/var/lib/dpkg/status") for root in (one, other))
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'not there')}, then {after.get(name, 'not there')}"


def _versions(status: Path) -> dict[str, str]:
    text = status.read_text(encoding="utf-8")
    return dict(re.findall(r"^Package: (\S+)\n(?:.+\n)*?Version: (\S+)$", text, re.MULTILINE))


def different(one: Path, other: Path) -> Iterator[str]:
    """Paths of two trees that differ in kind, mode, owner, target or content."""
    names = {str(p.relative_to(root)) for root in (one, other) for p in root.rglob("*")}
    for name in names:
        if _facts(one / name) != _facts(other / name):
            yield name


def _facts(path: Path) -> tuple[object, ...]:
    if path.is_symlink():
        return ("link", str(path.readlink()))
    if not path.exists():
        return ("missing",)
    found = path.stat()
    owned = (found.st_mode, found.st_uid, found.st_gid)
    return (*owned, digest(path)) if path.is_file() else owned
