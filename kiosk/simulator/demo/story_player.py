"""Plays the story and keeps what was seen."""

import time
from collections.abc import Callable, Iterable

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo import Demo
from kiosk.simulator.demo.hand import RESULTS, Hand
from kiosk.simulator.demo.scenarios import Scenario
from kiosk.simulator.demo.screen_hand import ScreenHand, StoryError
from kiosk.simulator.demo.story import Chapter
from kiosk.simulator.field.field_client import FieldRefusedError
from kiosk.simulator.service.service_control import ControlError

Tell = Callable[[str], None]


def chapter_folder(mode: Mode, scenario: Scenario) -> str:
    """Where a chapter's pictures lie, below the story's folder."""
    return f"{mode.value}-{scenario.name}"


def play(demo: Demo, scenarios: Iterable[Scenario], tell: Tell) -> list[Chapter]:
    """Play every scenario in its modes; mode by mode, so that the screen process starts twice only."""
    chapters: list[Chapter] = []
    wanted = list(scenarios)
    client = ScreenHand(demo.place.story_socket)
    try:
        with demo.field() as field:
            for mode in Mode:
                mine = [scenario for scenario in wanted if mode in scenario.modes]
                if not mine:
                    continue
                if demo.mode is not mode:
                    met = client.sessions
                    demo.set_mode(mode)
                    client.wait_for_another(met)
                hand = demo.hand(client, field)
                for scenario in mine:
                    chapters.append(play_one(hand, scenario, tell))
    finally:
        client.close()
    return chapters


def play_one(hand: Hand, scenario: Scenario, tell: Tell) -> Chapter:
    """Play one scenario from start screen to start screen."""
    began = time.monotonic()
    chapter = Chapter(
        scenario=scenario.name,
        mode=hand.mode.value,
        token=scenario.token,
        authentication=scenario.authentication,
        outcome="failed",
        screens=[],
        stages_ms={},
        apdus=0,
        service_requests=0,
        sentence=(scenario.play.__doc__ or "").strip(),
    )
    try:
        hand.field.reset()
        hand.screen.wait_for("start")
        hand.settle()
        hand.screen.ask(chapter=chapter_folder(hand.mode, scenario))
        hand.screen.forget()
        apdus, requests = hand.field.ask("apdus")["count"], hand.service.requests()
        chapter.outcome = scenario.play(hand)
        result = [shown for shown in hand.screen.shown if shown.name in RESULTS]
        hand.leave()
        chapter.apdus = hand.field.ask("apdus")["count"] - apdus
        chapter.service_requests = hand.service.requests() - requests
        chapter.stages_ms = result[-1].stages_ms if result else {}
        if chapter.outcome != scenario.outcome:
            chapter.fault = f"should have ended in {scenario.outcome}"
    except (StoryError, FieldRefusedError, ControlError, OSError) as fault:
        chapter.fault = str(fault)
        hand.mend()
    chapter.screens = hand.screen.names()
    if chapter.fault is None:
        chapter.pictures = hand.screen.ask(flush=True)["pictures"]
    mark = "ok" if chapter.fault is None else f"FAILED: {chapter.fault}"
    tell(
        f"{scenario.name:28} {hand.mode.value:18} {chapter.outcome:14} "
        f"{time.monotonic() - began:5.1f} s  {mark}"
    )
    return chapter
