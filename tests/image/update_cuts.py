"""Part `update_cuts`: the power fails while slot B is written. What U-Boot would start then must be whole."""

import hashlib
import time
from collections import Counter as Tally
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.image import lived, uboot_env, update
from tests.image.counter import FAT_AT, Counter
from tests.image.crash import Campaign, FatFile, State, sample
from tests.image.cuts import SEED, start
from tests.image.machine import MachineError
from tests.image.recording import INSTALL, Recording
from tests.image.replay import SLOT_A, SLOT_B, Cut, Replayer, partition, whole, writes
from tests.image.report import Report, Sizes
from tests.image.uboot import LOADED, SLOT, Attempt, starts, take_out

PARTITIONS = {"A": SLOT_A, "B": SLOT_B}
CHUNK = 1 << 20
REALLY = 3  #: states that U-Boot itself decides about


@dataclass(frozen=True)
class Judged:
    """A crash state of an update, and what U-Boot makes of it."""

    state: State
    chosen: Attempt
    damaged: bool  #: its variables could not be read
    faults: tuple[str, ...]


class Slots:
    """Whether a slot holds a whole system after a cut: the very bytes of `root`."""

    def __init__(self, recording: Recording, root: Path, work: Path) -> None:
        self._work = work
        self._wanted, self._size = digest(root, root.stat().st_size), root.stat().st_size
        self._replayers = {
            slot: Replayer(
                recording.before,
                partition(recording.before, number),
                recording.log,
                work / f"slot-{slot}.img",
            )
            for slot, number in PARTITIONS.items()
        }
        self._last: dict[str, tuple[tuple[int, ...], bool]] = {}

    def whole(self, slot: str, cut: Cut) -> bool:
        """Cuts must come in order."""
        replayer = self._replayers[slot]
        same = replayer.writes_in(cut)
        if slot not in self._last or self._last[slot][0] != same:
            image = replayer.state(cut, self._work / "slot-state.img")
            self._last[slot] = (same, digest(image, self._size) == self._wanted)
        return self._last[slot][1]


def digest(path: Path, size: int) -> str:
    """SHA-256 of the first `size` bytes."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(CHUNK, size))):
            found.update(chunk)
            size -= len(chunk)
    return found.hexdigest()


def part(counter: Counter, report: Report, sizes: Sizes, keys: Path) -> None:
    """Record an update of a kiosk with a record in it, look at its crash states, start some."""
    card, recording = install(counter, report, keys)
    first, last = recording.spans(writes(recording.log))[INSTALL]
    report.figure("writes of the update", str(last - first))
    judged = looked_at(counter, report, recording, sizes.update_states)
    report.part(partial(decided, counter, report, recording, judged))
    report.part(partial(started, counter, report, recording, judged, sizes.update_boots))
    card.unlink()


def install(counter: Counter, report: Report, keys: Path) -> tuple[Path, Recording]:
    """A kiosk that has served a visit writes slot B; every write of it is recorded from power on."""
    card = counter.fresh_disk("updated.img")
    counter.write_card(card)
    take_out(counter.build, card, counter.folder / "raspi3b", FAT_AT)
    update.attempt(counter, card)  # U-Boot makes its variables
    stick = update.stick(counter, {"good.raucb": update.good_bundle(counter, keys)})
    recording = lived.begun(counter, card, counter.folder / "updated-before.img", "updated")
    machine = update.running(counter, card, "A", stick, recording.log)
    with machine:
        lived.first_boot(counter, machine, recording)
        lived.visit(counter, machine, recording, "card")
        update.good(machine)
        recording.end("before the update")
        begun = time.monotonic()
        told = update.install(machine, "good.raucb")
        took = f"{time.monotonic() - begun:.0f} s"
        report.figure("slot B written while A serves and writes are recorded", took, update.installed(told))
        if not update.installed(told):
            raise MachineError(f"the update was not installed: {told[-600:]}")
        machine.shell("sync")
        recording.end(INSTALL)
    return card, recording


def looked_at(counter: Counter, report: Report, recording: Recording, count: int) -> list[Judged]:
    """Crash states from the first write of the update to the last."""
    campaign = Campaign(recording, counter.fat_file, counter.folder)
    variables = FatFile(recording, counter.fat_file, uboot_env.FILE, counter.folder)
    slots = Slots(recording, counter.build.disk / "root.ext4", counter.folder)
    judged = []
    for state in campaign.run({INSTALL: count}, SEED):
        judged.append(judge(state, variables.after(state.cut), slots))
        for fault in judged[-1].faults:
            report.say(f"crash state {state.cut.sure} (update): {fault}")
    report.figure("crash states of an update looked at", str(len(judged)), len(judged) >= count)
    for slot, number in sorted(Tally(each.chosen.slot for each in judged).items()):
        report.figure(f"  U-Boot takes {slot}, and it is whole", str(number))
    report.figure("  with U-Boot's variables damaged", str(sum(each.damaged for each in judged)))
    report.figure("  that owe a record", str(sum(bool(each.state.owed.records) for each in judged)))
    bad = sum(bool(each.faults) for each in judged)
    report.figure("  with a fault", str(bad), bad == 0)
    return judged


def judge(state: State, raw: bytes | None, slots: Slots) -> Judged:
    """What U-Boot would start from this state, and whether that is whole."""
    found = uboot_env.variables(raw)
    chosen = uboot_env.choice(found)
    faults = list(state.faults)
    if not slots.whole(chosen.slot, state.cut):
        faults.append(f"U-Boot would start slot {chosen.slot}, which is not whole")
    if not state.owed.records:
        faults.append("the visit before the update is not owed: the record of writes is wrong")
    return Judged(state, chosen, found is None, tuple(faults))


def decided(counter: Counter, report: Report, recording: Recording, judged: list[Judged]) -> None:
    """U-Boot itself, on a few of them: the same choice; of the last it loads kernel and RAM disk too."""
    replayer = _whole_disk(recording, counter)
    chosen = some(judged, REALLY)
    for each in chosen:
        card = replayer.state(each.state.cut, counter.folder / "whole-state.img")
        sign = LOADED if each is chosen[-1] else SLOT
        found = starts(counter.build, card, counter.folder / "raspi3b", update.LOAD_S, sign)
        said = f"{found.slot}({found.left_a},{found.left_b})"
        said += ", kernel and RAM disk loaded" if sign is LOADED else ""
        report.figure(f"  U-Boot at cut {each.state.cut.sure}", said, found == each.chosen)


def started(counter: Counter, report: Report, recording: Recording, judged: list[Judged], count: int) -> None:
    """Some of them to the start screen, from the slot that U-Boot would take."""
    replayer = _whole_disk(recording, counter)
    for each in some(judged, count):
        card = replayer.state(each.state.cut, counter.folder / "whole-state.img")
        took, faults = start(counter, card, set(each.state.owed.records), each.chosen.slot)
        owed = f"{took:.0f} s, {len(each.state.owed.records)} records owed"
        name = f"  started from cut {each.state.cut.sure} (update; slot {each.chosen.slot})"
        report.figure(name, "; ".join([owed, *faults]), not faults)


def some(judged: list[Judged], count: int) -> list[Judged]:
    """Some of them, from every slot that U-Boot takes and with every kind of variables."""
    return sample(judged, count, lambda each: each.state, lambda each: (each.chosen, each.damaged))


def _whole_disk(recording: Recording, counter: Counter) -> Replayer:
    return Replayer(recording.before, whole(recording.before), recording.log, counter.folder / "whole.img")
