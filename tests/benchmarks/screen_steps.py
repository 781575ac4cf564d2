"""How long the screen process's loop is busy at a stretch, over whole visits in the demo."""

import json
import sys

from kiosk.simulator.demo.demo_folder import DemoFolder
from kiosk.simulator.demo.household import Household
from tests.benchmarks.demo import DUMMY, OpenDemo, one_visit, open_demo
from tests.benchmarks.row import Lab, Measured, at_most, row
from tests.benchmarks.screen_probe import LIMIT_MS

VISITS = 4


def _swap_screen(open_: OpenDemo, out: str) -> None:
    """Put the timed screen process in the place of the demo's."""
    place: DemoFolder = open_.demo.place
    household: Household = open_.demo.household
    household.stop("screen")
    argv = [sys.executable, "-m", "tests.benchmarks.screen_probe", "--out", out]
    argv += ["--config", str(place.settings(open_.hand.mode)), "--folder", str(place.folder)]
    met = open_.client.sessions
    household.start("screen", argv, DUMMY)
    open_.client.wait_for_another(met)


@row("screen_block_max_ms", "ms", goal=at_most(LIMIT_MS))
def screen_block_max(lab: Lab) -> Measured:
    """The longest step of the loop less its wait for messages."""
    open_ = lab.once(open_demo)
    out = open_.demo.place.folder / "steps.json"
    _swap_screen(open_, str(out))
    for _ in range(VISITS):
        one_visit(open_)
    open_.demo.household.stop("screen")
    told = json.loads(out.read_text(encoding="utf-8"))
    steps = "; ".join(
        f"{step['ms']:.1f} ({step['cpu_ms']:.1f} CPU) in {step['from'] or 'nothing'} → {step['to']}"
        for step in told["longest"]
    )
    return Measured(
        told["longest"][0]["ms"],
        f"wall time of ScreenApp.step less its select, over {VISITS} card-pin visits from the process's "
        "first step on: messages, machine, sealing, LEDs, touches, layout, drawing, dummy flip, telling "
        f"the demo; {told['too_long']} of {told['steps']} steps above {LIMIT_MS:g}; the longest: {steps}",
    )
