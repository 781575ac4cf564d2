"""Where a line may end, and the largest size at which a text fits its box. PURE.

Texts carry prepared phrase breaks (U+200B, and a newline where a break is wanted in any case); between them a
Japanese line breaks only if a phrase is wider than the box, and then by kinsoku (JIS X 4051 4.1: characters
that may not begin or end a line).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.screens.look import LINE_SPACING, Measurer

PREPARED = "\u200b"
NOT_AT_START = set(
    "、。，．・：；？！」』）】〉》〕］｝ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ々゛゜.,:;?!)]}%”’"
)
NOT_AT_END = set("「『（【〈《〔［｛([{“‘")


@dataclass(frozen=True)
class Fitted:
    """Lines and the size (pixels per em) at which they fit; `fits` is False at the floor only."""

    lines: tuple[str, ...]
    size: int
    fits: bool

    @property
    def height(self) -> int:
        return line_pitch(self.size) * (len(self.lines) - 1) + self.size


def line_pitch(size: int) -> int:
    """Pixels from one baseline to the next."""
    return round(size * LINE_SPACING)


def _wide(char: str) -> bool:
    return ord(char) >= 0x2E80


def _phrases(paragraph: str) -> list[str]:
    """Pieces that are kept together as long as they fit: prepared ones, else words."""
    pieces = [piece for piece in paragraph.split(PREPARED) if piece]
    return [word for piece in pieces for word in re.findall(r"[^ ]+ *| +", piece)]


def _pieces(phrase: str) -> list[str]:
    """A phrase cut wherever kinsoku allows it; a run of Latin letters or digits stays whole."""
    cut: list[str] = []
    for char in phrase:
        joined = bool(cut) and (
            char in NOT_AT_START or cut[-1][-1] in NOT_AT_END or not (_wide(char) or _wide(cut[-1][-1]))
        )
        if joined:
            cut[-1] += char
        else:
            cut.append(char)
    return cut


def break_lines(text: str, size: int, bold: bool, width: int, measure: Measurer) -> tuple[str, ...]:
    """The lines of `text` at this size; a piece wider than the box stands alone on its line."""

    def fits(line: str) -> bool:
        return measure.width(line.rstrip(" "), size, bold) <= width

    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for phrase in _phrases(paragraph):
            if fits(line + phrase):
                line += phrase
                continue
            if line and fits(phrase):
                lines.append(line.rstrip(" "))
                line = phrase
                continue
            for piece in _pieces(phrase):
                if line and not fits(line + piece):
                    lines.append(line.rstrip(" "))
                    line = piece
                else:
                    line += piece
        lines.append(line.rstrip(" "))
    return tuple(lines)


def fit(
    text: str, width: int, height: int, largest: int, floor: int, bold: bool, measure: Measurer
) -> Fitted:
    """The largest size from `largest` down to `floor` at which `text` fits `width` by `height`; a smaller
    size that keeps every phrase whole is preferred to a larger one that breaks it."""
    phrases = [phrase.rstrip(" ") for paragraph in text.split("\n") for phrase in _phrases(paragraph)]
    broken: Fitted | None = None
    for size in _sizes(largest, floor):
        whole = all(measure.width(phrase, size, bold) <= width for phrase in phrases)
        if not whole and broken is not None:
            continue
        fitted = Fitted(break_lines(text, size, bold, width, measure), size, True)
        widest = max(measure.width(line, size, bold) for line in fitted.lines)
        if widest <= width and fitted.height <= height:
            if whole:
                return fitted
            broken = fitted
    if broken is not None:
        return broken
    return Fitted(break_lines(text, floor, bold, width, measure), floor, False)


def _sizes(largest: int, floor: int) -> Iterator[int]:
    size = max(largest, floor)
    while size > floor:
        yield size
        size = max(floor, size - max(1, size // 24))
    yield floor
