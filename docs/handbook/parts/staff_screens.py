"""Every staff screen with its picture, grouped; a screen that no group names lands in the last one."""

from collections.abc import Iterator

from kiosk.config.choices import Theme
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.theme import tokens_of
from kiosk.screens.kit.widgets import Button, Picture, Text
from kiosk.screens.pages.examples.patient_examples import Example
from kiosk.screens.pages.layout import STAFF_READ, lay_out
from kiosk.screens.pages.staff.update_page import FAULTS
from kiosk.screens.words.catalogue import Catalogues
from tests.screens.proof.gallery import CLINIC, DISPLAYS, all_examples

PHRASE_BREAK = "\u200b"
REFUSED = "staff_update_fault_"  #: how the examples of refused updates are named

#: Beginning of the example's name, heading, what staff do there.
GROUPS: tuple[tuple[str, str, str], ...] = (
    (
        "door_",
        "入り口",
        "はじめの画面のいちばん上（医療機関の名前）を 2 秒おさえ、職員番号とパスコードを入れます。"
        "続けて 5 回まちがえると、5 分間入れません。",
    ),
    ("staff_menu", "係員メニュー", "いまの様子がひと目で分かります。色のついた行から見てください。"),
    (
        "staff_check",
        "本日の点検",
        "毎朝、自動で始まります。「直すところ」が出たら、書いてあるとおりに直し、"
        "「もう一度点検」を押します。",
    ),
    (
        "staff_fallback",
        "予備の方法",
        "顔認証カードリーダー・回線・システムの障害のときに、理由を選んで始めます。"
        "終わったら「ふつうにもどす」を押します。",
    ),
    (
        "staff_waiting",
        "お預かり",
        "送れずに待っている記録の数と、あとから届いた答えの一覧です。番号を押すと、することが出ます。",
    ),
    ("staff_case", "1 件ずつの答え", "番号ごとに、次にすることが出ます。すんだら「確認した」を押します。"),
    ("staff_drill", "予備の方法の練習", "月に 1 回はしてください。患者さんの記録にはさわりません。"),
    (
        "staff_day",
        "きょうの受付",
        "時間ごとの数と、つながらなかった時間です。数だけで、だれのものかは分かりません。",
    ),
    (
        "staff_reading",
        "読み取りのテスト",
        "カードやスマホをのせて、読み取り機を確かめます。暗証番号は使わず、何も記録しません。",
    ),
    ("staff_test", "本体のテスト", "タッチ・画面・ランプ・ブザー・スピーカーを順に確かめます。"),
    ("staff_settings", "設定", "音量と、患者さんがえらべることばを変えます。"),
    (
        "staff_changed",
        "設定の変更",
        "SD カードの kiosk.toml が変わっているときに出ます。いまの設定で動いたまま、読んで決めます。",
    ),
    ("staff_update", "更新", "新しい版を入れます。受付の途中では始まりません。"),
    ("staff_help", "ヘルプ", "手引書とコールセンターです。"),
    ("staff_number", "目視確認：職員番号", "カードの写真と顔を見くらべる職員が、自分の番号を入れます。"),
    ("staff_passcode", "目視確認：パスコード", "続けて、パスコードを入れます。"),
)
REST = ("", "そのほかの画面", "")
#: What the picture shows, where its largest words do not tell it from its neighbours.
CAPTIONS = {
    "door_number_refused": "番号かパスコードがちがうとき",
    "door_passcode_checking": "パスコードを確かめているところ",
    "staff_menu": "何も起きていないとき",
    "staff_menu_busy": "直すところがあり、予備の方法のとき",
    "staff_menu_asking": "調べているあいだ",
    "staff_menu_more": "つぎのページ",
    "staff_menu_update_due": "更新の案内があるとき",
    "staff_menu_more_update_due": "更新の案内があるとき、つぎのページ",
    "staff_menu_changed": "SD カードの設定が変わっているとき",
    "staff_menu_more_changed": "SD カードの設定が変わっているとき、つぎのページ",
    "staff_settings_changed": "変更をあとで開くとき",
    "staff_changed_many": "変わるところが多いとき",
    "staff_changed_many_last": "多いとき、最後のページ",
    "staff_changed_long": "長いことばがあるとき",
    "staff_changed_fixed": "アクティベーションコードが要るとき",
    "staff_changed_left": "「いまのまま使う」を押したあとで開いたとき",
    "staff_changed_failed": "取りこめなかったとき",
    "door_passcode_takes": "設定を取りこむときのパスコード",
    "staff_update_two": "新しい版が 2 つあるとき",
    "staff_update_later": "まだ入れられない時刻のとき",
    "staff_update_fault_damaged": "中身がこわれているとき",
    "staff_update_fault_something_new": "ほかの理由でできないとき",
    "staff_check_ok_no_time": "時刻がまだ合っていないとき",
    "staff_waiting_none": "何も待っていないとき",
    "staff_waiting_no_late": "答えがまだ届いていないとき",
    "staff_waiting_kinds": "送れなかった記録があるとき",
    "staff_waiting_many": "たくさんあるとき",
    "staff_case_valid": "有効",
    "staff_case_invalid": "無効",
    "staff_case_invalid_new_exists": "無効（新しい資格あり）",
    "staff_case_not_found": "該当資格なし",
    "staff_case_several": "複数該当",
    "staff_case_valid_not_registered": "有効（未登録）",
    "staff_case_rejected": "受け付けられなかったもの",
    "staff_case_expired": "期限切れ",
    "staff_case_recorded": "直前のお預かり",
    "staff_case_ways": "資格を確かめる順番",
    "staff_case_ways_in_march": "順番（2026 年 3 月まで）",
    "staff_case_ways_no_date": "順番（日付が分からないとき）",
    "staff_number_refused": "番号かパスコードがちがうとき",
    "staff_passcode_checking": "パスコードを確かめているところ",
    "staff_test_touch_4": "タッチのテストの途中",
    "staff_test_touch_8": "タッチのテストの終わりごろ",
    "staff_settings_one_language": "ことばが 1 つのとき",
}


def staff_examples() -> list[Example]:
    """What only staff read, in the order of the gallery."""
    return [each for each in all_examples("ja") if isinstance(each.kiosk.screen, STAFF_READ)]


def group_of(name: str) -> tuple[str, str, str]:
    return next((group for group in GROUPS if name.startswith(group[0])), REST)


def staff_screens(catalogues: Catalogues) -> str:
    """The page, as Markdown."""
    fonts = FontBook()
    look = Look(DISPLAYS["800x480"], tokens_of(Theme.STANDARD), CLINIC, catalogues, fonts)
    found = [(each.name, lay_out(each.kiosk, look)) for each in staff_examples()]
    out = []
    for group in (*GROUPS, REST):
        members = [(name, picture) for name, picture in found if group_of(name) == group]
        if members:
            out += [
                f"## {group[1]}",
                group[2],
                *(_figure(name, picture, catalogues) for name, picture in members),
            ]
    return "\n\n".join(filter(None, out)) + "\n"


def _caption(name: str, catalogues: Catalogues) -> str | None:
    """What the picture shows; an update that was refused is told by the refusal, not by the version."""
    word = name.removeprefix(REFUSED)
    if name.startswith(REFUSED) and word in FAULTS:
        return catalogues.text("ja", f"update.fault.{word}").replace(PHRASE_BREAK, "").replace("\n", "")
    return CAPTIONS.get(name)


def _figure(name: str, picture: Picture, catalogues: Catalogues) -> str:
    words = list(_words(picture))
    titles = [each for each in words if not each[1].isdigit()]
    title = max(titles, key=lambda each: each[0], default=(0, name))[1]
    alt = "、".join(text for _, text in words)
    caption = _caption(name, catalogues) or title
    return f"```{{figure}} made/screens/{name}.png\n:alt: {alt}\n:figclass: screen\n\n{caption}\n```"


def _words(picture: Picture) -> Iterator[tuple[int, str]]:
    """Size and words of every text, as they are read."""
    for widget in picture.widgets:
        for text in widget.texts if isinstance(widget, Button) else (widget,):
            if isinstance(text, Text):
                size = 0 if isinstance(widget, Button) else text.size
                yield size, "".join(line.text for line in text.lines).replace(PHRASE_BREAK, "")
