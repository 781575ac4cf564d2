"""What systemd does for a service with Type=notify and WatchdogSec, as far as a test needs it."""

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

PATIENCE_S = 30.0


class Supervisor:
    """Runs the first command; starts the next one whenever the present one ends or is silent for too long.

    The watchdog counts from READY=1 (systemd.service(5), WatchdogSec=), and ends with SIGABRT.
    """

    def __init__(self, commands: list[list[str]], watchdog_s: float) -> None:
        self._commands, self._watchdog_s = commands, watchdog_s
        self._folder = tempfile.TemporaryDirectory(prefix="notify-")
        self._path = Path(self._folder.name) / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._child: subprocess.Popen[bytes] | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self.starts = 0
        self.heartbeats = 0
        self.ends: list[int] = []

    def __enter__(self) -> "Supervisor":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        if self._child is not None:
            self._child.kill()
        self._thread.join(PATIENCE_S)
        self._socket.close()
        self._folder.cleanup()

    def wait_for_starts(self, count: int) -> None:
        """Return when so many processes have been started."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.starts >= count, PATIENCE_S), f"{self.starts} starts"

    def _run(self) -> None:
        for command in self._commands:
            if self._closing:
                return
            environ = {**os.environ, "NOTIFY_SOCKET": str(self._path)}
            with subprocess.Popen(command, env=environ, cwd=Path(__file__).parents[2]) as self._child:
                with self._changed:
                    self.starts += 1
                    self._changed.notify_all()
                self._watch(self._child)
            self.ends.append(self._child.returncode)

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        ready, heard = False, time.monotonic()
        self._socket.settimeout(0.02)
        while child.poll() is None:
            try:
                said = self._socket.recv(4096).split(b"\n")
            except TimeoutError:
                said = []
            if b"READY=1" in said or b"WATCHDOG=1" in said:
                self.heartbeats += b"WATCHDOG=1" in said
                ready, heard = True, time.monotonic()
            if ready and time.monotonic() - heard > self._watchdog_s:
                child.send_signal(signal.SIGABRT)
                child.wait(PATIENCE_S)
