"""BER-TLV (ITU-T X.690; ISO/IEC 7816-4:2020, 6.3), only as much as tokens' answers need, and bounded.

Everything here is fed by a token that nobody trusts yet: lengths are checked before they are believed, depth
and count are limited, the indefinite form is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MOST_DEPTH = 4
MOST_OBJECTS = 64


class TlvError(ValueError):
    """The bytes are not the BER-TLV that was expected."""


@dataclass(frozen=True)
class TlvHeader:
    """Tag and length field of one data object."""

    tag: int
    length: int
    size: int  #: bytes that the header itself takes

    @property
    def total(self) -> int:
        """The whole object's size."""
        return self.size + self.length


def header(data: bytes) -> TlvHeader:
    """Read the header at the start of `data`; the value need not be there yet. Raises TlvError."""
    if len(data) < 2:
        raise TlvError("a data object needs two bytes at least")
    tag, at = data[0], 1
    if tag & 0x1F == 0x1F:
        tag, at = tag << 8 | data[1], 2
        if data[1] & 0x80:
            raise TlvError("a tag of more than two bytes")
    if at >= len(data):
        raise TlvError("the length is missing")
    first, at = data[at], at + 1
    if first < 0x80:
        return TlvHeader(tag, first, at)
    count = first & 0x7F
    if not 1 <= count <= 3 or at + count > len(data):
        raise TlvError("a length field that is indefinite, too long or cut off")
    return TlvHeader(tag, int.from_bytes(data[at : at + count], "big"), at + count)


def objects(data: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """Give tag and value of every data object, constructed ones before what they hold. Raises TlvError."""
    for count, (tag, value) in enumerate(_walk(data, depth), 1):
        if count > MOST_OBJECTS:
            raise TlvError(f"more than {MOST_OBJECTS} data objects")
        yield tag, value


def _walk(data: bytes, depth: int) -> Iterator[tuple[int, bytes]]:
    if depth > MOST_DEPTH:
        raise TlvError(f"nested deeper than {MOST_DEPTH}")
    while data:
        head = header(data)
        if head.total > len(data):
            raise TlvError("a value that is cut off")
        value, data = data[head.size : head.total], data[head.total :]
        yield head.tag, value
        first = head.tag >> 8 if head.tag > 0xFF else head.tag
        if first & 0x20:
            yield from _walk(value, depth + 1)
