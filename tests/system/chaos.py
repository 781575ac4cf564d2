"""`make chaos`: kill -9 at random instants, while the service loses requests and answers; nothing is lost,
nothing takes effect twice.

Everything is real: the three processes of the kiosk, started again as the service manager would
(`kiosk/simulator/demo`), the virtual field below the reader, the simulated service beyond the network. A
patient comes to the screen with an iPhone; a second screen process, played by hand, commits sealed records
quickly and repeats them after each loss of the connection. In the end each record that was acknowledged must
be answered, and each one known to the service must have had one effect.
"""

import argparse
import logging
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo import Demo, Speed
from kiosk.simulator.demo.demo_folder import QUICK, DemoFolder, prepare
from kiosk.simulator.demo.hand import board_path
from kiosk.simulator.demo.household import Household
from kiosk.simulator.demo.screen_hand import ScreenHand
from kiosk.simulator.tokens.hierarchy import default_folder, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import TokenKind
from tests.system.chaos_load import Load, Patient

MODE = Mode.QUALIFICATION_ONLY
LOST = 0.15  #: of all requests, and of all answers
SERVICE_S = 0.1  #: what a real service takes for an answer: time to be killed while sending
VICTIMS = {"uploader": 6, "reader": 3, "screen": 1}  #: how often each is chosen; a screen starts the slowest
PAUSES = (0.5, 1.6)  #: of the kills, so many come after a pause so many times as long: visits come to an end
SPEED = Speed(sign_ms=30, verify_ms=10, usb_ms=0.1)
STALE_S = 1.0  #: the uploader tells how many wait a little later than it is so
QUIET_S = 60.0  #: after the last kill everything must be answered within


@dataclass(frozen=True)
class Plan:
    """How much is done."""

    kills: int
    every_s: float  #: on average between two kills
    records_per_s: float
    seed: int
    least: int = 1  #: so many commits acknowledged and one visit begun, however slow the machine


@dataclass(frozen=True)
class Found:
    """What came of it."""

    kills: Counter[str]
    seconds: float
    patient_visits: int
    patient_results: Counter[str]
    requests: dict[str, int]
    acknowledged: int
    connections: int
    refusals: Counter[str]
    states: Counter[str]
    effects: int
    records_with_effect: int
    faults: list[str]

    @property
    def good(self) -> bool:
        """Nothing was lost, nothing doubled."""
        return not self.faults

    def lines(self) -> list[str]:
        """For people."""
        shown = ", ".join(f"{count} {name}" for name, count in sorted(self.patient_results.items()))
        rows = [
            ("kill -9", f"{self.kills.total()}  ({_listed(self.kills)})"),
            ("seconds", f"{self.seconds:.0f}"),
            ("visits begun at the screen", f"{self.patient_visits}  (ended: {shown})"),
            ("commits acknowledged, patient's included", str(self.acknowledged)),
            ("connections of the second screen", str(self.connections)),
            ("commits refused", f"{self.refusals.total()}  {_listed(self.refusals)}".strip()),
            ("requests at the service", f"{sum(self.requests.values())}  ({_listed(self.requests)})"),
            ("of them lost / answers lost", f"{LOST:.0%} / {LOST:.0%}"),
            ("records in the outbox at the end", _listed(self.states)),
            ("effects / records at the service", f"{self.effects} / {self.records_with_effect}"),
            ("faults", str(len(self.faults))),
        ]
        return [f"{name:44}{value}" for name, value in rows] + [f"    {fault}" for fault in self.faults[:20]]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def run(plan: Plan, folder: Path) -> Found:
    """Open a demo in `folder`, kill, and judge."""
    chance = random.Random(plan.seed)
    environ = {"SDL_VIDEODRIVER": "dummy"}
    place = prepare(folder, board_path(), QUICK)
    with Demo(place, SPEED, environ) as demo:
        demo.open_shop(MODE)
        _without_pacing(place)
        client = ScreenHand(place.story_socket)
        with demo.field() as field:
            client.wait_for("start")
            demo.household.kill("uploader")  # takes the settings as they are now
            demo.service.delay(SERVICE_S, times=None)
            demo.service.lose_request(times=None, operation="any", chance=LOST)
            demo.service.lose_answer(times=None, operation="any", chance=LOST)
            identity = ensure_hierarchy(default_folder()).authentication(TokenKind.CARD)
            load = Load(place.run / "uploader.sock", identity, plan.records_per_s, chance)
            patient = Patient(client, field)
            began = time.monotonic()
            try:
                kills = _kill(demo.household, plan, random.Random(plan.seed + 1))
                _reached(lambda: len(load.receipts) >= plan.least and patient.visits > 0)
                seconds = time.monotonic() - began
                patient.close()
                faults = _come_to_rest(load)
            finally:
                patient.close()
                load.close()
                client.close()
        return _judged(demo, kills, seconds, load, patient, faults)


def _without_pacing(place: DemoFolder) -> None:
    """A backlog of a second is sent in a second: the test is not about the pace."""
    settings = place.settings(MODE)
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[outbox]\n", "[outbox]\ndrain_per_s = 0\n"), encoding="utf-8")


def _kill(household: Household, plan: Plan, chance: random.Random) -> Counter[str]:
    """Kill one living process after the other, whatever it is just doing."""
    kills: Counter[str] = Counter()
    killed_start: dict[str, int] = {}
    while kills.total() < plan.kills:
        time.sleep(_until_next(plan.every_s, chance))
        living = [name for name in VICTIMS if household.starts(name) != killed_start.get(name)]
        if living:
            [name] = chance.choices(living, [VICTIMS[name] for name in living])
            killed_start[name] = household.starts(name)
            household.kill(name)
            kills[name] += 1
    return kills


def _until_next(every_s: float, chance: random.Random) -> float:
    """Mostly in bursts, on average `every_s`."""
    share, longer = PAUSES
    short = (1 - share * longer) / (1 - share)
    return chance.expovariate(1 / (every_s * (longer if chance.random() < share else short)))


def _come_to_rest(load: Load) -> list[str]:
    """The requests and answers go on being lost; yet all that was begun must be acknowledged and answered."""
    load.no_more()
    faults = []
    if not _reached(lambda: load.outstanding == 0):
        faults.append(f"{load.outstanding} commits were never acknowledged")
    if not _reached(lambda: load.waiting == 0, for_s=STALE_S):
        faults.append(f"{load.waiting} records still wait")
    return faults


def _reached(holds: Callable[[], bool], for_s: float = 0.0) -> bool:
    """Wait until something holds, and has held for a while."""
    since: float | None = None
    end = time.monotonic() + QUIET_S
    while (now := time.monotonic()) < end:
        since = (now if since is None else since) if holds() else None
        if since is not None and now - since >= for_s:
            return True
        time.sleep(0.02)
    return False


def _judged(
    demo: Demo, kills: Counter[str], seconds: float, load: Load, patient: Patient, faults: list[str]
) -> Found:
    if code := demo.household.stop("uploader"):
        faults.append(f"the uploader ended with {code}")
    rows = _rows(demo.place.folder / "outbox.sqlite")
    at_service = set(demo.service.records())
    effects, with_effect = demo.service.effect_totals()
    faults += load.faults
    for visit, receipt in load.receipts.items():
        state, kept = rows.get(visit, ("nothing", ""))
        if (state, kept) != ("answered", receipt):
            faults.append(f"{visit} was acknowledged as {receipt} and is {state} {kept}".rstrip())
        if visit not in at_service:
            faults.append(f"{visit} was acknowledged and had no effect at the service")
    shown = sum(patient.results[name] for name in ("verified", "not_confirmed", "recorded"))
    from_screen = len(rows.keys() - load.begun)
    if shown > from_screen:
        faults.append(f"the screen showed {shown} results, the outbox holds {from_screen} records of it")
    if effects != with_effect:
        faults.append(f"{effects} effects for {with_effect} records: some took effect twice")
    faults += [f"{visit} took effect and is not in the outbox" for visit in at_service - rows.keys()]
    faults += [f"{each.name}: a file was damaged" for each in demo.place.folder.glob("outbox.sqlite.*")]
    return Found(
        kills=kills,
        seconds=seconds,
        patient_visits=patient.visits,
        patient_results=patient.results,
        requests=demo.service.requests_by_operation(),
        acknowledged=len(load.receipts),
        connections=load.connections,
        refusals=load.refusals,
        states=Counter(state for state, _ in rows.values()),
        effects=effects,
        records_with_effect=with_effect,
        faults=faults,
    )


def _rows(outbox: Path) -> dict[str, tuple[str, str]]:
    with closing(sqlite3.connect(outbox)) as connection:
        rows = connection.execute("SELECT id, state, receipt FROM records").fetchall()
    return {visit: (state, receipt) for visit, state, receipt in rows}


def main() -> int:
    """Run; 0 only if nothing was lost and nothing doubled."""
    parser = argparse.ArgumentParser(prog="make chaos", description="kill -9 under a lossy service.")
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--every", type=float, default=0.5, help="mean seconds between two kills")
    parser.add_argument("--records-per-s", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=20_270_115)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="kiosk-chaos-") as folder:
        found = run(Plan(asked.kills, asked.every, asked.records_per_s, asked.seed), Path(folder))
    print("\n".join(found.lines()))
    print("all as it should be" if found.good else "FAILED")
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
