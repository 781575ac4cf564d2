"""Answers that are cut on their way: each record has one effect at the service, and its answer is fetched."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from kiosk.channel import Deferred, SealingKeys, ServiceAnswered
from kiosk.qualification.terms import Outcome
from kiosk.simulator.service.service_pki import ClientFiles
from kiosk.uploader.delivery.answer_memory import ResponseKey
from kiosk.uploader.delivery.retry import (
    Accept,
    LineDown,
    RetryRules,
    decide,
)
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.service.wire import Answer, ServiceKeys
from tests.simulator.service.running import RunningService
from tests.uploader.service.fault_proxy import FaultProxy, Termination, Then, client_through, fault_proxy
from tests.uploader.world import Token, new_visit, running_uploader, sealed_request, write_config

# CPython's SSLSocket._create leaves one that was reset before the handshake to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

RULES = RetryRules()
DICE = Random(4).random


def sealing_keys(keys: ServiceKeys, response_key: ResponseKey) -> SealingKeys:
    return SealingKeys(
        service=keys.service,
        key_id=keys.keys[0].key_id,
        suite=keys.keys[0].suite.value,
        public=keys.keys[0].public,
        response_key_id=response_key.key_id,
        response_key=response_key.public,
    )


@pytest.fixture
def before_the_service(service: RunningService, client: ClientFiles) -> Iterator[FaultProxy]:
    """A proxy before the simulated service that can cut its answers."""
    files = service.files
    cutting = Termination(files.ca, files.certificate, files.key, client.certificate, client.key)
    with fault_proxy(service.port, cutting) as proxy:
        yield proxy


@pytest.mark.slow
def test_an_answer_cut_at_any_byte_has_one_effect_and_is_fetched(
    service: RunningService, client: ClientFiles, before_the_service: FaultProxy, token: Token
) -> None:
    """A record for every byte of the answer: sent, cut there, its status asked, told in whole."""
    proxy = before_the_service
    credentials = Credentials(service.files.ca, client.certificate, client.key)
    effects_before, records_before = service.control.effect_totals()
    began = time.monotonic()
    with client_through(proxy, credentials) as uplink:
        keys = uplink.keys()
        assert isinstance(keys, ServiceKeys)
        told = sealing_keys(keys, ResponseKey.generate())
        after, ended = 0, False
        while not ended:
            sealed = sealed_request(token, told, new_visit())
            proxy.arm(after, Then.CLOSE)
            reply = uplink.deliver(sealed.visit, sealed.suite, sealed.key_id, sealed.sealed)
            decision = decide(reply, "", 1, RULES, DICE, asked_status=False)
            ended = isinstance(decision, Accept)
            if ended:
                assert proxy.answered <= after, "the whole answer came through"
            else:
                assert isinstance(decision, LineDown), f"cut after {after} bytes: {decision}"
                assert decision.reached
            proxy.disarm()
            assert isinstance(uplink.status(sealed.visit), Answer)
            after += 1
    effects, records = service.control.effect_totals()
    print(f"{after} cuts, one effect each, in {time.monotonic() - began:.1f} s")
    assert after > 500
    assert (effects - effects_before, records - records_before) == (after, after)


def test_the_uploader_gets_through_a_bad_way_with_one_effect_each(
    service: RunningService, client: ClientFiles, before_the_service: FaultProxy, token: Token, tmp_path: Path
) -> None:
    proxy = before_the_service
    url = f"https://127.0.0.1:{proxy.port}"
    config = write_config(tmp_path, url, service.files.ca, client.certificate, client.key, retry_cap_s=0.2)
    visits = []
    with running_uploader(config, token) as uploader, uploader.screen() as screen:
        keys = screen.keys()
        for after, then in [
            (0, Then.CLOSE),
            (0, Then.RESET),
            (5, Then.CLOSE),
            (13, Then.CLOSE),
            (120, Then.RESET),
            (160, Then.CLOSE),
            (400, Then.RESET),
            (0, Then.SILENCE),
            (400, Then.SILENCE),
        ]:
            visit = new_visit()
            proxy.arm(after, then)
            screen.send(sealed_request(token, keys, visit))
            screen.wait_for(Deferred, visit)
            assert screen.wait_for(ServiceAnswered, visit).outcome is Outcome.VERIFIED
            visits.append(visit)
    assert [service.control.effects(visit) for visit in visits] == [1] * len(visits)
