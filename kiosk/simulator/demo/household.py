"""The processes of one demo, started and kept alive as the service manager would (`Restart=always`)."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESTART_S = 0.1  #: the units' RestartSec, shortened
STOP_S = 5.0  #: then SIGKILL, as TimeoutStopSec would


@dataclass
class Member:
    """One process and how it is started."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    starts: int = 0
    started_at: float = field(default=0.0)


class Household:
    """Starts, ends, kills and revives the processes by name. Closing it leaves none behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members: dict[str, Member] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="household", daemon=True)
        self._keeper.start()

    def start(self, name: str, argv: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        """Start a process; its output goes to `NAME.log` in the folder."""
        with self._lock:
            member = Member(
                argv, {**os.environ, **(environ or {})}, self._folder / f"{name}.log", wanted=True
            )
            self._members[name] = member
            self._spawn(member)

    def _spawn(self, member: Member) -> None:
        with member.log.open("ab") as log:
            member.process = subprocess.Popen(
                member.argv,
                env=dict(member.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us alone, who stop them in order
            )
        member.starts += 1
        member.started_at = time.monotonic()

    def _keep(self) -> None:
        while not self._closing.wait(RESTART_S / 2):
            with self._lock:
                for member in self._members.values():
                    gone = member.process is None or member.process.poll() is not None
                    if member.wanted and gone and time.monotonic() - member.started_at > RESTART_S:
                        self._spawn(member)

    def pid(self, name: str) -> int:
        """The process id, for measuring."""
        process = self._members[name].process
        if process is None:
            raise ProcessLookupError(f"the {name} process is not running")
        return process.pid

    def starts(self, name: str) -> int:
        """How often it has been started."""
        return self._members[name].starts

    def kill(self, name: str) -> None:
        """`kill -9`; it is started again by itself."""
        with self._lock:
            process = self._members[name].process
            if process is not None:
                process.kill()
                process.wait()

    def stop(self, name: str) -> int:
        """SIGTERM, and no restart; returns the exit code."""
        with self._lock:
            member = self._members[name]
            member.wanted = False
            process = member.process
        if process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def again(self, name: str) -> None:
        """Start a stopped process as it was started before."""
        with self._lock:
            member = self._members[name]
            member.wanted = True
            self._spawn(member)

    def wait(self, name: str) -> int:
        """Until the process ends by its own will (a window was closed); it is not started again."""
        with self._lock:
            member = self._members[name]
            member.wanted = False
            process = member.process
        return 0 if process is None else process.wait()

    def log_of(self, name: str) -> str:
        """What it has written so far."""
        return self._members[name].log.read_text(errors="replace")

    def close(self) -> None:
        """Stop them all, the last started first."""
        self._closing.set()
        self._keeper.join()
        for name in reversed(self._members):
            self.stop(name)
