"""What is said and heard: a sentence for every page, files that say it, keys that all sound alike."""

import array
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pygame
import pytest

from kiosk.qualification.terms import Mode, Outcome
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.drawing.loudspeaker import GAINS, RATE, Loudspeaker
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.touch import DigitTouch
from kiosk.screens.pages.examples.patient_examples import examples
from kiosk.screens.words.speech import speaks_first, speech_of
from kiosk.visit.events import Action, AnswerArrived, Began, Knocked
from kiosk.visit.rules import LOUDEST
from kiosk.visit.staff_states import DoorPad, StaffPage, StaffTest
from kiosk.visit.states import (
    EnterPasscode,
    EnterPin,
    EnterStaffNumber,
    Idle,
    Kiosk,
    NotConfirmed,
    OutOfService,
    Recorded,
    StaffCalled,
    Starting,
)
from kiosk.visit.views.staff_views import TestStep
from tests.screens.conductor.staff_place import VISIT, Place, open_place
from tests.screens.proof.render_voices import LICENCES, VOICES, says, sentences

MakeLook = Callable[..., Look]
SENTENCES = sentences()
FILES = [(language, name) for language, texts in SENTENCES.items() for name in texts]
STATES = [example.kiosk for mode in Mode for example in examples(mode)]
#: Staff type there; `Starting` lasts as long as a breath.
UNSPOKEN = EnterStaffNumber | EnterPasscode | DoorPad | StaffPage | Starting


class Listening(Loudspeaker):
    """A silent box that notes what it would have sounded."""

    def __init__(self) -> None:
        super().__init__(False)
        self.said: list[tuple[str, str | None]] = []
        self.tones: list[tuple[int, float]] = []

    def speak(self, language: str, sentence: str | None) -> None:
        self.said.append((language, sentence))

    def tone(self, hz: int, seconds: float) -> None:
        self.tones.append((hz, seconds))


@pytest.fixture
def listening() -> Listening:
    return Listening()


@pytest.fixture
def place(make_look: MakeLook, fonts: FontBook, listening: Listening) -> Iterator[Place]:
    with open_place(make_look(), fonts, listening) as made:
        yield made


# ---- sentences ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(SENTENCES))
def test_every_page_of_a_patient_has_a_sentence_and_every_sentence_a_page(language: str) -> None:
    spoken = {speech_of(kiosk) for kiosk in STATES if not isinstance(kiosk.screen, UNSPOKEN)}
    assert None not in spoken
    sample = speech_of(Kiosk(STATES[0].rules, language, StaffTest("1001", TestStep.SPEAKER)))
    assert spoken | {sample} | {"forgotten"} == set(SENTENCES[language])


def test_where_staff_type_nothing_is_said() -> None:
    for kiosk in STATES:
        if isinstance(kiosk.screen, UNSPOKEN) and kiosk.screen != StaffTest("1001", TestStep.SPEAKER):
            assert speech_of(kiosk) is None


@pytest.mark.parametrize(("language", "name"), FILES)
def test_no_digit_is_said(language: str, name: str) -> None:
    text = SENTENCES[language][name]
    assert not any(char.isdigit() for char in text)
    assert "{" not in text


def test_why_a_visit_did_not_end_well_is_not_said() -> None:
    """Others in the room hear it as well."""
    sentences_of_staff = {
        speech_of(kiosk) for kiosk in STATES if isinstance(kiosk.screen, StaffCalled | NotConfirmed)
    }
    texts = {SENTENCES["ja"][str(name)] for name in sentences_of_staff}
    assert len(texts) == 2, "asked for, or all other reasons alike"


# ---- files -------------------------------------------------------------------------------------------------


@pytest.fixture
def mixer() -> Iterator[None]:
    """Opened for each test: there is one in a process, and every loudspeaker closes it when it ends."""
    pygame.mixer.init(RATE, -16, 1)
    yield
    pygame.mixer.quit()


@pytest.mark.parametrize(("language", "name"), FILES)
def test_a_file_says_its_sentence_names_its_licence_and_can_be_played(
    language: str, name: str, mixer: None
) -> None:
    path = VOICES / language / f"{name}.ogg"
    assert says(path, SENTENCES[language][name]), "run make voices"
    assert f"license={LICENCES[language]}".encode() in path.read_bytes()[:4096]
    sound = pygame.mixer.Sound(path)
    assert 1.0 < sound.get_length() < 20.0
    samples = array.array("h", sound.get_raw())
    assert max(samples) > 3000, "nobody would hear it"
    assert max(samples) < 32767 or samples.count(32767) < 10, "it is cut off at the top"


def test_nothing_else_lies_there_and_all_of_it_is_small() -> None:
    found = {(path.parent.name, path.stem) for path in VOICES.glob("*/*.ogg")}
    assert found == set(FILES)
    assert sum(path.stat().st_size for path in VOICES.glob("*/*.ogg")) < 3_000_000


# ---- the loudspeaker ---------------------------------------------------------------------------------------


@pytest.fixture
def loud() -> Iterator[Loudspeaker]:
    sound = Loudspeaker(True)
    yield sound
    sound.close()


def test_a_sentence_is_said_and_falls_silent(loud: Loudspeaker) -> None:
    loud.speak("ja@easy", "start")
    assert loud.speaking
    loud.speak("ja", None)
    assert not loud.speaking


def test_volume_goes_from_silence_up(loud: Loudspeaker) -> None:
    assert GAINS[0] == 0
    assert list(GAINS) == sorted(GAINS)
    loud.set_volume(0)
    loud.speak("ja", "start")
    assert pygame.mixer.music.get_volume() == 0
    loud.set_volume(LOUDEST)
    assert pygame.mixer.music.get_volume() == 1


def test_a_language_without_a_voice_is_silent_and_named_once(
    loud: Loudspeaker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        loud.speak("vi", "start")
        loud.speak("vi", "start")
    assert not loud.speaking
    assert len(caplog.records) == 1
    assert loud.languages == frozenset(SENTENCES)


def test_a_damaged_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "ja").mkdir()
    (tmp_path / "ja" / "start.ogg").write_bytes(b"OggS and nothing that follows")
    sound = Loudspeaker(True, tmp_path)
    sound.speak("ja", "start")
    assert not sound.speaking
    sound.click()
    sound.close()


def test_without_a_sound_card_nothing_is_heard_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "no-such-driver")
    with caplog.at_level(logging.WARNING):
        sound = Loudspeaker(True)
    assert not sound.audible
    assert "no sound" in caplog.text
    sound.speak("ja", "start")
    sound.click()
    sound.set_volume(1)
    assert not sound.speaking
    assert sound.languages == frozenset()
    sound.close()


# ---- in the kiosk ------------------------------------------------------------------------------------------


def test_a_page_speaks_when_it_comes_and_the_start_only_when_asked(
    place: Place, listening: Listening
) -> None:
    assert [sentence for _, sentence in listening.said if sentence] == []
    listening.said.clear()
    place.press(Action.SPEAK)
    assert listening.said == [], "the picture comes first"
    place.step()
    assert listening.said[-1] == ("ja", "start")
    place.press(Began(VISIT))
    place.step()
    assert listening.said[-1] == ("ja", "consent")
    place.press(Action.SPEAK)
    place.step()
    assert listening.said[-2:] == [("ja", "consent")] * 2
    listening.said.clear()
    place.press(Action.BACK)
    place.step()
    assert listening.said == [("ja", None)]


def test_a_receipt_number_is_shown_and_not_said() -> None:
    recorded = [kiosk for kiosk in STATES if isinstance(kiosk.screen, Recorded)]
    for kiosk in recorded:
        assert isinstance(kiosk.screen, Recorded)
        assert kiosk.screen.receipt not in SENTENCES["ja"][str(speech_of(kiosk))]


def test_only_pages_between_visits_wait_to_be_asked() -> None:
    for kiosk in STATES:
        assert speaks_first(kiosk) != isinstance(kiosk.screen, Idle | OutOfService | Starting)


def test_all_keys_of_the_pin_sound_alike_and_no_digit_is_told(place: Place, listening: Listening) -> None:
    """By the touch panel, through the whole process."""
    pin = next(kiosk for kiosk in STATES if isinstance(kiosk.screen, EnterPin) and kiosk.screen.digits == 2)
    heard = {}
    place.show(pin)
    place.press(Action.SPEAK)  # its sentence has been said
    place.step()
    for key in range(10):
        place.show(pin)
        listening.tones.clear()
        listening.said.clear()
        place.touch(DigitTouch(str(key)))
        place.step()
        heard[key] = (tuple(listening.tones), tuple(listening.said))
    assert len(set(heard.values())) == 1
    assert heard[0][0] != (), "a key is heard"
    assert heard[0][1] == (), "and nothing is said of it"


def test_staff_hear_the_sample(place: Place, listening: Listening) -> None:
    place.enter()
    place.press(Action.OPEN_TEST, *[Action.MORE] * 4)
    place.step()
    assert listening.said[-1] == ("ja", "sample")
    place.press(Action.SPEAK)
    place.step()
    assert listening.said[-2:] == [("ja", "sample")] * 2


@pytest.mark.parametrize("event", [Knocked(), AnswerArrived(VISIT, Outcome.VERIFIED)])
def test_what_changes_no_page_says_nothing(place: Place, listening: Listening, event: object) -> None:
    place.press(Began(VISIT))
    place.step()
    listening.said.clear()
    place.conductor.handle(event)  # type: ignore[arg-type]  # any event
    place.step()
    assert listening.said == []
