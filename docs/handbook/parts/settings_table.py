"""Every key of the settings file as a table: the same rules that the kiosk and the offline page judge by."""

from kiosk.config import SECTIONS, rulebook
from kiosk.config_table import Rule

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
    "run": "プロセス",
    "network": "回線",
    "first_boot": "初回起動 (使ったあと消えます)",
    "staff": "職員 (1 人に 1 つ)",
}


def _row(rule: Rule) -> str:
    what = rule.what_ja.replace("|", "\\|")
    return f"| `{rule.key}` | {what} | {'必ず' if rule.required else ''} |"


def settings() -> str:
    """A table for each section."""
    out = []
    for section in (*SECTIONS, "staff"):
        rules = [rule for rule in rulebook().rules if rule.section == section]
        brackets = f"[[{section}]]" if section == "staff" else f"[{section}]"
        out.append(f"## {NAMES.get(section, section)} `{brackets}`\n")
        out.append("| 名前 | 書くもの | |\n|---|---|---|\n" + "\n".join(map(_row, rules)) + "\n")
    return "\n".join(out)
