"""The handbook: it builds without a warning, its links and pictures are there, its drawings cannot lie."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from kiosk.indicators.patterns import PATTERNS
from kiosk.indicators.pin_map import load_pin_map
from kiosk.screens.pages.layout import STAFF_READ
from tests.docs.conftest import ROOT
from tests.screens.proof.gallery import all_examples

HANDBOOK = ROOT / "docs" / "handbook"
BOARD = ROOT / "firmware" / "board.toml"


@dataclass
class Page(HTMLParser):
    """What one built page refers to."""

    path: Path
    links: list[str] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)  #: address → alternative text
    loads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "img":
            self.pictures[found["src"]] = found.get("alt", "")
        elif tag in ("script", "link") and (address := found.get("src") or found.get("href")):
            self.loads.append(address)

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="session")
def pages(handbook: Path) -> dict[Path, Page]:
    found = {path: Page(path) for path in sorted(handbook.rglob("*.html")) if "_static" not in path.parts}
    assert len(found) > 15
    return found


def targets(page: Page, addresses: list[str]) -> Iterator[tuple[str, Path, str]]:
    """Address, file and fragment of what lies in the handbook itself."""
    for address in addresses:
        parts = urlsplit(address)
        if not parts.scheme and not parts.netloc:
            file = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            yield address, file, unquote(parts.fragment)


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    known = {path.resolve(): page for path, page in pages.items()}
    lost = []
    for page in pages.values():
        for address, file, fragment in targets(page, page.links):
            if not file.exists() or (fragment and file in known and fragment not in known[file].ids):
                lost.append(f"{page.path.name}: {address}")
    assert lost == []


def test_every_picture_is_there_and_says_what_it_shows(pages: dict[Path, Page]) -> None:
    count = 0
    for page in pages.values():
        for address, file, _ in targets(page, list(page.pictures)):
            assert file.stat().st_size > 500, f"{page.path.name}: {address}"
            assert page.pictures[address].strip(), f"{page.path.name}: {address} has no words"
            count += 1
    assert count > 100


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    """The desk may have no line; the handbook is read most when it is down."""
    for page in pages.values():
        outside = [address for address in (*page.loads, *page.pictures) if "//" in address]
        assert outside == [], page.path.name


def test_every_staff_screen_has_its_picture(handbook: Path, pages: dict[Path, Page]) -> None:
    shown = {Path(address).stem for address in pages[handbook / "staff.html"].pictures}
    wanted = {each.name for each in all_examples("ja") if isinstance(each.kiosk.screen, STAFF_READ)}
    assert len(wanted) > 50
    assert wanted - shown == set()


def test_one_page_for_printing_holds_every_chapter(handbook: Path, pages: dict[Path, Page]) -> None:
    printed = pages[handbook / "print" / "index.html"]
    chapters = sorted(path.stem for path in HANDBOOK.glob("*.md") if path.stem != "index")
    assert len(chapters) >= 13
    for chapter in chapters:
        title = (HANDBOOK / f"{chapter}.md").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert title in printed.words, chapter


# ---- the wiring ------------------------------------------------------------------------------------------


def drawn(board: Path) -> list[dict[str, str]]:
    """The parts of the wiring as the drawing shows them."""
    program = (
        "import sys; from pathlib import Path; from wiring import drawing; "
        "sys.stdout.write(drawing(Path(sys.argv[1])))"
    )
    path = str(HANDBOOK / "parts")
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r}); {program}", str(board)]
    made_ = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    root = ElementTree.fromstring(made_.stdout)
    return [
        {name.removeprefix("data-"): value for name, value in group.attrib.items()}
        for group in root.iter("{http://www.w3.org/2000/svg}g")
        if "data-part" in group.attrib
    ]


#: GPIO → pin of the header, from the Raspberry Pi documentation; written anew, not taken from the drawing.
PIN = {17: 11, 27: 13, 22: 15, 23: 16, 12: 32, 5: 29, 6: 31, 16: 36, 26: 37, 18: 12}
GROUND, THREE_VOLTS = {6, 9, 14, 20, 25, 30, 34, 39}, {1, 17}


def test_the_drawing_shows_the_pins_of_the_board() -> None:
    board = load_pin_map(BOARD)
    parts = drawn(BOARD)
    assert [int(part["gpio"]) for part in parts] == [*board.leds, board.buzzer]
    assert [int(part["pin"]) for part in parts] == [PIN[int(part["gpio"])] for part in parts]
    assert all(int(part["back-pin"]) in GROUND for part in parts)
    assert [int(part["ohm"]) for part in parts] == [board.leds_ohm] * 4 + [board.buzzer_ohm]
    # The words beside the pin map tell the same places.
    comments = BOARD.read_text(encoding="utf-8")
    assert all(f"GPIO {part['gpio']} [{part['pin']}]" in comments for part in parts)


def test_another_board_gives_another_drawing(tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    board.write_text(
        "[leds]\npins = [5, 6, 16, 26]\nactive_high = false\nseries_ohm = 470\n[buzzer]\npin = 18\n",
        encoding="utf-8",
    )
    *leds, buzzer = drawn(board)
    assert [int(part["pin"]) for part in leds] == [29, 31, 36, 37]
    assert all(part["back"] == "3V3" and int(part["back-pin"]) in THREE_VOLTS for part in leds)
    assert {part["ohm"] for part in leds} == {"470"}
    assert (buzzer["pin"], buzzer["back"]) == ("12", "GND")
    board.write_text("[leds]\npins = [5, 6, 16, 26]\n", encoding="utf-8")
    assert [part["part"] for part in drawn(board)] == ["led 1", "led 2", "led 3", "led 4"]


def test_every_pattern_of_the_lights_is_told(handbook: Path, pages: dict[Path, Page]) -> None:
    table = (HANDBOOK / "made" / "lights.md").read_text(encoding="utf-8")
    told = [line.split("|")[3].strip() for line in table.splitlines()[2:]]
    assert len(told) == len(PATTERNS)
    names = {pattern.name for pattern in PATTERNS}
    assert not names & set(told), "give it its meaning in docs/handbook/parts/lights.py"
    assert all(meaning in pages[handbook / "wiring.html"].words for meaning in told)
