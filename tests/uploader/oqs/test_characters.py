"""Odd characters are recognised; texts are compared without width, spaces and kind of kana, never fuzzily."""

import pytest

from kiosk.simulator.service.invented_answers import PERSONS
from kiosk.simulator.terminal.people import result
from kiosk.uploader.oqs.characters import Flag, Oddity, comparable, flags, oddities
from kiosk.uploader.oqs.results import QualificationResult


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("試験 太郎", ()),
        ("Ａｂｃ１２３～－∥￠￡￢", ()),
        ("〜−‖¢£¬\\~¥‾", ()),
        ("ｼｹﾝ ﾀﾛｳ", (Oddity.HALF_WIDTH_KANA,)),
        ("試●　太郎", (Oddity.REPLACED,)),
        ("髙橋", (Oddity.OUTSIDE_JIS_X_0208,)),
        ("山﨑", (Oddity.OUTSIDE_JIS_X_0208,)),
        ("德川", (Oddity.OUTSIDE_JIS_X_0208,)),
        ("𠮷野", (Oddity.OUTSIDE_JIS_X_0208,)),
        ("葛\U000e0100城", (Oddity.OUTSIDE_JIS_X_0208,)),
        ("①", (Oddity.OUTSIDE_JIS_X_0208,)),
        ("\ue000田", (Oddity.PRIVATE_USE,)),
        (b"\xf0\x40".decode("cp932"), (Oddity.PRIVATE_USE,)),
        ("●ｶ髙", (Oddity.REPLACED, Oddity.OUTSIDE_JIS_X_0208, Oddity.HALF_WIDTH_KANA)),
    ],
)
def test_oddities(text: str, found: tuple[Oddity, ...]) -> None:
    assert oddities(text) == found


def test_every_character_of_jis_x_0208_is_plain() -> None:
    """By its rows and cells, through a codec that knows nothing else."""
    characters = []
    for row in (*range(1, 9), *range(16, 85)):
        for cell in range(1, 95):
            try:
                characters.append(bytes([row + 0xA0, cell + 0xA0]).decode("euc_jp"))
            except UnicodeDecodeError:
                continue
    assert len(characters) == 6_879
    replaced = [char for char in characters if oddities(char)]
    assert replaced == ["●"]


def test_an_answers_odd_texts_are_named_by_their_elements() -> None:
    person = result(PERSONS[0])
    assert flags(person) == ()
    odd = QualificationResult(Name="●試", NameKana="ｼｹﾝ", Address="ﾃﾞｽ", InsuredName="髙")
    assert flags(odd) == (
        Flag("InsuredName", Oddity.OUTSIDE_JIS_X_0208),
        Flag("Name", Oddity.REPLACED),
        Flag("Address", Oddity.HALF_WIDTH_KANA),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ｼｹﾝ ﾀﾛｳ", "シケン　タロウ"),
        ("しけんたろう", "ｼｹﾝﾀﾛｳ"),
        ("１２３ ", " 123"),
        ("  999902", "999902"),
        ("ｶﾞ", "が"),
    ],
)
def test_width_space_and_kind_of_kana_make_no_difference(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("髙橋", "高橋"), ("斎藤", "齋藤"), ("●野", "吉野"), ("0999902", "999902"), ("ツ", "ッ")],
)
def test_everything_else_does(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)
