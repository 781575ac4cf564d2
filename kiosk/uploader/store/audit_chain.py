"""The chain of the audit table, and whether an export of it is whole. PURE.

An export is JSON lines: a head, one line per row, an end. Each row carries a hash over the row before and
itself, the head the hash that the first row follows from, the end the number of rows and the last hash. A row
taken out, put in, moved or changed shows. The chain has no key: who can rewrite a whole export can also chain
it anew, so an export is kept where the kiosk cannot write, and a later one must follow from it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kiosk.uploader.store.audit_sentences import sentence

VERSION = 1
_ROW = ("event", "staff", "visit", "boot_id", "mono_ms", "wall_ms", "clock_trusted")


@dataclass(frozen=True)
class Whole:
    """Nothing is missing or changed. `chains` are the hashes of `before` and of all rows: a later export
    follows if its `before` is among them.
    """

    rows: int
    before: str
    chains: frozenset[str]


@dataclass(frozen=True)
class Broken:
    """The first line that does not fit, and why."""

    line: int
    reason: str


def link(before: bytes, row: tuple[object, ...]) -> bytes:
    """The hash of a row: event, staff, visit, boot_id, mono_ms, wall_ms, clock_trusted (0 or 1)."""
    return hashlib.sha256(before + json.dumps(row, ensure_ascii=False).encode()).digest()


def verify(lines: Iterable[str]) -> Whole | Broken:
    """Read an export."""
    before = last = ""
    chains = set[str]()
    seen, seq, ended = 0, 0, False
    for number, line in enumerate(lines, 1):
        fields = _read(line)
        if fields is None or ended:
            return Broken(
                number, "this is no line of an export" if not ended else "something follows the end"
            )
        if number == 1:
            if fields.get("kind") != "audit" or fields.get("v") != VERSION:
                return Broken(number, f"an export begins with kind audit, v {VERSION}")
            before = last = str(fields.get("before", ""))
        elif fields.get("kind") == "end":
            if (fields.get("rows"), fields.get("chain")) != (seen, last):
                return Broken(number, "rows are missing before the end")
            ended = True
        else:
            fault = _row_fault(fields, last, seq)
            if fault is not None:
                return Broken(number, fault)
            seen, seq, last = seen + 1, fields["seq"], fields["chain"]
        chains.add(last)
    return Whole(seen, before, frozenset(chains)) if ended else Broken(seen + 2, "the end is missing")


def _read(line: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _row_fault(fields: dict[str, Any], last: str, seq: int) -> str | None:
    try:
        row = tuple(fields[name] for name in _ROW)
        expected = link(bytes.fromhex(last), (*row[:-1], int(row[-1]))).hex()
        words = sentence(str(row[0]), str(row[1]), row[2])
        number, chain, said = fields["seq"], fields["chain"], fields["sentence"]
    except (KeyError, ValueError, TypeError):
        return "a field of the row is missing or has another type"
    if chain != expected:
        return "this row does not follow from the one before: something was removed, added or changed here"
    if not isinstance(number, int) or number <= seq or said != words:
        return "the row's number or sentence was changed"
    return None
