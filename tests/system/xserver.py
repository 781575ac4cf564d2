"""An X server of the test's own, and the hand that works in it: Xvfb and xdotool, programs of others."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.system.xlib import send_delete


@dataclass(frozen=True)
class XServer:
    """A running Xvfb. `environ` opens windows on it, at its upper left corner."""

    display: str

    @property
    def environ(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
        return {**env, "DISPLAY": self.display, "SDL_VIDEODRIVER": "x11", "SDL_VIDEO_WINDOW_POS": "0,0"}

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self.environ, check=True, capture_output=True)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button of the mouse there."""
        self._do("mousemove", str(round(x)), str(round(y)), "mousedown", "1", "mouseup", "1")

    def key(self, name: str) -> None:
        """Press a key of the keyboard."""
        self._do("key", name)

    def close_window_at(self, x: float, y: float) -> None:
        """Ask the window there to close, as a window manager does when its cross is clicked."""
        self._do("mousemove", str(round(x)), str(round(y)))
        told = subprocess.run(
            ["xdotool", "getmouselocation", "--shell"], env=self.environ, check=True, capture_output=True
        )
        window = dict(line.split("=") for line in told.stdout.decode().split())["WINDOW"]
        send_delete(self.display, int(window))


@contextmanager
def x_server() -> Iterator[XServer]:
    """Start Xvfb on a display number that is free, and end it."""
    read, write = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read, "rb") as told:
            number = told.readline().strip().decode()
        assert number, "Xvfb did not start"
        yield XServer(f":{number}")
    finally:
        process.terminate()
        process.wait()
