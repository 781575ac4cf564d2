"""One service process for the folder's tests; every test gets its own kiosk."""

from collections.abc import Iterator

import pytest

from tests.outbox.world import Token
from tests.system.simulated_terminal import RunningService, running_service


@pytest.fixture(scope="package")
def token() -> Token:
    return Token.make()


@pytest.fixture(scope="package")
def service_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def service(service_process: RunningService) -> Iterator[RunningService]:
    """The service, well and unfaulted before and after."""
    service_process.control.clear()
    service_process.control.open()
    yield service_process
    service_process.control.clear()
    service_process.control.open()
