"""Part `cuts`: the power fails at every point of a card's life; each state is looked at, some are started."""

import json
import sqlite3
from collections import Counter as Tally
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.image import lived
from tests.image.counter import Counter
from tests.image.crash import Campaign, Stage, State, sample
from tests.image.machine import MachineError
from tests.image.recording import DELIVERY, FIRST_BOOT, VISITS, Recording, kept
from tests.image.replay import Replayer, whole, writes
from tests.image.report import Report, Sizes

SEED = 5
Row = tuple[Any, ...]


def part(counter: Counter, report: Report, sizes: Sizes) -> None:
    """The whole part by itself: a life, its states, a sample of them started."""
    card, recording = lived.new_recording(counter, "life")
    with counter.machine(card, recording.log) as machine:
        took = lived.first_boot(counter, machine, recording)
        report.figure("power on to start screen, first boot", f"{took:.0f} s")
        for token in sizes.tokens:
            end = lived.visit(counter, machine, recording, token)
            report.figure(f"visit with {token}", end, end == "verified")
        lived.later_delivery(counter, machine, recording, report, sizes.tokens[:2])
    recording.keep(counter.folder / "recording.json", counter.ports)
    keep_enrolment(counter)
    after(counter, report, sizes, recording)


def again(counter: Counter, report: Report, sizes: Sizes) -> None:
    """The states of the life that was recorded last, without living it again."""
    recording, _ = kept(counter.folder / "recording.json")
    after(counter, report, sizes, recording)


def after(counter: Counter, report: Report, sizes: Sizes, recording: Recording) -> None:
    """Look at the states of a recorded life, and start a sample of them."""
    states = looked_at(counter, report, sizes, recording)
    chosen = sample(states, sizes.boots, lambda each: each, lambda each: (each.phase, each.stage))
    started(counter, report, recording, chosen)


def looked_at(counter: Counter, report: Report, sizes: Sizes, recording: Recording) -> list[State]:
    """Crash states of every phase, on the host."""
    report.figure("recorded writes", str(len(writes(recording.log))))
    weight = {FIRST_BOOT: 4, VISITS: 3, DELIVERY: 3}
    total = sum(weight[phase] for phase in recording.ends)
    counts = {phase: -(-sizes.states * weight[phase] // total) for phase in recording.ends}
    campaign = Campaign(recording, counter.fat_file, counter.folder)
    states = []
    for state in campaign.run(counts, SEED):
        states.append(state)
        for fault in state.faults:
            report.say(f"crash state {state.cut.sure} ({state.phase}): {fault}")
    report.figure("crash states looked at", str(len(states)), len(states) >= sizes.states)
    for phase, count in Tally(state.phase for state in states).items():
        report.figure(f"  in: {phase}", str(count))
    for stage, count in Tally(state.stage for state in states).items():
        report.figure(f"  settings: {stage}", str(count))
    owing = sum(bool(state.owed.records) for state in states)
    report.figure("  that owe an acknowledged record", str(owing), owing > 0)
    keyed = sum(state.owed.key for state in states)
    report.figure("  that owe the key", str(keyed), keyed > 0)
    bad = sum(bool(state.faults) for state in states)
    report.figure("  with a fault", str(bad), bad == 0)
    return states


def started(counter: Counter, report: Report, recording: Recording, states: list[State]) -> None:
    """Boot these states to the start screen; each must hold what it owes, delivered once."""
    whole_disk = Replayer(
        recording.before, whole(recording.before), recording.log, counter.folder / "whole.img"
    )
    good = 0
    for state in states:
        card = whole_disk.state(state.cut, counter.folder / "whole-state.img")
        put_enrolment_back(counter, state)
        what = f"cut {state.cut.sure} ({state.phase}; {state.stage})"
        try:
            took, faults = start(counter, card, set(state.owed.records))
        except MachineError as fault:
            report.failed.append(f"{what}: {fault}")
            report.say(f"{what}: {fault}")
            continue
        good += not faults
        owed = f"{took:.0f} s, {len(state.owed.records)} records owed"
        report.figure(f"  started from {what}", "; ".join([owed, *faults]), not faults)
    if states:
        report.figure("crash states started to ready", f"{good} of {len(states)}", good == len(states))


def start(counter: Counter, card: Path, owed: set[str], slot: str = "A") -> tuple[float, list[str]]:
    """One start: the seconds to the start screen, and what is wrong with the records."""
    machine = counter.machine(card)
    machine.slot = slot
    with machine:
        took = lived.ready(counter, machine)
        return took, lived.holds(counter, machine, owed)


# ---- what the service knew at the moment of the cut --------------------------------------------------------


def _store(counter: Counter) -> sqlite3.Connection:
    return sqlite3.connect(counter.files.database, timeout=5.0)


def keep_enrolment(counter: Counter) -> None:
    """Write down which key each activation code was spent for."""
    with closing(_store(counter)) as store:
        rows = store.execute(
            "SELECT terminal, hex(key_hash), certificate, hex(code_hash) FROM activation_codes"
        ).fetchall()
    (counter.folder / "enrolment.json").write_text(json.dumps(rows), encoding="utf-8")


def put_enrolment_back(counter: Counter, state: State) -> None:
    """Set the service back to the moment of the cut. Without a key on the card it had not been asked (a state
    that owes the key and lacks it is a fault already), so the code was not spent; with one it may have been.
    """
    rows: list[Row] = json.loads((counter.folder / "enrolment.json").read_text(encoding="utf-8"))
    with closing(_store(counter)) as store, store:
        for terminal, key_hash, certificate, code_hash in rows:
            spent = (terminal, bytes.fromhex(key_hash or ""), certificate) if key_hash else (None,) * 3
            if state.stage is Stage.NOTHING:
                spent = (None,) * 3
            store.execute(
                "UPDATE activation_codes SET terminal = ?, key_hash = ?, certificate = ? WHERE code_hash = ?",
                (*spent, bytes.fromhex(code_hash)),
            )
