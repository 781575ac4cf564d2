"""`python -m tests.image`: start the built image, visit it, cut its power. `make image-test` runs it.

Prints what it finds as it goes, a table of figures at the end; writes both, with photographs, to a folder.
Exit code 1 when something that must hold did not.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kiosk.commands.first_boot import notice_of
from kiosk.config import ConfigError, load_card
from kiosk.provisioning.first_boot import Faulty
from kiosk.simulator.desk.place import ACTIVATION_CODE, INSTITUTION, STAFF_PASSCODE
from tests.image import crash, thief, update
from tests.image.counter import FAT_AT, READY_S, TERMINAL, Counter
from tests.image.machine import Build, Machine, MachineError
from tests.image.replay import Part, copy_range, partition, writes
from tests.image.uboot import take_out

DATA = 4  #: the data partition's number
MEMORY_MIB = 300  #: at ready, without what the kernel can drop
ROOT_MIB = 900
STATES_SHORT, STATES_FULL = 20, 300
SEED = 5


@dataclass
class Report:
    """What was found; `failed` is what must hold and did not."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.begun:5.0f} s] {text}", flush=True)

    def figure(self, name: str, value: str, met: bool | None = None) -> None:
        """A row of the table; `met` is None for what has no goal."""
        self.rows.append((name, value, {None: "-", True: "yes", False: "NO"}[met]))
        self.say(f"{name}: {value}")
        if met is False:
            self.failed.append(f"{name}: {value}")

    def part(self, work: Callable[[], None]) -> None:
        """One part of the test; when it fails, the next ones still run."""
        try:
            work()
        except (MachineError, RuntimeError, OSError, subprocess.SubprocessError) as fault:
            self.failed.append(str(fault))
            self.say(f"FAILED: {fault}")

    def table(self) -> str:
        width = max(len(name) for name, _, _ in self.rows)
        return "\n".join(f"{name:{width}}  {value:>28}  {met}" for name, value, met in self.rows)


def main() -> int:
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
        choices=("bad_settings", "bare", "slots", "updates"),
        help="one part alone, while working on it",
    )
    parser.add_argument("--full", action="store_true", help="all tokens, all faults, 300 crash states")
    chosen = parser.parse_args()
    build = Build(chosen.disk.resolve(), chosen.tools.resolve())
    out = chosen.out.resolve()
    report = Report()
    try:
        with Counter(build, out / "work", out / "photographs") as counter:
            if chosen.only:
                keyed = partial(updates, keys=chosen.keys.resolve())
                parts: dict[str, Callable[[Counter, Report], None]] = {
                    "bad_settings": bad_settings,
                    "bare": partial(bare, debian=chosen.debian.resolve()),
                    "slots": slots,
                    "updates": keyed,
                }
                parts[chosen.only](counter, report)
                return done(report, out)
            run(counter, report, chosen.keys.resolve(), chosen.debian.resolve(), chosen.full)
    except MachineError as fault:
        report.failed.append(str(fault))
        report.say(f"FAILED: {fault}")
    return done(report, out)


def done(report: Report, out: Path) -> int:
    """Print and keep the table; the exit code."""
    text = report.table() if report.rows else ""
    print(f"\n{text}\n\nphotographs: {out / 'photographs'}")
    for each in report.failed:
        print(f"NOT MET: {each}")
    (out / "report.txt").write_text(text + "\n", encoding="utf-8")
    rows = [{"name": name, "value": value, "met": met} for name, value, met in report.rows]
    (out / "report.json").write_text(
        json.dumps({"rows": rows, "failed": report.failed}, indent=1), encoding="utf-8"
    )
    return 1 if report.failed else 0


def run(counter: Counter, report: Report, keys: Path, debian: Path, full: bool) -> None:
    """One life of a card: flashed, first boot, visits, faults, the plug pulled at every point of it."""
    card = counter.fresh_disk()
    counter.write_card(card)
    before = counter.fresh_disk("before.img")
    counter.write_card(before)
    log = counter.folder / "writes.log"
    promises: list[crash.Promise] = []
    with counter.machine(card, log) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        report.figure("power on to start screen, first boot", f"{time.monotonic() - machine.started:.0f} s")
        stages(machine, report)
        system(machine, report)
        for token in ("card", "iphone", "android") if full else ("card",):
            before_visit = set(counter.service.records())
            end = counter.visit(machine, token)
            [record] = set(counter.service.records()) - before_visit
            promises.append(crash.Promise(record, log.stat().st_size))
            report.figure(f"visit with {token}", end, end == "verified")
        for fault in (unplug, kill_each, stop_each) if full else ():
            report.part(partial(fault, counter, machine, report))
        wiped = counter.read_card(card)
        report.figure("activation code wiped from the card", "yes", 'activation_code = ""' in wiped)
    report.part(partial(bare, counter, report, debian))
    report.part(partial(slots, counter, report))
    if full:
        report.part(partial(bad_settings, counter, report))
        report.part(partial(updates, counter, report, keys))
    report.part(partial(stolen, counter, report, card, [promise.record for promise in promises]))
    count = STATES_FULL if full else STATES_SHORT
    report.part(partial(power_cuts, counter, report, before, log, promises, count))


def stages(machine: Machine, report: Report) -> None:
    """How long each stage of the start took, in the guest's own time."""
    told = machine.shell("systemd-analyze time | head -1")
    if found := re.search(r"([\d.min ]+s) \(kernel\).*?([\d.min ]+s) \(userspace\)", told):
        report.figure("  kernel and initial RAM disk", found[1].strip())
        report.figure("  user space", found[2].strip())
    for unit in ("kiosk-data", "kiosk-setup", "kiosk-reader", "kiosk-uploader", "kiosk-screen"):
        asked = f"systemctl show -P ActiveEnterTimestampMonotonic -P InactiveEnterTimestampMonotonic {unit}"
        moments = [int(word) for word in machine.shell(asked).split() if word.isdigit()]
        report.figure(f"  {unit} done at", f"{max(moments, default=0) / 1e6:.1f} s")


def system(machine: Machine, report: Report) -> None:
    """What the running system must be: small, closed, nothing failed."""
    used = machine.shell(
        "awk '/MemTotal/{t=$2} /MemAvailable/{a=$2} END{print int((t-a)/1024)}' /proc/meminfo"
    )
    report.figure("memory in use at ready", f"{used} MiB", int(used) <= MEMORY_MIB)
    root = machine.shell("df -m / | awk 'END{print $3}'")
    report.figure("root, uncompressed", f"{root} MiB", int(root) <= ROOT_MIB)
    listening = machine.shell("cat /proc/net/tcp /proc/net/tcp6 | awk '$4==\"0A\"{print $2}' | wc -l")
    report.figure("TCP ports that listen", listening, listening == "0")
    udp = machine.shell(
        "cat /proc/net/udp /proc/net/udp6 | awk 'NR>1 && $2 ~ /:/{print $2}' | sort | tr '\\n' ' '"
    )
    report.figure("UDP sockets (DHCP 0044, NTP and DNS as client)", udp.strip() or "none")
    failed = machine.shell("systemctl --failed --no-legend --plain | awk '{print $1}' | tr '\\n' ' '").strip()
    report.figure("failed units", failed or "none", not failed)
    read_only = machine.shell("touch /written 2>/dev/null && echo no || echo yes")
    report.figure("root is read-only", read_only, read_only == "yes")
    gettys = machine.shell("cat /proc/[0-9]*/comm | grep -c -E 'getty|login|sshd|bluetoothd' || true")
    report.figure("login programs running", gettys, gettys == "0")
    renderer = machine.shell("journalctl -b -u kiosk-screen -o cat | grep -m1 'video driver' || true")
    report.figure("display", renderer.partition("display ")[2] or "unknown", "opengles2" in renderer)
    for unit in ("kiosk-reader", "kiosk-screen", "kiosk-uploader"):
        exposure = machine.shell(f"systemd-analyze security --no-pager {unit} | tail -1")
        if found := re.search(r": ([\d.]+) ", exposure):
            report.figure(f"exposure of {unit}", found[1], float(found[1]) <= 1.5)


def bare(counter: Counter, report: Report, debian: Path) -> None:
    """A bare Debian root, same kernel and RAM disk, same emulator: what the start is set against."""
    disk = counter.folder / "bare.img"
    disk.unlink(missing_ok=True)
    counter.tool(["mke2fs", "-q", "-t", "ext4", "-d", str(debian), str(disk), "1800M"], debian)
    # No login prompt, as in the image; its serial line's device would be waited for in vain.
    line = "console=ttyAMA0 root=/dev/vda rw rootwait quiet systemd.getty_auto=no systemd.show_status=yes"
    with counter.machine(disk, cmdline=line) as machine:
        took = machine.wait("multi-user.target", lambda: "multi-user.target" in machine.console(), READY_S)
        report.figure("bare Debian, power on to multi-user.target", f"{took:.0f} s")
        until(lambda: "finished" in machine.shell("systemd-analyze time"), READY_S)
        told = machine.shell("systemd-analyze time | head -1")
        report.figure("bare Debian in the same emulator", told.partition("finished in ")[2].strip())


def slots(counter: Counter, report: Report) -> None:
    """U-Boot's own count, on the tier that has U-Boot: power cut in every start."""
    tried = update.counts_down(counter, counter.fresh_disk("slots.img", "4G"))
    told = " ".join(f"{each.slot}({each.left_a},{each.left_b})" for each in tried)
    report.figure("slots tried when no start gets through", told, [e.slot for e in tried] == list("AAAB"))


REFUSED = {
    "product.raucb": "compatible",
    "key.raucb": "signature|verif|certificate",
    "torn.raucb": "signature|bundle",
}


def updates(counter: Counter, report: Report, keys: Path) -> None:
    """Slot B written while A serves; B started; B broken, and A again. Settings and records stay."""
    card = counter.fresh_disk("update.img")
    counter.write_card(card)
    before = set(counter.service.records())
    take_out(counter.build, card, counter.folder / "raspi3b", FAT_AT)
    update.attempt(counter, card)  # U-Boot makes its variables
    image = update.stick(counter, update.bundles(counter, keys))
    with update.running(counter, card, "A", image) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        counter.visit(machine, "card")
        records = set(counter.service.records()) - before
        update.good(machine)
        for name, why in REFUSED.items():
            report.figure(f"bundle {name} refused", update.refused(machine, name, why)[:60], True)
        counter.see(machine, "start")
        begun = time.monotonic()
        told = update.install(machine, "good.raucb")
        took = f"{time.monotonic() - begun:.0f} s"
        report.figure("slot B written while A serves", took, update.installed(told))
        counter.see(machine, "start")
    chosen = update.attempt(counter, card)
    report.figure("U-Boot starts the new slot", chosen.slot, chosen.slot == "B")
    with update.running(counter, card, "B") as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        update.good(machine)
        kept = machine.shell("/opt/kiosk/bin/kiosk outbox list --all --json --config /etc/kiosk/kiosk.toml")
        report.figure(
            "records known after the update", str(len(records)), all(each in kept for each in records)
        )
    tried = [update.attempt(counter, card) for _ in range(4)]
    told = " ".join(f"{each.slot}({each.left_a},{each.left_b})" for each in tried)
    report.figure(
        "new slot that never gets through, old one again", told, [e.slot for e in tried] == list("BBBA")
    )


def stolen(counter: Counter, report: Report, card: Path, records: list[str]) -> None:
    """The card in a thief's hands, before and after the clinic had it revoked."""
    work = counter.folder / "thief"
    work.mkdir(exist_ok=True)
    data = work / "data.img"
    copy_range(card, partition(card, DATA), data)
    wanted = thief.words(ACTIVATION_CODE, STAFF_PASSCODE)
    found = thief.strings_in(data, wanted)
    report.figure(f"of {len(wanted)} secrets and persons, found on the card", str(len(found)), not found)
    for each in found:
        report.say(f"on the card: {each}")
    report.figure("databases carved from it", str(len(thief.carve(data, work))))
    credentials = thief.keys_on(data, work)
    report.figure("client key on the card (level 0)", "yes" if credentials else "no")
    if credentials is None:
        return
    url = f"https://127.0.0.1:{counter.ports[0]}"
    told = " ".join(thief.told(url, credentials, records))
    persons = [name for name, text in thief.words().items() if text in told.encode()]
    report.figure("persons that the service tells that key", str(len(persons)), not persons)
    counter.service.revoke(INSTITUTION, TERMINAL)
    after = thief.told(url, credentials, records)
    refused = all("Problem" in each or "Fault" in each for each in after)
    report.figure("the same key once it is revoked", "refused" if refused else "answered", refused)


def bad_settings(counter: Counter, report: Report) -> None:
    """A card as it was flashed, with nothing filled in: every fault on the screen; then a ruined file."""
    card = counter.fresh_disk("unwritten.img")
    with counter.machine(card) as machine:
        for name, text in (("notice_unwritten", None), ("notice_ruined", "[clinic\nname = ")):
            if text is not None:
                staged = counter.folder / "kiosk.toml"
                staged.write_text(text, encoding="utf-8")
                said = staged.read_text(encoding="utf-8").replace("\n", "\\n")
                machine.shell(f"printf '{said}' > /boot/firmware/kiosk.toml; sync")
            wanted = counter.folder / "judged.toml"
            wanted.write_text(text or counter.read_card(card), encoding="utf-8")
            try:
                load_card(wanted)
            except ConfigError as fault:
                counter.golden.add_notice(name, notice_of(Faulty(fault), data_lost=False))
            counter.see(machine, name, limit_s=READY_S)
            report.figure(f"screen with {name.removeprefix('notice_')} settings", "names the faults", True)


def unplug(counter: Counter, machine: Machine, report: Report) -> None:
    """The reader is pulled and put back."""
    counter.unplug()
    counter.see(machine, "out_of_service_reader")
    counter.plug(machine)
    counter.see(machine, "start")
    report.figure("reader pulled and put back", "start screen again", True)


def kill_each(counter: Counter, machine: Machine, report: Report) -> None:
    """Each service killed; it must come back by itself."""
    for name in ("reader", "uploader", "screen"):
        machine.shell(f"systemctl kill -s KILL kiosk-{name}")
        took = until(partial(active, machine, name))
        counter.see(machine, "start")
        report.figure(f"kiosk-{name} killed, active again after", f"{took:.0f} s", True)


def stop_each(counter: Counter, machine: Machine, report: Report) -> None:
    """Each service stops making progress without ending; its watchdog must notice."""
    for name in ("reader", "uploader", "screen"):
        before = machine.shell(f"systemctl show -P MainPID kiosk-{name}")
        machine.shell(f"kill -STOP {before}")
        took = until(partial(replaced, machine, name, before))
        counter.see(machine, "start")
        report.figure(f"kiosk-{name} stopped, a new one active after", f"{took:.0f} s", True)


def replaced(machine: Machine, name: str, before: str) -> bool:
    now = machine.shell(f"systemctl show -P MainPID kiosk-{name}")
    return now not in (before, "0") and active(machine, name)


def active(machine: Machine, name: str) -> bool:
    return machine.shell(f"systemctl is-active kiosk-{name}") == "active"


def until(true: Callable[[], bool], limit_s: float = 180) -> float:
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > limit_s:
            raise MachineError("waited in vain")
        time.sleep(1)
    return time.monotonic() - begun


def power_cuts(
    counter: Counter, report: Report, before: Path, log: Path, promises: list[crash.Promise], count: int
) -> None:
    """Crash states of the whole recorded life."""
    begin = partition(before, DATA).begin
    part = Part(begin, before.stat().st_size - begin)  # it grows to the end of the card at the first start
    states = crash.campaign(before, part, log, counter.folder, tuple(promises), count, SEED)
    for state in states:
        for fault in state.faults:
            report.say(f"crash state {state.cut.sure}: {fault}")
    report.figure("recorded writes", str(len(writes(log))))
    bad = sum(bool(state.faults) for state in states)
    report.figure("crash states looked at", str(len(states)), len(states) == count)
    report.figure("  with settings in force", str(sum(state.in_force for state in states)))
    owing = sum(state.owed > 0 for state in states)
    report.figure("  that owe an acknowledged record", str(owing), owing > 0)
    report.figure("  with a fault", str(bad), bad == 0)


if __name__ == "__main__":
    sys.exit(main())
