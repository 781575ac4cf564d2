"""The screen process in a real window on an X server (Xvfb), worked with the mouse through whole visits."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.simulator.demo.demo_folder import PIN
from tests.benchmarks.demo import OpenDemo, cpu_percent, open_demo, rollup_kb
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, percentile, row, spread
from tests.system.xserver import XServer, x_server

VISITS = 4
GUARD_S = 0.3  #: the screen's own is 0.25
PATIENCE_S = 20.0
#: Xvfb has no graphics processor: SDL would have Mesa compute one, and its work and memory would be measured.
SOFTWARE = {"SDL_FRAMEBUFFER_ACCELERATION": "0"}


@dataclass
class Window:
    """The window and the hand at it; counts what it touched since the visit began."""

    xserver: XServer
    out: Path
    open: OpenDemo
    touches: list[str] = field(default_factory=list)

    def shown(self) -> list[dict[str, Any]]:
        """Every picture so far."""
        text = self.out.read_text(encoding="utf-8") if self.out.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def wait(self, reached: Callable[[list[dict[str, Any]]], bool], what: str) -> dict[str, Any]:
        """The newest picture once something is so."""
        end = time.monotonic() + PATIENCE_S
        while not (found := self.shown()) or not reached(found):
            if time.monotonic() > end:
                raise Unmeasured(f"the window never showed {what}; it shows {found[-1:]}")
            time.sleep(0.01)
        return found[-1]

    def wait_for(self, name: str) -> dict[str, Any]:
        return self.wait(lambda found: found[-1]["name"] == name, name)

    def click(self, target: str, on: str) -> None:
        """Click a target once its picture has stood long enough, and wait until it has changed."""
        picture = self.wait_for(on)
        time.sleep(GUARD_S)
        seen = len(self.shown())
        self.xserver.click(*picture["targets"][target])
        self.touches.append(target)
        self.wait(lambda found: len(found) > seen, f"an answer to {target}")


@dataclass(frozen=True)
class Visits:
    """What was touched on the way to the reader, by device, and how quickly every touch was answered."""

    touches: dict[str, list[str]]
    answers_ms: list[float]
    cpu_ms: list[float]  #: of them, what the process itself computed


def window(lab: Lab) -> Window:
    """Put the clinic's screen process with a window into the place of the demo's."""
    open_ = lab.once(open_demo)
    xserver = lab.enter(x_server())
    out = lab.subfolder("window") / "shown.jsonl"
    household = open_.demo.household
    household.stop("screen")
    argv = [sys.executable, "-m", "tests.benchmarks.window_probe", "--out", str(out)]
    argv += ["--config", str(open_.demo.place.settings(open_.hand.mode))]
    household.start("screen", argv, {**xserver.environ, **SOFTWARE})
    made = Window(xserver, out, open_)
    made.wait_for("start")
    return made


def visits(lab: Lab) -> Visits:
    """Cards and iPhones by turns, each to its end."""
    hand = lab.once(window)
    touches: dict[str, list[str]] = {}
    for device in ("card", "iphone") * VISITS:
        hand.touches.clear()
        hand.click("start", on="start")
        hand.click("all", on="consent")
        hand.click(device, on="device")
        if device == "card":
            for digit in PIN:
                hand.click(f"digit_{digit}", on="pin")
            hand.click("ok", on="pin")
        hand.wait_for("hold")
        touches[device] = list(hand.touches)
        hand.open.field.tap(device)
        hand.wait_for("verified")
        hand.open.field.remove()
        hand.click("finish", on="verified")
        hand.wait_for("start")
    answered = [each for each in hand.shown() if each["ms"] is not None]
    return Visits(touches, [each["ms"] for each in answered], [each["cpu_ms"] for each in answered])


@row("touch_to_screen_p95_ms", "ms", goal=at_most(16))
def touch_to_screen(lab: Lab) -> Measured:
    """Touch event received → next screen flipped, in the window."""
    done = lab.once(visits)
    driver = lab.once(window).shown()[0]["driver"]
    return Measured(
        percentile(done.answers_ms, 95),
        f"SDL {driver} on Xvfb, the clinic's own screen process, mouse by xdotool; event taken from SDL → "
        f"next picture flipped, {spread(done.answers_ms)} touches in {2 * VISITS} visits; "
        f"of it computed by the process p95 {percentile(done.cpu_ms, 95):.1f}; not in it: "
        "up to one tick of 16.7 ms until SDL is asked",
    )


def _touches(lab: Lab, device: str) -> Measured:
    made = lab.once(visits).touches[device]
    digits = [each for each in made if each.startswith("digit_")]
    others = [each for each in made if each not in digits]
    return Measured(len(others), f"start → hold: {', '.join(others)}; and {len(digits)} digits")


@row("touches_card_visit", "touches", goal=at_most(4))
def touches_card(lab: Lab) -> Measured:
    """What a visit with card and PIN asks of the hand, digits apart."""
    return _touches(lab, "card")


@row("touches_iphone_visit", "touches", goal=at_most(3))
def touches_iphone(lab: Lab) -> Measured:
    """What a visit with an iPhone asks of the hand."""
    return _touches(lab, "iphone")


@row("screen_idle_cpu_percent", "% of core", goal=at_most(1))
def screen_idle_cpu(lab: Lab) -> Measured:
    """The screen process while nobody is there."""
    hand = lab.once(window)
    lab.once(visits)
    time.sleep(6.0)  # after a visit its pages are drawn ahead again
    percent = cpu_percent(hand.open.demo.household.pid("screen"))
    return Measured(percent, "start screen, window on Xvfb; touches are looked for 25 times a second")


@row("screen_pss_mb", "MB", goal=at_most(80))
def screen_pss(lab: Lab) -> Measured:
    """The screen process's share of memory after visits."""
    hand = lab.once(window)
    lab.once(visits)
    found = rollup_kb(hand.open.demo.household.pid("screen"))
    private = (found["Private_Clean"] + found["Private_Dirty"]) / 1024
    return Measured(
        found["Pss"] / 1024,
        f"SDL x11; private {private:.1f}, RSS {found['Rss'] / 1024:.1f}; both fonts mapped",
    )
