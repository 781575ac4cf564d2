"""`kiosk report`: figures that are right, one file that needs nothing else, and nobody in it."""

import re
import subprocess
import sys
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kiosk.box.clock import JAPAN
from kiosk.channel import DayCounts, HourCounts, StageCounts
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Outcome
from kiosk.report import charts
from kiosk.report.figures import OUTCOMES, PARTS, days_of, figures, percentile
from kiosk.report.report_page import Heading, page
from kiosk.report.report_words import LANGUAGES
from kiosk.uploader.store.database import PRAGMAS, Database
from kiosk.visit.states import CallReason
from tests.report.month import STAGES, a_month, fill
from tests.uploader.updates.bundles import Box
from tests.uploader.updates.updating import Place, make_place
from tests.uploader.world import Token

HEADING = Heading(clinic="架空クリニック <1>", terminal="K001", when="2026-11-01 08:00", version="1.1.0")
BOUNDS = (100, 1_000, 10_000)


def day(date: str, *hours: HourCounts, stages: tuple[StageCounts, ...] = ()) -> DayCounts:
    visits = sum(sum(hour.outcomes.values()) for hour in hours)
    return DayCounts(
        day=date,
        hours=hours,
        bounds_ms=BOUNDS,
        stages=stages,
        devices={"card": visits} if visits else {},
        authentications={"pin": visits} if visits else {},
    )


NINE = HourCounts(
    hour=9, outcomes={"verified": 8, "recorded": 2}, calls={"help": 1}, offline_s=90, waiting_most=4
)
TEN = HourCounts(hour=10, outcomes={"verified": 5}, offline_s=30)


class Outline(HTMLParser):
    """Tags that are open when the file ends, and what it wants from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.foreign: list[str] = []
        self.drawings = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.drawings += tag == "svg"
        if tag in ("script", "link", "img", "iframe", "object", "base"):
            self.foreign.append(tag)
        self.foreign += [f"{tag} {name}" for name, _ in attrs if name == "http-equiv"]
        self.foreign += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_day_is_told_by_its_hours() -> None:
    found = figures([day("2026-11-25", NINE, TEN)])
    assert found.visits == 15
    assert {slot.label: slot.visits for slot in found.slots if slot.visits} == {"9": 10, "10": 5}
    assert [slot.label for slot in found.slots][0::10] == ["8", "18"], "the usual hours are always there"
    assert (found.offline_minutes, found.waiting_most) == (2.0, 4)
    assert found.calls == {"help": 1}


def test_a_month_is_told_by_its_days() -> None:
    found = figures([day("2026-11-24", NINE), day("2026-11-25"), day("2026-11-26", NINE, TEN)])
    assert [slot.visits for slot in found.slots] == [10, 0, 15]
    assert found.days_open == 2
    assert found.by_hour[9] == 10.0, "the mean of the days with visits"


def test_what_happens_at_night_widens_the_axis() -> None:
    late = HourCounts(hour=22, outcomes={"verified": 1})
    assert figures([day("2026-11-25", late)]).slots[-1].label == "22"


@pytest.mark.parametrize(
    ("histogram", "share", "value"),
    [
        ((10, 0, 0, 0), 50, 50.0),
        ((0, 10, 0, 0), 50, 550.0),
        ((5, 5, 0, 0), 50, 100.0),
        ((5, 5, 0, 0), 90, 820.0),
        ((0, 0, 0, 3), 50, None),
        ((9, 0, 0, 1), 90, 100.0),
        ((9, 0, 0, 1), 95, None),
    ],
)
def test_percentiles_are_read_out_of_the_histogram(
    histogram: tuple[int, ...], share: int, value: float | None
) -> None:
    assert percentile(histogram, BOUNDS, share) == (None if value is None else pytest.approx(value))


def test_stages_come_in_their_order() -> None:
    stages = tuple(StageCounts(name=n, counts=(1, 0, 0, 0), sum_ms=50) for n in ("zeta", "answer", "visit"))
    assert [stage.name for stage in figures([day("2026-11-25", NINE, stages=stages)]).stages] == [
        "visit",
        "answer",
        "zeta",
    ]


@pytest.mark.parametrize(("highest", "top", "step"), [(0, 1, 1), (3, 3, 1), (36, 40, 10), (3817, 4000, 1000)])
def test_an_axis_ends_round(highest: float, top: float, step: float) -> None:
    assert charts.nice(highest) == (top, step)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_counters_has_its_words(language: str) -> None:
    words = LANGUAGES[language]
    assert set(words.outcomes) == set(OUTCOMES) == {outcome.value for outcome in Outcome}
    assert set(words.reasons) == {reason.value for reason in CallReason}
    assert set(words.device) == {device.value for device in Device} | {""}
    assert set(words.parts) >= set(PARTS)
    assert set(charts.FILLS) == set(OUTCOMES)
    assert len(set(charts.FILLS.values())) == len(OUTCOMES), "none is told by colour alone"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_needs_nothing_from_elsewhere(language: str) -> None:
    text = page(figures([day("2026-11-25", NINE, TEN)]), HEADING, LANGUAGES[language])
    outline = Outline(text)
    assert outline.foreign == []
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert outline.drawings >= 5
    assert "架空クリニック <1>" in "".join(outline.text), "what people wrote is text, not markup"


def test_a_period_without_visits_says_so() -> None:
    text = page(figures([day("2026-11-22")]), HEADING, LANGUAGES["ja"])
    assert "受付はありません" in text
    assert "受付に使われたもの" not in text


@pytest.fixture
def place(tmp_path: Path, box: Box) -> Place:
    return make_place(tmp_path, box)


def report(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", "report", "--config", str(place.config), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_tells_a_month_of_a_kiosk(place: Place, token: Token) -> None:
    counts = a_month("2026-10", 3_000)
    database = Database(place.folder / "outbox.sqlite", PRAGMAS)
    fill(database, counts)
    database.close()
    out = place.folder / "report.html"
    running = place.start(token)
    try:
        with running.screen():
            done = report(place, "--month", "2026-10", "--out", str(out))
            assert done.returncode == 0, done.stderr
            one = report(place, "--day", "2026-10-13", "--out", str(place.folder / "day.html"))
            assert one.returncode == 0, one.stderr
    finally:
        running.kill()
    text = out.read_text(encoding="utf-8")
    assert "受付 3,000 件" in text
    assert f"合計 {sum(counts.calls.values())} 回" in text
    assert "合計 118分" in text, "the outage of the 13th and the short one of the 24th"
    assert all(LANGUAGES["ja"].parts[stage] in text for stage in STAGES)
    assert len(text) < 2_000_000
    assert "合計 115分" in (place.folder / "day.html").read_text(encoding="utf-8")


def test_the_timer_writes_what_is_missing_and_nothing_twice(place: Place, token: Token) -> None:
    folder = place.folder / "reports"
    folder.mkdir()
    assert "off" in report(place, "--missing").stdout
    with place.config.open("a", encoding="utf-8") as settings:
        settings.write('[report]\nfolder = "reports"\n')
    today = datetime.now(JAPAN).date()
    yesterday, last_month = today - timedelta(days=1), today.replace(day=1) - timedelta(days=1)
    database = Database(place.folder / "outbox.sqlite", PRAGMAS)
    with database.writing():
        for one in {yesterday, last_month}:
            hour = f"{one.isoformat()}T10"
            database.rows(
                "INSERT INTO hourly VALUES (?, 'verified', 'home_consent', 'card', 'pin', 3)", (hour,)
            )
    database.close()
    running = place.start(token)
    try:
        with running.screen():
            assert report(place, "--missing").returncode == 0
            written = {path.name for path in folder.iterdir()}
            wanted = {f"report-{yesterday}.html", f"report-{last_month.isoformat()[:7]}.html"}
            assert wanted <= written <= wanted | {f"report-{last_month}.html"}
            assert report(place, "--missing").stdout == "", "nothing is missing any more"
            folder.rename(folder.with_name("away"))
            assert report(place, "--missing").stderr.splitlines() == [
                f"Error: {folder}: No such file or directory; the next try is the timer's"
            ]
    finally:
        running.kill()


@pytest.mark.parametrize(
    "words", [("--day", "yesterday"), ("--month", "2026-13"), ("--day", "2026-11-25", "--month", "2026-11")]
)
def test_a_period_that_is_none_is_refused(place: Place, words: tuple[str, ...]) -> None:
    done = report(place, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_days_of_a_month() -> None:
    days = days_of(*(figures([day(d)]).days[0] for d in ("2026-02-01", "2026-02-28")))
    assert len(days) == 28
