"""The settings' sections about the clinic's folders (docs/clinic-folders.md). All of it is off by default."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kiosk.config_table import Table


class FileEncoding(StrEnum):
    """What the files for the clinic's other machines are written in."""

    UTF_8 = "utf-8"
    SHIFT_JIS = "shift_jis"


@dataclass(frozen=True)
class HandoverSettings:
    """Whether verified answers are put into the receipt computer's folder."""

    folder: Path | None  #: None: nothing is handed over
    share: bool  #: the folder is another machine's: nothing is put there while it is not mounted
    work: Path  #: ours alone, on the same file system as `folder`
    encoding: FileEncoding
    plain_names: bool  #: without the terminal's name in the file's name
    late: bool  #: also answers that came when the patient had gone


def handover(table: Table, base: Path) -> HandoverSettings:
    """Read `[handover]`."""
    folder = table.text("folder", 'the receipt computer\'s folder, or "none"', "none")
    work = table.text("work", 'a path on the same share, or "inside"', "inside")
    place = base / folder
    return HandoverSettings(
        folder=None if folder == "none" else place,
        share=table.flag("share", True),
        work=place / "kiosk-work" if work == "inside" else base / work,
        encoding=table.choice("encoding", FileEncoding, FileEncoding.UTF_8),
        plain_names=table.flag("plain_names", False),
        late=table.flag("late", False),
    )
