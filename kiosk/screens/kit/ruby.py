"""Readings above Chinese characters (ruby): 漢字《かんじ》 or ｜漢字かな《よみ》 in the catalogue. PURE.

The form is that of Aozora Bunko's texts. A group of base and reading is never parted by a line's end; where
the reading is wider than its base, the base stands in its middle.
"""

import re
from dataclasses import dataclass

OPEN, CLOSE, BEGIN = "《", "》", "｜"
#: Half a letter is JIS X 4051's ruby; a little more keeps it readable at 40 cm (18 px over 34 at 5.36 px/mm:
#: docs/facts/screens.md).
RUBY_EM = 0.53
_GROUP = re.compile(r"(?:｜([^《]+)|([\u4e00-\u9fff々]+))《([^》]+)》")


@dataclass(frozen=True)
class Piece:
    """A stretch of a line: plain, or a base with its reading."""

    text: str
    reading: str = ""


def has_ruby(text: str) -> bool:
    """Whether any reading is written in the text."""
    return OPEN in text


def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut at its readings."""
    if not has_ruby(text):
        return (Piece(text),) if text else ()
    found: list[Piece] = []
    at = 0
    for group in _GROUP.finditer(text):
        if group.start() > at:
            found.append(Piece(text[at : group.start()]))
        found.append(Piece(group.group(1) or group.group(2), group.group(3)))
        at = group.end()
    if at < len(text):
        found.append(Piece(text[at:]))
    return tuple(found)


def plain(text: str) -> str:
    """The text without its readings."""
    return "".join(piece.text for piece in pieces(text)) if has_ruby(text) else text


def ruby_size(size: int) -> int:
    """Pixels per em of the reading above letters of `size`."""
    return -int(-size * RUBY_EM // 1)
