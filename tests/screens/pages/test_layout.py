"""Every state, both modes: laid out, measured, touchable. `make scan` measures every picture there is."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import get_args

import pytest

from kiosk.config.choices import LANGUAGES
from kiosk.qualification.terms import FallbackReason, Mode
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import MAIN_TARGET_MM, Look
from kiosk.screens.kit.touch import DigitTouch, StartTouch
from kiosk.screens.kit.widgets import Button, Panel, Picture, target_at
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.pages.staff.menu_page import FAULTS
from kiosk.screens.words.catalogue import Catalogues
from kiosk.visit.effects import StartTimer, StopTimer
from kiosk.visit.events import (
    Action,
    Began,
    DigitTyped,
    Event,
    FallbackChosen,
    Knocked,
    NumberTyped,
    Pressed,
    VolumeChosen,
)
from kiosk.visit.machine import reduce
from kiosk.visit.staff_states import DoorPad, DoorPasscode, StaffPage
from kiosk.visit.states import (
    EnterPasscode,
    EnterPin,
    Idle,
    Kiosk,
    LineStatus,
    Recorded,
    Screen,
    StaffCalled,
    Starting,
    Visit,
    VisualCheck,
)
from kiosk.visit.views.staff_views import CheckView, Part, PartFault
from tests.screens.proof.pseudo import PseudoWords
from tests.screens.proof.scan import scan, texts_of, words
from tests.screens.proof.scan_table import Place, faults_at, places

MakeLook = Callable[..., Look]

CASES = [
    pytest.param(example.kiosk, id=f"{mode.value}-{language}-{example.name}")
    for mode in Mode
    for language in ("ja", "en")
    for example in examples(mode, language)
]


def all_text(picture: Picture) -> str:
    return " ".join(words(text) for widget in picture.widgets for text in texts_of(widget))


def test_every_state_has_an_example() -> None:
    states = {type(example.kiosk.screen) for mode in Mode for example in examples(mode)}
    assert states == set(_leaves(Screen))


def _leaves(union: object) -> list[type]:
    return [leaf for part in get_args(union) for leaf in (_leaves(part) if get_args(part) else [part])]


def slice_of_places() -> list[Place]:
    """Each language, display, theme, letter size and mounting at least once."""
    found = list(places())
    return [
        place
        for index, place in enumerate(found)
        if place.mounting or (place.language == "ja" and not place.large) or index % 5 == 0
    ]


@pytest.mark.parametrize("place", slice_of_places(), ids=str)
def test_the_scanner_finds_no_fault(place: Place, words: Catalogues, fonts: FontBook) -> None:
    count, found = faults_at(place, PseudoWords(words), fonts)
    assert count > 100
    assert [f"{name}: {fault}" for name, fault in found] == []


def test_the_slice_has_everything_once() -> None:
    for part in ("language", "display", "theme", "large", "mounting"):
        assert {getattr(place, part) for place in slice_of_places()} == {
            getattr(place, part) for place in places()
        }


@pytest.mark.parametrize("kiosk", CASES)
def test_equal_states_give_equal_pictures(kiosk: Kiosk, make_look: MakeLook) -> None:
    look = make_look()
    assert lay_out(kiosk, look) == lay_out(replace(kiosk), look)


@pytest.mark.parametrize("kiosk", CASES)
def test_every_target_is_hit_in_its_middle_and_just_inside_its_corners(
    kiosk: Kiosk, make_look: MakeLook
) -> None:
    picture = lay_out(kiosk, make_look())
    for target in picture.targets:
        rect = target.rect
        for x, y in (rect.middle, (rect.x, rect.y), (rect.right - 1, rect.bottom - 1)):
            assert target_at(picture, x, y) == target


@pytest.mark.parametrize("kiosk", CASES)
def test_every_target_that_is_drawn_as_a_button_covers_it(kiosk: Kiosk, make_look: MakeLook) -> None:
    picture = lay_out(kiosk, make_look())
    drawn = {widget.id: widget.rect for widget in picture.widgets if isinstance(widget, Button)}
    assert drawn.keys() == {target.id for target in picture.targets}
    for target in picture.targets:
        assert target.rect.covers(drawn[target.id])


#: Touches that rightly change nothing in the example's state.
IDLE_TOUCHES = {"erase", "ok", *(f"language_{language}" for language in LANGUAGES)}
TIMERS = (StartTimer, StopTimer)


@pytest.mark.parametrize("kiosk", CASES)
def test_every_target_moves_the_visit_machine(kiosk: Kiosk, make_look: MakeLook) -> None:
    for target in lay_out(kiosk, make_look()).targets:
        event: Event
        match target.touch:
            case StartTouch():
                assert isinstance(kiosk.screen, Idle)
                event = Began("01980000-0000-7000-8000-000000000001")
            case DigitTouch(digit):
                assert isinstance(kiosk.screen, EnterPin | EnterPasscode | DoorPasscode)
                assert target.id == f"digit_{digit}"
                event = DigitTyped()
            case _:
                event = target.touch
        after, effects = reduce(kiosk, event)
        full = isinstance(kiosk.screen, EnterPin) and kiosk.screen.digits == 4
        if target.id in IDLE_TOUCHES or (full and isinstance(event, DigitTyped)):
            continue
        asked = any(not isinstance(effect, TIMERS) for effect in effects)
        assert after != kiosk or asked or _chosen_already(kiosk, event), target.id


def _chosen_already(kiosk: Kiosk, event: Event) -> bool:
    """The reason for fallback operation that is in force, the volume that is set."""
    if isinstance(event, VolumeChosen):
        return event.volume == kiosk.volume
    return isinstance(event, FallbackChosen) and event.reason is kiosk.line.fallback


@pytest.mark.parametrize("kiosk", CASES)
def test_staff_can_be_called_wherever_the_machine_listens(kiosk: Kiosk, make_look: MakeLook) -> None:
    picture = lay_out(kiosk, make_look())
    after, _ = reduce(kiosk, Pressed(Action.HELP))
    shown = any(target.touch == Pressed(Action.HELP) for target in picture.targets)
    assert shown == (after != kiosk and not isinstance(kiosk.screen, Starting))


@pytest.mark.parametrize("language", LANGUAGES)
def test_digits_typed_on_a_secret_pad_cannot_be_told_from_the_picture(
    language: str, make_look: MakeLook
) -> None:
    for example in examples(Mode.HOME_CONSENT, language):
        screen = example.kiosk.screen
        if isinstance(screen, EnterPin | EnterPasscode | DoorPasscode):
            assert "digit" not in {field.name for field in fields(screen)}
            picture = lay_out(example.kiosk, make_look())
            assert not any(isinstance(target.touch, NumberTyped) for target in picture.targets)


def test_a_picture_names_its_state(make_look: MakeLook) -> None:
    for example in examples(Mode.QUALIFICATION_ONLY):
        assert lay_out(example.kiosk, make_look()).name == example.kiosk.screen.name


def test_the_receipt_number_is_the_largest_thing_under_the_recorded_panel(make_look: MakeLook) -> None:
    kiosk = _example("recorded")
    assert isinstance(kiosk.screen, Recorded)
    picture = lay_out(kiosk, make_look())
    sizes = {words(text): text.size for widget in picture.widgets for text in texts_of(widget)}
    assert sizes[kiosk.screen.receipt] == max(sizes.values())
    assert "まだ確認していません" in all_text(picture)


def test_fallback_and_a_cut_line_are_announced_in_the_header(make_look: MakeLook) -> None:
    for name in ("device_fallback", "start_offline"):
        assert "予備の方法で受付しています" in all_text(lay_out(_example(name), make_look()))


def test_a_long_clinic_name_is_left_out_rather_than_squeezed(make_look: MakeLook) -> None:
    look: Look = replace(make_look(), clinic="医療法人社団さくら会さくら通り内科小児科循環器科クリニック分院")
    picture = lay_out(_example("device"), look)
    assert "医療法人社団" not in all_text(picture)
    assert scan(picture, look) == []


@pytest.mark.parametrize("kiosk", CASES)
def test_the_header_can_be_knocked_at_where_the_machine_listens_and_nothing_shows_it(
    kiosk: Kiosk, make_look: MakeLook
) -> None:
    picture = lay_out(kiosk, make_look())
    listens = isinstance(reduce(kiosk, Knocked())[0].screen, DoorPad) and not isinstance(
        kiosk.screen, DoorPad
    )
    assert (picture.door is not None) == listens
    shown = {widget.rect for widget in picture.widgets if isinstance(widget, Button)}
    assert picture.door not in shown


@pytest.mark.parametrize("kiosk", CASES)
def test_fallback_is_announced_on_every_patient_s_screen(kiosk: Kiosk, make_look: MakeLook) -> None:
    look = make_look()
    banner = look.words.text(kiosk.language, "header.fallback")
    for line in (LineStatus(fallback=FallbackReason.FACE_READER), LineStatus(online=False)):
        picture = lay_out(replace(kiosk, line=line), look)
        assert (banner in all_text(picture)) != isinstance(kiosk.screen, StaffPage)
        assert any(isinstance(w, Panel) and w.face == look.tokens.amber for w in picture.widgets)


def test_a_staff_page_says_whose_session_it_is(make_look: MakeLook) -> None:
    for kiosk in (example.kiosk for example in examples(Mode.HOME_CONSENT)):
        if isinstance(kiosk.screen, StaffPage):
            assert f"職員番号 {kiosk.screen.staff}" in all_text(lay_out(kiosk, make_look()))


def test_the_menu_begins_with_the_day_s_check(make_look: MakeLook) -> None:
    targets = [target.id for target in lay_out(_example("staff_menu"), make_look()).targets]
    assert targets[:4] == ["more", "finish", "check", "day"]


def test_every_fault_that_the_uploader_may_name_has_a_sentence_of_its_own_or_the_general_one(
    make_look: MakeLook,
) -> None:
    page = _example("staff_check_ok")
    for part in Part:
        for word in {word for known, word in FAULTS if known is part} | {"never_heard_of"}:
            kiosk = replace(page, check=CheckView(None, (PartFault(part, word, 3),)))
            assert "直すところが1件" in all_text(lay_out(kiosk, make_look())).replace("\u200b", "")


def test_no_staff_reason_is_shown_to_the_patient(make_look: MakeLook) -> None:
    for example in examples(Mode.HOME_CONSENT):
        if isinstance(example.kiosk.screen, StaffCalled):
            assert example.kiosk.screen.reason.value not in all_text(lay_out(example.kiosk, make_look()))


def test_the_two_answers_to_consent_are_equally_large(make_look: MakeLook) -> None:
    picture = lay_out(_example("consent"), make_look())
    sizes = {t.id: (t.rect.w, t.rect.h) for t in picture.targets if t.id in ("all", "none")}
    assert abs(sizes["all"][0] - sizes["none"][0]) <= 1
    assert sizes["all"][1] == sizes["none"][1]
    faces = {w.id: w.face for w in picture.widgets if isinstance(w, Button)}
    assert faces["all"] == faces["none"]


@pytest.mark.parametrize("name", ["consent", "device", "still_there", "pin_wrong_2"])
def test_what_is_chosen_most_is_at_least_twenty_millimetres(name: str, make_look: MakeLook) -> None:
    look = make_look()
    footer = {"back", "language", "speak", "help", "finish", "change"}
    for target in lay_out(_example(name), look).targets:
        if target.id not in footer:
            assert min(target.rect.w, target.rect.h) >= MAIN_TARGET_MM * look.canvas.px_per_mm - 1


def test_an_unknown_visit_shows_the_card_to_hold(make_look: MakeLook) -> None:
    """A visual check without a chosen device is laid out: the card is the only one it allows."""
    kiosk = replace(_example("visual_check"), screen=VisualCheck(Visit("x", Mode.HOME_CONSENT)))
    assert lay_out(kiosk, make_look()).name == "visual_check"


def _example(name: str) -> Kiosk:
    return next(each.kiosk for each in examples(Mode.HOME_CONSENT) if each.name == name)
