"""Fixtures of the reader's tests: a virtual field without modelled time, and the hand at it."""

from collections.abc import Iterator
from pathlib import Path

import nfc
import pytest

from kiosk.simulator.airtime import INSTANT
from kiosk.simulator.field import FieldSettings, VirtualField
from kiosk.simulator.field_client import FieldClient
from kiosk.simulator.hierarchy import Hierarchy, ensure_hierarchy
from kiosk.simulator.jpki_token import ComputingTime
from tests.reader.stock_stick import plugged_in


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
