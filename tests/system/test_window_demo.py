"""The demo in a window: a whole visit by mouse and keyboard on an X server, and clean ends."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pygame
import pytest

from kiosk.simulator.demo.demo_folder import PIN
from kiosk.simulator.demo.screen_hand import ScreenHand
from kiosk.simulator.demo.strip import ALARM, CHOSEN, HEIGHT, KEY, LIT
from tests.system.xlib import photograph
from tests.system.xserver import XServer, x_server

pytestmark = [pytest.mark.slow, pytest.mark.peer]

PATIENCE_S = 60.0
SIZE = (800, 480 + HEIGHT)
#: Somewhere on a key of the strip, where no letter is.
KEY_1, KEY_2, KEY_S = (16, 530), (146, 530), (692, 530)


@pytest.fixture(scope="module")
def xserver() -> Iterator[XServer]:
    with x_server() as server:
        yield server


@dataclass
class Window:
    """`kiosk demo` in a window, the hand at it, and what its screen process tells."""

    xserver: XServer
    process: subprocess.Popen[str]
    folder: Path
    out: Path
    client: ScreenHand

    def click(self, target: str, on: str) -> None:
        """Click a target of the kiosk's picture with the mouse, once the picture has stood long enough."""
        shown = self.client.wait_for(on)
        time.sleep(max(0.0, shown.at + 0.3 - time.monotonic()))  # the screen's touch guard is 0.25 s
        self.xserver.click(*self.client.present().targets[target])

    def photograph(self, name: str) -> pygame.Surface:
        picture = photograph(self.xserver.display, *SIZE)
        pygame.image.save(picture, str(self.out / f"{name}.png"))
        return picture

    def looks(self, name: str, holds: Callable[[pygame.Surface], bool]) -> pygame.Surface:
        """Photograph until the picture is as it should be."""
        end = time.monotonic() + PATIENCE_S
        while not holds(picture := self.photograph(name)):
            assert time.monotonic() < end, f"{name}: see {self.out}"
            time.sleep(0.05)
        return picture


@contextmanager
def window(xserver: XServer, out: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """Start the demo in a folder for temporary files of its own; whatever happens, end it."""
    temporary = tmp_path_factory.mktemp("w")  # short: the names of UNIX sockets hold 107 bytes
    process = subprocess.Popen(
        # A shell's background jobs ignore Ctrl-C, and so does what they start; these tests may be one.
        ["env", "--default-signal=INT", sys.executable, "-m", "kiosk", "demo"],
        env={**xserver.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        folder = wait_for_path(temporary, "kiosk-demo-*", process)
        client = ScreenHand(folder / "story.sock")
        try:
            client.wait_for("start")
            yield Window(xserver, process, folder, out, client)
        finally:
            client.close()
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()


def wait_for_path(folder: Path, pattern: str, process: subprocess.Popen[str]) -> Path:
    end = time.monotonic() + PATIENCE_S
    while not (found := list(folder.glob(pattern))):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"no {pattern} in {folder}"
        time.sleep(0.01)
    return found[0]


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that were started with this folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in line:
            lines.append(line)
    return lines


def lamps(picture: pygame.Surface) -> int:
    """How many LEDs are lit on the strip."""
    row = [picture.get_at((x, 500))[:3] for x in range(600, 800)]
    return sum(1 for before, now in itertools.pairwise(row) if now == LIT != before)


def colour(picture: pygame.Surface, place: tuple[int, int]) -> tuple[int, ...]:
    return tuple(picture.get_at(place)[:3])


def has_ended(demo: Window, code: int) -> None:
    """Ended by itself with this exit code, and nothing of it is left."""
    _, errors = demo.process.communicate(timeout=PATIENCE_S)
    assert demo.process.returncode == code, errors
    assert "Traceback" not in errors
    assert processes_of(demo.folder) == []
    assert not demo.folder.exists()


def test_a_whole_visit_by_mouse_and_keyboard_then_one_without_the_line(
    xserver: XServer, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with window(xserver, tmp_path, tmp_path_factory) as demo:
        demo.looks("1-start", lambda picture: colour(picture, KEY_1) == KEY and lamps(picture) == 0)
        demo.click("start", on="start")
        demo.click("all", on="consent")
        demo.click("card", on="device")
        for digit in PIN:
            demo.click(f"digit_{digit}", on="pin")
        demo.click("ok", on="pin")
        demo.client.wait_for("hold")
        demo.looks("2-hold", lambda picture: lamps(picture) == 1)
        xserver.key("1")
        demo.client.wait_for("verified")
        demo.looks("3-verified", lambda picture: lamps(picture) == 4 and colour(picture, KEY_1) == CHOSEN)
        xserver.key("0")
        demo.click("finish", on="verified")
        demo.client.wait_for("start")

        xserver.key("s")
        demo.looks("4-line-cut", lambda picture: colour(picture, KEY_S) == ALARM)
        demo.click("start", on="start")
        demo.click("none", on="consent")
        demo.click("iphone", on="device")
        demo.client.wait_for("hold")
        xserver.click(*KEY_2)  # the strip by mouse
        demo.client.wait_for("recorded")
        demo.looks("5-recorded", lambda picture: colour(picture, KEY_2) == CHOSEN)
        xserver.key("0")
        xserver.key("s")
        demo.looks("6-line-mended", lambda picture: colour(picture, KEY_S) == KEY)
        demo.click("finish", on="recorded")
        demo.client.wait_for("start")

        xserver.key("3")
        demo.client.wait_for("laid_too_early")
        xserver.key("0")
        demo.client.wait_for("start")
        japanese = demo.photograph("7-japanese")
        demo.click("language_en", on="start")
        demo.looks("8-english", lambda picture: caption_of(picture) != caption_of(japanese))
        xserver.close_window_at(400, 20)
        has_ended(demo, 0)


def caption_of(picture: pygame.Surface) -> bytes:
    """The strip without its LEDs."""
    return pygame.image.tobytes(picture.subsurface((0, 480, 440, 36)), "RGB")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_ctrl_c_and_sigterm_end_everything_that_was_started(
    xserver: XServer,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    number: signal.Signals,
    code: int,
) -> None:
    with window(xserver, tmp_path, tmp_path_factory) as demo:
        assert len(processes_of(demo.folder)) == 5
        demo.process.send_signal(number)
        has_ended(demo, code)


def test_a_display_that_is_not_there_is_named_in_one_line() -> None:
    env = {**os.environ, "DISPLAY": ":97", "SDL_VIDEODRIVER": "x11"}
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "window cannot be opened" in done.stderr
    assert "--headless" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
