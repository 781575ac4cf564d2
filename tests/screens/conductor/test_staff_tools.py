"""The day, the reading test, volume and languages, help: what is asked for and what is shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from kiosk import channel as ch
from kiosk.qualification.call_centre import CallHours
from kiosk.qualification.devices import Device
from kiosk.qualification.terms import Authentication, Mode
from kiosk.screens.conductor.update_watch import ASK_EVERY_S
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.widgets import Qr
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.visit.audit_events import AuditEvent
from kiosk.visit.events import (
    Action,
    LanguageSwitched,
    ReadFailure,
    VolumeChosen,
)
from kiosk.visit.rules import LOUDEST
from kiosk.visit.staff_states import (
    StaffDay,
    StaffHelp,
    StaffReading,
)
from kiosk.visit.states import (
    WrongTokenKind,
)
from kiosk.visit.views.staff_views import DayView, HourView, SeenToken
from tests.screens.conductor.staff_place import JST, STAFF, VISIT, Place, open_place
from tests.screens.proof.gallery import DISPLAYS
from tests.screens.proof.scan import scan

MakeLook = Callable[..., Look]


@pytest.fixture
def place(make_look: MakeLook, fonts: FontBook) -> Iterator[Place]:
    with open_place(make_look(), fonts) as made:
        yield made


def test_the_day_is_asked_for_and_shown_as_counts_and_means(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_DAY)
    assert place.uploader.heard() == [ch.AskDay()]
    place.uploader.sends(
        ch.DayCounts(
            day="2026-11-22",
            hours=(
                ch.HourCounts(hour=9, outcomes={"verified": 4, "recorded": 2}, offline_s=90.0),
                ch.HourCounts(hour=10, outcomes={"not_confirmed": 1, "abandoned": 1, "staff_called": 3}),
            ),
            bounds_ms=(1000,),
            stages=(ch.StageCounts(name="visit", counts=(1, 3), sum_ms=80_000.0),),
            devices={},
            authentications={},
        )
    )
    place.step()
    hours = (
        HourView(9, verified=4, recorded=2, offline_s=90.0),
        HourView(10, not_confirmed=1, others=4),
    )
    assert place.kiosk.screen == StaffDay(STAFF, DayView(date(2026, 11, 22), hours, 20.0, None))


def asked_of_the_reader(place: Place) -> list[ch.Message]:
    return place.reader.heard(ch.READER_INBOX)


def test_a_card_is_read_in_the_reading_test_and_nothing_comes_of_it(place: Place) -> None:
    place.enter()
    asked_of_the_reader(place)
    place.press(Action.OPEN_READING)
    begin, arm = asked_of_the_reader(place)
    assert begin == ch.BeginContact(visit=VISIT)
    assert arm == ch.ArmReader(visit=VISIT, device=Device.CARD, authentication=Authentication.VISUAL)
    place.reader.sends(ch.Presented(visit=VISIT))
    place.step()
    assert place.kiosk.screen == StaffReading(STAFF, SeenToken.LIES)
    place.now.passes(1.25)
    place.reader.sends(
        ch.Recognised(visit=VISIT, token=Device.CARD),
        ch.Evidence(
            visit=VISIT,
            token=Device.CARD,
            certificate=b"a certificate",
            signature=None,
            algorithm=None,
            not_after="2030-01-01T00:00:00Z",
        ),
    )
    place.step()
    assert place.kiosk.screen == StaffReading(STAFF, Device.CARD, 1250)
    place.press(Action.BACK)
    assert asked_of_the_reader(place) == [ch.EndContact(visit=VISIT)]
    heard = place.uploader.heard()
    assert ch.AuditNote(event=AuditEvent.READING_TESTED, staff=STAFF) in heard
    assert not any(
        isinstance(message, ch.CommitRecord | ch.VisitEnded | ch.AskChallenge) for message in heard
    )


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        (ch.OtherDeviceSeen(visit=VISIT, presented=Device.IPHONE), Device.IPHONE),
        (ch.OtherDeviceSeen(visit=VISIT, presented=Device.ANDROID), Device.ANDROID),
        (ch.OtherDeviceSeen(visit=VISIT, presented=None), SeenToken.OTHER),
        *((ch.WrongTokenSeen(visit=VISIT, kind=kind), SeenToken(kind.value)) for kind in WrongTokenKind),
        (ch.ContactFailed(visit=VISIT, failure=ReadFailure.REMOVED), SeenToken.MOVED),
        (ch.ContactFailed(visit=VISIT, failure=ReadFailure.LEFT_BEHIND), SeenToken.LEFT_BEHIND),
        (ch.ContactFailed(visit=VISIT, failure=ReadFailure.CERTIFICATE_EXPIRED), SeenToken.EXPIRED),
    ],
)
def test_whatever_is_held_is_named(place: Place, message: ch.Message, seen: SeenToken | Device) -> None:
    place.enter()
    place.press(Action.OPEN_READING)
    place.reader.sends(ch.Presented(visit=VISIT), message)
    place.step()
    assert place.kiosk.screen == StaffReading(STAFF, seen)


def test_what_staff_choose_is_handed_over_and_holds_when_it_is_kept(place: Place) -> None:
    place.enter()
    offered = place.kiosk.rules.languages
    place.press(Action.OPEN_SETTINGS, VolumeChosen(1), LanguageSwitched("en"))
    assert place.uploader.heard() == [
        ch.SetPreferences(staff=STAFF, volume=1, languages=offered),
        ch.SetPreferences(
            staff=STAFF, volume=LOUDEST, languages=tuple(each for each in offered if each != "en")
        ),
    ]
    assert place.kiosk.volume == LOUDEST
    place.uploader.sends(ch.StaffPreferences(volume=1, languages=("ja",)))
    place.step()
    assert (place.kiosk.volume, place.kiosk.rules.languages) == (1, ("ja",))


def test_help_says_whether_the_call_centre_answers_and_nothing_without_a_clock(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_HELP)  # a Sunday morning; Monday is 勤労感謝の日
    opens = datetime(2026, 11, 24, 8, 0, tzinfo=JST)
    assert place.kiosk.screen == StaffHelp(STAFF, CallHours(False, opens))
    place.press(Action.BACK)
    place.now.trusted = False
    place.press(Action.OPEN_HELP)
    assert place.kiosk.screen == StaffHelp(STAFF, None)


# ---- updates -----------------------------------------------------------------------------------------------


def status(**changes: object) -> ch.UpdateStatus:
    offer = ch.UpdateOffer(
        version="1.4.0",
        source=ch.UpdateSource.CHANNEL,
        megabytes=148.2,
        changes={"ja": ("速くなりました。",)},
        by_hand=False,
        by_hand_from="2026-11-24T01:00:00Z",
    )
    usual: dict[str, Any] = {"running": "1.3.2", "phase": ch.UpdatePhase.IDLE, "offers": (offer,)}
    return ch.UpdateStatus(**(usual | changes))


def test_while_the_page_is_open_updates_are_asked_for_and_it_is_told_when_it_closes(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_UPDATE)
    place.step()
    assert place.uploader.heard() == [ch.AskUpdate(staff=STAFF)]
    place.wait(ASK_EVERY_S - 1)
    assert place.uploader.heard() == []
    place.wait(1)
    assert place.uploader.heard() == [ch.AskUpdate(staff=STAFF)]
    place.press(Action.BACK)
    place.wait(ASK_EVERY_S)
    assert place.uploader.heard() == [ch.AskWaitingList(staff=STAFF), ch.CloseUpdate()]


def test_what_is_offered_is_shown_in_local_time_and_installed_when_its_hour_has_come(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_UPDATE)
    place.uploader.sends(status(offer_at_start="1.4.0"))
    place.step()
    view = place.kiosk.update
    assert view is not None
    opens = datetime(2026, 11, 24, 10, 0, tzinfo=JST)
    assert view.due
    [offer] = view.offers
    assert offer.opens == opens
    assert offer.opens.utcoffset() == opens.utcoffset(), "the hour of the clock on the clinic's wall"
    assert (msgspec.structs.replace(offer, by_hand_from="2026-11-24T01:00:00Z"),) == status().offers
    place.uploader.heard()
    place.press(Action.RUN)
    assert place.uploader.heard() == []
    now = ch.UpdateOffer(version="1.4.0", source=ch.UpdateSource.CHANNEL, megabytes=1, changes={})
    place.uploader.sends(status(offers=(now,)))
    place.step()
    place.press(Action.RUN)
    assert place.uploader.heard() == [
        ch.StartUpdate(staff=STAFF, version="1.4.0", source=ch.UpdateSource.CHANNEL)
    ]


def test_fetching_can_be_stopped_and_what_is_installed_started(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_UPDATE)
    place.uploader.sends(status(phase=ch.UpdatePhase.FETCHING, version="1.4.0", percent=7))
    place.step()
    place.uploader.heard()
    place.press(Action.STOP, Action.RESTART)
    assert place.uploader.heard() == [ch.StopUpdate(staff=STAFF)]
    place.uploader.sends(status(phase=ch.UpdatePhase.INSTALLED, version="1.4.0", offers=()))
    place.step()
    place.press(Action.STOP, Action.RESTART)
    assert place.uploader.heard() == [ch.RestartKiosk(staff=STAFF)]


def test_the_page_stays_while_an_update_is_on_its_way(place: Place) -> None:
    place.enter()
    place.press(Action.OPEN_UPDATE)
    for percent in (10, 20, 30):
        place.uploader.sends(status(phase=ch.UpdatePhase.FETCHING, version="1.4.0", percent=percent))
        place.wait(50)
    assert place.screen == "staff_update"
    place.wait(61)
    assert place.screen == "start"


@pytest.mark.parametrize("display", list(DISPLAYS))
def test_the_handbook_has_a_code_where_the_settings_name_its_address(
    display: str, make_look: MakeLook
) -> None:
    page = next(each.kiosk for each in examples(Mode.HOME_CONSENT) if each.name == "staff_help_closed")
    for language in ("ja", "en"):
        look = replace(make_look(display), handbook="https://handbook.example/kiosk/index.html")
        picture = lay_out(replace(page, language=language), look)
        assert sum(isinstance(widget, Qr) for widget in picture.widgets) == 3
        assert [str(fault) for fault in scan(picture, look, strict=False)] == []
        for code in (widget for widget in picture.widgets if isinstance(widget, Qr)):
            assert min(code.rect.w, code.rect.h) // len(code.modules) >= 3, "a phone wants three pixels"
