"""The report's words, Japanese and English."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportWords:
    """Templates; {…} are filled in. Dictionaries by the counters' own words; others are shown raw."""

    language: str
    title: str
    day: str
    month: str
    made: str
    summary: str
    nothing: str
    visits_by_hour: str
    visits_by_day: str
    mean_by_hour: str
    stages: str
    stages_note: str
    stages_head: tuple[str, ...]
    lines: str
    offline: str
    offline_none: str
    waiting: str
    calls: str
    calls_none: str
    devices: str
    hour_axis: str
    day_axis: str
    minutes: str
    records: str
    above: str
    privacy: str
    outcomes: dict[str, str]
    reasons: dict[str, str]
    parts: dict[str, str]
    device: dict[str, str]
    weekdays: str


JAPANESE = ReportWords(
    language="ja",
    title="受付キオスクの記録",
    day="{year}年{month}月{day}日（{weekday}）",
    month="{year}年{month}月",
    made="{clinic}　端末 {terminal}　{when} 作成　版 {version}",
    summary="受付 {visits} 件",
    nothing="この期間に受付はありません。",
    visits_by_hour="時間帯ごとの受付",
    visits_by_day="日ごとの受付",
    mean_by_hour="時間帯ごとの受付（受付のあった{days}日の平均）",
    stages="かかった時間",
    stages_note="●は半数、線の右端は95％の受付がそれ以内に終わった時間です（度数から読み取ったおよその値）。目盛りは対数です。",
    stages_head=("", "件数", "平均", "50％", "90％", "95％"),
    lines="回線の不通と送信待ち",
    offline="照会先に届かなかった時間（分）　合計 {total}",
    offline_none="照会先に届かない時間はありませんでした。",
    waiting="送信を待っていた記録（最大、件）",
    calls="職員を呼んだ理由　合計 {total} 回",
    calls_none="職員を呼ぶことはありませんでした。",
    devices="受付に使われたもの",
    hour_axis="時",
    day_axis="日",
    minutes="{n:.0f}分",
    records="{n}件",
    above="60秒超",
    privacy="この記録は件数だけから作られています。患者に関する情報は含みません。",
    outcomes={
        "verified": "確認できた",
        "recorded": "お預かり（未確認）",
        "not_confirmed": "確認できない",
        "staff_called": "職員を呼んだ",
        "abandoned": "途中でやめた",
    },
    reasons={
        "help": "患者が呼んだ",
        "pin_one_left": "暗証番号の残り1回で止めた",
        "pin_blocked": "暗証番号がロック済み",
        "certificate_expired": "電子証明書の期限切れ",
        "certificate_refused": "電子証明書を確認できない",
        "not_recorded": "記録できなかった",
        "service_refused": "照会先がエラーを返した",
        "token_fault": "カード・スマホの応答異常",
    },
    parts={
        "visit": "受付の始めから終わりまで",
        "token": "かざしてから認証まで",
        "commit": "記録の保存",
        "answer": "照会の回答",
        "select": "　アプリの選択",
        "counter": "　残り回数の確認",
        "verify": "　暗証番号の照合",
        "certificate": "　電子証明書の読み出し",
        "sign": "　署名",
        "end": "　読み取りの終わり",
        "other": "　ほかのカードの見分け",
    },
    device={"card": "マイナンバーカード", "iphone": "iPhone", "android": "Android", "": "選ぶ前に終了"},
    weekdays="月火水木金土日",
)
ENGLISH = ReportWords(
    language="en",
    title="Reception kiosk report",
    day="{weekday} {year}-{month:02}-{day:02}",
    month="{year}-{month:02}",
    made="{clinic}, terminal {terminal}, made {when}, version {version}",
    summary="{visits} visits",
    nothing="There were no visits.",
    visits_by_hour="Visits per hour",
    visits_by_day="Visits per day",
    mean_by_hour="Visits per hour (mean of the {days} days with visits)",
    stages="How long it took",
    stages_note=(
        "The dot: half of the visits took no longer. The line's right end: 95 %. "
        "Read from a histogram, so about; logarithmic scale."
    ),
    stages_head=("", "visits", "mean", "50 %", "90 %", "95 %"),
    lines="Outages and records that waited",
    offline="Minutes in which the service was not reached, {total} in all",
    offline_none="The service was always reached.",
    waiting="Records that waited to be delivered, at most",
    calls="Why staff were called: {total} times",
    calls_none="Staff were not called.",
    devices="What was held to the reader",
    hour_axis="h",
    day_axis="day",
    minutes="{n:.0f} min",
    records="{n}",
    above="> 60 s",
    privacy="Made from counts alone. It holds nothing about any patient.",
    outcomes={
        "verified": "verified",
        "recorded": "recorded, not verified",
        "not_confirmed": "not confirmed",
        "staff_called": "staff called",
        "abandoned": "abandoned",
    },
    reasons={
        "help": "the patient asked",
        "pin_one_left": "stopped before the PIN's last try",
        "pin_blocked": "PIN blocked",
        "certificate_expired": "certificate expired",
        "certificate_refused": "certificate not accepted",
        "not_recorded": "could not be recorded",
        "service_refused": "the service answered with an error",
        "token_fault": "card or phone answers nonsense",
    },
    parts={
        "visit": "whole visit",
        "token": "held to authenticated",
        "commit": "record stored",
        "answer": "answer of the service",
        "select": "\u2003application selected",
        "counter": "\u2003tries asked for",
        "verify": "\u2003PIN verified",
        "certificate": "\u2003certificate read",
        "sign": "\u2003signature",
        "end": "\u2003end of the dialogue",
        "other": "\u2003other cards told apart",
    },
    device={"card": "My Number Card", "iphone": "iPhone", "android": "Android", "": "ended before choosing"},
    weekdays="Mon Tue Wed Thu Fri Sat Sun",
)
LANGUAGES = {"ja": JAPANESE, "en": ENGLISH}


def weekday(words: ReportWords, number: int) -> str:
    """Monday is 0."""
    names = words.weekdays.split() if " " in words.weekdays else list(words.weekdays)
    return names[number]
