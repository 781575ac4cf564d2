"""One service process and one token for the folder's tests; every test gets its own uploader."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.simulator.service.service_pki import ClientFiles, make_client
from tests.simulator.service.running import RunningService
from tests.uploader.world import INSTITUTION, TERMINAL, RunningUploader, Token, running_uploader, write_config


@pytest.fixture
def service(service_process: RunningService) -> Iterator[RunningService]:
    """The service, well and unfaulted before and after."""
    service_process.control.clear()
    service_process.control.open()
    yield service_process
    service_process.control.clear()
    service_process.control.open()


@pytest.fixture
def client(service: RunningService, tmp_path: Path) -> ClientFiles:
    return make_client(service.files, tmp_path / "client", INSTITUTION, TERMINAL)


@pytest.fixture
def config(service: RunningService, client: ClientFiles, tmp_path: Path) -> Path:
    return write_config(tmp_path, service.url, service.files.ca, client.certificate, client.key)


@pytest.fixture
def uploader(config: Path, token: Token) -> Iterator[RunningUploader]:
    with running_uploader(config, token) as running:
        yield running
