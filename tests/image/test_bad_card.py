"""Where a file lies on a card, and a partition of which nothing is left."""

from pathlib import Path

from tests.image.bad_card import BLOCK, overwrite, places_told
from tests.image.replay import Part

TOLD = """\
Filesystem type is: ef53
File size of /var/lib/kiosk-uploader/outbox.sqlite is 16384 (4 blocks of 4096 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..       1:      34816..     34817:      2:
   1:        2..       3:        100..       101:      2:      34818: last,eof
/var/lib/kiosk-uploader/outbox.sqlite: 2 extents found
"""


def test_every_block_of_a_file_is_found() -> None:
    assert places_told(TOLD) == [block * BLOCK for block in (34816, 34817, 100, 101)]
    assert places_told("open: No such file or directory") == []


def test_nothing_of_an_overwritten_partition_is_left_and_all_before_it_is(tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    before, size = b"b" * (1 << 20), 4 << 20
    card.write_bytes(before + b"d" * size)
    overwrite(card, Part(len(before), size))
    after = card.read_bytes()
    assert after.startswith(before)
    assert len(after) == len(before) + size
    assert b"dd" not in after
