"""The whole story, played once by `kiosk demo --headless` as a user would, and judged by what it wrote."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygame
import pytest

pytestmark = pytest.mark.slow

FIELDS = [
    "scenario",
    "mode",
    "token",
    "authentication",
    "outcome",
    "screens",
    "stages_ms",
    "apdus",
    "service_requests",
]
HOME, QUALIFICATION = "home_consent", "qualification_only"

#: The scenarios that the demo promises, in order, with their outcome.
AT_HOME = {
    "card-pin": "verified",
    "iphone": "verified",
    "android-pin": "verified",
    "consent-refused": "verified",
    "consent-item-by-item": "verified",
    "consent-as-registered": "verified",
    "wrong-pin-then-right": "verified",
    "pin-one-left": "staff_called",
    "pin-blocked": "staff_called",
    "removed-mid-read-then-again": "verified",
    "wrong-token": "verified",
    "iphone-not-authenticated": "verified",
    "visual-check": "verified",
    "other-device": "verified",
    "validity-1": "verified",
    "validity-2": "not_confirmed",
    "validity-3": "not_confirmed",
    "validity-4": "not_confirmed",
    "validity-5": "not_confirmed",
    "validity-6": "not_confirmed",
    "certificate-expired": "staff_called",
    "service-down": "recorded",
    "service-back": "answered",
    "answer-lost": "recorded",
    "idle-timeout": "abandoned",
    "reader-unplugged": "out_of_service",
    "leftover-card": "verified",
}
ELSEWHERE = {"card-pin": "verified", "iphone": "verified", "android-pin": "verified"}
PROMISED = [(name, HOME, outcome) for name, outcome in AT_HOME.items()] + [
    (name, QUALIFICATION, outcome) for name, outcome in ELSEWHERE.items()
]

Chapter = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What one run left behind."""

    folder: Path
    lines: list[str]
    chapters: list[Chapter]

    def chapter(self, name: str, mode: str = HOME) -> Chapter:
        return next(c for c in self.chapters if (c["scenario"], c["mode"]) == (name, mode))


def run_demo(*words: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `kiosk demo` to its end, without a display unless one is given."""
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**env, **environ},
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("story")
    began = time.monotonic()
    done = run_demo("--headless", "--out", str(folder))
    print(f"the story took {time.monotonic() - began:.1f} s (goal: 60 s)\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
    return Told(folder, done.stdout.splitlines(), json.loads((folder / "story.json").read_text()))


def test_every_promised_scenario_was_played_and_ended_as_promised(told: Told) -> None:
    played = [(c["scenario"], c["mode"], c["outcome"]) for c in told.chapters]
    assert set(PROMISED) <= set(played)
    assert len(played) == len(set(played))


def test_each_chapter_has_exactly_the_promised_fields(told: Told) -> None:
    for chapter in told.chapters:
        assert list(chapter) == FIELDS
        assert all(isinstance(name, str) for name in chapter["screens"])
        assert all(isinstance(ms, float) and ms >= 0 for ms in chapter["stages_ms"].values())
        assert chapter["apdus"] >= 0
        assert chapter["service_requests"] >= 0


def test_each_chapter_goes_from_start_to_start_over_the_screens_of_its_outcome(told: Told) -> None:
    for chapter in told.chapters:
        assert (chapter["screens"][0], chapter["screens"][-1]) == ("start", "start")
        assert {"starting", "(no screen)"}.isdisjoint(chapter["screens"])
        if chapter["outcome"] in ("verified", "not_confirmed", "recorded", "staff_called"):
            assert chapter["screens"][-2] == chapter["outcome"]


def test_an_authentication_has_stage_times_and_apdus(told: Told) -> None:
    for chapter in told.chapters:
        if chapter["outcome"] in ("verified", "not_confirmed", "recorded"):
            stages = {"select", "token", "certificate", "commit", "visit"}
            stages |= {"pin": {"verify", "sign"}, "phone": {"sign"}, "visual": set()}[
                chapter["authentication"]
            ]
            assert stages <= set(chapter["stages_ms"])
            assert chapter["apdus"] >= 8
    for name in ("pin-one-left", "pin-blocked"):
        assert "verify" not in told.chapter(name)["stages_ms"]
        assert told.chapter(name)["apdus"] > 0


def test_the_service_is_asked_when_it_is_there_and_only_then(told: Told) -> None:
    assert told.chapter("card-pin")["service_requests"] >= 2  # challenge and qualification
    assert told.chapter("service-down")["service_requests"] == 0
    assert told.chapter("service-back")["service_requests"] >= 1


def test_refusals_and_detours_show_their_own_screens(told: Told) -> None:
    shown = {c["scenario"]: c["screens"] for c in told.chapters if c["mode"] == HOME}
    assert shown["consent-item-by-item"].count("consent_items") == 4
    assert "pin_wrong" in shown["wrong-pin-then-right"]
    assert "again" in shown["removed-mid-read-then-again"]
    assert shown["removed-mid-read-then-again"].count("pin") == 1
    assert "wrong_token" in shown["wrong-token"]
    assert "authenticate_on_phone" in shown["iphone-not-authenticated"]
    assert "pin" not in shown["iphone"]
    assert "staff_passcode" in shown["visual-check"]
    assert "other_device" in shown["other-device"]
    assert "still_there" in shown["idle-timeout"]
    assert "out_of_service" in shown["reader-unplugged"]
    assert "consent" not in told.chapter("card-pin", QUALIFICATION)["screens"]


def test_every_screen_has_its_picture_and_the_page_shows_it(told: Told) -> None:
    page = (told.folder / "index.html").read_text()
    for chapter in told.chapters:
        folder = f"{chapter['mode']}-{chapter['scenario']}"
        pictures = sorted(path.name for path in (told.folder / folder).glob("*.png"))
        assert pictures == [f"{i:02}-{name}.png" for i, name in enumerate(chapter["screens"], 1)]
        for name in pictures:
            assert f'src="{folder}/{name}"' in page
    assert set(re.findall(r'src="([^"]+)"', page)) <= {
        str(path.relative_to(told.folder)) for path in told.folder.rglob("*.png")
    }


def test_every_picture_is_a_full_screen_of_more_than_one_colour(told: Told) -> None:
    for path in told.folder.rglob("*.png"):
        picture = pygame.image.load(str(path))
        assert picture.get_size() == (800, 480), path
        colours = {tuple(picture.get_at((x, y))) for x in range(0, 800, 7) for y in range(0, 480, 7)}
        assert len(colours) > 2, path


def test_the_pin_picture_shows_that_digits_were_typed_and_never_which(told: Told) -> None:
    right = sorted((told.folder / f"{HOME}-card-pin").glob("*-pin.png"))
    wrong = sorted((told.folder / f"{HOME}-wrong-pin-then-right").glob("*-pin.png"))
    assert right[0].read_bytes() == wrong[0].read_bytes()  # 1234 and 9999 look the same


def test_each_scenario_prints_one_line_of_progress(told: Told) -> None:
    lines = [line.split()[0] for line in told.lines[:-1]]
    assert lines == [chapter["scenario"] for chapter in told.chapters]
    assert str(told.folder / "index.html") in told.lines[-1]


def test_one_scenario_alone_leaves_other_files_of_the_folder_in_peace(tmp_path: Path) -> None:
    mine = tmp_path / "my_notes-2025"
    mine.mkdir()
    done = run_demo("--headless", "--out", str(tmp_path), "--only", "reader-unplugged")
    assert done.returncode == 0, done.stdout + done.stderr
    assert mine.is_dir()
    assert [c["scenario"] for c in json.loads((tmp_path / "story.json").read_text())] == ["reader-unplugged"]


def test_without_a_display_it_says_so_and_tells_the_story_into_demo_out(tmp_path: Path) -> None:
    done = run_demo("--only", "reader-unplugged", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no display" in done.stdout.splitlines()[0]
    assert (tmp_path / "demo-out" / "index.html").is_file()


def test_an_unknown_scenario_is_named_and_is_a_fault_of_usage() -> None:
    done = run_demo("--headless", "--only", "no-such-thing")
    assert done.returncode == 2
    assert "no-such-thing" in done.stderr
    assert "Traceback" not in done.stderr
