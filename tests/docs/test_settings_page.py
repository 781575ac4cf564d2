"""The page that checks a settings file judges as `kiosk provision check` does: same faults, same lines."""

import base64
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.config.fault_words import SENTENCES, Mistake
from kiosk.config.settings import ConfigError, load_card, rulebook
from kiosk.provisioning.settings_page import html, judging
from tests.docs.browser import dom, text_of

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CARD = (DEPLOY / "kiosk.toml.card").read_text(encoding="utf-8")
EXAMPLE = (DEPLOY / "kiosk.toml.example").read_text(encoding="utf-8")
GOOD = """\
[clinic]
name = "架空クリニック"
institution = "9919999996"
terminal = "K001"
[visit]
mode = "home_consent"
[service]
name = "qualification.example"
url = "https://qualification.example"
"""
FIRST = '[first_boot]\nenrolment_url = "https://e.example:8443"\nactivation_code = "1234-5678-9012"\n'
STAFF = 'staff_number = "1001"\nstaff_passcode = "482915"\n'
#: Every key is tried with each of these.
VALUES = (
    *("5", "-1", "0", "0.5", "1e400", "1" + "0" * 18, "nan", "inf", "true", "1979-05-27", "07:32:00"),
    *(
        '""',
        '"x"',
        '"A B"',
        '"none"',
        '"１２３４５６７８９０"',
        '"9919999991"',
        '"usb:04e6:5591"',
        '"virtual:f"',
    ),
    *('"https://a.example/b"', '"https://[::1]:8443"', '"192.168.1.256"', '"10.0.0.1/33"', '"10.0.0.1/24"'),
    *(
        '"123456"',
        '"482915"',
        '"1234-5678-9012"',
        '"scrypt$a"',
        '"a\\nb"',
        '"\\u007f"',
        '"𠮷"',
        f'"{"無" * 10 + "ab"}"',
        f'"{"無" * 11}"',
        '"home"',
        '"JP"',
    ),
    *(
        "[]",
        '["ja"]',
        '["en", "ja"]',
        '["ja", "ja"]',
        "[1]",
        "[[]]",
        '["10.0.0.1"]',
        '["A B"]',
        "{}",
        "{a = 1}",
    ),
)
OTHERS = (
    "",
    "# nothing\n",
    GOOD,
    GOOD.replace("\n", "\r\n"),
    GOOD + FIRST + STAFF,
    GOOD + FIRST,
    GOOD + FIRST + STAFF.splitlines()[0],
    GOOD + FIRST + '[[staff]]\nnumber = "1001"\npasscode = "scrypt$x"\n' * 2,
    GOOD + '[[staff]]\nnumber = "1001"\n[[staff]]\nnumber = 5\nname = "x"\n',
    GOOD + FIRST + STAFF + '[[staff]]\nnumber = "1001"\npasscode = "739164"\n',
    GOOD + FIRST + '[[staff]]\nnumber = "1001"\npasscode = "739164"\n[[staff]]\nnumber = "1002"\n',
    GOOD + "[staff]\n",
    "staff = 5\n" + GOOD,
    "staff = [5]\n" + GOOD,
    "staff = []\nclinic = 5\nscreen = []\n",
    "[[screen]]\n" + GOOD,
    GOOD + '[network]\nwifi_name = "a"\nethernet_address = "10.0.0.1/24"\n',
    GOOD + "[printer]\n[netwrok]\nx = 1\n[a.b]\n",
    GOOD + "[timing]\npin = 5\npins_s = 5\nxyzzy = 1\n",
    'clinic = {name = "a", institution = "1"}\nvisit.mode = "home_consent"\n"service".url = "x"\n',
    GOOD + "  [ screen ]\nwidth=1\n\t[outbox]\n\tmax_records = 0\n",
    '[clinic]\n"name" = 5\n',
    "x = '''\n[clinic]\n'''\n",
    CARD,
    EXAMPLE,
)
NOT_TOML = (
    *("oops\n", "a = \n", '[clinic\nname = "x"\n', "a = 1\na = 2\n", "[a]\n[a]\n", 'name = "x\n', "a = 01\n"),
    *("a = 1__0\n", "[[a]]\n[a]\n", "a = {b = 1\n}\n", "a = {b = 1,}\n", 'a = "\\e"\n', 'a = "\\x41"\n'),
    *(
        "a.b = 1\na = 2\n",
        "a = 1979-13-27\n",
        "a = [1, 2\n",
        "あ = 1\n",
        "a = 07:32\n",
        "[a]b = 1\n",
        "a = 1 b = 2\n",
    ),
)


def with_value(section: str, key: str, value: str) -> str:
    line = f"{key} = {value}\n"
    if section == "staff":
        other = "passcode" if key == "number" else "number"
        fine = {"passcode": 'passcode = "scrypt$x"\n', "number": 'number = "1001"\n'}
        return f"{GOOD}[[staff]]\n{line}{fine[other]}"
    lines = [each for each in GOOD.splitlines(keepends=True) if not each.startswith(f"{key} = ")]
    head = f"[{section}]\n"
    if head not in lines:
        return f"{GOOD}{head}{line}"
    at = lines.index(head) + 1
    return "".join((*lines[:at], line, *lines[at:]))


SIGNS = "\"'[]{}=#.,\\\n\r\t -_a1é０"


def slipped(text: str, chance: random.Random) -> str:
    """The text after one to three slips of a hand: letters lost, put in, overwritten, or pasted."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text))
        sign, end = chance.choice(SIGNS), at + chance.randint(1, 6)
        paste = text[chance.randrange(len(text)) :][: chance.randint(1, 40)]
        changed = (
            text[:at] + text[end:],
            text[:at] + sign + text[at:],
            text[:at] + sign + text[at + 1 :],
            text[:at] + paste + text[at:],
        )
        text = chance.choice(changed)
    return text


def files() -> Iterator[tuple[bytes, bool]]:
    """Files, each with whether it is one of a kiosk that was never started."""
    whole = [text.encode() for text in (*OTHERS, *NOT_TOML)]
    coded = [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.encode("shift_jis"), GOOD.encode("utf-16"), b"\xff"]
    for data in (*whole, *coded):
        yield data, True
        yield data, False
    for rule in rulebook().rules:
        for value in VALUES:
            yield with_value(rule.section, rule.key, value).encode(), rule.section in ("network", "staff")


def by_hand(count: int) -> Iterator[tuple[bytes, bool]]:
    """Files that somebody edited without care; the same ones each time."""
    chance = random.Random(20)
    for _ in range(count):
        yield slipped(chance.choice((GOOD + FIRST + STAFF, CARD, EXAMPLE)), chance).encode(), True


def by_python(file: Path, data: bytes, fresh: bool) -> tuple[list[list[Any]], int]:
    """What `kiosk provision check` finds: (line, key, English, Japanese), and the number of doubts."""
    file.write_bytes(data)
    try:
        return [], len(load_card(file, fresh=fresh).doubts)
    except ConfigError as refused:
        return sorted([f.line or 0, f.key, f.en, f.ja] for f in refused.faults), 0


def by_page(tmp: Path, cases: list[tuple[bytes, bool]]) -> list[tuple[list[list[Any]], int]]:
    """What the page finds."""
    given = json.dumps([[base64.b64encode(data).decode(), fresh] for data, fresh in cases])
    run = """
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const found = CASES.map(([text, fresh]) => {
  const { faults, doubts } = judge(bytesOf(text), fresh);
  return [faults.map((f) => [f.line ?? 0, f.key, f.en, f.ja]), doubts.length];
});
document.getElementById("found").textContent = btoa(JSON.stringify(found).replace(/[^\\x00-\\x7f]/g,
  (c) => "\\\\u" + c.charCodeAt(0).toString(16).padStart(4, "0")));
"""
    script = f"{judging()}\nconst CASES = {given};\n{run}"
    page = tmp / "cases.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><pre id="found"></pre><script>{script}</script>',
        encoding="utf-8",
    )
    answer = json.loads(base64.b64decode(text_of(dom(page, tmp / "profile"), "found")))
    return [(sorted(faults), doubts) for faults, doubts in answer]


def unworded(faults: list[list[Any]]) -> list[list[Any]]:
    """Two TOML readers word a slip differently and may see it a line later; that it is one is the same."""
    bare = SENTENCES[Mistake.NOT_TOML][0].partition("{")[0]
    return [
        ["file", "not TOML"] if say.startswith(bare) else [line, key, say, ja]
        for line, key, say, ja in faults
    ]


def test_the_page_judges_as_the_command_does(tmp_path: Path) -> None:
    cases = list(files())
    page = by_page(tmp_path, cases)
    assert len(page) == len(cases)
    refused = 0
    for (data, fresh), (faults, doubts) in zip(cases, page, strict=True):
        wanted, doubted = by_python(tmp_path / "kiosk.toml", data, fresh)
        assert unworded(faults) == unworded(wanted), data.decode("utf-8", "replace")
        assert doubts == doubted, data.decode("utf-8", "replace")
        refused += bool(wanted)
    assert 0.2 * len(cases) < refused < len(cases)  # both verdicts were there to be compared


def test_slips_of_a_hand_are_seen_by_both(tmp_path: Path) -> None:
    cases = list(by_hand(600))
    verdicts = []
    for (data, fresh), (faults, _) in zip(cases, by_page(tmp_path, cases), strict=True):
        wanted, _ = by_python(tmp_path / "kiosk.toml", data, fresh)
        verdicts.append(bool(wanted))
        said = data.decode("utf-8", "replace")
        assert bool(faults) is bool(wanted), said
        # A stray quote before a key is a strange key to one reader and no TOML to the other.
        assert unworded(wanted) == [["file", "not TOML"]] or faults == wanted, said
    assert 20 < sum(verdicts) < len(cases)


@pytest.mark.parametrize("data", NOT_TOML)
def test_what_is_no_toml_is_that_to_the_command(tmp_path: Path, data: str) -> None:
    [fault], _ = by_python(tmp_path / "kiosk.toml", data.encode(), fresh=False)
    assert fault[1] == "file"


def test_the_page_is_one_file_that_loads_nothing_and_its_script_runs(tmp_path: Path) -> None:
    page = tmp_path / "check-settings.html"
    page.write_text(html(), encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="', text)
    assert "fetch(" not in text
    assert "XMLHttpRequest" not in text
    assert "default-src 'none'" in text
    assert "disabled" in re.findall(r'<input type="file"[^>]*>', text)[0]
    # The script switches the choice on: it ran, under the page's own policy.
    assert "disabled" not in re.findall(r'<input type="file"[^>]*>', dom(page, tmp_path / "profile"))[0]


def shown(tmp: Path, text: str) -> str:
    """The page's words after a file with this text was chosen and looked at."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html())
    choose = (
        "<script>const data = new DataTransfer();"
        f"data.items.add(new File([{json.dumps(text)}], 'kiosk.toml'));"
        "element('file').files = data.files;"
        "element('file').dispatchEvent(new Event('change'));</script>"
    )
    file = tmp / "chosen.html"
    file.write_text(page.replace("</body>", f"{choose}</body>"), encoding="utf-8")
    return dom(file, tmp / "profile")


def test_a_chosen_file_is_judged_listed_and_put_up_for_mending(tmp_path: Path) -> None:
    page = shown(tmp_path, GOOD.replace("9919999996", "99") + FIRST + STAFF)
    assert "直すところが 1 件あります / 1 to mend" in page
    [entry] = re.findall(r"<li>.*?</li>", page)
    assert "3 行目" in entry
    assert "clinic.institution" in entry
    assert "医療機関コード 10 桁" in entry
    assert "must be the 10 digits" in entry
    assert not re.search(r'<section id="editor"[^>]*hidden', page)


def test_a_good_file_is_said_to_be_good_and_a_doubt_is_told(tmp_path: Path) -> None:
    page = shown(tmp_path, GOOD.replace("9919999996", "9919999997") + FIRST + STAFF)
    assert "このまま使えます / in order (架空クリニック, 9919999997, K001)" in page
    [entry] = re.findall(r'<li class="doubt">.*?</li>', page)
    assert "検証番号" in entry
