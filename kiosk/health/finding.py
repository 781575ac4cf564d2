"""What the doctor says of one part."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class PartState(StrEnum):
    """How a part is. UNKNOWN is no fault: the part cannot be looked at from here."""

    OK = "ok"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PartFinding:
    """`part` and `word` are stable names for programs; `text` and `mend` are for people, one line each."""

    part: str
    state: PartState
    text: str
    mend: str = ""
    word: str = ""

    def document(self) -> dict[str, Any]:
        """The entry of `--json`."""
        return {
            "part": self.part,
            "state": self.state.value,
            "word": self.word,
            "say": self.text,
            "mend": self.mend,
        }


def ok(part: str, text: str) -> PartFinding:
    """All is well."""
    return PartFinding(part, PartState.OK, text)


def fault(part: str, word: str, text: str, mend: str) -> PartFinding:
    """Something is wrong."""
    return PartFinding(part, PartState.FAULT, text, mend, word)


def unknown(part: str, text: str) -> PartFinding:
    """It cannot be looked at from here."""
    return PartFinding(part, PartState.UNKNOWN, text)
