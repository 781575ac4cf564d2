"""What the four lights do, from the patterns that the kiosk plays."""

from kiosk.indicators.patterns import PATTERNS, Levels, Pattern

MEANING = {
    "off": "画面を見てください",
    "idle": "使えます",
    "idle_fallback": "使えます（予備の方法）",
    "hold": "ここにかざしてください",
    "presented": "何か置かれました",
    "answered": "カードかスマホが答えました",
    "may_remove": "取ってだいじょうぶです",
    "verified": "確認できました",
    "recorded": "お預かりしました",
    "refused": "いまは受け付けません",
    "hold_again": "もういちどかざしてください",
    "call": "係員を呼んでいます",
    "ask": "続けますか",
    "out_of_service": "使えません",
    "test_lights": "ランプのテスト",
    "test_buzzer": "ブザーのテスト",
}


def lights() -> str:
    """A table: what is lit, how, and what it means."""
    rows = [f"| {_lit(p)} | {_sound(p)} | {MEANING.get(p.name, p.name)} |" for p in PATTERNS]
    return "\n".join(("| ランプ（左から 1・2・3・4） | 音 | 意味 |", "|---|---|---|", *rows, ""))


def _shown(levels: Levels) -> str:
    return " ".join("●" if level else "○" for level in levels)


def _any(pattern: Pattern) -> Levels:
    one, two, three, four = (any(step.levels[n] for step in pattern.lights) for n in range(4))
    return one, two, three, four


def _lit(pattern: Pattern) -> str:
    """The lights that are on at some time, and whether they stay."""
    ever = _any(pattern)
    if len(pattern.lights) == 1:
        return f"{_shown(ever)} {'ついたまま' if any(ever) else ''}".strip()
    if pattern.lights_again is None and len(pattern.lights) == 2:
        return f"{_shown(ever)} {pattern.lights[0].seconds:g} 秒つく"
    if pattern.lights_again is None and any(pattern.lights[-1].levels):
        return f"{_shown(ever)} 点滅のあと {_shown(pattern.lights[-1].levels)}"
    return f"{_shown(ever)} 点滅"


def _sound(pattern: Pattern) -> str:
    tones = sum(tone.hz is not None for tone in pattern.tones)
    return "なし" if not tones else f"{tones} 回" + ("、くり返し" if pattern.tones_again is not None else "")
