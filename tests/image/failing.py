"""Part `failing`: processes that go on failing; what the screen says, and that the kiosk comes back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.channel.notice_file import from_text
from tests.image.counter import PAGE_S, READY_S, REPOSITORY, Counter
from tests.image.machine import Machine, MachineError
from tests.image.report import Report

NOTICES = REPOSITORY / "deploy/appliance/usr/share/kiosk/notices"
COMMANDS = Path("/opt/kiosk/lib/kiosk/commands")
WATCHED_S = 130  #: of a screen process that goes on failing
STARTS = 3  #: most in that time: one a minute
RETRY_S = 60


def add_notices(counter: Counter) -> None:
    """The image's own notices, as pictures `notice_NAME`."""
    for path in sorted(NOTICES.iterdir()):
        notice = from_text(path.read_text(encoding="utf-8"))
        if notice is None:
            raise MachineError(f"{path.name} is no notice")
        counter.golden.add_notice(f"notice_{path.stem}", notice)


@contextmanager
def broken(machine: Machine, name: str) -> Iterator[None]:
    """The module of a process is empty, its byte code gone: it ends as soon as it has started."""
    module, cache = COMMANDS / f"{name}.py", COMMANDS / "__pycache__"
    machine.shell(f"mkdir -p /run/none; : >/run/empty; mount --bind /run/empty {module}")
    machine.shell(f"mount --bind /run/none {cache}; systemctl kill -s KILL kiosk-{name}")
    try:
        yield
    finally:
        machine.shell(f"umount {module}; umount {cache}")


def part(counter: Counter, report: Report) -> None:
    """Screen and reader, each broken and mended."""
    add_notices(counter)
    card = counter.fresh_disk("failing.img")
    counter.write_card(card)
    with counter.machine(card) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        with broken(machine, "screen"):
            counter.see(machine, "notice_screen", limit_s=READY_S, every_s=0.5)
            report.figure("screen process that goes on failing", "its notice is shown", True)
            storm(counter, machine, report)
        counter.see(machine, "start", limit_s=2 * RETRY_S + PAGE_S)
        report.figure("  mended, nobody touched anything", "start screen again", True)
        with broken(machine, "reader"):
            counter.see(machine, "out_of_service_reader")
            report.figure("reader process that goes on failing", "its page is shown", True)
        counter.see(machine, "start")
        end = counter.visit(machine, "card")
        report.figure("  visit after all that", end, end == "verified")


def storm(counter: Counter, machine: Machine, report: Report) -> None:
    """How often the screen is tried while its notice stands; that such a slot is never good."""
    told = machine.shell("/usr/lib/kiosk/mark-good")
    report.figure(
        "  such a slot is good", told[:60], re.match(r"not yet: kiosk-\w+ failed", told) is not None
    )
    lines = "journalctl -b -o cat -u kiosk-failed@screen.service | grep -c 'in a row'"
    before = machine.shell(lines)
    machine.shell(f"sleep {WATCHED_S}", limit_s=WATCHED_S + 60)
    after = machine.shell(lines)
    count = int(after) - int(before)
    report.figure(f"  tries within {WATCHED_S} s", str(count), 1 <= count <= STARTS)
    counter.see(machine, "notice_screen")
    last = re.findall(r"(\d+) in a row", machine.shell("journalctl -b -o cat -u kiosk-failed@screen.service"))
    report.say(f"the screen has failed {last[-1] if last else '?'} times in a row")
