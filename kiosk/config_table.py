"""One section of the settings file while it is read: what it must hold, and where it does not."""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True)
class Fault:
    """One thing to mend: where, and what to write instead."""

    line: int | None
    key: str
    say: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.say}"


def key_lines(text: str) -> dict[str, int]:
    """Where each `section.key` and each section stands; tomllib does not tell."""
    lines: dict[str, int] = {}
    section = ""
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\[([\w.-]+)\]\]", line):
            name = found.group(1)
            section = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            lines[section] = number
        elif found := re.match(r"\s*\[([\w.-]+)\]", line):
            section = found.group(1)
            lines[section] = number
        elif found := re.match(r"\s*([\w-]+)\s*=", line):
            lines.setdefault(f"{section}.{found.group(1)}" if section else found.group(1), number)
    return lines


class Table:
    """One section while it is read; notes faults instead of raising, so that all are found."""

    def __init__(self, name: str, data: Any, lines: dict[str, int], faults: list[Fault]) -> None:
        self._name, self._lines, self._faults = name, lines, faults
        self._known: set[str] = set()
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            faults.append(Fault(lines.get(name), name, f"must be a section [{name}]"))

    def fault(self, key: str, say: str) -> None:
        full = f"{self._name}.{key}" if self._name else key
        self._faults.append(Fault(self._lines.get(full, self._lines.get(self._name)), full, say))

    def _take(self, key: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        self._known.add(key)
        if key not in self._data:
            if default is ...:
                self.fault(key, f"is missing; write {key} = {what}")
                return None
            return default
        value = self._data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"must be {what}")
            return None
        return value

    def text(self, key: str, what: str, default: Any = ..., pattern: str = r".+") -> str:
        value = self._take(key, str, what, default)
        if value is None:
            return ""
        if not re.fullmatch(pattern, value):
            self.fault(key, f"must be {what}")
        return str(value)

    def number(self, key: str, low: float, high: float, default: Any = ...) -> float:
        value = self._take(key, (int, float), f"a number from {low:g} to {high:g}", default)
        if value is None:
            return low
        if not low <= value <= high:
            self.fault(key, f"must be a number from {low:g} to {high:g}")
            return low
        return float(value)

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        value = self.number(key, low, high, default)
        if value != int(value):
            self.fault(key, f"must be a whole number from {low} to {high}")
            return low
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._take(key, bool, "true or false", default))

    def choice(self, key: str, enum: type[E], default: Any = ...) -> E:
        what = " or ".join(f'"{member.value}"' for member in enum)
        value = self._take(key, str, what, default)
        try:
            return enum(value)
        except ValueError:
            if value is not None:
                self.fault(key, f"must be {what}")
            return next(iter(enum))

    def names(self, key: str, allowed: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._take(key, list, "a list such as [" + ", ".join(f'"{a}"' for a in allowed) + "]", None)
        if value is None:
            return default
        if not value or not all(name in allowed for name in value) or len(set(value)) != len(value):
            self.fault(key, "must list one or more of " + ", ".join(f'"{name}"' for name in allowed))
            return default
        return tuple(value)

    def words(self, key: str, what: str, pattern: str = r"[a-z_][a-z0-9_-]*") -> tuple[str, ...]:
        value = self._take(key, list, what, [])
        if not all(isinstance(word, str) and re.fullmatch(pattern, word) for word in value or ()):
            self.fault(key, f"must be {what}")
            return ()
        return tuple(value or ())

    def path(self, key: str, base: Path, default: Any = ...) -> Path:
        return base / self.text(key, f'a path, such as "{key}"', default)

    def finish(self) -> None:
        """Name the keys that nobody knows; a misspelt one must not be passed over."""
        for key in self._data.keys() - self._known:
            close = difflib.get_close_matches(key, sorted(self._known), n=1)
            self.fault(key, "is not known" + (f"; {close[0]} is meant?" if close else ""))
