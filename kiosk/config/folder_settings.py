"""The settings' sections about the clinic's folders (docs/clinic-folders.md). All of it is off by default."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kiosk.config.table import Table


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


class LookupMessage(StrEnum):
    """Which consented results are looked up after an outage."""

    OFF = "off"
    ONLINE = "online"  #: OQSmuonq, オンライン診療等 and 通常とは異なる動線
    HOME = "home"  #: OQSmuhvq, 訪問診療等


@dataclass(frozen=True)
class LookupSettings:
    """Whether the 資格確認端末 is asked for consented results after an outage, through its folders."""

    message: LookupMessage
    folder: Path  #: holds `req` and `res`
    share: bool
    work: Path
    encoding: FileEncoding
    wait_s: float  #: so long an answer is waited for
    ask_every_s: float  #: while the terminal is at work (処理中)
    asks: int  #: and no more often than this
    poll_s: float  #: between two looks into `res`


def lookup(table: Table, base: Path) -> LookupSettings:
    """Read `[lookup]`."""
    folder = base / table.text("folder", "the 資格確認端末's folder, with req and res in it", "/mnt/oqs")
    work = table.text("work", 'a path on the same share, or "inside"', "inside")
    return LookupSettings(
        message=table.choice("message", LookupMessage, LookupMessage.OFF),
        folder=folder,
        share=table.flag("share", True),
        work=folder / "kiosk-work" if work == "inside" else base / work,
        encoding=table.choice("encoding", FileEncoding, FileEncoding.SHIFT_JIS),
        wait_s=table.number("wait_s", 1, 86_400, 900),
        ask_every_s=table.number("ask_every_s", 0.05, 3600, 60),
        asks=table.whole("asks", 1, 1000, 30),
        poll_s=table.number("poll_s", 0.02, 60, 2),
    )
