"""How long the screen process's loop is busy at a stretch, over whole visits on the desk."""

import json
import sys

from kiosk.simulator.demo.household import Household
from kiosk.simulator.demo.place import DemoFolder
from tests.benchmarks.desk import DUMMY, OpenDemo, one_visit, open_desk
from tests.benchmarks.row import Lab, Measured, at_most, row
from tests.benchmarks.screen_probe import LIMIT_MS

VISITS = 4


def _swap_screen(open_: OpenDemo, out: str) -> None:
    """Put the timed screen process in the place of the desk's."""
    place: DemoFolder = open_.desk.place
    household: Household = open_.desk.household
    household.stop("screen")
    argv = [sys.executable, "-m", "tests.benchmarks.screen_probe", "--out", out]
    argv += ["--config", str(place.settings(open_.hand.mode)), "--folder", str(place.folder)]
    met = open_.client.sessions
    household.start("screen", argv, DUMMY)
    open_.client.wait_for_another(met)


@row("screen_block_max_ms", "ms", goal=at_most(LIMIT_MS))
def screen_block_max(lab: Lab) -> Measured:
    """The longest step of the loop less its wait for messages."""
    open_ = lab.once(open_desk)
    out = open_.desk.place.folder / "steps.json"
    _swap_screen(open_, str(out))
    for _ in range(VISITS):
        one_visit(open_)
    open_.desk.household.stop("screen")
    told = json.loads(out.read_text(encoding="utf-8"))
    steps = "; ".join(
        f"{step['ms']:.1f} ({step['cpu_ms']:.1f} CPU) in {step['from'] or 'nothing'} → {step['to']}"
        for step in told["longest"]
    )
    return Measured(
        told["longest"][0]["ms"],
        f"wall time of ScreenApp.step less its select, over {VISITS} card-pin visits from the process's "
        "first step on: messages, machine, sealing, LEDs, touches, layout, drawing, dummy flip, telling "
        f"the desk; {told['too_long']} of {told['steps']} steps above {LIMIT_MS:g}; the longest: {steps}",
    )
