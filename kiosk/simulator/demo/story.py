"""The story as a page and as data: `index.html`, `story.json`."""

import html
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

STYLE = """
body { font-family: "BIZ UDPGothic", "Noto Sans CJK JP", sans-serif; margin: 2rem; background: #f4f4f0; }
section { margin: 0 0 2.5rem; } h2 { margin: 0 0 .2rem; } p { margin: .2rem 0 .8rem; color: #333c4c; }
.row { display: flex; flex-wrap: wrap; gap: 10px; } figure { margin: 0; width: 268px; }
img { width: 268px; border: 1px solid #888; } figcaption { font-size: .8rem; color: #333c4c; }
.outcome { font-weight: bold; } .failed { color: #b83400; }
"""


@dataclass
class Chapter:
    """One scenario as it was played."""

    scenario: str
    mode: str
    token: str
    authentication: str
    outcome: str
    screens: list[str]
    stages_ms: dict[str, float]
    apdus: int
    service_requests: int
    sentence: str = field(default="", repr=False)
    pictures: list[str] = field(default_factory=list, repr=False)
    fault: str | None = field(default=None, repr=False)

    def data(self) -> dict[str, object]:
        """The entry of `story.json`."""
        fields = asdict(self)
        for name in ("sentence", "pictures", "fault"):
            fields.pop(name)
        return fields


def write_story(out: Path, chapters: list[Chapter]) -> None:
    """Write `story.json` and `index.html` into `out`."""
    entries = [chapter.data() for chapter in chapters]
    (out / "story.json").write_text(
        json.dumps(entries, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    body = "\n".join(_section(chapter) for chapter in chapters)
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>A day at the kiosk</title>'
        f"<style>{STYLE}</style><h1>A day at the kiosk</h1>"
        "<p>Every picture was drawn by the kiosk's own screen process while it spoke with a virtual reader, "
        "virtual tokens and a simulated service. The persons are invented.</p>"
        f"{body}</html>\n"
    )
    (out / "index.html").write_text(page, encoding="utf-8")


def _section(chapter: Chapter) -> str:
    stages = ", ".join(f"{name} {ms:.0f} ms" for name, ms in chapter.stages_ms.items())
    figures = "".join(
        f'<figure><img src="{html.escape(picture)}" alt="{html.escape(name)}" loading="lazy">'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for picture, name in zip(chapter.pictures, chapter.screens, strict=False)
    )
    failed = f' <span class="failed">{html.escape(chapter.fault)}</span>' if chapter.fault else ""
    return (
        f"<section><h2>{html.escape(chapter.scenario)} <small>{html.escape(chapter.mode)}</small></h2>"
        f"<p>{html.escape(chapter.sentence)} "
        f'<span class="outcome">{html.escape(chapter.outcome)}</span>{failed}'
        f"<br>{chapter.apdus} APDUs, {chapter.service_requests} requests to the service. {stages}</p>"
        f'<div class="row">{figures}</div></section>'
    )
