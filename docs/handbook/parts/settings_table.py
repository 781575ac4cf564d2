"""Every key of the settings file as a table: the rules that the kiosk and the offline page judge by.

Words and usual values are those of deploy/kiosk.toml.example.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from kiosk.config.settings import SECTIONS, rulebook
from kiosk.config.table import KeyRule

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "kiosk.toml.example"
USUAL = "既定。"  #: the example's comment begins so where its value is the default
NAMES = {
    "clinic": "医療機関",
    "visit": "受付のしかた",
    "timing": "待ち時間 (秒)",
    "reader": "読み取り機",
    "screen": "画面",
    "indicators": "ランプとブザー",
    "service": "照会先",
    "outbox": "記録",
    "clock": "時刻",
    "update": "更新",
    "handover": "レセコンへの受け渡し",
    "metrics": "見守りの数値",
    "report": "受付の記録（日報・月報）",
    "run": "プロセス",
    "network": "回線",
    "share": "共有フォルダ",
    "first_boot": "初回起動 (使ったあと消えます)",
    "staff": "職員 (1 人に 1 つ)",
}


@dataclass(frozen=True)
class Shown:
    """What the example says of a key."""

    words: str  #: Japanese
    usual: str  #: the default, as it is written; "" where the example shows another value


def shown() -> dict[tuple[str, str], Shown]:
    """Section and key → what the example says, also of keys that are commented out."""
    found: dict[tuple[str, str], Shown] = {}
    section, usual_section = "", False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if head := re.match(r"#?\[+(\w+)\]+\s*(?:#\s*(.*))?", line):
            section, usual_section = head[1], (head[2] or "").startswith(USUAL)
        elif row := re.match(r"#?(\w+) = (.*?)\s+# (.*)", line):
            words = re.split(r" ?/ (?=[A-Za-z\"(0-9])", row[3])[0]
            usual = usual_section or words.startswith(USUAL)
            found[section, row[1]] = Shown(words.removeprefix(USUAL), row[2] if usual else "")
    return found


def _row(rule: KeyRule, said: Shown | None) -> str:
    said = said or Shown("", "")
    usual = f"`{said.usual}`" if said.usual else ""
    cells = (f"`{rule.key}`", said.words, rule.what_ja, "**必ず**" if rule.required else usual)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def settings() -> str:
    """A table for each section."""
    out, words = [], shown()
    for section in (*SECTIONS, "staff"):
        rules = [rule for rule in rulebook().rules if rule.section == section]
        brackets = f"[[{section}]]" if section == "staff" else f"[{section}]"
        rows = [_row(rule, words.get((section, rule.key))) for rule in rules]
        out.append(f"## {NAMES.get(section, section)} `{brackets}`\n")
        out.append("| 名前 | 何の設定か | 書くもの | 既定 |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(out)
