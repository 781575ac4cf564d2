"""A kiosk in QEMU: the image's own bytes, started, looked at, touched, its plugs pulled.

Tier `virt`: the kernel and initial RAM disk of slot A, the whole card on a virtio disk, virtio-gpu as panel
(a display controller without a GPU: Mesa draws on the processor), virtio-multitouch, xHCI for the reader.
"""

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QEMU = "qemu-system-aarch64"
MEMORY_MIB = 1024
#: What decides the device tree that QEMU makes for the machine.
BOARD = ("-M", "virt,gic-version=max", "-cpu", "cortex-a72", "-smp", "2", "-m", str(MEMORY_MIB))
WIDTH, HEIGHT = 800, 480
ABSOLUTE_MAX = 0x7FFF  #: of QEMU's absolute pointers
PARTITIONS = {"A": 2, "B": 3}
SECTOR = 512  #: of blkdebug's rules
FINGER_S = 0.35  #: longer than a frame of a slow guest


#: A loaded host takes minutes to let an emulated guest find its disk; systemd gives up after three.
PATIENCE = "systemd.default_device_timeout_sec=900"


class MachineError(RuntimeError):
    """The machine did not do what it should; says what the end of its console was."""


@dataclass(frozen=True)
class Build:
    """What `make image` left: the folder of the disk step and the tool root that QEMU runs in."""

    disk: Path
    tools: Path

    @property
    def image(self) -> Path:
        return self.disk / "kiosk.img"

    def cmdline(self, slot: str) -> str:
        """The kernel's command line as U-Boot would give it for a slot (boot.cmd)."""
        script = (Path(__file__).resolve().parents[2] / "image-build/cmdline").read_text(encoding="utf-8")
        return f"{script.strip()} root=PARTUUID=4b494f53-0{PARTITIONS[slot]} rauc.slot={slot}"


@dataclass(frozen=True)
class Disk:
    """A disk of the machine: an image file, a log of every write to it if it is to be cut (replay.py).
    `worn` is what it cannot do any more: "read" or "write", at a byte of it or (None) anywhere.
    """

    path: Path
    log: Path | None = None
    worn: tuple[tuple[str, int | None], ...] = ()

    def node(self) -> dict[str, Any]:
        """QEMU's description of it."""
        file: dict[str, Any] = {"driver": "file", "filename": str(self.path)}
        if self.worn:
            errors = [
                {"event": "none", "iotype": what, "errno": errno.EIO, "once": False}
                | ({} if at is None else {"sector": at // SECTOR})
                for what, at in self.worn
            ]
            file = {"driver": "blkdebug", "image": file, "inject-error": errors}
        if self.log is None:
            return file
        return {
            "driver": "blklogwrites",
            "file": file,
            "log": {"driver": "file", "filename": str(self.log)},
            "log-append": False,
            "log-super-update-interval": 1,
        }


@dataclass
class Machine:
    """One run of QEMU. `folder` holds its sockets and logs. Use as a context manager."""

    build: Build
    folder: Path
    disk: Disk
    extra: Sequence[str] = ()
    append: str = ""
    slot: str = "A"
    cmdline: str | None = None  #: instead of the image's own
    network: str = "user,id=line,restrict=off"
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    _qmp: "Qmp | None" = field(default=None, init=False)
    _shell: "Shell | None" = field(default=None, init=False)

    def __enter__(self) -> "Machine":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Power on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.sock"):
            old.unlink()
        if self.disk.log is not None:
            self.disk.log.touch()  # QEMU fills it, and does not make it
        self.started = time.monotonic()
        log = (self.folder / "qemu.log").open("ab")
        self.process = subprocess.Popen(
            in_tools(
                self.build.tools, self._command(), [self.folder, self.disk.path.parent, self.build.disk]
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._qmp = Qmp(self.path("qmp.sock"), self.process)

    def _command(self) -> list[str]:
        node = json.dumps({"driver": "raw", "node-name": "card", "file": self.disk.node()})
        words = f"""
            -accel tcg,thread=multi
            -kernel {self.build.disk}/vmlinuz -initrd {self.build.disk}/initrd.img
            -device virtio-blk-pci,drive=card
            -device virtio-gpu-pci,xres={WIDTH},yres={HEIGHT} -device virtio-multitouch-pci
            -device qemu-xhci,id=xhci -chardev socket,id=nfc,path={self.path("nfc.sock")},server=on,wait=off
            -device usb-redir,chardev=nfc,bus=xhci.0
            -device virtio-serial-pci -chardev socket,id=sh,path={self.path("sh.sock")},server=on,wait=off
            -device virtconsole,chardev=sh
            -netdev {self.network} -device virtio-net-pci,netdev=line,romfile=
            -device virtio-rng-pci -display none
            -chardev file,id=console,path={self.path("console.log")} -serial chardev:console
            -qmp unix:{self.path("qmp.sock")},server=on,wait=off
        """.split()
        cmdline = self.build.cmdline(self.slot) if self.cmdline is None else self.cmdline
        append = f"{cmdline} {PATIENCE} {self.append}".strip()
        return [QEMU, *BOARD, "-blockdev", node, *words, "-append", append, *self.extra]

    def path(self, name: str) -> Path:
        return self.folder / name

    # ---- what a person could do --------------------------------------------------------------------

    @property
    def qmp(self) -> "Qmp":
        assert self._qmp is not None, "not started"
        return self._qmp

    def touch(self, x: float, y: float, seconds: float = FINGER_S) -> None:
        """A finger, in parts of the panel's width and height."""
        place = [(axis, int(value * ABSOLUTE_MAX)) for axis, value in (("x", x), ("y", y))]
        down: list[dict[str, Any]] = [_finger("begin", 1)]
        down += [_finger("data", 1, axis, value) for axis, value in place]
        self.qmp.ask("input-send-event", events=[*down, _button(True)])
        time.sleep(seconds)
        self.qmp.ask("input-send-event", events=[_finger("end", -1), _button(False)])

    def photograph(self, path: Path) -> Path:
        """What the panel shows, as PNG."""
        shot = self.folder / "shot.png"
        self.qmp.ask("screendump", filename=str(shot), format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shot.read_bytes())
        return path

    def kill(self) -> None:
        """Pull the plug (kill -9)."""
        for each in (self._qmp, self._shell):
            if each is not None:
                each.close()
        self._qmp = self._shell = None
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    # ---- what only a test can do -------------------------------------------------------------------

    def console(self) -> str:
        """What came out of the serial line."""
        path = self.path("console.log")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def shell(self, command: str, limit_s: float = 120) -> str:
        """Run a command as root in the guest. Needs `append` to hold DEBUG_SHELL."""
        if self._shell is None:
            self._shell = Shell(self.path("sh.sock"))
        return self._shell.run(command, limit_s)

    def new_shell(self) -> None:
        """After a restart of the guest: the shell is another one."""
        if self._shell is not None:
            self._shell.close()
        self._shell = None

    def wait(self, what: str, true: Callable[[], bool], limit_s: float, every_s: float = 1.0) -> float:
        """Wait for a condition; returns the seconds since power-on. Raises MachineError."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if true():
                return time.monotonic() - self.started
            if self.process is not None and self.process.poll() is not None:
                log = self.path("qemu.log").read_text(errors="replace")[-800:]
                raise MachineError(f"waiting for {what}: the machine ended: {log}")
            time.sleep(every_s)
        raise MachineError(f"{what} did not come within {limit_s:.0f} s; console:\n{self.console()[-2000:]}")


#: A root shell on the virtual console that only QEMU has: the image is not changed, a Pi has no such line.
DEBUG_SHELL = "systemd.debug_shell=hvc0 systemd.mask=serial-getty@hvc0.service"


def in_tools(tools: Path, command: Sequence[str], shared: Sequence[Path]) -> list[str]:
    """The command line that runs a program of the tool root, with folders at their own paths."""
    for folder in shared:
        (tools / folder.relative_to("/")).mkdir(parents=True, exist_ok=True)
    script = 'root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
    script += "".join(f'mount --bind "{folder}" "$root{folder}"; ' for folder in dict.fromkeys(shared))
    script += 'exec chroot "$root" "$@"'
    return ["unshare", "--mount", "--propagation=private", "sh", "-ec", script, "sh", str(tools), *command]


def _finger(kind: str, number: int, axis: str = "x", value: int = 0) -> dict[str, Any]:
    data = {"type": kind, "slot": 0, "tracking-id": number, "axis": axis, "value": value}
    return {"type": "mtt", "data": data}


def _button(down: bool) -> dict[str, Any]:
    return {"type": "btn", "data": {"down": down, "button": "touch"}}


class Qmp:
    """QEMU's machine protocol."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        self._socket = connected(path, process)
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._events: list[str] = []
        self._file.readline()  # greeting
        self.ask("qmp_capabilities")

    def happened(self) -> tuple[str, ...]:
        """The names of all events so far."""
        self.ask("query-status")  # events come before its answer
        return tuple(self._events)

    def ask(self, command: str, **arguments: Any) -> Any:
        """One command; raises MachineError for an error."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            line = self._file.readline()
            if not line:
                raise MachineError(f"{command}: the machine has gone")
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MachineError(f"{command}: {answer['error']['desc']}")
            if "event" in answer:
                self._events.append(answer["event"])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


def connected(
    path: Path, process: subprocess.Popen[bytes] | None = None, limit_s: float = 60
) -> socket.socket:
    """A connection to a UNIX socket of QEMU, which takes a moment to make it."""
    end = time.monotonic() + limit_s
    while True:
        found = socket.socket(socket.AF_UNIX)
        try:
            found.connect(str(path))
        except OSError:
            found.close()
            if time.monotonic() > end or (process is not None and process.poll() is not None):
                raise MachineError(f"{path.name}: QEMU did not open it") from None
            time.sleep(0.1)
        else:
            return found


class Shell:
    """systemd's debug shell on the virtual console."""

    def __init__(self, path: Path) -> None:
        self._socket = connected(path)
        self._count = 0
        self._socket.sendall(
            b"\nstty -echo cols 250; PS1=; PS2=; export TERM=dumb PAGER=cat SYSTEMD_COLORS=0\n"
        )

    def run(self, command: str, limit_s: float) -> str:
        """What the command printed. Raises MachineError when it does not end in time."""
        self._count += 1
        begin, end = f"<<{self._count}:", f":{self._count}>>"
        line = f"echo '<<''{self._count}:'; {{ {command}\n}} 2>&1; echo ':{self._count}''>>'\n"
        self._socket.sendall(line.encode())
        heard, until = b"", time.monotonic() + limit_s
        self._socket.settimeout(1)
        while end.encode() not in heard:
            if time.monotonic() > until:
                raise MachineError(f"no answer to {command!r} within {limit_s:.0f} s; heard {heard[-300:]!r}")
            with contextlib.suppress(TimeoutError):
                heard += self._socket.recv(65536)
        text = heard.decode(errors="replace").replace("\r", "")
        return text.partition(begin)[2].partition(end)[0].strip("\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()
