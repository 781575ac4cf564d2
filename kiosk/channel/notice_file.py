"""A notice: what the screen shows while the kiosk cannot run, in Japanese and, smaller, in English. PURE.

Who cannot start the kiosk writes one as a file; `kiosk notice` shows it and follows its changes. Holds no
secret and no value of a settings file.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LINES_SHOWN = 4  #: more faults than this are counted, not listed: who mends the first ones sees the rest


@dataclass(frozen=True)
class NoticeWords:
    """The notice in one language."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    ja: NoticeWords
    en: NoticeWords
    code: str = ""  #: what a QR code beside the lines says, for who mends the card elsewhere; "": no code


def shortened(lines: Sequence[str], more: str) -> tuple[str, ...]:
    """The lines that are shown; `more` has a place for how many are left out."""
    if len(lines) <= LINES_SHOWN:
        return tuple(lines)
    return (*lines[: LINES_SHOWN - 1], more.format(len(lines) - LINES_SHOWN + 1))


def to_text(notice: Notice) -> str:
    """The notice as the text of a file."""
    document: dict[str, Any] = {
        name: {"title": words.title, "lines": words.lines} for name, words in _parts(notice)
    }
    document["code"] = notice.code
    return json.dumps(document, ensure_ascii=False)


def from_text(text: str) -> Notice | None:
    """The notice in a file's text; None when it is none."""
    try:
        document = json.loads(text)
        return Notice(_words(document["ja"]), _words(document["en"]), str(document.get("code", "")))
    except (ValueError, KeyError, TypeError):
        return None


def _parts(notice: Notice) -> tuple[tuple[str, NoticeWords], ...]:
    return ("ja", notice.ja), ("en", notice.en)


def _words(part: dict[str, Any]) -> NoticeWords:
    return NoticeWords(str(part["title"]), tuple(str(line) for line in part["lines"]))


#: Shown when there is no notice to read: something has failed so badly that nobody could write one.
FALLBACK_NOTICE = Notice(
    NoticeWords(
        "ただいま使えません",
        (
            "職員をお呼びください。",
            "職員の方へ：電源を入れ直しても変わらなければ、導入業者に連絡してください。",
        ),
    ),
    NoticeWords("Out of service", ("Please call the staff.",)),
)
