"""What the doctor says of one part."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a part is. UNKNOWN is no fault: the part cannot be looked at from here."""

    OK = "ok"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """`part` and `word` are stable names for programs; `say` and `mend` are for people, one line each."""

    part: str
    state: State
    say: str
    mend: str = ""
    word: str = ""

    def document(self) -> dict[str, Any]:
        """The entry of `--json`."""
        return {
            "part": self.part,
            "state": self.state.value,
            "word": self.word,
            "say": self.say,
            "mend": self.mend,
        }


def ok(part: str, say: str) -> Finding:
    """All is well."""
    return Finding(part, State.OK, say)


def fault(part: str, word: str, say: str, mend: str) -> Finding:
    """Something is wrong."""
    return Finding(part, State.FAULT, say, mend, word)


def unknown(part: str, say: str) -> Finding:
    """It cannot be looked at from here."""
    return Finding(part, State.UNKNOWN, say)
