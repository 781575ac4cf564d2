"""From a written card to a kiosk in order: the first boot's sections, the QR's text, the wiped file."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kiosk.commands.provision import check
from kiosk.config.first_boot_settings import ACTIVATION_CODE, PASSCODE, SECRETS, WPA, check_digit_fits
from kiosk.config.settings import ConfigError, load, load_card
from kiosk.config.table import ConfigFault
from kiosk.provisioning import fault_lines as notice
from kiosk.provisioning.wipe import without_secrets

CARD = Path(__file__).resolve().parents[2] / "deploy" / "kiosk.toml.card"
HASH = "scrypt$16384$8$1$c2FsdA==$aGFzaA=="
#: An invented clinic; the code's check digit fits, 都道府県番号 99 exists nowhere.
FILLED = {
    "name": "架空クリニック",
    "institution": "9919999996",
    "url": "https://qualification.example",
    "enrolment_url": "https://qualification.example:8443",
    "activation_code": "1234-5678-9012",
    "staff_number": "1001",
    "staff_passcode": "482915",
    "wifi_name": "架空ワイファイ",
    "wifi_password": "himitsu no kotoba",
}
TOLD = ("1234-5678-9012", "123456789012", "482915", "himitsu no kotoba")


def filled(**more: str) -> str:
    """The card's file with its empty places filled; `key=""` leaves one empty."""
    text = CARD.read_text(encoding="utf-8")
    for key, value in (FILLED | more).items():
        text = re.sub(rf'^{key} = ".*?"', f'{key} = "{value}"', text, flags=re.MULTILINE)
    return text


def hashed(_typed: str) -> str:
    return HASH


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.toml"


def faults(file: Path, text: str, fresh: bool = True) -> list[str]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_card(file, fresh=fresh)
    return [str(each) for each in refused.value.faults]


def test_a_filled_card_is_read(file: Path) -> None:
    file.write_text(filled(), encoding="utf-8")
    card = load_card(file)
    assert card.settings.clinic.institution == "9919999996"
    assert card.network.wifi_name == "架空ワイファイ"
    assert card.network.wifi_country == "JP"
    assert card.first_boot.activation_code == "123456789012"
    assert card.settings.service.ca == file.parent / "service-ca.pem"
    assert card.doubts == ()
    assert not any(secret in repr(card) for secret in TOLD)


def test_an_unfilled_card_is_told_all_that_it_lacks_with_the_lines(file: Path) -> None:
    text = CARD.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = faults(file, text)
    keys = [each.split(": ")[1].split(".")[1] for each in found]
    assert keys == [
        "name",
        "institution",
        "name",
        "url",
        "enrolment_url",
        "activation_code",
        "staff_number",
        "staff_passcode",
    ]
    for each, key in zip(found, keys, strict=True):
        number = re.match(r"line (\d+): ", each)
        assert number is not None
        assert lines[int(number[1]) - 1].startswith(f"{key} = ")


def test_wifi_wants_its_password_before_the_first_boot_only(file: Path) -> None:
    text = filled(wifi_password="")
    [found] = faults(file, text)
    assert "network.wifi_password: must be" in found
    assert load(file).clinic.name == "架空クリニック"
    assert load_card(file, fresh=False).network.wifi_name == "架空ワイファイ"


def test_a_share_wants_its_user_and_password(file: Path) -> None:
    found = faults(file, filled(address="//192.0.2.10/OQS"))
    assert [each.split(": ")[1] for each in found] == ["share.user", "share.password"]
    file.write_text(filled(address="//192.0.2.10/OQS", user="kiosk", password="himitsu"), encoding="utf-8")
    assert load_card(file).share.user == "kiosk"


@pytest.mark.parametrize(
    ("section", "lines", "key", "say"),
    [
        (
            "network",
            'ethernet_address = "192.168.1.50/24"',
            "ethernet_gateway",
            "ethernet_address wants it too",
        ),
        ("network", 'ethernet_gateway = "192.168.1.1"', "ethernet_address", "ethernet_gateway wants it too"),
        ("network", 'dns = ["192.168.1.256"]', "dns", "a list of addresses"),
        ("network", 'time_servers = ["ntp nict"]', "time_servers", "a list of servers"),
        ("network", 'wifi_contry = "JP"', "wifi_contry", "wifi_country is meant?"),
    ],
)
def test_a_wrong_network_is_told(file: Path, section: str, lines: str, key: str, say: str) -> None:
    [found] = faults(file, filled().replace(f"[{section}]", f"[{section}]\n{lines}\n#", 1))
    assert f"{section}.{key}: " in found
    assert say in found


@pytest.mark.parametrize("code", ["123456789012", "1234-5678-9012", "1234 5678 9012"])
def test_an_activation_code_is_written_in_groups_or_not(code: str) -> None:
    assert re.fullmatch(ACTIVATION_CODE, code)


@pytest.mark.parametrize(
    "code", ["12345678901", "1234567890123", "１２３４５６７８９０１２", "1234--5678-9012", "-123456789012"]
)
def test_what_is_no_activation_code_is_refused(code: str) -> None:
    assert not re.fullmatch(ACTIVATION_CODE, code)


@pytest.mark.parametrize("passcode", ["482915", "000001", "112233", "123457", "135790", "246810"])
def test_a_passcode_is_taken(passcode: str) -> None:
    assert re.fullmatch(PASSCODE, passcode)


@pytest.mark.parametrize(
    "passcode",
    ["12345", "000000", "7777777", "123456", "890123", "654321", "210987", "4829150000000", "４８２９１５"],
)
def test_what_anybody_tries_first_is_refused(passcode: str) -> None:
    assert not re.fullmatch(PASSCODE, passcode)


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        ("a" * 8, True),
        ("a" * 63, True),
        ("0f" * 32, True),
        ("a" * 7, False),
        ("x" * 64, False),
        ("あ" * 8, False),
    ],
)
def test_a_wifi_password_is_as_long_as_wpa_wants(key: str, taken: bool) -> None:
    assert (re.fullmatch(WPA, key) is not None) is taken


@pytest.mark.parametrize("name", ["a" * 32, "無" * 10 + "ab", "𠮷" * 8])
def test_a_wifi_name_that_the_air_allows_is_taken(file: Path, name: str) -> None:
    file.write_text(filled(wifi_name=name), encoding="utf-8")
    assert load_card(file, fresh=True).network.wifi_name == name


@pytest.mark.parametrize("name", ["a" * 33, "無" * 11, "𠮷" * 8 + "a"])
def test_a_longer_wifi_name_is_told(file: Path, name: str) -> None:
    [found] = faults(file, filled(wifi_name=name))
    assert "network.wifi_name: must be" in found


def test_the_institutions_check_digit() -> None:
    assert check_digit_fits("0110113719")  # the example of the public description of the code
    assert not check_digit_fits("0110113718")
    assert not check_digit_fits("0110131719")  # two digits changed places


def test_a_doubtful_institution_is_taken_and_told(file: Path) -> None:
    file.write_text(filled(institution="9919999997"), encoding="utf-8")
    [doubt] = load_card(file).doubts
    assert doubt.line == 10
    assert "検証番号" in doubt.in_japanese()


@pytest.mark.parametrize(("language", "words"), [("en", "put it there"), ("ja", "置いてください")])
def test_the_command_says_what_is_not_beside_the_file(file: Path, language: str, words: str) -> None:
    file.write_text(filled(), encoding="utf-8")
    run = CliRunner().invoke(check, [str(file), "--language", language])
    assert run.exit_code == 0
    assert f"service-ca.pem: {'が' if language == 'ja' else ''}" in run.stderr
    assert words in run.stderr
    (file.parent / "service-ca.pem").touch()
    assert CliRunner().invoke(check, [str(file), "--language", language]).stderr == ""


@pytest.mark.parametrize(
    ("language", "words"), [("en", "line 10: clinic.institution"), ("ja", "10 行目 clinic.institution")]
)
def test_the_command_refuses_in_the_readers_language(file: Path, language: str, words: str) -> None:
    file.write_text(filled(institution="１３１２３４５６７８"), encoding="utf-8")
    run = CliRunner().invoke(check, [str(file), "--language", language])
    assert run.exit_code == 1
    assert words in run.stderr
    assert not any(secret in run.output for secret in TOLD)


FAULTS = [
    ConfigFault(line, "clinic.name", "must be the clinic's name", "医療機関等の名称を書いてください")
    for line in range(1, 40)
]


def test_the_qr_tells_as_many_as_can_be_read_and_how_many_more() -> None:
    text = notice.qr_text(FAULTS, "ja")
    told = text.splitlines()
    assert told[:2] == ["kiosk.toml", "1 行目 clinic.name: 医療機関等の名称を書いてください"]
    assert len(text.encode()) <= notice.QR_BYTES
    assert told[-1] == f"ほか {len(FAULTS) - (len(told) - 2)} 件"
    assert notice.qr_text(FAULTS[:1], "en") == "kiosk.toml\nline 1: clinic.name: must be the clinic's name"


@given(
    st.lists(
        st.builds(
            ConfigFault,
            st.integers(1, 999),
            st.text(max_size=300),
            st.text(max_size=300),
            st.text(max_size=300),
        )
    )
)
def test_the_qr_is_never_too_long(found: list[ConfigFault]) -> None:
    for language in ("ja", "en"):
        assert len(notice.qr_text(found, language).encode()) <= notice.QR_BYTES


def test_the_file_loses_its_secrets_and_nothing_else(file: Path) -> None:
    before, after = filled(), without_secrets(filled(), hashed)
    assert not any(secret in after for secret in TOLD)
    kept = [line for line in before.splitlines() if not line.startswith(tuple(key for _, key in SECRETS))]
    assert [line for line in after.splitlines() if line in kept][: len(kept)] == kept
    for line in before.splitlines():
        if "#" in line:
            assert line[line.index("#") :] in after
    assert without_secrets(after, hashed) == after
    file.write_text(after, encoding="utf-8")
    [member] = load(file).staff
    assert (member.number, member.passcode) == ("1001", HASH)
    # The kiosk that is set up anew wants a code, and no passcode: that one is known.
    assert [each.split(": ")[1] for each in faults(file, after)] == [
        "network.wifi_password",
        "first_boot.activation_code",
    ]


@pytest.mark.parametrize(
    "text",
    [
        'first_boot = {activation_code = "123456789012", staff_number = "1001", staff_passcode = "482915"}\n',
        'first_boot.activation_code = "123456789012"\n"first_boot".staff_passcode = "482915"\n'
        'first_boot.staff_number = "1001"\n',
        "[first_boot]\nactivation_code = '''123456789012'''\n[network]\n"
        "wifi_password = 'himitsu no kotoba'\n[first_boot.x]\n",
        '[[staff]]\nnumber = "1002"\npasscode = "scrypt$x"\n[first_boot]\nstaff_number = "1001"\n'
        'staff_passcode = "482915"\n',
    ],
)
def test_however_a_table_is_written_its_secrets_go(text: str) -> None:
    after = without_secrets(text, hashed)
    assert not any(secret in after for secret in TOLD)
    staff = tomllib.loads(after).get("staff", [])
    assert [member["number"] for member in staff][-1:] == (["1001"] if "staff_number" in text else [])


MORE_STAFF = '\n[[staff]]\nnumber = "1002"\npasscode = "739164"  # the second\n'


def test_the_others_passcodes_are_written_in_digits_and_kept_as_hashes(file: Path) -> None:
    file.write_text(filled() + MORE_STAFF, encoding="utf-8")
    card = load_card(file)
    assert "739164" not in repr(card)
    file.write_text(without_secrets(filled() + MORE_STAFF, hashed), encoding="utf-8")
    assert "739164" not in file.read_text(encoding="utf-8")
    assert "# the second" in file.read_text(encoding="utf-8")
    assert [(each.number, each.passcode) for each in load(file).staff] == [("1002", HASH), ("1001", HASH)]


def test_on_the_card_not_even_a_hash_is_left() -> None:
    after = without_secrets(filled() + MORE_STAFF)
    assert "scrypt" not in after
    assert [member["passcode"] for member in tomllib.loads(after)["staff"]] == [""]


def test_the_first_member_is_not_one_of_the_others(file: Path) -> None:
    [fault] = faults(file, filled(staff_number="1002") + MORE_STAFF)
    assert "first_boot.staff_number: is given to two members of staff" in fault


def test_in_force_digits_are_no_passcode(file: Path) -> None:
    [fault] = faults(file, filled() + MORE_STAFF, fresh=False)
    assert "staff[0].passcode: must be the text that `kiosk provision passcode` prints" in fault
    [weak] = faults(file, filled() + MORE_STAFF.replace("739164", "123456"))
    assert "staff[0].passcode: must be 6 to 12 digits" in weak


def test_a_file_without_secrets_stays_as_it_is() -> None:
    text = '# words of the clinic\r\n[clinic]\r\nname = "架空クリニック"   # here\r\n'
    assert without_secrets(text) == text
