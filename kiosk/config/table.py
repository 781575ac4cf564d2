"""One section of a TOML file while it is read: faults are noted, not raised, and every rule is kept.

The kept rules are what `kiosk provision page` writes into the offline page, so that both judge alike.
"""

import difflib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from kiosk.config.fault_words import PATH_WHAT, Mistake, sentence, what_in_japanese

E = TypeVar("E", bound=StrEnum)

#: Any text of one line. `.` would take other control characters too, and means another thing in JavaScript.
ANY_TEXT = r"[^\x00-\x1f\x7f\u2028\u2029]+"


class ValueKind(StrEnum):
    """How the value of a key is judged."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"
    CHOICE = "choice"
    NAMES = "names"
    WORDS = "words"


@dataclass(frozen=True)
class KeyRule:
    """What was asked of one key; the JavaScript of the page judges by the same fields."""

    section: str  #: "staff" for each [[staff]]
    key: str
    kind: ValueKind
    what: str  #: what belongs there, English
    what_ja: str
    required: bool = False
    blank: bool = False  #: "" stands for "not given"
    pattern: str = ""  #: whole text must match; the common ground of `re` and JavaScript's RegExp with flag u
    octets: int = 0  #: the most a text may have in UTF-8; 0: no limit
    low: float = 0
    high: float = 0
    step: int = 1
    allowed: tuple[str, ...] = ()


@dataclass
class Rulebook:
    """The rules in the order in which they were asked."""

    rules: list[KeyRule] = field(default_factory=list)
    together: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)  #: section, keys


@dataclass(frozen=True)
class ConfigFault:
    """One thing to mend: where, and what to write instead, in English and Japanese."""

    line: int | None
    key: str
    en: str
    ja: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.en}"

    def in_japanese(self) -> str:
        """The same line for a Japanese reader."""
        place = f"{self.line} 行目 " if self.line else ""
        return f"{place}{self.key}: {self.ja or self.en}"


def fault(
    line: int | None, key: str, problem: Mistake, what: str = "", what_ja: str | None = None
) -> ConfigFault:
    """A fault in both languages; the key's last part stands in the sentence."""
    last = key.rpartition(".")[2]
    ja = what_in_japanese(what) if what_ja is None else what_ja
    return ConfigFault(line, key, sentence(problem, last, what), sentence(problem, last, ja, ja=True))


def key_lines(text: str) -> dict[str, int]:
    """Where each `section.key` and each section stands; tomllib does not tell."""
    lines: dict[str, int] = {}
    section = ""
    counts: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(r"[ \t]*\[\[([A-Za-z0-9_.-]+)\]\]", line):
            name = found.group(1)
            section = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            lines[section] = number
        elif found := re.match(r"[ \t]*\[([A-Za-z0-9_.-]+)\]", line):
            section = found.group(1)
            lines[section] = number
        elif found := re.match(r"[ \t]*([A-Za-z0-9_-]+)[ \t]*=", line):
            lines.setdefault(f"{section}.{found.group(1)}" if section else found.group(1), number)
    return lines


class Table:
    """One section; each question notes its rule and answers with a value that is safe to go on with."""

    def __init__(
        self, name: str, data: Any, lines: dict[str, int], faults: list[ConfigFault], book: Rulebook
    ) -> None:
        self._name, self._lines, self._faults, self._book = name, lines, faults, book
        self._known: set[str] = set()
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            faults.append(fault(lines.get(name), name, Mistake.NOT_A_SECTION, name))

    def fault(self, key: str, problem: Mistake, what: str = "", what_ja: str | None = None) -> None:
        full = f"{self._name}.{key}" if self._name else key
        line = self._lines.get(full, self._lines.get(self._name))
        self._faults.append(fault(line, full, problem, what, what_ja))

    def _rule(self, key: str, kind: ValueKind, what: str, default: Any, **more: Any) -> KeyRule:
        ja = more.pop("what_ja", None)
        rule = KeyRule(
            self._name.partition("[")[0],
            key,
            kind,
            what,
            what_in_japanese(what) if ja is None else ja,
            required=default is ...,
            blank=default == "",
            **more,
        )
        self._book.rules.append(rule)
        self._known.add(key)
        return rule

    def _wrong(self, rule: KeyRule, problem: Mistake = Mistake.MUST_BE) -> None:
        self.fault(rule.key, problem, rule.what, rule.what_ja)

    def _take(self, rule: KeyRule, kind: type | tuple[type, ...], default: Any) -> Any:
        if rule.key not in self._data:
            if default is ...:
                self._wrong(rule, Mistake.MISSING)
                return None
            return default
        value = self._data[rule.key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self._wrong(rule)
            return None
        return value

    def text(
        self,
        key: str,
        what: str,
        default: Any = ...,
        pattern: str = ANY_TEXT,
        octets: int = 0,
        what_ja: str | None = None,
    ) -> str:
        rule = self._rule(key, ValueKind.TEXT, what, default, pattern=pattern, octets=octets, what_ja=what_ja)
        value = self._take(rule, str, default)
        if value is None:
            return ""
        fits = re.fullmatch(pattern, value) and not 0 < octets < len(value.encode())
        if key in self._data and not (rule.blank and value == "") and not fits:
            self._wrong(rule)
        return str(value)

    def number(self, key: str, low: float, high: float, default: Any = ...) -> float:
        what, ja = f"a number from {low:g} to {high:g}", f"{low:g} から {high:g} までの数"
        rule = self._rule(key, ValueKind.NUMBER, what, default, low=low, high=high, what_ja=ja)
        return self._number(rule, default)

    def _number(self, rule: KeyRule, default: Any) -> float:
        value = self._take(rule, (int, float), default)
        if value is None:
            return rule.low
        if not rule.low <= value <= rule.high:
            self._wrong(rule)
            return rule.low
        return float(value)

    def whole(self, key: str, low: int, high: int, default: int, step: int = 1) -> int:
        what, ja = f"a whole number from {low} to {high}", f"{low} から {high} までの整数"
        if step > 1:
            *most, last = map(str, range(low, high + 1, step))
            what, ja = f"{', '.join(most)} or {last}", f"{'、'.join(most)}、{last} のどれか"
        rule = self._rule(key, ValueKind.WHOLE, what, default, low=low, high=high, step=step, what_ja=ja)
        value = self._number(rule, default)
        if (value - low) % step:
            self._wrong(rule)
            return low
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        ja = "true (する) か false (しない)"
        return bool(
            self._take(self._rule(key, ValueKind.FLAG, "true or false", default, what_ja=ja), bool, default)
        )

    def choice(self, key: str, enum: type[E], default: Any = ...) -> E:
        values = tuple(member.value for member in enum)
        what, ja = (join.join(f'"{value}"' for value in values) for join in (" or ", " か "))
        rule = self._rule(key, ValueKind.CHOICE, what, default, allowed=values, what_ja=ja)
        value = self._take(rule, str, default)
        try:
            return enum(value)
        except ValueError:
            if value is not None:
                self._wrong(rule)
            return next(iter(enum))

    def names(self, key: str, allowed: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
        listed = ", ".join(f'"{name}"' for name in allowed)
        rule = self._rule(
            key,
            ValueKind.NAMES,
            f"a list such as [{listed}]",
            default,
            allowed=allowed,
            what_ja=f"[{listed}] のような並び",
        )
        value = self._take(rule, list, None)
        if value is None:
            return default
        if not value or not all(name in allowed for name in value) or len(set(value)) != len(value):
            self.fault(key, Mistake.MUST_LIST, listed)
            return default
        return tuple(value)

    def words(self, key: str, what: str, pattern: str = r"[a-z_][a-z0-9_-]*") -> tuple[str, ...]:
        rule = self._rule(key, ValueKind.WORDS, what, [], pattern=pattern)
        value = self._take(rule, list, [])
        if not all(isinstance(word, str) and re.fullmatch(pattern, word) for word in value or ()):
            self._wrong(rule)
            return ()
        return tuple(value or ())

    def path(self, key: str, base: Path, default: Any = ...) -> Path:
        what, ja = (text.replace("{key}", key) for text in PATH_WHAT)
        return base / self.text(key, what, default, what_ja=ja)

    def together(self, *keys: str) -> None:
        """All of these keys, or none of them; "" counts as none."""
        self._book.together.append((self._name, keys))
        given = [key for key in keys if self._data.get(key, "") != ""]
        for key in keys:
            if given and key not in given:
                self.fault(key, Mistake.TOGETHER, given[0])

    def finish(self) -> None:
        """Name the keys that nobody knows; a misspelt one must not be passed over."""
        for key in sorted(self._data.keys() - self._known):
            close = difflib.get_close_matches(key, sorted(self._known), n=1)
            if close:
                self.fault(key, Mistake.MEANT, close[0])
            else:
                self.fault(key, Mistake.UNKNOWN)
