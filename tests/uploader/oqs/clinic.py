"""A kiosk whose settings name the clinic's folders."""

import time
from collections.abc import Callable
from pathlib import Path

from kiosk.simulator.service.service_pki import make_client
from tests.simulator.service.running import RunningService
from tests.uploader.world import INSTITUTION, TERMINAL, write_config

PATIENCE_S = 60.0  #: of a busy machine; nothing is measured by it


def write_clinic_config(folder: Path, service: RunningService, sections: str) -> Path:
    """A kiosk.toml with short times and these further sections."""
    client = make_client(service.files, folder / "client", INSTITUTION, TERMINAL)
    config = write_config(folder, service.url, service.files.ca, client.certificate, client.key)
    config.write_text(config.read_text(encoding="utf-8") + sections, encoding="utf-8")
    return config


def files_in(folder: Path) -> list[Path]:
    """The files that another program would see there."""
    return sorted(each for each in folder.iterdir() if each.is_file())


def wait_for(reached: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
