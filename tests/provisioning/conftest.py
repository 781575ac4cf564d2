"""Cards with changed settings."""

from pathlib import Path

import pytest

from tests.provisioning.changed_card import (
    Written,
    another,
)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card after its first start; hashing passcodes takes its time."""
    folder = tmp_path_factory.mktemp("first")
    Written(folder)
    return folder


@pytest.fixture
def card(tmp_path: Path, first: Path) -> Written:
    return another(first, tmp_path / "card")
