"""The hand at the screen: touches what is on the screen, lays tokens down, waits for what is shown."""

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GUARD_S = 0.03  #: no hand is quicker than this; the screen's own guard (Timing.touch_guard_s) is shorter
PATIENCE_S = 45.0  #: longer than anything in the demo may take, restarts included


class StoryError(AssertionError):
    """The kiosk did not do what the scenario says; the text names what was shown instead."""


@dataclass(frozen=True)
class Shown:
    """One picture that came on the screen."""

    name: str
    targets: Mapping[str, tuple[float, float]]  #: what can be touched, with its middle in pixels
    at: float  #: CLOCK_MONOTONIC seconds
    stages_ms: dict[str, float] = field(default_factory=dict)
    png: str | None = None
    page: int = 0  #: another number, another page: the items of one question bear the same name


@dataclass(frozen=True)
class Lit:
    """The LEDs as they were set."""

    levels: tuple[bool, ...]
    at: float  #: CLOCK_MONOTONIC seconds, taken after the pins were set


#: Stands in the list where the screen process went away, so that its last picture is not taken for present.
GONE = Shown("(no screen)", {}, 0.0)


class ScreenHand:
    """The demo's screen process seen from outside. Reconnects when that process is started again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._shown: list[Shown] = []
        self._lit: list[Lit] = []
        self._answers: list[dict[str, Any]] = []
        self._socket: socket.socket | None = None
        self._closing = False
        self._sessions = 0
        self._interrupted = False
        self._at: tuple[str, Callable[[], None]] | None = None
        self._thread = threading.Thread(target=self._listen, name="demo-client", daemon=True)
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
                self._sessions += 1
                self._changed.notify_all()
            self._read(connection)
            with self._changed:
                self._socket = None
                self._shown.append(GONE)
            connection.close()

    def _read(self, connection: socket.socket) -> None:
        try:
            for line in connection.makefile("rb"):
                message = json.loads(line)
                if "shown" in message:
                    self._came(
                        Shown(
                            message["shown"],
                            {name: (x, y) for name, (x, y) in message["targets"].items()},
                            message["at"],
                            message["stages_ms"],
                            message["png"],
                            message["page"],
                        )
                    )
                    continue
                with self._changed:
                    if "lights" in message:
                        self._lit.append(Lit(tuple(message["lights"]), message["at"]))
                    else:
                        self._answers.append(message)
                    self._changed.notify_all()
        except (OSError, ValueError):
            return

    def _came(self, shown: Shown) -> None:
        with self._changed:
            at, self._at = self._at, None
        if at is not None and at[0] == shown.name:
            at[1]()
        elif at is not None:
            self._at = at
        with self._changed:
            self._shown.append(shown)
            self._changed.notify_all()

    def when_shown(self, name: str, act: Callable[[], None]) -> None:
        """Call `act` once, in the listening thread, as soon as this screen comes; before anybody who waits
        for it goes on."""
        with self._changed:
            self._at = (name, act)

    def interrupt(self) -> None:
        """Whoever waits now or later gets a StoryError, until `resume`."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Waiting is allowed again; what `when_shown` still looked for is forgotten."""
        with self._changed:
            self._interrupted, self._at = False, None

    def check(self) -> None:
        """Raise StoryError if interrupted."""
        if self._interrupted:
            raise StoryError("interrupted")

    def _wait(self, reached: Callable[[], bool], what: Callable[[], str], seconds: float) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: self._interrupted or reached(), seconds)
            self.check()
            if not came:
                raise StoryError(what())

    def send(self, **command: object) -> None:
        """Tell the demo's screen process something, as soon as it is there."""
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

    @property
    def sessions(self) -> int:
        """How many screen processes have been met so far."""
        with self._changed:
            return self._sessions

    def wait_for_another(self, met: int) -> None:
        """Until a screen process is met after the first `met`: what is shown from now on is its own."""
        self._wait(lambda: self._sessions > met, lambda: "no new screen process came", PATIENCE_S)

    def present(self, seconds: float = PATIENCE_S) -> Shown:
        """What is on the screen now, as soon as there is something."""
        self._wait(lambda: bool(self._shown) and self._shown[-1] is not GONE, lambda: "no screen", seconds)
        return self.shown[-1]

    def changed_since(self, shown: Shown, seconds: float) -> bool:
        """Wait for another picture than this one; False when none came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._shown[-1] is not shown, seconds)

    def forget(self) -> None:
        """Begin a new list, with the present picture as its first."""
        with self._changed:
            del self._shown[:-1]
            del self._lit[:-1]

    def wait_for(self, *names: str, seconds: float = PATIENCE_S) -> Shown:
        """Until one of these is the present picture."""
        self._wait(
            lambda: bool(self._shown) and self._shown[-1].name in names,
            lambda: f"waited for {' or '.join(names)}; the screens were {' > '.join(self.names())}",
            seconds,
        )
        return self.shown[-1]

    def wait_for_lights(
        self, wanted: Callable[[tuple[bool, ...]], bool], *, since: float, seconds: float = PATIENCE_S
    ) -> Lit:
        """The first time since `since` (CLOCK_MONOTONIC) that the LEDs were as wanted; waits for it."""

        def found() -> list[Lit]:
            return [lit for lit in self._lit if lit.at >= since and wanted(lit.levels)]

        self._wait(lambda: bool(found()), lambda: f"the LEDs never came on: {self._lit[-3:]}", seconds)
        with self._changed:
            return found()[0]

    def touch(
        self,
        target: str,
        *,
        on: str | None = None,
        changes_picture: bool = False,
        seconds: float = PATIENCE_S,
    ) -> None:
        """Touch a target once it is on the screen (`on`: once that screen is); with `changes_picture`, wait
        until another picture has come: the next one has a target of the same name.
        """
        self._wait(
            lambda: (
                bool(self._shown) and target in self._shown[-1].targets and on in (None, self._shown[-1].name)
            ),
            lambda: f"nothing to touch called {target}; the screens were {' > '.join(self.names())}",
            seconds,
        )
        time.sleep(max(0.0, self.shown[-1].at + GUARD_S - time.monotonic()))
        count = len(self.shown)
        self.send(touch=target)
        if changes_picture:
            self._wait(lambda: len(self._shown) > count, lambda: f"{target} changed nothing", PATIENCE_S)

    def names(self) -> list[str]:
        """The screens since `forget`, each once in a row; the items of a question one by one."""
        pages: list[tuple[str, int]] = []
        for shown in self.shown:
            if not pages or pages[-1] != (shown.name, shown.page):
                pages.append((shown.name, shown.page))
        return [name for name, _ in pages]

    def close(self) -> None:
        """Let go."""
        self._closing = True
        if self._socket is not None:
            self._socket.close()
