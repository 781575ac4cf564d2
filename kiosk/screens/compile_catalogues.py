"""`python -m kiosk.screens.compile_catalogues`: each kiosk.po → kiosk.mo (format: GNU gettext manual 10.3).

Only what our catalogues use: msgid, msgstr, comments; no plurals, no contexts. The .mo files are committed; a
test compares them with what this writes.
"""

import ast
import struct
import sys
from pathlib import Path

from kiosk.screens.catalogue import DOMAIN, LOCALE

MAGIC = 0x950412DE


class PoError(Exception):
    """A line of a .po file that this reader does not understand."""


def read_po(text: str) -> dict[str, str]:
    """Keys and texts, the header under the empty key; raises PoError with the line for anything unknown."""
    entries: dict[str, str] = {}
    key: str | None = None
    value: str | None = None

    def keep(line: int) -> None:
        if key is None:
            return
        if key in entries:
            raise PoError(f"line {line}: {key!r} stands there twice")
        entries[key] = value or ""

    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("msgid "):
            keep(number)
            key, value = _quoted(stripped[6:], number), None
        elif stripped.startswith("msgstr "):
            value = _quoted(stripped[7:], number)
        elif stripped.startswith('"'):
            if value is None:
                key = (key or "") + _quoted(stripped, number)
            else:
                value += _quoted(stripped, number)
        else:
            raise PoError(f"line {number}: only msgid, msgstr and # comments are known")
    keep(0)
    return entries


def _quoted(piece: str, number: int) -> str:
    try:
        value = ast.literal_eval(piece)
    except (ValueError, SyntaxError):
        raise PoError(f"line {number}: a text in double quotes is missing") from None
    if not isinstance(value, str):
        raise PoError(f"line {number}: a text in double quotes is missing")
    return value


def to_mo(entries: dict[str, str]) -> bytes:
    """The binary catalogue: little-endian, sorted, without hash table."""
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    start = 28 + 16 * len(pairs)
    keys, values, data = b"", b"", b""
    for place in (0, 1):
        for pair in pairs:
            entry = struct.pack("<II", len(pair[place]), start + len(data))
            data += pair[place] + b"\0"
            if place == 0:
                keys += entry
            else:
                values += entry
    header = struct.pack("<7I", MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return header + keys + values + data


def main(folder: Path = LOCALE) -> int:
    """Compile every catalogue; returns the exit code."""
    for po in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        try:
            entries = read_po(po.read_text(encoding="utf-8"))
        except PoError as fault:
            sys.stderr.write(f"{po}: {fault}\n")
            return 1
        po.with_suffix(".mo").write_bytes(to_mo(entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
