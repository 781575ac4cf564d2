"""Which characters a font has, read from its `cmap` table (OpenType 1.9, cmap formats 4 and 12).

pygame.font.Font.metrics() gives the .notdef box's figures for a missing glyph and pygame.freetype would load
the font a second time; this reads a few kilobytes once.
"""

import mmap
import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

#: Unicode subtables that we understand, best first: (platform, encoding).
WANTED = ((3, 10), (0, 4), (0, 6), (3, 1), (0, 3))
#: Drawn by the shaper itself: zero-width characters and variation selectors.
INVISIBLE = frozenset((0x200B, 0x200C, 0x200D, 0xFEFF, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))


class FontFileError(Exception):
    """A font file that cannot be read."""


@dataclass(frozen=True)
class Coverage:
    """Runs of code points that the font has glyphs for; `seen` are characters already found in them."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    seen: set[str] = field(default_factory=set, compare=False, repr=False)

    def has(self, text: str) -> bool:
        """Whether every visible character of `text` has a glyph."""
        if self.seen.issuperset(text):
            return True
        found = all(self._one(ord(char)) for char in text)
        if found:
            self.seen.update(text)
        return found

    def _one(self, code: int) -> bool:
        if code in INVISIBLE:
            return True
        at = bisect_right(self.starts, code) - 1
        return at >= 0 and code <= self.ends[at]


def coverage(path: Path) -> Coverage:
    """Read a TrueType or OpenType file (of a collection: its first font); raises FontFileError."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _coverage(data)
    except OSError as fault:
        raise FontFileError(f"font {path} cannot be read: {fault.strerror}") from None
    except (struct.error, ValueError, StopIteration):
        raise FontFileError(f"font {path} has no Unicode table that can be read; install it again") from None


def _coverage(data: mmap.mmap) -> Coverage:
    start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    count = struct.unpack_from(">H", data, start + 4)[0]
    tables = (struct.unpack_from(">4sIII", data, start + 12 + 16 * i) for i in range(count))
    cmap = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    subtables: dict[tuple[int, int], int] = {}
    for i in range(struct.unpack_from(">H", data, cmap + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * i)
        subtables[platform, encoding] = cmap + offset
    at = next(subtables[wanted] for wanted in WANTED if wanted in subtables)
    runs = _format_12(data, at) if struct.unpack_from(">H", data, at)[0] == 12 else _format_4(data, at)
    runs = sorted(runs)
    return Coverage(tuple(first for first, _ in runs), tuple(last for _, last in runs))


def _format_12(data: mmap.mmap, at: int) -> list[tuple[int, int]]:
    groups = struct.unpack_from(">I", data, at + 12)[0]
    found = (struct.unpack_from(">III", data, at + 16 + 12 * i) for i in range(groups))
    return [(first, last) for first, last, glyph in found if glyph]


def _format_4(data: mmap.mmap, at: int) -> list[tuple[int, int]]:
    double = struct.unpack_from(">H", data, at + 6)[0]
    segments = double // 2
    ends = struct.unpack_from(f">{segments}H", data, at + 14)
    starts = struct.unpack_from(f">{segments}H", data, at + 16 + double)
    return [(first, last) for first, last in zip(starts, ends, strict=True) if first != 0xFFFF]
