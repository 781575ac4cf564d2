"""How a disk is described to QEMU."""

import errno
from pathlib import Path

from tests.image.machine import SECTOR, Disk

CARD = Path("/work/card.img")
FILE = {"driver": "file", "filename": str(CARD)}


def test_a_sound_disk_is_its_file() -> None:
    assert Disk(CARD).node() == FILE


def test_a_worn_disk_fails_where_and_how_it_is_told() -> None:
    node = Disk(CARD, worn=(("read", 10 * SECTOR + 1), ("write", None))).node()
    assert (node["driver"], node["image"]) == ("blkdebug", FILE)
    read, write = node["inject-error"]
    assert (read["iotype"], read["sector"], read["errno"]) == ("read", 10, errno.EIO)
    assert write["iotype"] == "write"
    assert "sector" not in write  # everywhere
    assert not read["once"]  # for good


def test_what_a_worn_disk_takes_is_logged() -> None:
    node = Disk(CARD, Path("/work/writes.log"), (("write", None),)).node()
    assert node["driver"] == "blklogwrites"
    assert node["file"]["driver"] == "blkdebug"
