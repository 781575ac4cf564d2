"""Part `share`: the clinic's computer with a shared folder; verified answers come to lie in it."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from kiosk.uploader.store.audit_chain import Whole, verify
from tests.image.counter import HOST, READY_S, Counter
from tests.image.machine import Machine, MachineError, in_tools
from tests.image.report import Report

SHARE, USER, SECRET = "OQS", "kiosk", "invented, 8 words"
PORT = 445  #: mount.cifs asks for no other by itself
FACE = "face"
TAKES_S = 180.0
#: What a Windows computer of these years asks for: SMB 3.1.1, encrypted, no guests.
SETTINGS = """[global]
server role = standalone server
interfaces = lo
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
disable spoolss = yes
load printers = no
server min protocol = SMB3_11
server smb encrypt = required
map to guest = never
passdb backend = smbpasswd:{folder}/smbpasswd
username map = {folder}/users
private dir = {folder}
lock directory = {folder}
state directory = {folder}
cache directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/smbd.log
[{share}]
path = {folder}/{share}
read only = no
"""


class ClinicComputer:
    """A file server with one share and one user, on this machine's loopback. A context manager."""

    def __init__(self, counter: Counter) -> None:
        self._tools, self.folder = counter.build.tools, counter.folder / "clinic"
        self._process: subprocess.Popen[bytes] | None = None
        self.face.mkdir(parents=True, exist_ok=True)
        self._settings = self.folder / "smb.conf"
        text = SETTINGS.format(port=PORT, folder=self.folder, share=SHARE)
        self._settings.write_text(text, encoding="utf-8")
        (self.folder / "users").write_text(f"root = {USER}\n", encoding="utf-8")
        typed = f"{SECRET}\n{SECRET}\n".encode()
        self._run(["smbpasswd", "-c", str(self._settings), "-s", "-a", "root"], typed)

    def _run(self, command: list[str], typed: bytes) -> None:
        command = in_tools(self._tools, command, [self.folder])
        done = subprocess.run(command, input=typed, capture_output=True, check=False)
        if done.returncode:
            raise MachineError(f"smbpasswd: {done.stderr.decode(errors='replace')}")

    @property
    def face(self) -> Path:
        """Where the receipt computer looks for a face reader's results."""
        return self.folder / SHARE / FACE

    def handed_over(self) -> set[str]:
        """The files that lie there."""
        return {path.name for path in self.face.glob("*.xml")}

    def __enter__(self) -> "ClinicComputer":
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", PORT))
            except OSError as fault:
                raise MachineError(f"port {PORT} of this machine's loopback: {fault.strerror}") from None
        command = ["smbd", "--foreground", "--no-process-group", f"--configfile={self._settings}"]
        with (self.folder / "smbd.out").open("wb") as log:
            self._process = subprocess.Popen(
                in_tools(self._tools, command, [self.folder]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        """Switched off."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def written(text: str) -> str:
    """The card's file with share and hand-over in it, as staff would write it."""
    lines = (
        ('\naddress = ""', f'\naddress = "//{HOST}/{SHARE}"'),
        ('\nuser = ""', f'\nuser = "{USER}"'),
        ('\npassword = ""', f'\npassword = "{SECRET}"'),
        ('\nfolder = "none"', f'\nfolder = "/mnt/oqs/{FACE}"'),
    )
    for before, after in lines:
        assert text.count(before) == 1, f"{before} stands {text.count(before)} times in the card's file"
        text = text.replace(before, after)
    return f'{text}\n[report]\nfolder = "/mnt/oqs"\n'


def part(counter: Counter, report: Report) -> None:
    """The computer is off, on, off and on again; the visits go on."""
    computer = ClinicComputer(counter)
    card = counter.fresh_disk("share.img")
    counter.write_card(card, written(counter.settings()))
    with counter.machine(card) as machine:
        counter.plug(machine)
        counter.see(machine, "start", limit_s=READY_S)
        for moment in ("before it was ever on", "once it is off again"):
            end = counter.visit(machine, "card")
            report.figure(f"clinic's computer with a shared folder: visit {moment}", end, end == "verified")
            with computer:
                handed_over(counter, machine, computer, report)
                mounted(machine, report)
                audited(machine, computer, report)
        failed = machine.shell("systemctl --failed --no-legend --plain | awk '{print $1}'").strip()
        report.figure("  failed units", failed or "none", not failed)
        for where, lines in (("card", "cat /boot/firmware/kiosk.toml"), ("journal", "journalctl -b -o cat")):
            left = machine.shell(f"{lines} | grep -c -F '{SECRET}' || true")
            report.figure(f"  its password left on the {where}", left, left == "0")


def handed_over(counter: Counter, machine: Machine, computer: ClinicComputer, report: Report) -> None:
    """A visit whose answer comes to lie in the folder."""
    known = computer.handed_over()
    end = counter.visit(machine, "card")
    begun = time.monotonic()
    machine.wait("the file in the shared folder", lambda: computer.handed_over() > known, TAKES_S)
    took = f"{end}; {time.monotonic() - begun:.0f} s"
    report.figure("  it is on: the answer lies in the folder", took, end == "verified")


def audited(machine: Machine, computer: ClinicComputer, report: Report) -> None:
    """The audit table's part of the day, put there as the timer does it."""
    machine.shell("/opt/kiosk/bin/kiosk audit export --config /etc/kiosk/kiosk.toml > /dev/null")  # is noted
    machine.shell("systemctl start kiosk-report")
    files = [*(computer.folder / SHARE).glob("audit-*.jsonl")]
    found = [verify(file.read_text(encoding="utf-8").splitlines()) for file in files]
    met = len(found) == 1 and isinstance(found[0], Whole)
    report.figure("  audit table in the folder", "whole" if met else str(found), met)


def mounted(machine: Machine, report: Report) -> None:
    """As whom, and whether what goes over the wire is encrypted and a dead computer lets go."""
    told = machine.shell("grep ' /mnt/oqs cifs ' /proc/self/mounts")
    options = set(told.partition(" cifs ")[2].partition(" ")[0].split(","))
    met = options >= {"vers=3.1.1", "seal", "soft", "nosuid", "nodev", "noexec"}
    report.figure("  mounted", "SMB 3.1.1, encrypted, soft" if met else told[-200:], met)
