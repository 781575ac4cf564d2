"""The hand at the desk: touches what is on the screen, lays tokens down, waits for what is shown."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GUARD_S = 0.03  #: no hand is quicker than this; the screen's own guard (Timing.touch_guard_s) is shorter
PATIENCE_S = 20.0  #: longer than anything on the desk may take, restarts included


class StoryError(AssertionError):
    """The desk did not do what the scenario says; the text names what was shown instead."""


@dataclass(frozen=True)
class Shown:
    """One picture that came on the screen."""

    name: str
    targets: frozenset[str]
    at: float  #: CLOCK_MONOTONIC seconds
    stages_ms: dict[str, float] = field(default_factory=dict)
    png: str | None = None


class DeskClient:
    """The demo's screen process seen from outside. Reconnects when that process is started again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._shown: list[Shown] = []
        self._answers: list[dict[str, Any]] = []
        self._socket: socket.socket | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="desk-client", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._closing:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(self._path))
            except OSError:
                connection.close()
                time.sleep(0.02)
                continue
            with self._changed:
                self._socket = connection
            self._read(connection)
            with self._changed:
                self._socket = None
            connection.close()

    def _read(self, connection: socket.socket) -> None:
        try:
            for line in connection.makefile("rb"):
                message = json.loads(line)
                with self._changed:
                    if "shown" in message:
                        self._shown.append(
                            Shown(
                                message["shown"],
                                frozenset(message["targets"]),
                                message["at"],
                                message["stages_ms"],
                                message["png"],
                            )
                        )
                    else:
                        self._answers.append(message)
                    self._changed.notify_all()
        except (OSError, ValueError):
            return

    def _wait(self, reached: Callable[[], bool], what: Callable[[], str], seconds: float) -> None:
        with self._changed:
            if not self._changed.wait_for(reached, seconds):
                raise StoryError(what())

    def send(self, **command: object) -> None:
        """Tell the desk's screen process something, as soon as it is there."""
        self._wait(lambda: self._socket is not None, lambda: "the screen process is not there", PATIENCE_S)
        if self._socket is not None:
            self._socket.sendall(json.dumps(command).encode() + b"\n")

    def ask(self, **command: object) -> dict[str, Any]:
        """The same, and wait for the answer."""
        with self._changed:
            self._answers.clear()
        self.send(**command)
        self._wait(lambda: bool(self._answers), lambda: f"no answer to {command}", PATIENCE_S)
        return self._answers[0]

    @property
    def shown(self) -> list[Shown]:
        """Everything shown since `forget`."""
        with self._changed:
            return list(self._shown)

    def forget(self) -> None:
        """Begin a new list, with the present picture as its first."""
        with self._changed:
            del self._shown[:-1]

    def wait_for(self, *names: str, seconds: float = PATIENCE_S) -> Shown:
        """Until one of these is the present picture."""
        self._wait(
            lambda: bool(self._shown) and self._shown[-1].name in names,
            lambda: f"waited for {' or '.join(names)}; the screens were {' > '.join(self.names())}",
            seconds,
        )
        return self.shown[-1]

    def touch(self, target: str, *, on: str | None = None, seconds: float = PATIENCE_S) -> None:
        """Touch a target once it is on the screen (`on`: once that screen is)."""
        self._wait(
            lambda: (
                bool(self._shown) and target in self._shown[-1].targets and on in (None, self._shown[-1].name)
            ),
            lambda: f"nothing to touch called {target}; the screens were {' > '.join(self.names())}",
            seconds,
        )
        time.sleep(max(0.0, self.shown[-1].at + GUARD_S - time.monotonic()))
        self.send(touch=target)

    def names(self) -> list[str]:
        """The screens since `forget`, each once in a row."""
        names: list[str] = []
        for shown in self.shown:
            if not names or names[-1] != shown.name:
                names.append(shown.name)
        return names

    def close(self) -> None:
        """Let go."""
        self._closing = True
        if self._socket is not None:
            self._socket.close()
