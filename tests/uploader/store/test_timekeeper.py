"""No clock of its own: what was noted before the time was known is mended, and no certificate is blamed."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.box.clock import Clock, Moment
from kiosk.channel import AskCheck, AskStatus, CheckResult, LineState, Status
from kiosk.simulator.service.service_pki import Dates, make_client, prepare_service
from kiosk.uploader.delivery.line import word_of
from kiosk.uploader.identity.certificates import look_at
from kiosk.uploader.outbox.outbox import Outbox
from kiosk.uploader.service.tls import Credentials
from kiosk.uploader.service.wire import FaultKind, RequestFault
from kiosk.uploader.store.ledger import Ledger
from kiosk.uploader.store.named_values import NamedValues, ValueName
from kiosk.uploader.store.timekeeper import EVERY_S, Timekeeper
from kiosk.visit.audit_events import AuditEvent
from tests.simulator.service.running import running_service
from tests.uploader.outbox.records import entry, open_outbox
from tests.uploader.world import INSTITUTION, TERMINAL, Token, running_uploader, write_config

TRUE_MS = 1_800_000_000_000
LOST = Moment("boot-1", mono_ms=5_000, wall_ms=60_000, trusted=False)  # 1970
SET = Moment("boot-1", mono_ms=65_000, wall_ms=TRUE_MS, trusted=True)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    outbox = open_outbox(tmp_path / "outbox.sqlite", now=LOST)
    taken = entry()
    outbox.commit(type(taken)(**{**vars(taken), "clock_trusted": False}), LOST, send_now=False)
    Ledger(outbox.database).note(AuditEvent.DESK_OPENED, "1001", LOST)
    return outbox


def times(outbox: Outbox) -> list[tuple[object, ...]]:
    return outbox.database.rows("SELECT wall_ms, true_ms FROM records ORDER BY seq")


def test_times_of_a_boot_are_mended_when_the_clock_is_set_and_the_raw_ones_stay(outbox: Outbox) -> None:
    outbox.mend_times(SET)
    assert times(outbox) == [(60_000, TRUE_MS - 60_000)]
    [row] = Ledger(outbox.database).page(0, 10)
    assert (row.wall_ms, row.true_ms) == (60_000, TRUE_MS - 60_000)
    outbox.close()


def test_the_first_synchronisation_counts_a_later_step_changes_nothing(outbox: Outbox) -> None:
    outbox.mend_times(SET)
    outbox.mend_times(Moment("boot-1", 70_000, TRUE_MS + 30 * 365 * 86_400_000, trusted=True))
    assert times(outbox) == [(60_000, TRUE_MS - 60_000)]
    outbox.close()


def test_another_boots_times_cannot_be_mended_and_age_by_this_boot_alone(outbox: Outbox) -> None:
    other = Moment("boot-2", mono_ms=3_600_000, wall_ms=TRUE_MS, trusted=True)
    outbox.mend_times(other)
    assert times(outbox) == [(60_000, None)]
    assert outbox.oldest_s(other) == 3600.0, "sent for longer rather than given up because of 1970"
    outbox.close()


def test_a_mended_record_ages_rightly_after_a_reboot(outbox: Outbox) -> None:
    outbox.mend_times(SET)
    rebooted = Moment("boot-2", mono_ms=1_000, wall_ms=TRUE_MS - 60_000 + 7_200_000, trusted=True)
    assert outbox.oldest_s(rebooted) == 7200.0
    outbox.close()


def test_nothing_is_written_about_a_boot_that_knew_the_time(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "outbox.sqlite", now=SET)
    outbox.commit(entry(), SET, send_now=False)
    outbox.mend_times(SET)
    assert outbox.database.rows("SELECT * FROM boots") == []
    assert times(outbox) == [(TRUE_MS, None)]
    outbox.close()


# ---- the floor ---------------------------------------------------------------------------------------------


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    built = tmp_path / "built"
    built.touch()
    os.utime(built, (1_700_000_000, 1_700_000_000))
    (tmp_path / "boot_id").write_text("boot-1", encoding="ascii")
    return Clock(tmp_path / "boot_id", tmp_path / "synchronized", built)


def test_the_floor_is_the_build_then_what_was_last_seen(clock: Clock, tmp_path: Path) -> None:
    assert clock.now().floor_ms == 1_700_000_000_000
    clock.saw(1_750_000_000_000)
    assert clock.now().floor_ms == 1_750_000_000_000
    clock.saw(9_000_000_000_000)  # a wrong synchronisation, once
    assert clock.now().best_ms == 9_000_000_000_000
    (tmp_path / "synchronized").touch()
    now = clock.now()
    assert now.trusted, "the next synchronisation is believed all the same"
    assert now.best_ms == now.wall_ms


def test_a_clock_before_the_build_is_not_believed_whatever_it_says(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "synchronized").touch()
    assert clock.now().trusted
    os.utime(tmp_path / "built", (9_000_000_000, 9_000_000_000))
    later = Clock(tmp_path / "boot_id", tmp_path / "synchronized", tmp_path / "built")
    assert not later.now().trusted


def test_the_floor_comes_back_from_the_disk(tmp_path: Path, clock: Clock) -> None:
    outbox = open_outbox(tmp_path / "outbox.sqlite")
    keeper = Timekeeper(clock)
    keeper.step(outbox.database, LOST)
    assert NamedValues(outbox.database).get(ValueName.LAST_SEEN) is None, "what is not believed is not noted"
    keeper.step(outbox.database, SET)
    keeper.step(outbox.database, Moment("boot-1", 66_000, TRUE_MS + 1_000, trusted=True))
    assert NamedValues(outbox.database).get(ValueName.LAST_SEEN) == str(TRUE_MS), "not at every turn"
    soon = 65_000 + int(EVERY_S * 1000)
    keeper.step(outbox.database, Moment("boot-1", soon, TRUE_MS + 600_000, trusted=True))
    assert NamedValues(outbox.database).get(ValueName.LAST_SEEN) == str(TRUE_MS + 600_000)
    fresh = Clock(tmp_path / "boot_id", tmp_path / "synchronized", tmp_path / "built")
    Timekeeper(fresh).opened(outbox.database)
    assert fresh.now().floor_ms == TRUE_MS + 600_000
    outbox.close()


def test_counters_of_a_lost_clock_go_to_the_hour_of_the_floor() -> None:
    floored = Moment("boot-1", 1, wall_ms=0, trusted=False, floor_ms=TRUE_MS)
    assert floored.hour == "2027-01-15T17"


# ---- certificates and the clock ----------------------------------------------------------------------------


def test_dates_that_do_not_fit_are_the_clocks_fault_until_it_is_set() -> None:
    fault = RequestFault(FaultKind.CLOCK, reached=False)
    assert word_of(fault, clock_trusted=False) == "clock"
    assert word_of(fault, clock_trusted=True) == "service_expired"


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("wall", "trusted", "floor", "word"),
    [
        (-400, False, -400, "clock"),  # it starts in the past
        (400, False, -1, "clock"),  # it starts in the future
        (-400, False, 400, "expired"),  # it is surely later than that
        (1, False, -1, None),
        (-400, True, -500, "unusable"),
        (400, True, -1, "expired"),
        (361, True, -1, "ends_soon"),
        (350, True, -1, "ends_soon"),
        (1, True, -1, None),
    ],
)
def test_the_client_certificate_is_judged_as_far_as_the_clock_is_known(
    tmp_path: Path, wall: int, trusted: bool, floor: int, word: str | None
) -> None:
    today = datetime.now(UTC)
    files = prepare_service(tmp_path / "service")
    dates = Dates(today, today + timedelta(days=365))
    client = make_client(files, tmp_path / "client", INSTITUTION, TERMINAL, dates=dates)
    now = Moment("boot-1", 1, ms(today + timedelta(days=wall)), trusted, ms(today + timedelta(days=floor)))
    view = look_at(Credentials(files.ca, client.certificate, client.key), now)
    assert view.fault == word


@pytest.mark.parametrize(("synchronised", "word"), [(False, "clock"), (True, "service_expired")])
def test_an_expired_service_is_the_clocks_fault_until_the_clock_is_set(
    tmp_path: Path, token: Token, synchronised: bool, word: str
) -> None:
    past = Dates(datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) - timedelta(days=1))
    prepare_service(tmp_path / "old", service_dates=past)
    with running_service(tmp_path / "old") as service:
        client = make_client(service.files, tmp_path / "client", INSTITUTION, TERMINAL)
        config = write_config(tmp_path, service.url, service.files.ca, client.certificate, client.key)
        text = config.read_text(encoding="utf-8") + '[clock]\ntrust_file = "synchronised"\n'
        config.write_text(text, encoding="utf-8")
        if synchronised:
            (tmp_path / "synchronised").touch()
        with running_uploader(config, token) as uploader, uploader.screen() as screen:
            screen.wait_for(LineState, online=False)
            parts = {item.part: item.fault for item in screen.ask(AskCheck(), CheckResult).parts}
            assert (parts["line"], parts["certificate"]) == (word, None)
            say = screen.ask(AskStatus(), Status).line_reason
            assert ("has expired" in say) is synchronised
