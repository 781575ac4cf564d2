"""Changed settings on the card: where staff see it, what the page says, what the uploader hears."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from kiosk import channel as ch
from kiosk.qualification.terms import Mode
from kiosk.screens.drawing.fonts import FontBook
from kiosk.screens.kit.look import Look
from kiosk.screens.kit.widgets import Button, Picture, Text
from kiosk.screens.pages.layout import lay_out
from kiosk.screens.pages.staff.changed_settings_page import KEYS, SECTIONS, VALUES
from kiosk.visit.events import Action
from kiosk.visit.rules import Rules
from kiosk.visit.staff_states import DoorPasscode, StaffChanged, StaffMenu
from kiosk.visit.states import Kiosk, OutboxCondition, ReaderCondition, Screen
from kiosk.visit.views.changed_settings_view import CardSettings, ChangedFile, SettingChange, SettingFault
from tests.screens.conductor.staff_place import PASSCODE, STAFF, Place, open_place

MakeLook = Callable[..., Look]
FILE = ch.ChangedFile(
    offer="an offer",
    changes=(ch.SettingChange(section="clinic", key="name", old="さくら", new="すみれ"),),
)
READY = Kiosk(
    Rules(Mode.HOME_CONSENT),
    "ja",
    StaffChanged(STAFF),
    ReaderCondition.READY,
    OutboxCondition.READY,
)


@pytest.fixture
def place(make_look: MakeLook, fonts: FontBook) -> Iterator[Place]:
    with open_place(make_look(), fonts) as made:
        yield made


def words(picture: Picture) -> str:
    found = []
    for widget in picture.widgets:
        for text in widget.texts if isinstance(widget, Button) else (widget,):
            if isinstance(text, Text):
                found.append("".join(line.text for line in text.lines).replace("\u200b", ""))
    return "\n".join(found)


def shown(look: Look, file: ChangedFile, language: str = "ja", screen: Screen = READY.screen) -> str:
    card = CardSettings(file=file)
    return words(lay_out(replace(READY, changed=card, language=language, screen=screen), look))


def shown_changes(look: Look, *changes: SettingChange, language: str = "ja") -> str:
    return shown(look, ChangedFile(offer="an offer", changes=changes), language)


def test_the_uploader_is_told_what_staff_decide(place: Place) -> None:
    place.enter()
    place.uploader.sends(ch.CardSettings(file=FILE))
    place.step()
    place.press(Action.MORE, Action.OPEN_CHANGED)
    place.uploader.drain()
    place.press(Action.RUN)
    assert place.kiosk.screen == DoorPasscode(STAFF, takes="an offer")
    place.compare(PASSCODE)
    assert ch.TakeSettings(staff=STAFF, offer="an offer") in place.uploader.heard()
    place.uploader.sends(ch.CardSettings(file=FILE, taking=True))
    place.step()
    assert place.kiosk.changed.taking


def test_leaving_it_is_told_too(place: Place) -> None:
    place.enter()
    place.uploader.sends(ch.CardSettings(file=FILE))
    place.step()
    place.press(Action.MORE, Action.OPEN_CHANGED, Action.LEAVE)
    assert ch.LeaveSettings(staff=STAFF) in place.uploader.heard()
    assert isinstance(place.kiosk.screen, StaffMenu)


def test_old_and_new_are_shown_and_of_a_secret_only_that_it_changed(make_look: MakeLook) -> None:
    text = shown_changes(
        make_look(),
        SettingChange(section="clinic", key="name", old="さくら", new="すみれ"),
        SettingChange(section="visit", key="mode", old="home_consent", new="qualification_only"),
        SettingChange(section="network", key="wifi_password", secret=True),
    )
    assert "医療機関の名前：さくら → すみれ" in text
    assert "受付の型：居宅同意取得型 → 資格確認限定型" in text
    assert "Wi-Fiのパスワード：変更あり" in text


def test_members_of_staff_are_told_by_their_number(make_look: MakeLook) -> None:
    text = shown_changes(
        make_look(),
        SettingChange(section="staff", key="1002", old="1002", new=None, secret=True),
        SettingChange(section="staff", key="1003", old=None, new="1003", secret=True),
        SettingChange(section="staff", key="1004", old="1004", new="1004", secret=True),
    )
    for line in ("職員1002：削除", "職員1003：追加", "職員1004：パスコードの変更"):
        assert line in text


def test_what_needs_a_code_says_so_and_cannot_be_taken(make_look: MakeLook) -> None:
    text = shown_changes(
        make_look(), SettingChange(section="clinic", key="terminal", old="K001", new="K002", fixed=True)
    )
    assert "●端末の名前：K001 → K002" in text
    assert "アクティベーションコード" in text
    assert "取りこむ" not in text
    assert "いまのまま使う" in text


def test_faults_are_shown_in_the_language_of_the_page(make_look: MakeLook) -> None:
    fault = SettingFault(ja="12 行目 clinic.name: がありません", en="line 12: clinic.name: is missing")
    file = ChangedFile(offer="", faults=(fault,))
    assert fault.ja in shown(make_look(), file)
    english = shown(make_look(), file, "en")
    assert fault.en in english
    assert "Take" not in english


def test_a_list_is_read_to_its_end_before_it_is_taken(make_look: MakeLook) -> None:
    changes = tuple(SettingChange(section="clinic", key=f"key{n}", old="1", new="2") for n in range(5))
    file = ChangedFile(offer="an offer", changes=changes, more=2)
    first = shown(make_look(), file)
    assert "ほか4件" in first
    assert "取りこむ" not in first
    last = shown(make_look(), file, screen=StaffChanged(STAFF, 1))
    assert "ほか2件" in last
    assert "取りこむ" in last


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_section_key_and_value_has_its_words(language: str, make_look: MakeLook) -> None:
    look = make_look()
    for name in (*KEYS, *(f"{section}.some_key" for section in SECTIONS), "other.some_key"):
        section, _, key = name.partition(".")
        for value in (*VALUES, "x", "", None):
            path = "/a/long/path/" + "y" * 60
            change = SettingChange(section=section, key=key, old=value, new=path)
            text = shown_changes(look, change, language=language)
            assert "→" in text
            assert name in KEYS or key in text


def test_the_sections_are_those_of_the_settings() -> None:
    from_settings = {"staff"}
    assert {name.partition(".")[0] for name in KEYS} <= SECTIONS | from_settings
