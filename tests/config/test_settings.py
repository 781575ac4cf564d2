"""The settings file: every fault named at once, with key, line and what to write instead."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.choices import Theme
from kiosk.config.settings import ConfigError, Settings, load
from kiosk.qualification.consent import ConsentItem
from kiosk.qualification.terms import Mode
from kiosk.visit.rules import Timing

GOOD = """\
[clinic]
name = "架空クリニック"
institution = "1312345678"
terminal = "K001"

[visit]
mode = "home_consent"

[service]
name = "qualification.example"
url = "https://qualification.example"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.toml"


def loaded(file: Path, text: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load(file)


def faults(file: Path, text: str) -> list[str]:
    """What is said of the file, one line per fault."""
    with pytest.raises(ConfigError) as refused:
        loaded(file, text)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(refused.value.faults)
    assert all(line.startswith("kiosk.toml: ") for line in lines)
    return [line.removeprefix("kiosk.toml: ") for line in lines]


def with_line(section: str, line: str) -> str:
    """The good file with one more line at the end of a section, or in a new one."""
    head = f"[{section}]\n"
    return GOOD.replace(head, f"{head}{line}\n") if head in GOOD else f"{GOOD}\n{head}{line}\n"


def test_the_shortest_file_has_defaults_for_the_rest(file: Path) -> None:
    settings = loaded(file, GOOD)
    assert settings.clinic.name == "架空クリニック"
    assert settings.rules.mode is Mode.HOME_CONSENT
    assert settings.rules.timing == Timing()
    assert settings.rules.consent_items == tuple(ConsentItem)
    assert settings.screen.theme is Theme.STANDARD
    assert settings.indicators.board is None
    assert settings.reader.device == "usb"
    assert settings.outbox.max_records == 500
    assert settings.run == Path("/run/kiosk")
    assert settings.run_users == ()
    assert settings.staff == ()


def test_relative_paths_are_taken_from_the_folder_of_the_file(file: Path) -> None:
    text = GOOD + '[run]\nfolder = "run"\n[reader]\ndevice = "virtual:field.sock"\ntrust = "/etc/trust"\n'
    settings = loaded(file, text + '[indicators]\nboard = "board.toml"\n')
    assert settings.run == file.parent / "run"
    assert settings.reader.device == f"virtual:{file.parent / 'field.sock'}"
    assert settings.reader.trust == Path("/etc/trust")
    assert settings.indicators.board == file.parent / "board.toml"
    assert settings.outbox.path == file.parent / "outbox.sqlite"


def test_what_is_set_is_heeded(file: Path) -> None:
    text = with_line("visit", 'languages = ["en"]\nconsent_items = ["medicine", "checkup"]')
    text = text.replace("home_consent", "qualification_only") + "[timing]\nanswer_s = 0.5\npin_s = 3\n"
    text += '[run]\nusers = ["kiosk-screen", "root"]\n'
    settings = loaded(file, text)
    assert settings.rules.mode is Mode.QUALIFICATION_ONLY
    assert settings.rules.languages == ("en",)
    assert settings.rules.consent_items == (ConsentItem.MEDICINE, ConsentItem.CHECKUP)
    assert (settings.rules.timing.answer_s, settings.rules.timing.pin_s) == (0.5, 3.0)
    assert settings.run_users == ("kiosk-screen", "root")


def test_each_member_of_staff_has_a_section(file: Path) -> None:
    two = "".join(f'[[staff]]\nnumber = "{n}"\npasscode = "scrypt$x"\n' for n in (1001, 1002))
    assert [member.number for member in loaded(file, GOOD + two).staff] == ["1001", "1002"]


def test_all_faults_are_named_at_once_in_the_order_of_their_lines(file: Path) -> None:
    text = """\
[clinic]
name = "架空クリニック"
institution = "12345"
terminal = "K 1"

[visit]
mode = "home"
langauges = ["ja"]

[service]
url = "http://qualification.example"

[timing]
pin_s = "long"

[outbox]
max_records = 0

[printer]
on = true
"""
    found = faults(file, text)
    assert [line.split(":")[0] for line in found] == [
        f"line {number}" for number in (3, 4, 7, 8, 10, 11, 14, 17, 19)
    ]
    assert found[0] == "line 3: clinic.institution: must be the 10 digits of 医療機関コード in quotes"
    assert found[2] == 'line 7: visit.mode: must be "home_consent" or "qualification_only"'
    assert found[3] == "line 8: visit.langauges: is not known; languages is meant?"
    assert found[4] == (
        "line 10: service.name: is missing; write name = the service's name as it stands in transcripts"
    )
    assert found[6] == "line 14: timing.pin_s: must be a number from 0.01 to 3600"
    assert found[8] == "line 19: printer: is not a known section"


def test_an_empty_file_is_told_everything_that_it_lacks(file: Path) -> None:
    keys = {line.split(":")[0] for line in faults(file, "")}
    assert keys == {
        "clinic.name",
        "clinic.institution",
        "clinic.terminal",
        "visit.mode",
        "service.name",
        "service.url",
    }


@pytest.mark.parametrize(
    ("section", "line", "key", "say"),
    [
        ("visit", "offer_visual_check = 1", "visit.offer_visual_check", "must be true or false"),
        ("visit", "languages = []", "visit.languages", 'must list one or more of "ja"'),
        ("visit", 'languages = ["ja", "ja"]', "visit.languages", "must list one or more of"),
        ("visit", 'languages = ["fr"]', "visit.languages", "must list one or more of"),
        ("visit", 'languages = "ja"', "visit.languages", "must be a list such as"),
        ("visit", 'consent_items = [1, "medicine"]', "visit.consent_items", "must list one or more of"),
        ("visit", "consent_items = [[]]", "visit.consent_items", "must list one or more of"),
        ("timing", "pin_s = true", "timing.pin_s", "must be a number from 0.01 to 3600"),
        ("timing", "pin_s = 0", "timing.pin_s", "must be a number from 0.01 to 3600"),
        ("timing", "pin_s = nan", "timing.pin_s", "must be a number from 0.01 to 3600"),
        ("timing", "pin_s = inf", "timing.pin_s", "must be a number from 0.01 to 3600"),
        (
            "reader",
            'device = "usb:04e6"',
            "reader.device",
            'must be "usb", "usb:04e6:5591" or "virtual:PATH"',
        ),
        ("reader", 'device = "tty:USB0"', "reader.device", "must be "),
        ("reader", "computing_s = 11", "reader.computing_s", "must be a number from 0.5 to"),
        ("reader", "type_b_modulation = 256", "reader.type_b_modulation", "must be a whole number from 0 to"),
        ("screen", "width = 100", "screen.width", "must be a whole number from 480 to 3840"),
        ("screen", "width = nan", "screen.width", "must be a whole number from 480 to 3840"),
        ("screen", f"width = 1{'0' * 400}", "screen.width", "must be a whole number from 480 to 3840"),
        ("screen", "width = 800.5", "screen.width", "must be a whole number"),
        ("screen", 'theme = "dark"', "screen.theme", 'must be "standard" or "high_contrast"'),
        ("outbox", "max_records = 1.5", "outbox.max_records", "must be a whole number"),
        ("indicators", "board = 5", "indicators.board", "must be a path"),
        ("run", 'users = ["kiosk screen"]', "run.users", "must be a list of user names"),
        ("run", "users = [5]", "run.users", "must be a list of user names"),
        ("run", 'users = "root"', "run.users", "must be a list of user names"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(file: Path, section: str, line: str, key: str, say: str) -> None:
    text = with_line(section, line)
    [found] = faults(file, text)
    number = text.splitlines().index(line) + 1
    assert found.startswith(f"line {number}: {key}: {say}")


@pytest.mark.parametrize(
    ("text", "say"),
    [
        (GOOD + '[[staff]]\nnumber = "12"\npasscode = "scrypt$x"\n', "line 13: staff[0].number: must be"),
        (GOOD + '[[staff]]\nnumber = "1234"\npasscode = "1234"\n', "line 14: staff[0].passcode: must be"),
        (GOOD + '[[staff]]\nnumber = "1234"\n', "line 12: staff[0].passcode: is missing"),
        (GOOD + "[staff]\n", "line 12: staff: must be written as [[staff]] sections"),
        ("staff = [5]\n" + GOOD, "staff[0]: must be a section"),
        ("screen = 5\n" + GOOD, "line 1: screen: must be a section [screen]"),
        ("[[screen]]\n" + GOOD, "screen: must be a section [screen]"),
    ],
)
def test_a_wrong_section_is_told(file: Path, text: str, say: str) -> None:
    assert any(say in line for line in faults(file, text))


def test_a_passcode_is_never_told(file: Path) -> None:
    text = GOOD + '[[staff]]\nnumber = "1234"\npasscode = "hunter2"\n'
    assert "hunter2" not in "\n".join(faults(file, text))


def test_two_members_of_staff_cannot_share_a_number(file: Path) -> None:
    one = '[[staff]]\nnumber = "1001"\npasscode = "scrypt$a"\n'
    [found] = faults(file, GOOD + one + one)
    assert found == "line 16: staff[1].number: is given to two members of staff"


def test_what_is_not_toml_is_told_with_its_line(file: Path) -> None:
    [found] = faults(file, GOOD + "oops\n")
    assert found.startswith("line 12: file: is not TOML: ")


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 5000 + "]" * 5000], ids=["digits", "nest"])
def test_what_breaks_the_parser_is_told_too(file: Path, value: str) -> None:
    [found] = faults(file, f"x = {value}\n")
    assert "file: is not TOML: " in found


def test_what_is_not_utf8_is_told(file: Path) -> None:
    file.write_bytes(GOOD.encode("shift_jis"))
    with pytest.raises(ConfigError, match="is not UTF-8 text; save it again as UTF-8"):
        load(file)


def test_a_byte_order_mark_as_windows_editors_write_it_is_passed_over(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(file).clinic.terminal == "K001"


def test_a_missing_file_is_told_in_one_line(file: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert str(refused.value) == "kiosk.toml: file: cannot be read: No such file or directory"


@given(st.text(max_size=200))
def test_no_text_does_anything_but_load_or_be_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.mktemp("settings") / "kiosk.toml"
    with pytest.raises(ConfigError):
        loaded(file, text)


SOME_KEYS = ("name", "mode", "languages", "pin_s", "device", "width", "path", "users", "folder", "number")
SOME_VALUES = ("5", "-1", '""', "[]", "{}", "[[1]]", "1979-05-27", "true", '["a"]', "nan", "inf", '"\\u0000"')


@given(
    st.sampled_from(["clinic", "visit", "timing", "reader", "screen", "outbox", "service", "run", "staff"]),
    st.sampled_from(SOME_KEYS),
    st.sampled_from(SOME_VALUES),
)
def test_no_value_does_worse_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, section: str, key: str, value: str
) -> None:
    file = tmp_path_factory.mktemp("settings") / "kiosk.toml"
    file.write_text(f"{section}.{key} = {value}\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        load(file)
