"""One simulated service for all tests of this folder that want one; each test gets a terminal of its own."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.simulator.tokens import pki
from kiosk.simulator.tokens.hierarchy import Hierarchy, default_folder, ensure_hierarchy
from kiosk.simulator.tokens.jpki_token import Identity, TokenKind
from tests.simulator.service.openapi_conformity import Conformity, load_conformity
from tests.simulator.service.running import RunningService, Terminal, running_service

NewTerminal = Callable[..., Terminal]


@pytest.fixture(scope="session")
def tokens() -> Hierarchy:
    return ensure_hierarchy(default_folder())


@pytest.fixture(scope="session")
def foreign_identity() -> Identity:
    """A token of a CA that bears the real one's name but has another key."""
    now = datetime.now(UTC)
    validity = pki.Validity(now - timedelta(days=1), now + timedelta(days=1))
    authority = pki.new_authority("user authentication", 0x0133C349, validity)
    return pki.issue(authority, pki.new_ec_key(), 0x7001, validity)


@pytest.fixture(scope="session")
def conformity() -> Conformity:
    return load_conformity()


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory, tokens: Hierarchy) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, "--token-trust", str(tokens.trust)) as service:
        yield service


@pytest.fixture
def service(shared_service: RunningService) -> Iterator[RunningService]:
    """The shared service, with nothing armed before and after."""
    yield shared_service
    shared_service.control.open()
    shared_service.control.clear()


@pytest.fixture
def new_terminal(
    service: RunningService, tokens: Hierarchy, conformity: Conformity, tmp_path: Path
) -> NewTerminal:
    def make(
        *, name: str | None = None, key: str = "rsa", expired: bool = False, **options: object
    ) -> Terminal:
        identity = tokens.authentication(TokenKind.CARD, key="ec" if key == "ec" else "rsa", expired=expired)
        chosen = name or f"K-{uuid.uuid4().hex[:12]}"
        return Terminal(service, tmp_path, identity, conformity, name=chosen, **options)  # type: ignore[arg-type] # institution and client only

    return make


@pytest.fixture
def terminal(new_terminal: NewTerminal) -> Terminal:
    return new_terminal()
