"""Catalogues in step with each other and with their compiled form; lines broken and fitted by the rules."""

import io
import re
from itertools import pairwise
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import LANGUAGES
from kiosk.screens.catalogue import LOCALE, PATIENT, STAFF, STAFF_LANGUAGES, CatalogueError, Catalogues
from kiosk.screens.fonts import BIZ, Family, FontBook, FontMissingError
from kiosk.screens.glyphs import FontFileError, coverage
from kiosk.screens.linebreak import NOT_AT_END, NOT_AT_START, break_lines, fit

DOMAINS = [(language, PATIENT) for language in LANGUAGES] + [(each, STAFF) for each in STAFF_LANGUAGES]


def catalogue(language: str, domain: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def po(language: str, domain: str = PATIENT) -> dict[str, str]:
    """Keys and texts, without the header."""
    return {str(each.id): str(each.string) for each in catalogue(language, domain) if each.id}


class Monospace:
    """Every wide character is one em, every other half."""

    def width(self, text: str, size: int, bold: bool) -> int:
        assert not bold
        return sum(size if ord(char) >= 0x2E80 else size // 2 for char in text if char != "\u200b")


@pytest.mark.parametrize(("language", "domain"), DOMAINS)
def test_the_compiled_catalogue_is_in_step_with_its_source(language: str, domain: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language, domain))
    there = (LOCALE / language / "LC_MESSAGES" / f"{domain}.mo").read_bytes()
    assert there == compiled.getvalue(), "run make catalogues"


@pytest.mark.parametrize(("language", "domain"), DOMAINS)
def test_every_language_has_the_same_keys_and_placeholders_and_no_empty_text(
    language: str, domain: str
) -> None:
    texts, japanese = po(language, domain), po("ja", domain)
    assert texts.keys() == japanese.keys()
    assert [key for key, text in texts.items() if not text] == []
    assert [key for key in texts if _names(texts[key]) != _names(japanese[key])] == []


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(("language", "domain"), DOMAINS)
def test_every_text_has_its_glyphs(language: str, domain: str, fonts: FontBook) -> None:
    texts = po(language, domain)
    assert [key for key, text in texts.items() if not fonts.covered(_plain(text))] == []


def _plain(text: str) -> str:
    return re.sub(r"\{\w+\}|\n", "", text)


def test_keys_used_in_the_code_exist_and_keys_in_the_catalogue_are_used() -> None:
    folder = LOCALE.parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    literal = set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"', code)) - {"board.toml"}
    prefixes = tuple(re.findall(r'f"([a-z_]+\.(?:[a-z_]+\.)*)\{', code))
    known = {*po("ja"), *po("ja", STAFF)}
    used = {key for key in known if key in literal or key.startswith(prefixes)}
    assert known - used == set()


def test_a_missing_key_is_an_error_and_not_a_word_on_the_screen(words: Catalogues) -> None:
    with pytest.raises(KeyError):
        words.say("ja", "no.such.key")


def test_a_missing_language_names_the_file_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"kiosk\.mo.*make catalogues"):
        Catalogues(["xx"], tmp_path)


TEXT = st.text(alphabet="受付をお預かりしました。、「」（）abc 12ー\u200b", min_size=1, max_size=60)


@given(TEXT, st.integers(4, 30))
def test_no_letter_is_lost_by_breaking(text: str, ems: int) -> None:
    lines = break_lines(text, 10, False, ems * 10, Monospace())
    kept = "".join(lines).replace(" ", "").replace("\u200b", "")
    assert kept == text.replace(" ", "").replace("\u200b", "")


@given(st.text(alphabet="受付おかりま。、「」（）ー", min_size=1, max_size=60), st.integers(6, 30))
def test_no_line_begins_or_ends_with_what_may_not_stand_there(text: str, ems: int) -> None:
    lines = break_lines(text, 10, False, ems * 10, Monospace())
    for before, after in pairwise(lines):
        assert before[-1] not in NOT_AT_END
        assert after[0] not in NOT_AT_START


def test_prepared_breaks_come_before_any_other() -> None:
    text = "この医療機関に\u200b見せることに\u200b同意しますか。"
    assert break_lines(text, 10, False, 120, Monospace()) == (
        "この医療機関に",
        "見せることに",
        "同意しますか。",
    )


def test_a_newline_always_breaks() -> None:
    assert break_lines("a\nb", 10, False, 1000, Monospace()) == ("a", "b")


@given(TEXT, st.integers(40, 400), st.integers(20, 200))
def test_fitted_text_is_within_its_box_or_says_so(text: str, width: int, height: int) -> None:
    measure = Monospace()
    fitted = fit(text, width, height, 40, 10, False, measure)
    widest = max(measure.width(line, fitted.size, False) for line in fitted.lines)
    assert fitted.fits == (widest <= width and fitted.height <= height)
    assert fitted.fits or fitted.size == 10


def test_a_missing_font_names_the_debian_package(tmp_path: Path) -> None:
    absent = Family("fonts-morisawa-bizud-gothic", tmp_path / "a.ttf", tmp_path / "b.ttf")
    with pytest.raises(FontMissingError, match="install the Debian package fonts-morisawa-bizud-gothic"):
        FontBook((absent,))


def test_a_broken_font_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "x.ttf"
    broken.write_bytes(b"\0\1\0\0\0\1")
    with pytest.raises(FontFileError, match=r"x\.ttf"):
        coverage(broken)


def test_a_rare_name_falls_back_as_a_whole_string(fonts: FontBook) -> None:
    """𠮷 is not in BIZ UDPGothic (facts/screens.md 2.2): the whole name is drawn in Noto, not half of it."""
    assert not coverage(BIZ.regular).has("𠮷田")
    assert fonts.covered("𠮷田")
    alone = fonts.width("田", 40, False)
    assert fonts.width("𠮷田", 40, False) != alone * 2 or alone == 40
    surface, _ = fonts.render("𠮷田医院", 40, False, (0, 0, 0))
    assert surface.get_bounding_rect().w > 120
