"""The same commit built twice must give the same bytes; where it does not, say which files differ."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from kiosk_image.disk import digest
from kiosk_image.steps import BuildError, Step, Workshop, remove

OURS = ("wheels", "system", "boot", "disk")  #: native steps, made from the cached Debian root
ALL = ("debian", "initrd", "boot-packages", *OURS)


def compare(cache: Path, goal: Step, again: tuple[str, ...]) -> int:
    """Build `goal` twice, each time with the steps `again` made anew. Exit code 0: not one byte differs."""
    kept: list[Path] = []
    try:
        for number in (1, 2):
            for step in goal.in_order():
                if step.name in again:
                    remove(step.folder(cache))
            results = Workshop(cache).run(goal)
            keep = cache / f"twice-{number}"
            remove(keep)
            keep.mkdir()
            for name in ("kiosk.img", "root.ext4", "boot.vfat"):
                shutil.move(results["disk"] / name, keep / name)
            shutil.move(results["system"] / "root", keep / "tree")
            shutil.move(results["boot"] / "boot", keep / "boot")
            kept.append(keep)
        return _told(kept[0], kept[1], again)
    except BuildError as fault:
        print(f"Error: {fault}", file=sys.stderr)
        return 1
    finally:
        for step in goal.in_order():
            if step.name in OURS:
                remove(step.folder(cache))  # its pieces were taken
        for keep in kept:
            remove(keep)


def _told(one: Path, other: Path, again: tuple[str, ...]) -> int:
    same = True
    for name in ("boot.vfat", "root.ext4", "kiosk.img"):
        first, second = digest(one / name), digest(other / name)
        same &= first == second
        print(f"{name:10} {'same' if first == second else 'DIFFERS'}  {first}")
    trees = [sorted(different(one / part, other / part)) for part in ("tree", "boot")]
    for path in (path for tree in trees for path in tree):
        print(f"  differs: {path}")
    count = sum(1 for _ in (one / "tree").rglob("*"))
    print(f"{count} files and folders of the root compared; made anew each time: {', '.join(again)}")
    return 0 if same else 1


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
