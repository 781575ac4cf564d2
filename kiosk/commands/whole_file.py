"""Files in a folder that others look into and that may be another machine's: whole, or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def names_in(folder: Path) -> Iterator[frozenset[str]]:
    """The names of what lies there. A folder that is away, then or later, is click's one-line error."""
    try:
        yield frozenset(path.name for path in folder.iterdir())
    except OSError as fault:
        raise click.ClickException(f"{folder}: {fault.strerror}; the next try is the timer's") from None


def put(path: Path, content: bytes) -> None:
    """Replace the file in one step; raises OSError. No flush of the folder: a share takes none."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
