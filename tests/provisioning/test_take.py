"""A changed settings file: told without secrets, taken with a passcode, whatever is cut off in between."""

import os
from dataclasses import replace

import pytest

from kiosk.channel.changed_settings_messages import CHANGED_FILE, LONGEST, ChangedFile, SettingChange
from kiosk.config.passcodes import verify
from kiosk.config.settings import load
from kiosk.provisioning.network_files import WIFI as WIFI_FILE
from kiosk.provisioning.network_files import line_files, with_kept_password
from kiosk.provisioning.take import OFFERED, NotTakenError, take
from tests.provisioning.changed_card import (
    CODE,
    NAME,
    NEW_NAME,
    OTHER_PASSCODE,
    OTHER_WIFI,
    PASSCODE,
    WIFI,
    Written,
    faults,
    no_line,
)


def test_a_file_as_it_was_left_tells_nothing(card: Written) -> None:
    assert card.start() is None
    assert list(card.told.iterdir()) == []
    for offer in ("", "offer"):
        with pytest.raises(NotTakenError):
            card.take(offer)


def test_what_changed_is_told_and_the_settings_in_force_go_on(card: Written) -> None:
    card.change(NAME, ('mode = "home_consent"', 'mode = "qualification_only"\nlarge_text = true'))
    assert card.start() == ChangedFile(
        offer="offer",
        changes=(
            NEW_NAME,
            SettingChange(section="visit", key="mode", old="home_consent", new="qualification_only"),
            SettingChange(section="visit", key="large_text", old=None, new="true"),
        ),
    )
    assert load(card.places.in_force).clinic.name == "架空クリニック"
    assert (card.told / OFFERED).stat().st_mode & 0o777 == 0o600
    assert (card.told / CHANGED_FILE).stat().st_mode & 0o777 == 0o640


def test_with_the_passcode_it_comes_into_force_and_everything_else_stays(card: Written) -> None:
    before = card.staff
    card.change(NAME)
    card.start()
    card.take()
    assert load(card.places.in_force).clinic.name == "架空クリニック 本院"
    assert card.staff == before, "passcodes that the card no longer holds are still those"
    assert [each.network.wifi_name for each in card.lines] == ["clinic"]
    assert list(card.told.iterdir()) == []
    assert card.start() is None


def test_secrets_in_the_changed_file_are_told_as_changed_and_wiped_when_taken(card: Written) -> None:
    card.change(
        ('wifi_password = ""', f'wifi_password = "{OTHER_WIFI}"'),
        ('number = "1002"\npasscode = ""', f'number = "1002"\npasscode = "{OTHER_PASSCODE}"'),
    )
    told = card.start()
    assert told is not None
    assert set(told.changes) == {
        SettingChange(section="network", key="wifi_password", secret=True),
        SettingChange(section="staff", key="1002", old="1002", new="1002", secret=True),
    }
    for file in card.told.iterdir():
        assert OTHER_PASSCODE.encode() not in file.read_bytes()
        assert OTHER_WIFI.encode() not in file.read_bytes()
    card.take()
    assert card.lines[-1].network.wifi_password == OTHER_WIFI
    assert verify(bytearray(OTHER_PASSCODE.encode()), card.staff["1002"])
    assert verify(bytearray(PASSCODE.encode()), card.staff["1001"])
    card.lines.clear()
    assert card.secrets() == []


def test_staff_come_and_go_and_a_new_first_one_takes_the_place_of_the_old(card: Written) -> None:
    card.change(
        ('[[staff]]\nnumber = "1003"\npasscode = ""\n', '[[staff]]\nnumber = "1004"\npasscode = "864209"\n'),
        ('staff_number = ""', 'staff_number = "1009"'),
        ('staff_passcode = ""', f'staff_passcode = "{OTHER_PASSCODE}"'),
    )
    told = card.start()
    assert told is not None
    assert [(each.key, each.old, each.new) for each in told.changes] == [
        ("1001", "1001", None),
        ("1003", "1003", None),
        ("1004", None, "1004"),
        ("1009", None, "1009"),
    ]
    card.take()
    assert sorted(card.staff) == ["1002", "1004", "1009"]
    assert verify(bytearray(OTHER_PASSCODE.encode()), card.staff["1009"])
    card.change(NAME)
    told = card.start()
    assert told is not None
    assert told.changes == (NEW_NAME,), "the new first one stands nowhere on the card, and stays"
    card.take()
    assert sorted(card.staff) == ["1002", "1004", "1009"]


def test_faults_are_told_in_the_words_of_the_first_start_with_their_lines(card: Written) -> None:
    card.change(('mode = "home_consent"', 'mode = "home"'), ("wifi_name", "wifi_nam"))
    lines = card.places.written.read_text(encoding="utf-8").splitlines()
    mode = next(number for number, line in enumerate(lines, 1) if line.startswith("mode"))
    told = card.start()
    assert faults(told)[0] == f'line {mode}: visit.mode: must be "home_consent" or "qualification_only"'
    assert "wifi_name is meant?" in faults(told)[1]
    assert told is not None
    assert told.faults[0].ja.startswith(f"{mode} 行目 visit.mode: ")
    with pytest.raises(NotTakenError):
        card.take("")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('wifi_name = "clinic"', 'wifi_name = "another"'), "network.wifi_password"),
        (('[[staff]]\nnumber = "1003"', '[[staff]]\nnumber = "1005"'), "staff[1].passcode"),
        (('activation_code = ""', f'activation_code = "{CODE}"'), "first_boot.staff_number"),
    ],
)
def test_what_a_changed_file_lacks_is_named(card: Written, change: tuple[str, str], key: str) -> None:
    card.change(change)
    if key == "first_boot.staff_number":
        card.change(('staff_passcode = ""', f'staff_passcode = "{OTHER_PASSCODE}"'))
    assert any(f" {key}: " in fault for fault in faults(card.start()))


def test_somebody_must_be_left_who_can_come_in(card: Written) -> None:
    """The members of this kiosk all stand in sections, and all of them are crossed out."""
    text = card.places.written.read_text(encoding="utf-8")
    in_force = card.places.in_force.read_text(encoding="utf-8")
    card.places.in_force.write_text(in_force[: in_force.rindex("[[staff]]")], encoding="utf-8")
    card.write(text[: text.index("[[staff]]\nnumber")])
    assert any("first_boot.staff_number" in fault for fault in faults(card.start()))


@pytest.mark.parametrize("text", ["", "[clinic", "\x00\x01", "a = " + "[" * 3000])
def test_a_ruined_or_missing_file_is_told_and_the_kiosk_goes_on(card: Written, text: str) -> None:
    card.write(text)
    assert faults(card.start())
    card.places.written.unlink()
    assert "file: cannot be read" in faults(card.start())[0]
    assert load(card.places.in_force).clinic.name == "架空クリニック"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (('institution = "1312345670"', 'institution = "1312345688"'), "clinic.institution"),
        (('terminal = "K001"', 'terminal = "K002"'), "clinic.terminal"),
        (('url = "https://service.example"', 'url = "https://other.example"'), "service.url"),
        (('ca = "service-ca.pem"', 'ca = "other-ca.pem"'), "service.ca"),
        (('trust = "/usr/share/kiosk/trust"', 'trust = "trust"'), "reader.trust"),
        (('users = ["kiosk-screen"]', 'users = ["nobody"]'), "run.users"),
        (("outbox.sqlite", "other.sqlite"), "outbox.path"),
    ],
)
def test_who_the_kiosk_is_takes_more_than_a_passcode(
    card: Written, change: tuple[str, str], name: str
) -> None:
    card.change(change, NAME)
    told = card.start()
    assert told is not None
    assert [f"{each.section}.{each.key}" for each in told.changes if each.fixed] == [name]
    assert told.changes[0].fixed, "told first"
    with pytest.raises(NotTakenError, match="activation code"):
        card.take()
    assert load(card.places.in_force).clinic.name == "架空クリニック"
    assert not card.places.taking.exists()


def test_another_ca_beside_the_file_is_not_taken_along(card: Written) -> None:
    card.change(NAME)
    (card.places.card / "service-ca.pem").write_text("a thief's certificate", encoding="utf-8")
    card.start()
    card.take()
    assert load(card.places.in_force).service.ca.read_text() == "a certificate"


def test_only_what_was_shown_is_taken(card: Written) -> None:
    card.change(NAME)
    card.start()
    card.change(("架空クリニック 本院", "架空クリニック 別院"))
    with pytest.raises(NotTakenError, match="not the one that was shown"):
        card.take()
    with pytest.raises(NotTakenError, match="not what is offered"):
        card.take("another offer")
    assert load(card.places.in_force).clinic.name == "架空クリニック"


def test_a_wish_is_gone_once_it_was_read_and_no_link_is_followed(card: Written) -> None:
    card.change(NAME)
    card.start()
    secret = card.told / "secret"
    secret.write_text("offer", encoding="utf-8")
    wish = card.told / "wish"
    for link in (True, False):
        if link:
            wish.symlink_to(secret)
        else:
            os.mkfifo(wish)
        with pytest.raises(NotTakenError):
            take(card.places, card.told, wish, no_line)
        assert not wish.is_symlink()
        assert not wish.exists()
    assert secret.exists()


def test_comments_and_blanks_are_taken_in_silence(card: Written) -> None:
    card.write(card.places.written.read_text(encoding="utf-8") + "\n# noted by the clinic\n")
    assert card.start() is None
    assert card.places.taken.read_bytes() == card.places.written.read_bytes()
    assert sorted(card.staff) == ["1001", "1002", "1003"]


def test_a_long_value_is_told_by_its_ends_and_still_compared_whole(card: Written) -> None:
    long = "https://handbook.example/" + "a" * 60
    card.change(("[visit]", f'handbook = "{long}"\n\n[visit]'))
    card.start()
    card.take()
    card.change((long, long.replace("aaa", "aba", 1)))
    told = card.start()
    assert told is not None
    [change] = told.changes
    assert change.new is not None
    assert len(change.new) <= LONGEST


def test_the_wifi_s_password_is_kept_while_its_name_stays(card: Written) -> None:
    card.change(NAME)
    card.start()
    card.take()
    network = card.lines[-1].network
    assert network.wifi_password == ""
    for password in (WIFI, "a" * 64, 'with " in it'):
        before = line_files(replace(network, wifi_password=password))[WIFI_FILE]
        assert with_kept_password(network, before).wifi_password == password
        assert with_kept_password(replace(network, wifi_name="other"), before).wifi_password == ""
    assert with_kept_password(network, "").wifi_password == ""
