"""What stops making progress is started again: a service by systemd, the box by its hardware watchdog."""

import time
from functools import partial

from tests.image.counter import READY_S, Counter
from tests.image.machine import Machine
from tests.image.report import Report

#: A PCI card that Debian's kernel drives, as it does the Pi's; RuntimeWatchdogSec= does not tell them apart.
HARDWARE = ("-device", "i6300esb")
TAKEN_S = 14  #: RuntimeWatchdogSec= of deploy/appliance
#: From the last sign of life to the reset; twice the time-out, for the emulated processor's sake.
BITES_S = 60.0
SERVICES = ("reader", "uploader", "screen")

#: How the box may stop, and whether only the watchdog can start it again. The sleep lets the shell answer.
FROZEN = "echo 1 > /sys/fs/cgroup/init.scope/cgroup.freeze"
PANIC = "(sleep 2; echo c > /proc/sysrq-trigger) > /dev/null 2>&1 &"
STOPS = {
    "systemd frozen": (FROZEN, True),
    "kernel stopped for good": (f"echo 0 > /proc/sys/kernel/panic; {PANIC}", True),
    "kernel panic": (PANIC, False),
    "systemd crashed": ("(sleep 2; kill -SEGV 1) > /dev/null 2>&1 &", False),
}


def watchdog(counter: Counter, machine: Machine, report: Report) -> None:
    """The hardware's: taken by systemd, and the box comes back from every way to stop."""
    taken = machine.shell("cd /sys/class/watchdog/watchdog0 && cat identity state timeout").splitlines()
    report.figure("hardware watchdog", ", ".join(taken), taken[1:] == ["active", str(TAKEN_S)])
    for name, (how, bites) in STOPS.items():
        took, events = stopped(machine, how)
        counter.plug(machine)
        ready = time.monotonic()
        counter.see(machine, "start", limit_s=READY_S)
        by = "the watchdog" if "WATCHDOG" in events else "itself"
        back = f"started by {by} after {took:.0f} s, start screen {time.monotonic() - ready:.0f} s later"
        report.figure(name, back, "WATCHDOG" in events or not bites)


def stopped(machine: Machine, how: str) -> tuple[float, tuple[str, ...]]:
    """Stop the box and wait until it starts again: the seconds, and what QEMU saw of it."""
    before = len(machine.qmp.happened())
    begun = time.monotonic()
    machine.shell(how)

    def reset() -> bool:
        return "RESET" in machine.qmp.happened()[before:]

    machine.wait("a reset", reset, BITES_S)
    machine.new_shell()
    return time.monotonic() - begun, machine.qmp.happened()[before:]


def stop_each(counter: Counter, machine: Machine, report: Report) -> None:
    """Each service stops making progress without ending; its watchdog must notice."""
    for name in SERVICES:
        before = machine.shell(f"systemctl show -P MainPID kiosk-{name}")
        begun = time.monotonic()
        machine.shell(f"kill -STOP {before}")
        machine.wait(f"another kiosk-{name}", partial(replaced, machine, name, before), 180)
        took = time.monotonic() - begun
        counter.see(machine, "start")
        noticed = machine.shell(f"journalctl -b -o cat -u kiosk-{name} | grep -m1 'Watchdog timeout' || true")
        report.figure(f"kiosk-{name} stopped, a new one active after", f"{took:.0f} s", "timeout" in noticed)


def replaced(machine: Machine, name: str, before: str) -> bool:
    now = machine.shell(f"systemctl show -P MainPID kiosk-{name}")
    return now not in (before, "0") and machine.shell(f"systemctl is-active kiosk-{name}") == "active"
