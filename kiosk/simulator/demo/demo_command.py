"""`kiosk demo`: everything on one desk, with a window or as a story in pictures."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo.demo import Demo, Speed
from kiosk.simulator.demo.demo_folder import PIN, QUICK, STAFF_NUMBER, STAFF_PASSCODE, prepare
from kiosk.simulator.demo.hand import board_path
from kiosk.simulator.demo.scenarios import HANDED_OVER, STORY
from kiosk.simulator.demo.story import write_story
from kiosk.simulator.demo.story_player import chapter_folder, play
from kiosk.uploader.oqs.messages import FileKind

#: In a story the virtual card computes faster than a real one; in the window it takes its real time.
STORY_SPEED = Speed(sign_ms=80, verify_ms=20, usb_ms=0.1)
DEFAULT_OUT = Path("demo-out")
#: For the screen process. The class is by what window managers tell one program's windows from another's.
WINDOW = {"KIOSK_DEMO_WINDOW": "1", "SDL_VIDEO_X11_WMCLASS": "kiosk-demo", "SDL_APP_NAME": "kiosk-demo"}


@click.command()
@click.option("--headless", is_flag=True, help="No window: play the story and write its pictures.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for pictures, index.html, story.json.")
@click.option("--only", multiple=True, metavar="SCENARIO", help="Play only this scenario; repeatable.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default=Mode.HOME_CONSENT.value)
@click.option(
    "--handover",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Hand verified answers over to this folder, as a receipt computer would find them.",
)
def demo(headless: bool, out: Path | None, only: tuple[str, ...], mode: str, handover: Path | None) -> None:
    """Everything on one desk, without hardware."""
    if not headless and not has_display(os.environ):
        out = out or DEFAULT_OUT
        click.echo(f"There is no display here: the story is played without one, into {out}/.")
        headless = True
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    if headless:
        tell_story(out or DEFAULT_OUT, only, handover)
    else:
        open_window(Mode(mode), handover)


def _leave(number: int, _frame: object) -> None:
    """End by way of the context managers, which stop everything that was started."""
    raise SystemExit(128 + number)


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether a window can be opened."""
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def tell_story(out: Path, only: tuple[str, ...], handover: Path | None) -> None:
    """Play the scenarios; exits with 1 unless every one ended as it should."""
    story = STORY if handover is None else (*STORY, HANDED_OVER)
    names = {scenario.name for scenario in story}
    if unknown := set(only) - names:
        raise click.UsageError(f"no scenario is called {', '.join(sorted(unknown))}")
    scenarios = [scenario for scenario in story if not only or scenario.name in only]
    out.mkdir(parents=True, exist_ok=True)
    for scenario in story:
        for mode in scenario.modes:
            shutil.rmtree(out / chapter_folder(mode, scenario), ignore_errors=True)
    began = time.monotonic()
    environ = {"SDL_VIDEODRIVER": "dummy", "KIOSK_DEMO_PICTURES": str(out.resolve())}
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-demo-") as folder,
        Demo(prepare(Path(folder), board_path(), QUICK, handover), STORY_SPEED, environ) as running,
    ):
        running.open_shop(Mode.HOME_CONSENT)
        chapters = play(running, scenarios, click.echo)
        if any(chapter.fault for chapter in chapters):
            keep_logs(Path(folder), out)
    write_story(out, chapters)
    failed = [chapter for chapter in chapters if chapter.fault]
    click.echo(
        f"{len(chapters) - len(failed)} of {len(chapters)} as they should be, "
        f"{time.monotonic() - began:.1f} s; see {out / 'index.html'}"
    )
    if handover is not None:
        count = len(list(handover.glob(f"{FileKind.FACE.value}*.xml")))
        click.echo(f"{count} verified answers lie in {handover}/ for the receipt computer")
    if failed:
        raise SystemExit(1)


def keep_logs(folder: Path, out: Path) -> None:
    """Put the processes' logs beside the story of a failed run."""
    for log in folder.glob("*.log"):
        shutil.copy(log, out / log.name)


def open_window(mode: Mode, handover: Path | None = None) -> None:
    """A window until it is closed; its folder goes with it."""
    click.echo(
        f"Keys 1 2 3 lay card, iPhone, Android on the reader, 0 takes them off, S stops and starts the "
        f"service. PIN {PIN}; staff {STAFF_NUMBER}, passcode {STAFF_PASSCODE}."
    )
    try:
        code, said = run_window(mode, handover)
    except KeyboardInterrupt:  # the usual way to end what was started in a terminal
        return
    if code != 0:
        raise click.ClickException(said)


def run_window(mode: Mode, handover: Path | None) -> tuple[int, str]:
    """Everything until the window is closed; returns the screen process's exit code and its last words."""
    with (
        tempfile.TemporaryDirectory(prefix="kiosk-demo-") as folder,
        Demo(prepare(Path(folder), board_path(), {}, handover), Speed(), WINDOW) as running,
    ):
        running.open_shop(mode)
        code = running.household.wait("screen")
        lines = running.household.log_of("screen").splitlines() or [f"the screen process ended with {code}"]
        return code, lines[-1].removeprefix("Error: ")
