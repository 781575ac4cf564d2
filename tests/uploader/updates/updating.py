"""An uploader that updates a box of its own: settings, process, and the messages of the update page."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.channel import AskUpdate, StartUpdate, UpdateOffer, UpdateSource, UpdateStatus
from tests.uploader.updates.bundles import Box
from tests.uploader.world import RunningUploader, Screen, Token, start_uploader, write_config

STAFF = "1001"
PATIENCE_S = 90.0  #: a loaded machine verifies, copies and installs slowly


@dataclass(frozen=True)
class Place:
    """Where one test's kiosk lives."""

    folder: Path
    config: Path
    box: Box

    @property
    def stick(self) -> Path:
        return self.folder / "stick"

    @property
    def flags(self) -> Path:
        return self.folder / "flags"

    @property
    def fetched(self) -> Path:
        return self.folder / "fetched"

    def start(self, token: Token, bus: dict[str, str] | None = None) -> RunningUploader:
        return start_uploader(self.config, token, bus or {})

    def kiosk(self, *words: str, bus: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`kiosk update …` with this kiosk's settings."""
        command = [sys.executable, "-m", "kiosk", "update", *words, "--config", str(self.config)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | (bus or {})
        )


def make_place(folder: Path, box: Box, *, channel: str = "none", ca: Path | None = None) -> Place:
    """A kiosk whose qualification service is out of reach: updates do not need it."""
    config = write_config(
        folder, "https://127.0.0.1:9", folder / "ca.pem", folder / "terminal.pem", folder / "terminal.key"
    )
    place = Place(folder, config, box)
    place.stick.mkdir()
    place.flags.mkdir()
    (folder / "os-release").write_text('ID=debian\nIMAGE_VERSION="1.1.0"\n', encoding="utf-8")
    (folder / "synchronized").touch()
    with config.open("a", encoding="utf-8") as file:
        file.write(
            f'[clock]\ntrust_file = "synchronized"\n[update]\nchannel = "{channel}"\nca = "{ca or "none"}"\n'
            f'folder = "fetched"\nstick = "stick"\nflags = "flags"\nrauc = "{box.conf}"\n'
            'os_release = "os-release"\n'
        )
    return place


def until(screen: Screen, holds: Callable[[UpdateStatus], bool], *, ask: bool = True) -> UpdateStatus:
    """Ask, as the page does, until the answer is as wanted."""
    end = time.monotonic() + PATIENCE_S
    while True:
        if ask:
            told = screen.ask(AskUpdate(staff=STAFF), UpdateStatus)
        else:
            screen.poll(0.2)
            found = [each for each in screen.heard if isinstance(each, UpdateStatus)]
            told = found[-1] if found else screen.wait_for(UpdateStatus)
        if holds(told):
            return told
        assert time.monotonic() < end, told
        time.sleep(0.05)


def offered(screen: Screen, source: UpdateSource) -> UpdateOffer:
    """Wait until this source offers something."""
    told = until(screen, lambda told: any(offer.source == source for offer in told.offers))
    return next(offer for offer in told.offers if offer.source == source)


def install(screen: Screen, offer: UpdateOffer) -> UpdateStatus:
    """Have it installed and wait for the end, by what is told without asking."""
    screen.forget()
    screen.send(StartUpdate(staff=STAFF, version=offer.version, source=offer.source))
    return until(screen, ended, ask=False)


def ended(told: UpdateStatus) -> bool:
    return told.fault is not None or told.phase == "installed"


def until_flag(screen: Screen, flag: Path, *, there: bool = True) -> None:
    """Wait until a wish to the service manager is made, or withdrawn."""
    end = time.monotonic() + PATIENCE_S
    while flag.exists() is not there:
        assert time.monotonic() < end, flag
        screen.poll(0.05)
