"""What is odd about a text in these files, and how two texts are compared. PURE.

● stands where the insurers' server could not take a character; what it was cannot be told from the file.
Characters outside JIS X 0208 (髙, 﨑, 德) display well and are refused later by claims software.
"""

import unicodedata
from dataclasses import dataclass
from enum import Enum

from kiosk.uploader.oqs.element import Element


class Oddity(Enum):
    """What staff are told about a text; the value is the sentence."""

    REPLACED = "●に置き換えられた文字があります"
    PRIVATE_USE = "外字があります"
    OUTSIDE_JIS_X_0208 = "JIS X 0208にない文字があります"
    HALF_WIDTH_KANA = "半角カナがあります"


@dataclass(frozen=True)
class Flag:
    """Something odd about one element's text."""

    element: str
    oddity: Oddity


#: What Microsoft's table of Shift_JIS calls otherwise than JIS X 0208 does: the same characters.
_SAME_IN_JIS = "～∥－￠￡￢"
_FIRST_KANA, _LAST_KANA = "\uff61", "\uff9f"
_HIRAGANA_TO_KATAKANA = 0x60


def oddities(text: str) -> tuple[Oddity, ...]:
    """All that is odd about a text."""
    found = set()
    if "●" in text:
        found.add(Oddity.REPLACED)
    if any(_FIRST_KANA <= char <= _LAST_KANA for char in text):
        found.add(Oddity.HALF_WIDTH_KANA)
    for char in {char for char in text if not _plain(char)}:
        private = unicodedata.category(char) == "Co"
        found.add(Oddity.PRIVATE_USE if private else Oddity.OUTSIDE_JIS_X_0208)
    return tuple(oddity for oddity in Oddity if oddity in found)


def _plain(char: str) -> bool:
    """Whether it is in ASCII, JIS X 0201 or JIS X 0208: Python's shift_jis is just these."""
    if char in _SAME_IN_JIS:
        return True
    try:
        char.encode("shift_jis")
    except UnicodeEncodeError:
        return char in "\\~"
    return True


def flags(element: Element) -> tuple[Flag, ...]:
    """What is odd in all texts of an element; half-width kana are as they should be in the kana names."""
    found: list[Flag] = []
    for spec in element.specs().values():
        value = getattr(element, spec.name)
        for one in value if spec.many else [value]:
            if isinstance(one, Element):
                found += flags(one)
            elif one:
                said = oddities(one)
                kana = spec.name.endswith("Kana")
                found += [
                    Flag(spec.name, each) for each in said if not (kana and each is Oddity.HALF_WIDTH_KANA)
                ]
    return tuple(found)


def comparable(text: str) -> str:
    """The text without what two machines write differently: width, spaces, kind of kana. Nothing fuzzy: texts
    that differ otherwise are different.
    """
    wide = unicodedata.normalize("NFKC", text)
    plain = "".join(char for char in wide if not char.isspace())
    return "".join(chr(ord(char) + _HIRAGANA_TO_KATAKANA) if "ぁ" <= char <= "ゖ" else char for char in plain)
