"""LEDs and buzzer of the running image: its GPIO lines, against the patterns that its pages promise.

Nothing in the image knows of the test: the pin map is the one it ships with, gpiozero and lgpio speak to the
kernel's first GPIO chip, and the host reads that chip's registers (lines.py).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from kiosk.indicators.patterns import (
    ANSWERED,
    HOLD,
    PRESENTED,
    VERIFIED,
    Light,
    Pattern,
    Tone,
    pattern_of,
)
from kiosk.indicators.pin_map import PinMap, load_pin_map
from kiosk.qualification.terms import Mode
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.simulator.demo.demo_folder import PIN
from tests.image.counter import REPOSITORY, Counter
from tests.image.lines import Lit, Sounded, Watcher, lit, sounded
from tests.image.machine import Machine
from tests.image.report import Report

BOARD_TOML = REPOSITORY / "firmware/board.toml"
#: A pattern moves on when the screen process comes round, which takes a while where no GPU draws.
LATE_S = 0.4
#: How far the pitch may be off where the page rests. While a page is drawn the thread that makes the wave
#: gets too little of a machine without a GPU: it stands still, and then hurries.
HZ_OFF = 0.1
#: How long pages are looked at: more than one round of their pattern.
ROUND_S = {"start": 12.0, "staff_called_help": 13.0, "out_of_service_reader": 6.0}


def score(pattern: Pattern, seconds: float) -> list[Light]:
    """The lights of a pattern for at least so long, equal ones that follow each other as one."""
    lights = list(pattern.lights)
    if pattern.lights_again is None:
        steps = [*lights[:-1], Light(lights[-1].levels, math.inf)]
    else:
        again = lights[pattern.lights_again :]
        rounds = 2 + int(seconds / sum(light.seconds for light in again))
        steps = [*lights, *again * rounds]
    joined: list[Light] = []
    for step in steps:
        if joined and joined[-1].levels == step.levels:
            joined[-1] = Light(step.levels, joined[-1].seconds + step.seconds)
        else:
            joined.append(Light(step.levels, step.seconds))
    return joined


def plays(pattern: Pattern, seen: Sequence[Lit], late_s: float = LATE_S) -> bool:
    """Whether this is what a pattern shows in some part of its play; its two ends may be cut."""
    if not seen:
        return False
    steps = score(pattern, sum(each.seconds for each in seen))
    last = len(seen) - 1

    def fits(lights: Sequence[Light]) -> bool:
        for number, (one, step) in enumerate(zip(seen, lights, strict=True)):
            if one.levels != step.levels or one.seconds > step.seconds + late_s:
                return False
            if 0 < number < last and one.seconds < step.seconds - late_s:
                return False
        return True

    return any(fits(steps[at : at + len(seen)]) for at in range(len(steps) - last))


def sounds(tones: Sequence[Tone], heard: Sequence[Sounded], late_s: float = LATE_S, rests: int = 0) -> bool:
    """Whether these tones, and no others, were heard; two of a pitch with no pause between are one.

    `rests`: from which one on the page is at rest, so that the pitch can be told.
    """
    return any(
        len(wanted) == len(heard)
        and all(abs(each.seconds - tone.seconds) <= late_s for tone, each in zip(wanted, heard, strict=True))
        and all(
            abs(each.hz - (tone.hz or 0)) <= each.hz * HZ_OFF
            for tone, each in list(zip(wanted, heard, strict=True))[rests:]
        )
        for wanted in (_sounding(tones), _sounding(_joined(tones)))
    )


def _sounding(tones: Sequence[Tone]) -> list[Tone]:
    return [tone for tone in tones if tone.hz is not None]


def _joined(tones: Sequence[Tone]) -> list[Tone]:
    """A page that comes quickly goes on with the tone of the one before."""
    found: list[Tone] = []
    for tone in tones:
        if found and found[-1].hz == tone.hz:
            found[-1] = Tone(tone.hz, found[-1].seconds + tone.seconds)
        else:
            found.append(tone)
    return found


def told(heard: Sequence[Sounded]) -> str:
    return ", ".join(f"{each.hz:.0f} Hz {each.seconds:.2f} s" for each in heard) or "silence"


@dataclass
class Onlooker:
    """Somebody who watches the lamps while a visit is made."""

    counter: Counter
    machine: Machine
    watcher: Watcher
    board: PinMap
    report: Report
    patterns: dict[str, Pattern] = field(
        default_factory=lambda: {each.name: pattern_of(each.kiosk) for each in examples(Mode.HOME_CONSENT)}
    )

    def see(self, page: str) -> None:
        """Wait for a page, then look at its lamps for as long as its pattern needs."""
        self.counter.see(self.machine, page)
        begin = time.monotonic()
        time.sleep(ROUND_S.get(page, 2.0))
        shown = self.lit(begin)
        pattern = self.patterns[page]
        met = plays(pattern, shown)
        seen = f"{pattern.name}, {len(shown) - 1} changes"
        self.report.figure(
            f"LEDs of page {page}", seen if met else f"not {pattern.name}: {brief(shown)}", met
        )

    def lit(self, begin: float) -> tuple[Lit, ...]:
        return lit(self.watcher.changes(), self.board, begin, time.monotonic())

    def hear(self, name: str, tones: Sequence[Tone], begin: float, rests: int = 0) -> None:
        """The tones since a moment must be these; see `sounds`."""
        assert self.board.buzzer is not None
        heard = sounded(self.watcher.changes(), self.board.buzzer, begin, time.monotonic())
        self.report.figure(f"buzzer, {name}", told(heard), sounds(tones, heard, rests=rests))

    def press(self, page: str, target: str) -> float:
        """Returns the moment before: what the press brings about begins at once."""
        begin = time.monotonic()
        self.counter.press(self.machine, page, target)
        return begin


def brief(shown: Sequence[Lit]) -> str:
    """What was lit and how long, for the report of a failure."""
    return " ".join(
        f"{''.join('●' if on else '○' for on in each.levels)}{each.seconds:.1f}" for each in shown
    )


def signals(counter: Counter, machine: Machine, report: Report) -> None:
    """A whole visit, a call for help and a lost reader, on a machine with a Pi's GPIO header."""
    assert machine.process is not None
    with Watcher(machine.process.pid, counter.folder / "lines") as watcher:
        onlooker = Onlooker(counter, machine, watcher, load_pin_map(BOARD_TOML), report)
        begin = time.monotonic()
        onlooker.see("start")
        onlooker.hear("on the start screen", (), begin)
        visit(onlooker)
        call(onlooker)
        lost(onlooker)


def visit(onlooker: Onlooker) -> None:
    """With a card, as far as its end."""
    begin = onlooker.press("start", "start")
    onlooker.see("consent")
    onlooker.press("consent", "all")
    onlooker.see("device")
    onlooker.press("device", "card")
    for digit in PIN:
        time.sleep(1.5)
        onlooker.press("pin", f"digit_{digit}")
    time.sleep(1.5)
    onlooker.hear("until the card is asked for", (), begin)
    begin = onlooker.press("pin", "ok")
    onlooker.see("hold_card")
    tapped = time.monotonic()
    onlooker.counter.hand.tap("card")
    onlooker.see("verified")
    shown = onlooker.lit(tapped)
    order = [pattern.lights[0].levels for pattern in (HOLD, PRESENTED, ANSWERED, VERIFIED)]
    met = [each.levels for each in shown][: len(order)] == order
    onlooker.report.figure("LEDs while the card is read", brief(shown), met)
    # Each sounds while its page is drawn.
    tones = expected("hold_card", "checking", "verified")
    onlooker.hear("hold, may remove, verified", tones, begin, rests=len(tones))
    onlooker.counter.hand.remove()
    onlooker.press("verified", "finish")
    onlooker.see("start")


def expected(*pages: str) -> list[Tone]:
    """The tones of pages one after the other, each played once."""
    known = {each.name: pattern_of(each.kiosk) for each in examples(Mode.HOME_CONSENT)}
    return [tone for page in pages for tone in known[page].tones]


def call(onlooker: Onlooker) -> None:
    """Help is called: all four lights, and tones that come again."""
    begin = onlooker.press("start", "help")
    onlooker.see("staff_called_help")
    # Two alerts: the pause between them is ten seconds, and the page was looked at for longer.
    onlooker.hear("help called", expected("staff_called_help", "staff_called_help"), begin, rests=2)
    begin = onlooker.press("staff_called_help", "finish")
    onlooker.see("start")
    onlooker.hear("help has come", (), begin + LATE_S)


def lost(onlooker: Onlooker) -> None:
    """The reader is pulled: the last light, and silence."""
    begin = time.monotonic()
    onlooker.counter.unplug()
    onlooker.see("out_of_service_reader")
    onlooker.counter.plug(onlooker.machine)
    onlooker.see("start")
    onlooker.hear("reader pulled and put back", (), begin)
