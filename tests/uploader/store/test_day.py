"""The counts of a day, as the chart and the report ask for them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.box.clock import Moment
from kiosk.channel import AskDay, DayCounts, StaffWasCalled, VisitEnded
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode, Outcome
from kiosk.uploader.store.database import PRAGMAS, Database
from kiosk.uploader.store.day_counts import day_counts
from kiosk.uploader.store.line_hours import LineHours
from kiosk.visit.states import CallReason
from tests.uploader.world import RunningUploader, new_visit

NINE = 1_795_565_400_000  #: 2026-11-25, 09:10 in Japan
DAY = "2026-11-25"


def ended(outcome: Outcome, token_ms: float) -> VisitEnded:
    return VisitEnded(
        visit=new_visit(),
        outcome=outcome,
        mode=Mode.HOME_CONSENT,
        device=Device.CARD,
        authentication=Authentication.PIN,
        stages_ms={"token": token_ms},
    )


def at(seconds: float) -> Moment:
    ms = int(seconds * 1000)
    return Moment(boot_id="b", mono_ms=5_000_000 + ms, wall_ms=NINE + ms, trusted=True)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "outbox.sqlite", PRAGMAS)) as database:
        yield database


def test_the_uploader_counts_a_day(uploader: RunningUploader) -> None:
    with uploader.screen() as screen:
        for outcome, ms in (
            (Outcome.VERIFIED, 155.0),
            (Outcome.VERIFIED, 160.0),
            (Outcome.STAFF_CALLED, 9e7),
        ):
            screen.send(ended(outcome, ms))
        screen.send(StaffWasCalled(reason=CallReason.PIN_BLOCKED))
        told = screen.ask(AskDay(), DayCounts)
    [hour] = told.hours
    assert (hour.outcomes, hour.calls) == ({"verified": 2, "staff_called": 1}, {"pin_blocked": 1})
    [stage] = told.stages
    assert stage.name == "token"
    assert sum(stage.counts) == 3
    assert stage.counts[told.bounds_ms.index(200)] == 2
    assert stage.counts[-1] == 1, "slower than every bound"
    assert told.devices == {"card": 3}
    assert told.authentications == {"pin": 3}


def test_an_outage_is_counted_in_its_hours(database: Database) -> None:
    log = LineHours()
    for minute in range(100):
        log.step(database, down=5 <= minute < 65, waiting=minute // 10, now=at(minute * 60))
    hours = {hour.hour: hour for hour in day_counts(database, DAY).hours}
    assert sum(hour.offline_s for hour in hours.values()) == pytest.approx(3600)
    assert hours[9].offline_s == pytest.approx(46 * 60, abs=60), "09:15 to 10:00, told once a minute"
    assert (hours[9].waiting_most, hours[10].waiting_most) == (5, 9)


def test_a_quiet_hour_is_not_written(database: Database) -> None:
    log = LineHours()
    for minute in range(200):
        log.step(database, down=False, waiting=0, now=at(minute * 60))
    assert day_counts(database, DAY).hours == ()
