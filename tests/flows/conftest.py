"""The walks over the whole machine, made once for all tests of the flow."""

import pytest

from kiosk.qualification.terms import Mode
from kiosk.visit.states import Kiosk
from tests.flows.diagram import start
from tests.flows.search import Transition, search

Walks = dict[Mode, list[Transition]]


@pytest.fixture(scope="session")
def walks() -> Walks:
    return {mode: list(search([start(mode)])) for mode in Mode}


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def transitions(request: pytest.FixtureRequest, walks: Walks) -> list[Transition]:
    return walks[request.param]


@pytest.fixture
def kiosks(transitions: list[Transition]) -> set[Kiosk]:
    return {transition.before for transition in transitions}
