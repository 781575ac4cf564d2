"""Signers, bundles and a service for the folder's tests; every test gets a box and an uploader of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet.bundles import Box, Signer, make_bundle
from tests.fleet.channel_server import ChannelServer, channel_server
from tests.fleet.rauc_service import loop_mounts_work, private_bus
from tests.outbox.tls_server import Authority
from tests.outbox.world import Token
from tests.system.simulated_terminal import RunningService, running_service


@dataclass(frozen=True)
class Shelf:
    """Bundles of every kind; 1.1.0 runs."""

    ours: Signer
    theirs: Signer
    new: Path  #: 1.2.0
    newest: Path  #: 1.3.0
    old: Path  #: 1.0.0
    same: Path  #: 1.1.0
    stranger: Path  #: 1.2.0, signed by somebody else
    other: Path  #: 1.2.0 for another product


@pytest.fixture(scope="package")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    folder = tmp_path_factory.mktemp("bundles")
    ours, theirs = Signer.make(folder, "ours"), Signer.make(folder, "theirs")
    return Shelf(
        ours=ours,
        theirs=theirs,
        new=make_bundle(folder, ours, "1.2.0"),
        newest=make_bundle(folder, ours, "1.3.0"),
        old=make_bundle(folder, ours, "1.0.0"),
        same=make_bundle(folder, ours, "1.1.0"),
        stranger=make_bundle(folder, theirs, "1.2.0"),
        other=make_bundle(folder, ours, "1.2.0", product="other-box"),
    )


@pytest.fixture
def box(tmp_path: Path, shelf: Shelf) -> Box:
    return Box.make(tmp_path / "box", shelf.ours)


@pytest.fixture(scope="package")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if not loop_mounts_work(tmp_path_factory.mktemp("loop")):
        pytest.skip("RAUC cannot mount a bundle here: it needs root, loop devices and squashfs")
    with private_bus() as environ:
        yield environ


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("channel-pki") / "updates")


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[ChannelServer]:
    with channel_server(tmp_path / "published", authority) as running:
        yield running


@pytest.fixture(scope="package")
def service_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="package")
def token() -> Token:
    return Token.make()
