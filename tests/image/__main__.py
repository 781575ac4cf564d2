"""`python -m tests.image`: start the built image, visit it, cut its power. `make image-test` runs it.

Prints what it finds as it goes, a table of figures at the end; writes both, with photographs, to a folder.
Exit code 1 when something that must hold did not.
"""

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.image import (
    bad_card,
    control,
    cuts,
    downgrade,
    failing,
    hardware,
    lived,
    plugs,
    settings_change,
    share,
    update_cuts,
)
from tests.image.counter import Counter, free_port
from tests.image.life import bad_settings, bare, kill_each, stages, system, unplug
from tests.image.machine import Build, MachineError
from tests.image.recording import kept
from tests.image.report import FULL, SMALL, Report, Sizes, done
from tests.image.slots import slots, updates
from tests.image.thief import stolen

Part = Callable[[Counter, Report], None]


def main() -> int:
    # By way of each part's own end: with it goes its machine.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    chosen = arguments()
    build = Build(chosen.disk.resolve(), chosen.tools.resolve())
    out = chosen.out.resolve()
    sizes = FULL if chosen.full else SMALL
    changed = {name: value for name in CHANGED if (value := getattr(chosen, name)) is not None}
    sizes = replace(sizes, **changed)
    alone = parts(sizes, chosen.keys.resolve(), chosen.debian.resolve())
    report = Report()
    again = chosen.only == AGAIN
    ports = kept(out / "work/recording.json")[1] if again else (free_port(), free_port())
    try:
        with Counter(build, out / "work", out / "photographs", again=again, ports=ports) as counter:
            if chosen.only:
                report.part(partial(alone[chosen.only], counter, report))
            else:
                run(counter, report, alone, sizes, chosen.full)
    except MachineError as fault:
        report.failed.append(str(fault))
        report.say(f"FAILED: {fault}")
    return done(report, out)


AGAIN = "cuts_again"
#: Not by themselves in the full form: parts of other parts.
WITHIN = ("cuts", AGAIN, *hardware.CHECKS)
CHANGED = ("states", "boots", "update_states", "update_boots", "kills")


def parts(sizes: Sizes, keys: Path, debian: Path) -> dict[str, Part]:
    """The parts that make what they need and can be run alone."""
    bad = bad_card.BadCard()
    return {
        "bad_settings": bad_settings,
        "bare": partial(bare, debian=debian),
        "slots": slots,
        "updates": partial(updates, keys=keys),
        "cuts": partial(cuts.part, sizes=sizes),
        AGAIN: partial(cuts.again, sizes=sizes),
        "update_cuts": partial(update_cuts.part, sizes=sizes, keys=keys),
        "control": partial(control.part, sizes=sizes),
        "plugs": partial(plugs.part, sizes=sizes),
        "failing": failing.part,
        "settings_change": settings_change.part,
        "share": share.part,
        "full": bad.full,
        "worn": bad.worn,
        "destroyed": bad.destroyed,
        "downgrade": partial(downgrade.part, keys=keys),
        "hardware": hardware.part,
        **{name: partial(hardware.part, names=(name,)) for name in hardware.CHECKS},
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.image", description=__doc__)
    parser.add_argument("--disk", type=Path, required=True, help="folder of the image build's disk step")
    parser.add_argument("--tools", type=Path, required=True, help="its tool root")
    parser.add_argument("--keys", type=Path, required=True, help="the keys that signed it")
    parser.add_argument(
        "--debian", type=Path, required=True, help="its Debian root, as it was before ours came in"
    )
    parser.add_argument("--out", type=Path, default=Path("build/image-test"))
    parser.add_argument(
        "--only",
        choices=sorted(parts(SMALL, Path(), Path())),
        help=f"one part alone; {AGAIN}: the states of the life that cuts has recorded in --out",
    )
    parser.add_argument(
        "--full", action="store_true", help="all tokens, all faults, more than 300 crash states"
    )
    for name in CHANGED:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help="instead of the usual")
    return parser.parse_args()


def run(counter: Counter, report: Report, alone: dict[str, Part], sizes: Sizes, full: bool) -> None:
    """One life of a card: flashed, first boot, visits, faults, the plug pulled at every point of it."""
    card, recording = lived.new_recording(counter, "card")
    code = counter.code
    with counter.machine(card, recording.log) as machine:
        took = lived.first_boot(counter, machine, recording)
        report.figure("power on to start screen, first boot", f"{took:.0f} s")
        stages(machine, report)
        system(machine, report)
        for token in sizes.tokens:
            end = lived.visit(counter, machine, recording, token)
            report.figure(f"visit with {token}", end, end == "verified")
        if full:
            report.part(partial(lived.later_delivery, counter, machine, recording, report, sizes.tokens[:2]))
        for fault in (unplug, kill_each) if full else ():
            report.part(partial(fault, counter, machine, report))
        wiped = counter.read_card(card)
        report.figure("activation code wiped from the card", "yes", 'activation_code = ""' in wiped)
    cuts.keep_enrolment(counter)
    boots = sizes.boots if full else 0  # the short form starts one machine
    report.part(partial(cuts.after, counter, report, replace(sizes, boots=boots), recording))
    report.part(partial(stolen, counter, report, card, code, [each.record for each in recording.promises]))
    for name, part in alone.items():
        if name in ("bare", "slots") or (full and name not in WITHIN):
            report.part(partial(part, counter, report))


if __name__ == "__main__":
    sys.exit(main())
