"""What the desk does about each outcome, and what to mend: the words of the staff's screens, as Markdown."""

from kiosk.qualification.guidance import RULES, RecordFinding, Rule, Way, all_steps
from kiosk.qualification.terms import FallbackReason
from kiosk.screens.pages.staff.menu_page import FAULTS
from kiosk.screens.words.catalogue import Catalogues
from kiosk.visit.states import CallReason, OutOfServiceReason
from kiosk.visit.views.staff_views import Part

PHRASE_BREAK = "\u200b"  #: the catalogues mark where a line may break; a book breaks its own lines

#: How the claim is made, by what the desk knows: current number, else the old one, else 「不詳」
#: ([S] media.shaho.co.jp n42fbe7fcbc00, quoting the notice). The kiosk itself makes no claims.
NORMAL = "現在の番号で、ふつうに請求します"
UNKNOWN = (
    "現在の番号が分かれば、ふつうに請求します。分からなければ旧資格の番号、"
    "それも無ければ{ref}`「不詳」 <claim-unknown>`"
)
CLAIM: dict[RecordFinding, str] = {
    RecordFinding.VALID: NORMAL,
    RecordFinding.INVALID: UNKNOWN,
    RecordFinding.INVALID_NEW_EXISTS: "新しい資格の番号で請求します。分からなければ旧資格の番号",
    RecordFinding.NOT_FOUND: UNKNOWN,
    RecordFinding.SEVERAL: "たずねて照会できた保険者の番号で請求します",
    RecordFinding.VALID_NOT_REGISTERED: "医療扶助。福祉事務所が発行する医療券で請求します",
    RecordFinding.RECORDED: "あとから届く答えで決まります。届かないときは「該当資格なし」と同じです",
    RecordFinding.REJECTED: UNKNOWN,
    RecordFinding.EXPIRED: UNKNOWN,
}
#: The value of QualificationValidity (別紙5-1 OQSCD006); what has none came without an answer.
CODE = {
    RecordFinding.VALID: "1",
    RecordFinding.INVALID: "2",
    RecordFinding.INVALID_NEW_EXISTS: "3",
    RecordFinding.NOT_FOUND: "4",
    RecordFinding.SEVERAL: "5",
    RecordFinding.VALID_NOT_REGISTERED: "6",
}


SUPPORT = "窓口で対応し、サポートに連絡します"
CALLED: dict[CallReason, str] = {
    CallReason.HELP: "患者さんのところへ行きます",
    CallReason.PIN_ONE_LEFT: "暗証番号はもう入れません。目視確認（カードだけ）にするか、別のカード・スマホで",
    CallReason.PIN_BLOCKED: "目視確認（カードだけ）にします。番号は市区町村の窓口で直してもらいます",
    CallReason.CERTIFICATE_EXPIRED: (
        "カードは、期限後 3 か月は資格の確認にだけ使えます。スマホはすぐに使えません。"
        "{ref}`資格を確かめる順番 <ways>`へ"
    ),
    CallReason.CERTIFICATE_REFUSED: "{ref}`資格を確かめる順番 <ways>`で確かめます",
    CallReason.SERVICE_REFUSED: "{ref}`資格を確かめる順番 <ways>`で確かめます",
    CallReason.NOT_RECORDED: "このキオスクでは受け付けられていません。" + SUPPORT,
    CallReason.TOKEN_FAULT: "もう一度受付してもらいます。だめなら別のカード・スマホか、目視確認で",
}
CLOSED: dict[OutOfServiceReason, str] = {
    OutOfServiceReason.READER: "読み取り機の USB を差しなおします",
    OutOfServiceReason.OUTBOX_FULL: "LAN の線とルーターを確かめます。送れると、また使えます",
    OutOfServiceReason.STARTING: "2 分待ちます",
}


def say(catalogues: Catalogues, key: str, **values: object) -> str:
    return catalogues.text("ja", key, **values).replace(PHRASE_BREAK, "").replace("\n", " ")


def outcomes(catalogues: Catalogues) -> str:
    """One section for each thing that the desk can be told."""
    out = []
    for found in RecordFinding:
        title = say(catalogues, f"found.{found.value}")
        code = f"（資格有効性 {CODE[found]}）" if found in CODE else ""
        steps = [
            f"{n}. {say(catalogues, f'step.{step.value}')}" for n, step in enumerate(all_steps(found), 1)
        ]
        file = f"made/screens/staff_case_{found.value}.png"
        picture = f"```{{image}} {file}\n:alt: {title}の画面\n:class: screen\n```"
        out += [
            f"## {title}{code}",
            picture,
            "**窓口ですること**",
            "\n".join(steps),
            f"**請求** {CLAIM[found]}。",
        ]
    return "\n\n".join(out) + "\n"


def _days(rule: Rule) -> str:
    day = "{0.year} 年 {0.month} 月 {0.day} 日"
    begins = f"{day.format(rule.begins)}から" if rule.begins else ""
    ends = f"{day.format(rule.ends)}まで" if rule.ends else ""
    return begins + ends or "期限なし"


def ways_by_date(catalogues: Catalogues) -> str:
    """How the qualification is shown when it cannot be looked up, in the official order."""
    rows = [f"| {n} | {_way(catalogues, rule.way)} | {_days(rule)} |" for n, rule in enumerate(RULES, 1)]
    return "\n".join(("| 順番 | 確かめ方 | 使える期間 |", "|---|---|---|", *rows, ""))


def _way(catalogues: Catalogues, way: Way) -> str:
    return say(catalogues, f"way.{way.value}")


def troubles(catalogues: Catalogues) -> str:
    """What the daily check says, what the patient's screen says, and the reasons of fallback operation."""
    sentences: dict[str, list[str]] = {}
    for (part, _), key in FAULTS.items():
        name = say(catalogues, f"check.part.{part.value}")
        line = say(catalogues, key, value="○")
        if line not in sentences.setdefault(name, []):
            sentences[name].append(line)
    rows = [f"| {name} | {line} |" for name, lines in sentences.items() for line in lines]
    other = say(catalogues, f"check.part.{Part.UNKNOWN.value}")
    rows.append(f"| {other} | ほかのことばが出たら、サポートに連絡してください。 |")
    calls = [
        f"| {say(catalogues, f'staff_called.{reason.value}')} | {CALLED.get(reason, SUPPORT)} |"
        for reason in CallReason
    ]
    closed = [
        f"| {say(catalogues, f'out_of_service.{reason.value}')} | {CLOSED.get(reason, SUPPORT)} |"
        for reason in OutOfServiceReason
        if reason is not OutOfServiceReason.MAINTENANCE  # ends by itself, and says so in words of its own
    ]
    reasons = [_reason(catalogues, reason) for reason in FallbackReason]
    return "\n".join(
        (
            "## 「本日の点検」に出ることば\n",
            "| どこ | 何が起きていて、どう直すか |\n|---|---|",
            *rows,
            "\n## 患者さんの画面が「係員がうかがいます」になったとき\n",
            "| 画面のことば | 窓口ですること |\n|---|---|",
            *dict.fromkeys(calls),
            "\n## 「ただいま使えません」になったとき\n",
            "| 画面のことば | すること |\n|---|---|",
            *dict.fromkeys(closed),
            "\n## 予備の方法の理由と、すること\n",
            "| 理由 | すること |\n|---|---|",
            *reasons,
            "",
        )
    )


def _reason(catalogues: Catalogues, reason: FallbackReason) -> str:
    name, what = (say(catalogues, f"{key}.{reason.value}") for key in ("fallback", "fallback.do"))
    return f"| {name} | {what} |"
