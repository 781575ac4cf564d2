"""Where a line may end, and the largest size at which a text fits its box. PURE.

Texts carry prepared phrase breaks (U+200B, and a newline where a break is wanted in any case); between them a
Japanese line breaks only if a phrase is wider than the box, and then by kinsoku (JIS X 4051 4.1: characters
that may not begin or end a line). A base and its reading (`ruby.py`) are never parted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.screens.kit.look import LINE_SPACING, Measurer
from kiosk.screens.kit.ruby import has_ruby, pieces, ruby_size

PREPARED = "\u200b"
NOT_AT_START = set(
    "、。，．・：；？！」』）】〉》〕］｝ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ々゛゜.,:;?!)]}%”’"
)
NOT_AT_END = set("「『（【〈《〔［｛([{“‘｜")
_WORD = re.compile(r"[^ ]+ *| +")
#: The smallest things that are kept whole: a base with its reading, else one character.
_ATOM = re.compile(r"｜[^《]+《[^》]+》|[\u4e00-\u9fff々]+《[^》]+》|.")


@dataclass(frozen=True)
class Fitted:
    """Lines and the size (pixels per em) at which they fit; `fits` is False at the floor only."""

    lines: tuple[str, ...]
    size: int
    fits: bool
    ruby: bool = False  #: some line has readings: all lines of the text keep room for them

    @property
    def lead(self) -> int:
        """Pixels above the first line, for its readings."""
        return ruby_size(self.size) if self.ruby else 0

    @property
    def pitch(self) -> int:
        """Pixels from one baseline to the next."""
        return line_pitch(self.size) + round(0.84 * self.lead)

    @property
    def height(self) -> int:
        return self.lead + self.pitch * (len(self.lines) - 1) + self.size


@dataclass(frozen=True)
class Phrase:
    """What is kept together as long as it fits: `bare` is it without the space that may follow."""

    text: str
    bare: str


def line_pitch(size: int) -> int:
    """Pixels from one baseline to the next, without readings between them."""
    return round(size * LINE_SPACING)


def width_of(text: str, size: int, bold: bool, measure: Measurer) -> int:
    """Width in pixels of one line, readings included."""
    if not has_ruby(text):
        return measure.width(text, size, bold)
    small = ruby_size(size)
    return sum(
        max(measure.width(piece.text, size, bold), measure.width(piece.reading, small, False))
        if piece.reading
        else measure.width(piece.text, size, bold)
        for piece in pieces(text)
    )


def phrases(text: str) -> list[list[Phrase]]:
    """Each paragraph's phrases: prepared ones, else words."""
    return [
        [
            Phrase(word, word.rstrip(" "))
            for piece in paragraph.split(PREPARED)
            for word in (_WORD.findall(piece) if " " in piece else (piece,) if piece else ())
        ]
        for paragraph in text.split("\n")
    ]


def _wide(char: str) -> bool:
    return ord(char) >= 0x2E80


def _pieces(phrase: str) -> list[str]:
    """A phrase cut wherever kinsoku allows it; a run of Latin letters or digits stays whole."""
    cut: list[str] = []
    for atom in _ATOM.findall(phrase):
        joined = bool(cut) and (
            atom[0] in NOT_AT_START or cut[-1][-1] in NOT_AT_END or not (_wide(atom[0]) or _wide(cut[-1][-1]))
        )
        if joined:
            cut[-1] += atom
        else:
            cut.append(atom)
    return cut


def break_lines(text: str, size: int, bold: bool, width: int, measure: Measurer) -> tuple[str, ...]:
    """The lines of `text` at this size; a piece wider than the box stands alone on its line."""
    return _broken(phrases(text), size, bold, width, measure)


def _broken(
    paragraphs: list[list[Phrase]], size: int, bold: bool, width: int, measure: Measurer
) -> tuple[str, ...]:
    def fits(line: str) -> bool:
        return width_of(line.rstrip(" "), size, bold, measure) <= width

    lines: list[str] = []
    for paragraph in paragraphs:
        line = ""
        for phrase in paragraph:
            if fits(line + phrase.bare):
                line += phrase.text
                continue
            if line and fits(phrase.bare):
                lines.append(line.rstrip(" "))
                line = phrase.text
                continue
            for piece in _pieces(phrase.text):
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
    ruby = has_ruby(text)
    paragraphs = phrases(text)
    if len(paragraphs) == 1 and width_of(text, largest, bold, measure) <= width:  # most texts: one line
        fitted = Fitted((text.replace(PREPARED, "").rstrip(" "),), largest, True, ruby)
        if fitted.height <= height and largest >= floor:
            return fitted
    kept = [phrase.bare for paragraph in paragraphs for phrase in paragraph]
    broken: Fitted | None = None
    for size in _sizes(largest, floor):
        whole = all(width_of(phrase, size, bold, measure) <= width for phrase in kept)
        if not whole and broken is not None:
            continue
        fitted = Fitted(_broken(paragraphs, size, bold, width, measure), size, True, ruby)
        if fitted.height <= height and all(
            width_of(line, size, bold, measure) <= width for line in fitted.lines
        ):
            if whole:
                return fitted
            broken = fitted
    if broken is not None:
        return broken
    return Fitted(_broken(paragraphs, floor, bold, width, measure), floor, False, ruby)


def _sizes(largest: int, floor: int) -> Iterator[int]:
    size = max(largest, floor)
    while size > floor:
        yield size
        size = max(floor, size - max(1, size // 24))
    yield floor
