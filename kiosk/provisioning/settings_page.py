"""The page that checks a settings file in any browser: one file, no line, the rules of `kiosk/config`."""

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kiosk.config.fault_words import SENTENCES
from kiosk.config.first_boot_settings import INSTITUTION_DOUBT, NEEDS
from kiosk.config.settings import SECTIONS, rulebook

HERE = Path(__file__).parent
#: TOML 1.0 for JavaScript (Squirrel Chat, BSD-3-Clause), as published; later versions read TOML 1.1,
#: which `tomllib` does not.
PARSER = HERE / "vendor" / "smol-toml-1.5.2.js"


def html() -> str:
    """The whole page; nothing in it may load or send anything (its Content-Security-Policy says so)."""
    style, script = _read("page.css"), f"{judging()}\n{_read('page.js')}"
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    page = _read("page.html")
    for name, text in (("policy", policy), ("style", style), ("script", script)):
        page = page.replace("{{" + name + "}}", text)
    return page


def judging() -> str:
    """The JavaScript that judges a file: `judge(bytes, fresh)`."""
    parser = PARSER.read_text(encoding="utf-8")
    return (
        f"const TOML = ((module) => {{\n{parser}\nreturn module.exports; }})({{ exports: {{}} }});\n"
        f"const BOOK = {_json(rules())};\n{_read('check.js')}"
    )


def rules() -> dict[str, Any]:
    """What `check.js` calls BOOK; `fresh`: the rules that are others before the first boot."""
    book, fresh = rulebook(), rulebook(fresh=True)
    return {
        "sections": SECTIONS,
        "rules": [asdict(rule) for rule in book.rules],
        "fresh": [asdict(rule) for rule in fresh.rules if rule not in book.rules],
        "together": book.together,
        "needs": [asdict(need) for need in NEEDS],
        "sentences": SENTENCES,
        "institution_doubt": INSTITUTION_DOUBT,
    }


def _json(value: Any) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")


def _digest(text: str) -> str:
    """CSP's name of an inline text (CSP level 3, hash-source)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
