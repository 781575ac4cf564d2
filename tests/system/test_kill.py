"""`kill -9` of each process in the middle of each scenario: nothing acknowledged is lost, the next works."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from kiosk.qualification.terms import Mode
from kiosk.simulator.demo import scenarios
from kiosk.simulator.demo.hand import RESULTS, Hand
from kiosk.simulator.demo.scenarios import STORY, Scenario
from kiosk.simulator.demo.screen_hand import StoryError
from tests.system.shop import PROCESSES, Shop, open_shop

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Moment:
    """When the blow falls."""

    at: str  #: this screen has just come
    later_s: float = 0.0  #: and so much later
    slow_s: float = 0.0  #: the service takes so long to begin with a record


READING, CHECKING = Moment("reading"), Moment("checking")
#: Committed, sent, and the answer still out.
IN_FLIGHT = Moment("checking", later_s=0.2, slow_s=0.5)
#: The service has its doors open again and is at work on the record; see `outage_and_return`.
RETURN = Moment("(the record is under way)", slow_s=0.8)

#: scenario -> when the reader, the uploader, the screen is killed
MOMENTS: dict[str, tuple[Moment, Moment, Moment]] = {
    "card-pin": (READING, CHECKING, CHECKING),
    "iphone": (READING, CHECKING, READING),
    "android-pin": (Moment("hold"), READING, Moment("pin")),
    "consent-refused": (Moment("device"), CHECKING, Moment("device")),
    "consent-item-by-item": (Moment("consent_items"), Moment("consent_items"), Moment("consent_items")),
    "consent-as-registered": (Moment("hold"), Moment("hold"), Moment("hold")),
    "wrong-pin-then-right": (Moment("pin_wrong"), Moment("pin_wrong"), Moment("pin_wrong")),
    "pin-one-left": (READING, READING, READING),
    "pin-blocked": (Moment("staff_called"), Moment("staff_called"), Moment("staff_called")),
    "removed-mid-read-then-again": (Moment("again"), Moment("again"), Moment("again")),
    "wrong-token": (Moment("wrong_token"), Moment("wrong_token"), Moment("wrong_token")),
    "iphone-not-authenticated": (
        Moment("authenticate_on_phone"),
        Moment("authenticate_on_phone"),
        Moment("authenticate_on_phone"),
    ),
    "visual-check": (Moment("staff_passcode"), Moment("staff_passcode"), Moment("staff_passcode")),
    "other-device": (Moment("other_device"), Moment("other_device"), Moment("other_device")),
    "validity-1": (CHECKING, IN_FLIGHT, IN_FLIGHT),
    "validity-2": (Moment("not_confirmed"), IN_FLIGHT, Moment("not_confirmed")),
    "validity-3": (replace(READING, later_s=0.1), replace(CHECKING, later_s=0.002), IN_FLIGHT),
    "validity-4": (replace(READING, later_s=0.2), replace(CHECKING, later_s=0.005), CHECKING),
    "validity-5": (replace(READING, later_s=0.3), replace(CHECKING, later_s=0.010), CHECKING),
    "validity-6": (replace(READING, later_s=0.4), replace(CHECKING, later_s=0.020), CHECKING),
    "certificate-expired": (READING, READING, READING),
    "service-down": (CHECKING, CHECKING, Moment("recorded")),
    "service-back": (RETURN, RETURN, RETURN),
    "answer-lost": (Moment("recorded"), CHECKING, CHECKING),
    "idle-timeout": (Moment("still_there"), Moment("still_there"), Moment("still_there")),
    "reader-unplugged": (Moment("out_of_service"), Moment("out_of_service"), Moment("out_of_service")),
    "leftover-card": (Moment("laid_too_early"), Moment("laid_too_early"), Moment("laid_too_early")),
}

CASES = [
    pytest.param(scenario, mode, process, id=f"{mode.value}-{scenario.name}-{process}")
    for mode in Mode
    for scenario in STORY
    if mode in scenario.modes
    for process in PROCESSES
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("kill")) as shop:
        yield shop
        assert "Traceback" not in shop.logs(), shop.logs()


def outage_and_return(hand: Hand, strike: Callable[[], None]) -> str:
    """`service-down`, then `service-back` with the blow falling while the record is delivered."""
    scenarios.service_down(hand)
    hand.leave()
    visit = hand.last_record().visit
    hand.service.delay(RETURN.slow_s)
    hand.service.open()
    hand.wait_until("the record is under way", lambda: hand.service.requests(visit) > 0)
    strike()
    hand.wait_until("the record is answered", lambda: hand.last_record().state == "answered")
    return "answered"


def play_into_the_blow(hand: Hand, scenario: Scenario, moment: Moment, strike: Callable[[], None]) -> None:
    """Play until the blow has fallen, and on as far as the scenario's own hand gets."""
    if moment.slow_s and moment is not RETURN:
        hand.service.delay(moment.slow_s)
    try:
        if moment is RETURN:
            outage_and_return(hand, strike)
        else:
            hand.screen.when_shown(moment.at, strike)
            scenario.play(hand)
    except StoryError:
        return


def goes_on(process: str, moment: Moment) -> bool:
    """Whether the visit reaches its result by the same hand all the same: the uploader is back before it is
    needed, or the reader is not needed any more."""
    if process == "uploader":
        return moment.at not in ("out_of_service", "still_there")
    return process == "reader" and moment.at in ("checking", *RESULTS, RETURN.at)


@pytest.mark.parametrize(("scenario", "mode", "process"), CASES)
def test_a_process_killed_in_the_middle_loses_nothing(
    shop: Shop, scenario: Scenario, mode: Mode, process: str
) -> None:
    moment = MOMENTS[scenario.name][PROCESSES.index(process)]
    hand = shop.hand(mode)
    met, expected = shop.client.sessions, shop.starts()
    expected[process] += 1
    struck: list[float] = []

    def strike() -> None:
        time.sleep(moment.later_s)
        shop.demo.household.kill(process)
        struck.append(time.monotonic())
        if not goes_on(process, moment):
            shop.client.interrupt()

    play_into_the_blow(hand, scenario, moment, strike)
    assert struck, f"{moment.at} never came; the screens were {shop.client.names()}"
    names = shop.client.names()
    shop.client.resume()
    shop.wait_for_starts(expected)
    if process == "screen":
        shop.client.wait_for_another(met)
    elif goes_on(process, moment):
        assert scenario.outcome in {*names, "answered"} or "recorded" in names, names
    spent = hand.field.verifies("card") + hand.field.verifies("android")
    assert spent <= names.count("pin"), f"VERIFY {spent} times; the screens were {names}"

    hand.mend()
    hand.walk_out()
    nothing_acknowledged_is_lost(hand, shop)
    the_next_visit_works(hand)
    shop.wait_for_starts(expected)


def nothing_acknowledged_is_lost(hand: Hand, shop: Shop) -> None:
    """Whatever was committed or shown as recorded is answered in the end, with one effect each."""
    acknowledged = dict(shop.ear.committed)
    kept: dict[str, str] = {}

    def all_answered() -> bool:
        """A list without them says nothing: an uploader that was just started has yet to open its outbox."""
        lines = hand.all_records()
        kept.update({line.visit: line.receipt for line in lines})
        return acknowledged.keys() <= kept.keys() and {line.state for line in lines} <= {"answered"}

    hand.wait_until("every record is answered", all_answered)
    assert acknowledged.items() <= kept.items()
    for visit in list(kept)[-3:]:
        assert hand.service.effects(visit) == 1
    effects, records = hand.service.effect_totals()
    assert effects == records
    assert records >= len(kept)


def the_next_visit_works(hand: Hand) -> None:
    scenarios.card_pin(hand)
    assert hand.screen.present().name == "verified", hand.screen.names()
    hand.leave()


@pytest.mark.parametrize("moment", ["hold", "reading"])
def test_a_visit_waits_for_its_reader_and_goes_on_with_the_pin_typed_anew(shop: Shop, moment: str) -> None:
    hand = shop.hand()
    hand.begin()
    hand.choose("card")
    shop.client.when_shown(moment, lambda: shop.demo.household.kill("reader"))
    hand.pin()
    if moment == "reading":
        hand.tap("card")
    shop.client.wait_for("interrupted")
    hand.remove()
    hand.pin()  # the reader that held the first one is gone
    hand.screen.wait_for("hold")
    hand.tap("card")
    assert hand.ends() == "verified"
    assert hand.field.verifies("card") <= shop.client.names().count("pin")
    hand.leave()


def test_an_iphone_is_simply_held_again_after_the_reader_came_back(shop: Shop) -> None:
    hand = shop.hand()
    hand.begin()
    shop.client.when_shown("reading", lambda: shop.demo.household.kill("reader"))
    hand.read("iphone")
    hand.screen.wait_for("interrupted")
    hand.remove()
    hand.screen.wait_for("hold", "again")
    hand.settle()
    hand.tap("iphone")
    assert hand.ends() == "verified"
    assert "pin" not in shop.client.names()
    hand.leave()
