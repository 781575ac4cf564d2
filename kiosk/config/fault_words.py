"""What is said of a fault in the settings, in English and Japanese; the offline page says the same. PURE."""

from enum import StrEnum


class Mistake(StrEnum):
    """What can be wrong with one key, section or file."""

    UNREADABLE = "unreadable"
    NOT_UTF8 = "not_utf8"
    NOT_TOML = "not_toml"
    MISSING = "missing"
    MUST_BE = "must_be"
    MUST_LIST = "must_list"
    UNKNOWN = "unknown"
    MEANT = "meant"  #: unknown, and close to a known key
    NOT_A_SECTION = "not_a_section"
    NOT_SECTIONS = "not_sections"
    UNKNOWN_SECTION = "unknown_section"
    TWICE = "twice"
    TOGETHER = "together"


#: (English, Japanese); {key} is the key alone, {what} what belongs there.
SENTENCES: dict[Mistake, tuple[str, str]] = {
    Mistake.UNREADABLE: ("cannot be read: {what}", "読めません: {what}"),
    Mistake.NOT_UTF8: (
        "is not UTF-8 text; save it again as UTF-8",
        "文字コードが UTF-8 ではありません。メモ帳の「名前を付けて保存」で UTF-8 を選んでください",
    ),
    Mistake.NOT_TOML: (
        "is not TOML: {what}",
        '書き方が正しくありません。「名前 = 値」の形、文字列の " "、[ ] の閉じ忘れを見てください ({what})',
    ),
    Mistake.MISSING: (
        "is missing; write {key} = {what}",
        "がありません。{key} = の後に{what}を書いてください",
    ),
    Mistake.MUST_BE: ("must be {what}", "{what}を書いてください"),
    Mistake.MUST_LIST: (
        "must list one or more of {what}",
        "{what} から 1 つ以上を重ならないように並べてください",
    ),
    Mistake.UNKNOWN: ("is not known", "この名前の設定はありません。つづりを確かめてください"),
    Mistake.MEANT: ("is not known; {what} is meant?", "この名前の設定はありません。{what} ではありませんか"),
    Mistake.NOT_A_SECTION: ("must be a section [{what}]", "[{what}] という見出しの下に書いてください"),
    Mistake.NOT_SECTIONS: (
        "must be written as [[{what}]] sections",
        "[[{what}]] という見出しで 1 人ずつ書いてください",
    ),
    Mistake.UNKNOWN_SECTION: (
        "is not a known section",
        "この名前の見出しはありません。つづりを確かめてください",
    ),
    Mistake.TWICE: (
        "is given to two members of staff",
        "同じ職員番号が 2 人にあります。別の番号にしてください",
    ),
    Mistake.TOGETHER: (
        "is missing; {what} wants it too",
        "がありません。{what} を書くときは一緒に書いてください",
    ),
}

#: What belongs to a key, English → Japanese. Numbers, flags and choices make their own (table.py).
WHATS: dict[str, str] = {
    "the clinic's name": "医療機関等の名称",
    "the 10 digits of 医療機関コード in quotes": '医療機関コード 10 桁 (半角数字、" " の中)',
    "a short name such as K001 (letters, digits, - )": "K001 のような短い名前 (半角の英数字と - )",
    '"usb", "usb:04e6:5591" or "virtual:PATH"': '"usb"、"usb:04e6:5591"、"virtual:PATH" のどれか',
    'a path to board.toml, or "none"': 'board.toml の場所、または "none"',
    "the service's name as it stands in transcripts": "照会先の名称",
    "an https:// address without a path": "https:// で始まる照会先のアドレス (パスなし)",
    'a list of user names, such as ["kiosk-screen"]': '["kiosk-screen"] のような利用者名の並び',
    "a personal staff number of 3 to 6 digits": "職員番号 (半角数字 3〜6 桁)",
    'an https:// address, or "none"': 'https:// で始まるアドレス、または "none"',
    'the https:// address of the channel file, or "none"': '更新案内の https:// アドレス、または "none"',
    'a path to a folder, or "none"': 'フォルダのパス、または "none"',
    '"ja" or "en"': '"ja" または "en"',
    'a path that ends in .prom, or "none"': '.prom で終わるパス、または "none"',
    "the text that `kiosk provision passcode` prints": "kiosk provision passcode が表示した文字列",
    'the receipt computer\'s folder, or "none"': 'レセコンのフォルダ、または "none"',
    "the 資格確認端末's folder, with req and res in it": "req と res を含む資格確認端末のフォルダ",
    'a path on the same share, or "inside"': '同じ共有の中の場所、または "inside"',
    "the name of the Wi-Fi, 32 letters or 10 Japanese ones at most": (
        "Wi-Fi の名前 (SSID)、半角 32 文字または全角 10 文字まで"
    ),
    "the password of the Wi-Fi, 8 to 63 characters": "Wi-Fi のパスワード、半角 8〜63 文字",
    'the country as two letters, such as "JP"': '国 (英字 2 文字、日本なら "JP")',
    'an address with its prefix, such as "192.168.1.50/24"': '"192.168.1.50/24" のような IP アドレス',
    'an address such as "192.168.1.1"': '"192.168.1.1" のような IP アドレス',
    'a list of addresses, such as ["192.168.1.1"]': '["192.168.1.1"] のような IP アドレスの並び',
    'a list of servers, such as ["ntp.nict.jp"]': '["ntp.nict.jp"] のような時刻サーバの並び',
    'the shared folder, such as "//192.168.1.10/OQS"': '"//192.168.1.10/OQS" のような共有フォルダ',
    "the name of the share's user": "共有フォルダの利用者の名前",
    "the password of the share's user": "共有フォルダの利用者のパスワード",
    "the domain or workgroup of the share's user": "共有フォルダの利用者のドメインまたはワークグループ",
    "the https:// address of the enrolment": "https:// で始まる登録先のアドレス",
    "the 12 digits of the activation code": "アクティベーションコード 12 桁 (半角数字、- で区切ってよい)",
    "6 to 12 digits, not all alike and not in a row": (
        "半角数字 6〜12 桁のパスコード (同じ数字だけ、順に並んだ数字は不可)"
    ),
}
#: For a path: `a path, such as "ca"`.
PATH_WHAT = ('a path, such as "{key}"', '"{key}" のような場所')


def what_in_japanese(what: str) -> str:
    """The Japanese for what belongs to a key; what needs none (values in quotes) stays as it is."""
    return WHATS.get(what, what)


def sentence(problem: Mistake, key: str, what: str, ja: bool = False) -> str:
    """One sentence about `key`, without its line; nothing of the file's values is in it."""
    return SENTENCES[problem][ja].replace("{key}", key).replace("{what}", what)
