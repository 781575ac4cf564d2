"""Signers, bundles and a service for the folder's tests; every test gets a box and an uploader of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uploader.service.tls_server import Authority
from tests.uploader.updates.channel_server import ChannelServer, channel_server
from tests.uploader.updates.rauc_service import loop_mounts_work, private_bus


@pytest.fixture(scope="package")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if not loop_mounts_work(tmp_path_factory.mktemp("loop")):
        pytest.skip("RAUC cannot mount a bundle here: it needs root, loop devices and squashfs")
    with private_bus() as environ:
        yield environ


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[ChannelServer]:
    with channel_server(tmp_path / "published", authority) as running:
        yield running
