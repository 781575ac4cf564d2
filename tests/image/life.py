"""What a running kiosk must be and survive: stages, size, faults, settings; a bare Debian beside it."""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kiosk.commands.first_boot import notice_of
from kiosk.config.settings import ConfigError, load_card
from kiosk.provisioning.first_boot_steps import Faulty
from tests.image.counter import READY_S, Counter
from tests.image.machine import Machine, MachineError
from tests.image.report import Report

MEMORY_MIB = 300  #: at ready, without what the kernel can drop
ROOT_MIB = 900


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


def active(machine: Machine, name: str) -> bool:
    return machine.shell(f"systemctl is-active kiosk-{name}") == "active"


def until(true: Callable[[], bool], limit_s: float = 180) -> float:
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > limit_s:
            raise MachineError("waited in vain")
        time.sleep(1)
    return time.monotonic() - begun
