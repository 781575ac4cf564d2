"""Two keys instead of the touch panel: every page of a patient is operable by NEXT and ENTER alone."""

from collections.abc import Callable, Iterator

import pygame
import pytest

from kiosk.qualification.terms import Mode
from kiosk.screens.app import RING_MM
from kiosk.screens.drawing.display import Down, Fingers, Up
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.painter import Painter
from kiosk.screens.kit.focus import Focus, in_order, ring
from kiosk.screens.kit.geometry import Rect
from kiosk.screens.kit.look import GAP_MM, Look
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.pages.layout import lay_out
from kiosk.visit.keys import Key
from kiosk.visit.states import ChooseDevice, EnterPin, Kiosk
from tests.screens.conductor.staff_place import Place, open_place
from tests.screens.proof.gallery import DISPLAYS
from tests.screens.words.test_voices import Listening

MakeLook = Callable[..., Look]
CASES = [
    pytest.param(example.kiosk, id=f"{mode.value}-{example.name}")
    for mode in Mode
    for example in examples(mode)
]


@pytest.fixture
def listening() -> Listening:
    return Listening()


@pytest.fixture
def place(make_look: MakeLook, fonts: FontBook, listening: Listening) -> Iterator[Place]:
    with open_place(make_look(), fonts, listening) as made:
        yield made


def walk_to(place: Place, id_: str) -> None:
    """NEXT until this target is in focus, then ENTER, as whoever cannot touch would do it."""
    picture = lay_out(place.kiosk, place.look)
    names = [target.id for target in in_order(picture)]
    place.step(*[Key.NEXT] * (names.index(id_) + 1), Key.ENTER)
    place.wait(1)
    place.wait(1)


@pytest.mark.parametrize("kiosk", CASES)
def test_next_comes_by_every_target_once_and_round_again(kiosk: Kiosk, make_look: MakeLook) -> None:
    picture = lay_out(kiosk, make_look())
    focus = Focus()
    assert focus.on(picture) is None
    walked = [focus.walk(picture) for _ in picture.targets]
    assert {target.id for target in walked if target} == {target.id for target in picture.targets}
    assert walked == list(in_order(picture))
    assert focus.walk(picture) == (walked[0] if walked else None)


@pytest.mark.parametrize("display", list(DISPLAYS))
def test_the_frame_lies_in_the_gap_and_on_the_screen(display: str, make_look: MakeLook) -> None:
    look = make_look(display)
    width = look.canvas.px(RING_MM)
    assert 2 * width <= look.canvas.px(GAP_MM)
    for example in examples(Mode.HOME_CONSENT):
        targets = lay_out(example.kiosk, look).targets
        for target in targets:
            frame = ring(target.rect, look.canvas.rect, width)
            assert look.canvas.rect.covers(frame)
            assert all(other is target or not frame.overlaps(other.rect) for other in targets)


def test_a_page_that_has_just_come_has_nothing_in_focus(make_look: MakeLook) -> None:
    pages = {example.name: lay_out(example.kiosk, make_look()) for example in examples(Mode.HOME_CONSENT)}
    focus = Focus()
    focus.walk(pages["consent"])
    assert focus.on(pages["consent"]) is not None
    assert focus.on(pages["device"]) is None
    assert focus.on(pages["consent"]) is None


def test_typing_keeps_its_key_in_focus(make_look: MakeLook) -> None:
    pages = {example.name: lay_out(example.kiosk, make_look()) for example in examples(Mode.HOME_CONSENT)}
    focus = Focus()
    first = focus.walk(pages["pin"])
    assert focus.on(pages["pin_full"]) == first


def test_a_visit_goes_on_by_two_keys_alone(place: Place, listening: Listening) -> None:
    place.step(Key.NEXT)
    place.step()
    assert listening.said[-1] == ("ja", "start"), "who cannot see hears where they are"
    place.step(Key.ENTER)
    place.wait(1)
    place.wait(1)
    assert place.screen == "consent"
    walk_to(place, "all")
    assert isinstance(place.kiosk.screen, ChooseDevice)
    walk_to(place, "card")
    assert isinstance(place.kiosk.screen, EnterPin)
    for typed in range(1, 5):
        walk_to(place, "digit_7")
        assert isinstance(place.kiosk.screen, EnterPin)
        assert place.kiosk.screen.digits == typed
        walk_to_start_of(place)
    walk_to(place, "ok")
    assert place.screen == "hold"


def walk_to_start_of(place: Place) -> None:
    """A finger on nothing takes the focus away, so that `walk_to` may count from the first target."""
    place.step(Down(-1, -1), Up(-1, -1))


def test_enter_without_focus_touches_nothing(place: Place) -> None:
    place.step(Key.ENTER, Key.ENTER)
    assert place.screen == "start"


def test_an_impatient_enter_does_not_answer_the_next_question(place: Place) -> None:
    place.step(Key.NEXT, Key.ENTER, Key.ENTER, Key.ENTER)
    assert place.screen == "consent"


def test_the_focus_is_seen_and_a_finger_takes_it_away(place: Place) -> None:
    before = pygame.image.tobytes(place.fingers.surface, "RGB")
    place.step(Key.NEXT)
    framed = pygame.image.tobytes(place.fingers.surface, "RGB")
    changed = sum(before[at : at + 3] != framed[at : at + 3] for at in range(0, len(before), 3))
    assert changed > 2000
    place.step(Down(-1, -1))
    assert pygame.image.tobytes(place.fingers.surface, "RGB") == before


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), (255, 222, 0), (0, 72, 140)])
def test_the_frame_stands_out_on_any_ground(ground: tuple[int, int, int], fonts: FontBook) -> None:
    surface = pygame.Surface((100, 100))
    surface.fill(ground)
    Painter(fonts).frame(surface, Rect(20, 20, 60, 60), 6)
    colours = {tuple(surface.get_at((x, 50))[:3]) for x in range(100)}
    assert len(colours - {ground}) >= 1
    assert {(0, 0, 0), (255, 222, 0)} <= colours | {ground}


def test_switches_and_keyboards_send_the_same(fonts: FontBook) -> None:
    events = [
        pygame.event.Event(pygame.KEYDOWN, key=pygame.K_TAB),
        pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RETURN),
        pygame.event.Event(pygame.KEYUP, key=pygame.K_TAB),
        pygame.event.Event(pygame.KEYDOWN, key=pygame.K_5),
    ]
    assert list(Fingers(800, 480).read(events)) == [Key.NEXT, Key.ENTER]


def test_keys_of_the_box_reach_the_kiosk(place: Place) -> None:
    place.keys += [Key.NEXT, Key.ENTER]
    place.step()
    assert place.screen == "consent"
