"""Whether this machine has what a kiosk needs: programs, fonts, trust, wiring, display, rights, updates."""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from kiosk.box import rauc
from kiosk.box.font_files import BIZ, NOTO
from kiosk.config.settings import Settings
from kiosk.health.finding import PartFinding, fault, ok, unknown
from kiosk.indicators.pin_map import PinMapError, load_pin_map

UNITS = ("kiosk-reader", "kiosk-screen", "kiosk-uploader")
#: Kernel modules that take the reader before nfcpy can (firmware/kiosk-blacklist.conf).
TAKERS = frozenset({"pn533", "pn533_usb", "port100", "nfc"})


def look(settings: Settings, trust: PartFinding) -> list[PartFinding]:
    """Every part of the installation. `trust`: what became of the CA certificates that tokens are checked
    against, which only the reader's own code can judge."""
    return [
        packages(),
        fonts(),
        trust,
        modules(Path("/proc/modules")),
        wiring(settings.indicators.board),
        display(Path("/dev")),
        users(settings.run_users),
        *units(),
        updates(settings),
    ]


def packages() -> PartFinding:
    """The Python packages that our own asks for."""
    lacking = []
    for line in metadata.requires("maina-kiosk") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            there = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            lacking.append(wanted.name)
            continue
        if not wanted.specifier.contains(there, prereleases=True):
            lacking.append(f"{wanted.name} {wanted.specifier} (here: {there})")
    if lacking:
        text = f"missing or too old: {', '.join(lacking)}"
        return fault("packages", "missing", text, "install the image anew, or requirements/run.txt with pip")
    return ok("packages", f"maina-kiosk {metadata.version('maina-kiosk')} with all that it needs")


def fonts() -> PartFinding:
    """The two fonts of the screens."""
    lacking = [f.package for f in (BIZ, NOTO) if not (f.regular.exists() and f.bold.exists())]
    if lacking:
        mend = f"apt-get install {' '.join(lacking)}"
        return fault("fonts", "missing", "the screens cannot be written", mend)
    return ok("fonts", f"{BIZ.package}, {NOTO.package}")


def modules(proc_modules: Path) -> PartFinding:
    """No kernel driver may sit on the reader."""
    try:
        loaded = {line.split()[0] for line in proc_modules.read_text(encoding="ascii").splitlines() if line}
    except OSError:
        return unknown("modules", "this kernel does not tell its modules")
    if taken := sorted(loaded & TAKERS):
        mend = f"rmmod {' '.join(taken)}; install firmware/kiosk-blacklist.conf"
        return fault("modules", "loaded", f"the kernel's {', '.join(taken)} takes the reader", mend)
    return ok("modules", "no kernel driver sits on the reader")


def wiring(pin_map: Path | None) -> PartFinding:
    """The pin map, and whether there are pins."""
    if pin_map is None:
        return ok("wiring", "neither LEDs nor buzzer are fitted")
    try:
        pins = load_pin_map(pin_map)
    except PinMapError as wrong:
        return fault("wiring", "unusable", "; ".join(wrong.faults), f"mend {pin_map}")
    if not any(Path("/dev").glob("gpiochip*")):
        return unknown("wiring", f"{pin_map} is in order, but this machine has no GPIO")
    sounder = "no buzzer" if pins.buzzer is None else f"buzzer at GPIO {pins.buzzer}"
    return ok("wiring", f"LEDs at GPIO {', '.join(map(str, pins.leds))}, {sounder}")


def display(dev: Path) -> PartFinding:
    """Something to draw on."""
    cards = sorted(path.name for path in dev.glob("dri/card*"))
    if cards:
        return ok("display", ", ".join(cards))
    return unknown("display", "this machine has no display of its own (no /dev/dri)")


def users(run_users: Iterable[str]) -> PartFinding:
    """Who may connect to the sockets must exist."""
    lacking = [user for user in run_users if not _exists(user)]
    if lacking:
        text = f"[run] users names {', '.join(lacking)}, whom this machine does not know"
        return fault("users", "missing", text, "systemd-sysusers deploy/sysusers.d/kiosk.conf, or mend [run]")
    return ok("users", ", ".join(run_users) or "no other user is let in")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def units() -> list[PartFinding]:
    """The services, where systemd runs."""
    if not Path("/run/systemd/system").is_dir():
        return [unknown("services", "systemd does not run here")]
    found = []
    for unit in UNITS:
        command = ["systemctl", "show", f"{unit}.service", "--property=ActiveState,NRestarts"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
        shown = dict(re.findall(r"^(\w+)=(.*)$", done.stdout, re.MULTILINE))
        state, restarts = shown.get("ActiveState", "unknown"), shown.get("NRestarts", "0")
        if state == "active":
            found.append(ok(unit, f"active, restarted {restarts} times"))
        else:
            mend = f"systemctl start {unit}; journalctl -u {unit}"
            found.append(fault(unit, state, f"the service is {state}", mend))
    return found


def updates(settings: Settings) -> PartFinding:
    """RAUC, its settings, and where wishes to the service manager are put."""
    update = settings.update
    if shutil.which(rauc.PROGRAM) is None or not update.rauc.exists():
        return unknown("updates", "this machine is not an image that RAUC updates")
    product = rauc.product_of(update.rauc)
    if product is None:
        return fault("updates", "unusable", f"{update.rauc} names no product", "install the image anew")
    if not update.flags.is_dir() or (os.geteuid() == 0 and update.flags.stat().st_uid == 0):
        text = f"{update.flags} is not the uploader's: neither stick nor restart from the menu"
        return fault("updates", "no_flags", text, "systemd-tmpfiles --create")
    where = update.channel or "USB stick only"
    return ok("updates", f"{product}, {where}")
