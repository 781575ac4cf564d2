"""From bytes to messages and back: encoding, XML, bounds. The only file that imports lxml.

Files come from other programs' folders, so nothing in them is believed: no document type, no entities, no
network, bounded size, depth and number of elements. Nothing is built of a file but the messages themselves:
of a bulk answer one unit is held at a time.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from lxml import etree

from kiosk.uploader.oqs.code_tables import CharacterCode
from kiosk.uploader.oqs.element import Node
from kiosk.uploader.oqs.messages import Unit, XmlMsg

MAX_BYTES = 32 * 1024 * 1024  #: 5,000 persons with every element are about 20 MB
MAX_DEPTH = 16  #: the deepest public element lies at 8
MAX_ELEMENTS = 2_000_000  #: in the whole file
MAX_HELD = 20_000  #: in the unit that is being read, and beside the units of a bulk answer
_CHUNK = 64 * 1024
_UNIT, _UNIT_DEPTH = "BulkConfirmUnit", 3

_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")
_IDENTIFIED = re.compile(rb"<CharacterCodeIdentifier>\s*([0-9])\s*</")
_CODEC = {CharacterCode.UTF_8: "utf-8", CharacterCode.SHIFT_JIS: "cp932"}
_IN_XML = {CharacterCode.UTF_8: "UTF-8", CharacterCode.SHIFT_JIS: "Shift_JIS"}
_NAMES = {
    "utf-8": CharacterCode.UTF_8,
    "utf8": CharacterCode.UTF_8,
    **dict.fromkeys(
        ("shift_jis", "shift-jis", "sjis", "x-sjis", "cp932", "ms932", "windows-31j", "csshiftjis"),
        CharacterCode.SHIFT_JIS,
    ),
}


class Reason(Enum):
    """Why a file was not read; the value is what the log says."""

    TOO_LARGE = "it is too large"
    ENCODING = "it is neither UTF-8 nor Shift_JIS"
    HOSTILE = "it has a document type, which these files never have"
    TOO_DEEP = "its elements are nested too deeply"
    TOO_MANY = "it has too many elements"
    NOT_XML = "it is not well-formed XML"
    NOT_A_MESSAGE = "its root is not XmlMsg"


@dataclass(frozen=True)
class DocumentRefused:
    """The file was not read. NOT_XML may be a file that is still being written."""

    reason: Reason


@dataclass(frozen=True)
class Read:
    """What was in the file. `as_named`: its encoding was the one that declaration and identifier name."""

    message: XmlMsg
    code: CharacterCode
    as_named: bool


class _Stop(Exception):  # noqa: N818  # carries the reason out of lxml's callbacks
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def read(data: bytes, unit: Callable[[Unit], None] | None = None) -> Read | DocumentRefused:
    """Read a message. With `unit`, the units of a bulk answer go there one by one and not into the message:
    act on them only when this has returned a `Read` whose header is the expected one.
    """
    if len(data) > MAX_BYTES:
        return DocumentRefused(Reason.TOO_LARGE)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return DocumentRefused(Reason.HOSTILE)
    named = _named(data)
    code = _code(data, named)
    if code is None:
        return DocumentRefused(Reason.ENCODING)
    target = _Target(unit)
    parser = etree.XMLParser(
        target=target,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
    )
    try:
        for chunk in _utf8(data, code):
            parser.feed(chunk)
        parser.close()
    except _Stop as stop:
        return DocumentRefused(stop.reason)
    except etree.XMLSyntaxError:
        return DocumentRefused(Reason.NOT_XML)
    if target.root is None or target.root[0] != "XmlMsg":
        return DocumentRefused(Reason.NOT_A_MESSAGE)
    content = target.root[1]
    message = XmlMsg.of(content if isinstance(content, list) else [])
    return Read(message, code, all(each is code for each in named))


def write(message: XmlMsg, code: CharacterCode) -> bytes:
    """The file of a message. Characters that the encoding lacks are written as references (&#…;). Raises
    ValueError for a text that XML cannot hold (control characters).
    """
    root = etree.Element("XmlMsg")
    _fill(root, message.nodes())
    text: str = etree.tostring(root, encoding="unicode")
    head = f'<?xml version="1.0" encoding="{_IN_XML[code]}" standalone="no"?>\r\n'
    return (head + text + "\r\n").encode(_CODEC[code], "xmlcharrefreplace")


def _fill(parent: etree._Element, nodes: list[Node]) -> None:
    for name, content in nodes:
        child = etree.SubElement(parent, name)
        if isinstance(content, str):
            child.text = content
        else:
            _fill(child, content)


# ---- encoding ----------------------------------------------------------------------------------------------


def _named(data: bytes) -> tuple[CharacterCode, ...]:
    """What declaration and CharacterCodeIdentifier say, as far as they say something known."""
    named = []
    start = 3 if data.startswith(codecs.BOM_UTF8) else 0
    if (declared := _DECLARED.match(data, start)) and (name := declared[1].decode().lower()) in _NAMES:
        named.append(_NAMES[name])
    if identified := _IDENTIFIED.search(data):
        named += [code for code in CharacterCode if code.value == identified[1].decode()]
    return tuple(named)


def _code(data: bytes, named: tuple[CharacterCode, ...]) -> CharacterCode | None:
    """The encoding that the bytes are really in; what is named counts only where the bytes allow both.

    A text in Shift_JIS never reads as UTF-8 with three-byte characters: a kanji of the first level after an
    ASCII character already breaks the rules.
    """
    if b"\x00" in data[:64]:  # UTF-16 or no text
        return None
    if _decodes(data, "utf-8"):
        if data.isascii() or not re.search(rb"[\xe0-\xef]", data):
            return named[0] if named else CharacterCode.UTF_8
        return CharacterCode.UTF_8
    return CharacterCode.SHIFT_JIS if _decodes(data, "cp932") else None


def _decodes(data: bytes, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        for at in range(0, len(data), _CHUNK):
            decoder.decode(data[at : at + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf8(data: bytes, code: CharacterCode) -> Iterator[bytes]:
    """The file in pieces of UTF-8; the parser is told so, whatever the declaration says."""
    match code:
        case CharacterCode.UTF_8:
            for at in range(0, len(data), _CHUNK):
                yield data[at : at + _CHUNK]
        case CharacterCode.SHIFT_JIS:
            decoder = codecs.getincrementaldecoder("cp932")("strict")
            for at in range(0, len(data), _CHUNK):
                yield decoder.decode(data[at : at + _CHUNK]).encode("utf-8")
        case _:
            assert_never(code)


# ---- XML ---------------------------------------------------------------------------------------------------


class _Target:
    """Takes lxml's callbacks; holds what is in the elements that are open, within bounds."""

    def __init__(self, unit: Callable[[Unit], None] | None) -> None:
        self._unit = unit
        self._open: list[list[Node]] = []
        self._text: list[str] = []
        self._count = 0  #: of elements in units that were handed over
        self._held = self._held_before = 0
        self._within = False  # a unit that is handed over
        self.root: Node | None = None

    def start(self, tag: str, _attributes: object) -> None:
        self._held = held = self._held + 1
        depth = len(self._open)
        if depth >= MAX_DEPTH:
            raise _Stop(Reason.TOO_DEEP)
        if held > MAX_HELD:
            raise _Stop(Reason.TOO_MANY)
        self._open.append([])
        if self._text:
            self._text.clear()
        if tag == _UNIT and depth == _UNIT_DEPTH - 1 and self._unit is not None:
            self._within, self._held_before = True, held

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        opened, text = self._open, self._text
        inside = opened.pop()
        content = inside or "".join(text)
        text.clear()
        if self._within and len(opened) == _UNIT_DEPTH - 1:
            self._unit_ended(inside)
        elif opened:
            opened[-1].append((tag, content))
        else:
            self.root = (tag, content)

    def _unit_ended(self, inside: list[Node]) -> None:
        self._count += self._held - self._held_before
        if self._count > MAX_ELEMENTS:
            raise _Stop(Reason.TOO_MANY)
        self._within, self._held = False, self._held_before
        if self._unit is not None:
            self._unit(Unit.of(inside))

    def close(self) -> None:
        """lxml asks for it; `root` holds the result."""
