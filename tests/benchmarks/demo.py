"""What a patient waits for, on a whole demo: three kiosk processes, virtual field, simulated service.

Every process is the real one; the screen process is the demo's (`kiosk.simulator.demo.demo_screen`): the
clinic's own app around SDL's dummy driver and gpiozero's mock pins. All times are CLOCK_MONOTONIC, which
processes share.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo import Demo, Speed
from kiosk.simulator.demo.demo_folder import PIN, QUICK, prepare
from kiosk.simulator.demo.hand import RESULTS, Hand, board_path
from kiosk.simulator.demo.screen_hand import GUARD_S, ScreenHand
from kiosk.simulator.field.field_client import FieldClient
from tests.benchmarks.row import Lab, Measured, Unmeasured, at_most, percentile, row, spread

TAPS = 48
LATEST_PHASE_S = 0.25  #: longer than the reader's pace, the poll and the screen's tick together
TAP_USB_MS = 1.0  #: issue 2: the bus at which present-to-light is judged; an empty poll takes 10 ms
TWO = (True, True, False, False)  #: the first sign that a token was noticed; blinking patterns never show it
VISITS = 5
VISIT_USB_MS = 0.5
POLL_S = 4.0
PROCESSES = ("reader", "uploader", "screen")
TIMING = {**QUICK, "patient_s": 60.0, "still_there_s": 20.0, "reading_s": 15.0}
DUMMY = {"SDL_VIDEODRIVER": "dummy"}


@dataclass(frozen=True)
class OpenDemo:
    """A demo at work, with its hands."""

    demo: Demo
    client: ScreenHand
    field: FieldClient
    hand: Hand


def open_demo(lab: Lab) -> OpenDemo:
    """Open it once; it stays open until the bench ends."""
    place = prepare(lab.subfolder("demo"), board_path(), TIMING)
    demo = lab.enter(Demo(place, Speed(usb_ms=VISIT_USB_MS), DUMMY))
    demo.open_shop(Mode.HOME_CONSENT)
    client = ScreenHand(place.story_socket)
    lab.callback(client.close)
    field = lab.enter(demo.field())
    client.wait_for("start")
    return OpenDemo(demo, client, field, demo.hand(client, field))


# ---- a token is laid down --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lights:
    """Milliseconds from presentation to light, by radio type."""

    by_type: dict[str, list[float]]

    @property
    def all(self) -> list[float]:
        return [ms for each in self.by_type.values() for ms in each]

    def note(self) -> str:
        halves = "; ".join(f"type {name} {spread(each)}" for name, each in self.by_type.items())
        return (
            f"tap on the field → pins of LED 2 set, {TAP_USB_MS:g} ms per USB transfer, 10 ms per empty "
            f"poll, random phase; {halves}"
        )


def lights(lab: Lab) -> Lights:
    """Lay a card down again and again at an armed reader; it leaves by itself after its first answer."""
    open_ = lab.once(open_demo)
    screen, field, hand = open_.client, open_.field, open_.hand
    by_type: dict[str, list[float]] = {"B": [], "A": []}
    random = Random(0)  # phases, not secrets
    field.model(usb_ms=TAP_USB_MS)
    screen.forget()
    hand.begin()
    hand.choose("card")
    hand.pin()
    screen.wait_for("hold")
    for tap in range(TAPS):
        technology = "AB"[tap % 2]
        time.sleep(random.uniform(0, LATEST_PHASE_S))
        presented = field.tap("card", technology=technology, remove_after_apdu=1)
        lit = screen.wait_for_lights(lambda levels: levels == TWO, since=presented)
        by_type[technology].append((lit.at - presented) * 1000)
        screen.wait_for("reading")
        screen.wait_for("again")
        screen.forget()
    field.tap("card")
    hand.ends()
    hand.leave()
    field.model(usb_ms=VISIT_USB_MS)
    return Lights(by_type)


@row("present_to_light_p50_ms", "ms", goal=at_most(70))
def present_to_light_p50(lab: Lab) -> Measured:
    """Token presented → second LED, the middle."""
    done = lab.once(lights)
    return Measured(percentile(done.all, 50), done.note())


@row("present_to_light_p95_ms", "ms", goal=at_most(140))
def present_to_light_p95(lab: Lab) -> Measured:
    """Token presented → second LED, almost always."""
    done = lab.once(lights)
    return Measured(percentile(done.all, 95), f"{len(done.all)} taps")


# ---- a whole visit ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VisitTimes:
    """Milliseconds of one card-pin visit after its last touch."""

    touch_to_hold: float
    contact: float  #: presented → "checking" shown, less air and card
    checking: float  #: "checking" shown → result shown

    @property
    def overhead(self) -> float:
        return self.touch_to_hold + self.contact + self.checking


def one_visit(open_: OpenDemo) -> VisitTimes:
    """A patient's whole way; the hand's waiting between "hold" and the tap is in no figure."""
    screen, field, hand = open_.client, open_.field, open_.hand
    screen.wait_for("start")
    screen.forget()
    hand.begin()
    hand.choose("card")
    for digit in PIN:
        screen.touch(f"digit_{digit}", on="pin", changes_picture=True)
    time.sleep(GUARD_S)
    touched = time.monotonic()
    screen.touch("ok", on="pin")
    held = screen.wait_for("hold")
    field.counters(clear=True)
    presented = field.tap("card", technology="B")
    screen.wait_for("checking", *RESULTS)
    counters = field.counters()
    if hand.ends() != "verified":
        raise Unmeasured(f"the visit was not verified: {' > '.join(screen.names())}")
    checking = next(shown for shown in screen.shown if shown.name == "checking")
    result = next(shown for shown in screen.shown if shown.name in RESULTS)
    hand.leave()
    modelled_s = counters["air_s"] + counters["card_s"]
    return VisitTimes(
        (held.at - touched) * 1000,
        (checking.at - presented - modelled_s) * 1000,
        (result.at - checking.at) * 1000,
    )


def visits(lab: Lab) -> list[VisitTimes]:
    """Some visits, after one that does not count."""
    open_ = lab.once(open_demo)
    return [one_visit(open_) for _ in range(VISITS + 1)][1:]


@row("visit_overhead_ms", "ms")
def visit_overhead(lab: Lab) -> Measured:
    """The kiosk's own part of a visit after the patient's last touch."""
    done = lab.once(visits)
    parts = {
        "OK → hold": [each.touch_to_hold for each in done],
        "presented → checking less air and card": [each.contact for each in done],
        "checking → result": [each.checking for each in done],
    }
    medians = ", ".join(f"{name} {statistics.median(values):.1f}" for name, values in parts.items())
    return Measured(
        statistics.median(each.overhead for each in done),
        "card-pin, home_consent: OK of the PIN sent → result drawn, less metered air and card time and less "
        f"the hand's waiting (hold → tap); includes polling, USB at {VISIT_USB_MS} ms, channel, sealing, "
        "commit, HTTPS on loopback and the simulator's computing; "
        f"{spread([each.overhead for each in done])}; medians: {medians}",
    )


# ---- what the processes take -----------------------------------------------------------------------------


def rollup_kb(pid: int) -> dict[str, int]:
    """smaps_rollup (proc_pid_smaps(5)) in kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


@row("pss_total_mb", "MB", goal=at_most(200))
def pss_total(lab: Lab) -> Measured:
    """The three processes after visits."""
    lab.once(visits)
    household = lab.once(open_demo).demo.household
    found = {name: rollup_kb(household.pid(name)) for name in PROCESSES}
    pss = {name: each["Pss"] / 1024 for name, each in found.items()}
    rss = sum(each["Rss"] for each in found.values()) / 1024
    private = sum(each["Private_Clean"] + each["Private_Dirty"] for each in found.values()) / 1024
    return Measured(
        sum(pss.values()),
        f"{', '.join(f'{name} {mb:.1f}' for name, mb in pss.items())}; field, service and this bench share "
        f"pages of Python with them; private {private:.1f}, RSS {rss:.1f}; the screen is the demo's, "
        "SDL dummy",
    )


def _cpu_s(pid: int) -> float:
    """CPU time of every thread in seconds (schedstat: nanoseconds, where /proc/PID/stat has 10 ms steps)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def cpu_percent(pid: int) -> float:
    began, used = time.monotonic(), _cpu_s(pid)
    time.sleep(POLL_S)
    return (_cpu_s(pid) - used) / (time.monotonic() - began) * 100


@row("poll_cpu_percent", "% of core", goal=at_most(3))
def poll_cpu_percent(lab: Lab) -> Measured:
    """The reader process while nothing lies there and a patient is about to present."""
    open_ = lab.once(open_demo)
    pid = open_.demo.household.pid("reader")
    open_.client.wait_for("start")
    idle = cpu_percent(pid)
    open_.hand.begin()
    open_.hand.choose("card")
    open_.hand.pin()
    open_.client.wait_for("hold")
    armed = cpu_percent(pid)
    open_.field.tap("card")
    open_.hand.ends()
    open_.hand.leave()
    return Measured(
        armed, f"armed (its quickest pace), over {POLL_S:g} s; at the start screen, no visit: {idle:.2f}"
    )
