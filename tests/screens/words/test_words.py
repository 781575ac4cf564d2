"""Catalogues in step with each other and with their compiled form; lines broken and fitted by the rules."""

import io
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from kiosk.box.font_files import BIZ, FontFamily
from kiosk.config.choices import LANGUAGES, LANGUAGES_ON
from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.fonts import FontBook, FontMissingError
from kiosk.screens.drawing.glyphs import FontFileError, coverage
from kiosk.screens.kit.linebreak import NOT_AT_END, NOT_AT_START, break_lines, fit, width_of
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.ruby import Piece, pieces, plain, ruby_size
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import STAFF_READ, lay_out
from kiosk.screens.words.catalogue import LOCALE, PATIENT, STAFF, STAFF_LANGUAGES, CatalogueError, Catalogues
from tests.screens.proof.pseudo import longer
from tests.screens.proof.scan import texts_of

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
    folder = LOCALE.parents[1]
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    literal = set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"', code)) - {"board.toml"}
    prefixes = tuple(re.findall(r'f"([a-z_]+\.(?:[a-z_]+\.)*)\{', code))
    known = {*po("ja"), *po("ja", STAFF)}
    used = {key for key in known if key in literal or key.startswith(prefixes)}
    assert known - used == set()


def test_a_missing_key_is_an_error_and_not_a_word_on_the_screen(words: Catalogues) -> None:
    with pytest.raises(KeyError):
        words.text("ja", "no.such.key")


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
    absent = FontFamily("fonts-morisawa-bizud-gothic", tmp_path / "a.ttf", tmp_path / "b.ttf")
    with pytest.raises(FontMissingError, match="install the Debian package fonts-morisawa-bizud-gothic"):
        FontBook((absent,))


def test_a_broken_font_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "x.ttf"
    broken.write_bytes(b"\0\1\0\0\0\1")
    with pytest.raises(FontFileError, match=r"x\.ttf"):
        coverage(broken)


def test_a_rare_name_falls_back_as_a_whole_string(fonts: FontBook) -> None:
    """𠮷 is not in BIZ UDPGothic (docs/facts/screens.md): the whole name is drawn in Noto, not half of it."""
    assert not coverage(BIZ.regular).has("𠮷田")
    assert fonts.covered("𠮷田")
    alone = fonts.width("田", 40, False)
    assert fonts.width("𠮷田", 40, False) != alone * 2 or alone == 40
    surface, _ = fonts.render("𠮷田医院", 40, False, (0, 0, 0))
    assert surface.get_bounding_rect().w > 120


# ---- readings --------------------------------------------------------------------------------------------


def test_a_reading_belongs_to_the_characters_before_it() -> None:
    assert pieces("カードの 暗証番号《あんしょうばんごう》を") == (
        Piece("カードの "),
        Piece("暗証番号", "あんしょうばんごう"),
        Piece("を"),
    )
    assert pieces("｜入れ物《いれもの》だ") == (Piece("入れ物", "いれもの"), Piece("だ"))
    assert plain("少《すこ》し") == "少し"


EASY = st.lists(
    st.sampled_from(
        [
            "受付《うけつけ》",
            "カード",
            "を",
            "見《み》せて",
            "、",
            " ",
            "\u200b",
            "暗証番号《あんしょうばんごう》",
        ]
    ),
    min_size=1,
    max_size=12,
).map("".join)


@given(EASY, st.integers(4, 30))
def test_a_base_and_its_reading_are_never_parted(text: str, ems: int) -> None:
    lines = break_lines(text, 10, False, ems * 10, Monospace())
    kept = "".join(plain(line) for line in lines).replace(" ", "").replace("\u200b", "")
    assert kept == plain(text).replace(" ", "").replace("\u200b", "")
    assert [piece for line in lines for piece in pieces(line) if piece.reading] == [
        piece for piece in pieces(text) if piece.reading
    ]
    assert all("《" not in piece.text for line in lines for piece in pieces(line))


@given(EASY, st.integers(60, 500), st.integers(20, 300))
def test_fitted_text_has_room_for_its_readings(text: str, width: int, height: int) -> None:
    measure = Monospace()
    fitted = fit(text, width, height, 40, 10, False, measure)
    widest = max(width_of(line, fitted.size, False, measure) for line in fitted.lines)
    assert fitted.fits == (widest <= width and fitted.height <= height)
    if fitted.ruby:
        assert fitted.lead == ruby_size(fitted.size)
        assert fitted.pitch >= fitted.size + ruby_size(fitted.size)


def test_readings_stand_above_their_bases_and_within_the_box(make_look: Callable[..., Look]) -> None:
    kiosk = next(each.kiosk for each in examples(Mode.HOME_CONSENT, "ja@easy") if each.name == "consent")
    texts = [text for widget in lay_out(kiosk, make_look()).widgets for text in texts_of(widget) if text.ruby]
    assert texts
    for text in texts:
        for reading in text.ruby:
            assert text.box.covers(reading.rect)
            below = [line for line in text.lines if line.rect.y == reading.rect.bottom]
            assert any(
                line.rect.x < reading.rect.right and reading.rect.x < line.rect.right for line in below
            )


# ---- languages -------------------------------------------------------------------------------------------


def test_only_languages_that_somebody_has_checked_are_on() -> None:
    words = Catalogues(LANGUAGES)
    assert words.unreviewed(LANGUAGES) == [each for each in LANGUAGES if each not in LANGUAGES_ON]
    assert LANGUAGES_ON == ("ja", "ja@easy", "en")


def test_staff_read_japanese_or_english_whatever_the_patient_chose(words: Catalogues) -> None:
    assert [words.for_staff(each) for each in LANGUAGES] == ["ja", "ja", "en", "ja", "ja", "ja", "ja"]
    with pytest.raises(KeyError):
        words.text("vi", "staff.check")


@pytest.mark.parametrize("language", ["zh", "ko", "vi"])
def test_a_language_that_the_first_font_lacks_in_part_is_set_in_one_font(
    language: str, make_look: Callable[..., Look]
) -> None:
    for example in examples(Mode.HOME_CONSENT, language):
        if not isinstance(example.kiosk.screen, STAFF_READ):
            picture = lay_out(example.kiosk, make_look())
            assert {text.first for widget in picture.widgets for text in texts_of(widget)} <= {1}


def test_the_pseudo_language_is_forty_percent_longer_and_keeps_what_is_filled_in() -> None:
    text = po("en")["pin_wrong.left"]
    drawn = longer(text)
    assert _names(drawn) == _names(text)
    letters = [len(re.findall("[A-Za-z]", re.sub(r"{.*?}", "", each))) for each in (text, drawn)]
    assert letters[1] >= 1.4 * letters[0]
