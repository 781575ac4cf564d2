"""What several rooms' tests share: the virtual field and the hand at it, one simulated service, one token.

A process is made once for each worker; every test gets a terminal, a kiosk or an uploader of its own.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import nfc
import pytest
from hypothesis import HealthCheck, settings

from kiosk.simulator.field.field import FieldSettings, VirtualField
from kiosk.simulator.field.field_client import FieldClient
from kiosk.simulator.radio.airtime import INSTANT
from kiosk.simulator.tokens.hierarchy import Hierarchy, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import ComputingTime
from tests.nfc.stock_stick import plugged_in
from tests.simulator.service.running import RunningService, running_service
from tests.uploader.service.tls_server import Authority
from tests.uploader.updates.bundles import Box, Shelf
from tests.uploader.world import Token

# One profile for all: a busy machine is no fault of the code, and fixtures that are made once are meant.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="run files, and tests in them, in another order"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """No test may lean on one before it: with a seed, so that every worker has the same order, and again."""
    seed = config.getoption("shuffle")
    if seed is None:
        return
    chance = random.Random(seed)
    files = sorted({item.path for item in items})
    places = {path: chance.random() for path in files}
    chance.shuffle(items)
    items.sort(key=lambda item: places[item.path])


@pytest.fixture(scope="session")
def hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Hierarchy:
    return ensure_hierarchy(tmp_path_factory.mktemp("virtual-jpki") / "pki")


@pytest.fixture
def field(tmp_path: Path, hierarchy: Hierarchy) -> Iterator[VirtualField]:
    settings = FieldSettings(tmp_path / "field", model=INSTANT, time=ComputingTime(0, 0))
    with VirtualField(settings, hierarchy) as running:
        yield running


@pytest.fixture
def hand(field: VirtualField) -> Iterator[FieldClient]:
    with FieldClient(field.settings.path) as client:
        yield client


@pytest.fixture
def stick(field: VirtualField) -> Iterator[nfc.ContactlessFrontend]:
    with plugged_in(field.settings.path) as frontend:
        yield frontend


@pytest.fixture(scope="session")
def token() -> Token:
    return Token.make()


@pytest.fixture(scope="session")
def service_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf.make(tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def box(tmp_path: Path, shelf: Shelf) -> Box:
    return Box.make(tmp_path / "box", shelf.ours)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("channel-pki") / "updates")
