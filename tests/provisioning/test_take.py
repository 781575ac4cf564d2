"""A changed settings file: told without secrets, taken with a passcode, whatever is cut off in between."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from kiosk.channel.changed_settings_messages import CHANGED_FILE, LONGEST, ChangedFile, SettingChange
from kiosk.config.passcodes import verify
from kiosk.config.settings import CardFile, Settings, load
from kiosk.provisioning.first_boot_steps import FirstBootPaths, Ready, first_boot
from kiosk.provisioning.network_files import WIFI as WIFI_FILE
from kiosk.provisioning.network_files import line_files, with_kept_password
from kiosk.provisioning.take import OFFERED, NotTakenError, mind, take

FRESH = Path(__file__).resolve().parents[2] / "deploy" / "kiosk.toml.card"
CODE, PASSCODE, WIFI = "100200300400", "246813", "a password of nobody"
OTHER_WIFI, OTHER_PASSCODE = "another password of nobody", "975310"
SECOND = (
    '\n[[staff]]\nnumber = "1002"\npasscode = "739164"\n\n[[staff]]\nnumber = "1003"\npasscode = "815926"\n'
)


class PowerCutError(Exception):
    """The power fails here."""


def enrolled(settings: Settings, file: Path, code: str, url: str) -> None:
    assert code == CODE


def never(settings: Settings, file: Path, code: str, url: str) -> None:
    raise AssertionError("enrolled although nothing called for it")


def no_line(_: CardFile) -> None:
    """Nothing to set up here."""


def filled_in() -> str:
    """The card's file as a clinic writes it for the first start."""
    text = FRESH.read_text(encoding="utf-8") + SECOND
    for key, value in (
        ("name", "架空クリニック"),
        ("institution", "1312345670"),
        ("wifi_name", "clinic"),
        ("wifi_password", WIFI),
        ("url", "https://service.example"),
        ("enrolment_url", "https://service.example:8443"),
        ("activation_code", CODE),
        ("staff_number", "1001"),
        ("staff_passcode", PASSCODE),
        ("name", "simulator"),
    ):
        assert f'\n{key} = ""' in text
        text = text.replace(f'\n{key} = ""', f'\n{key} = "{value}"', 1)
    return text


class Written:
    """A card whose settings are in force, and the folder where root tells what changed."""

    def __init__(self, folder: Path) -> None:
        self.places = FirstBootPaths(folder / "card", folder / "kept")
        self.told = folder / "told"
        self.lines: list[CardFile] = []
        if self.places.in_force.exists():
            return
        for each in (self.places.card, self.places.kept, self.told):
            each.mkdir()
        self.write(filled_in())
        (self.places.card / "service-ca.pem").write_text("a certificate", encoding="utf-8")
        assert first_boot(self.places, enrolled, no_line) == Ready()
        self.start()

    def write(self, text: str) -> None:
        self.places.written.write_text(text, encoding="utf-8")

    def change(self, *pairs: tuple[str, str]) -> None:
        text = self.places.written.read_text(encoding="utf-8")
        for before, after in pairs:
            assert before in text
            text = text.replace(before, after, 1)
        self.write(text)

    def start(self) -> ChangedFile | None:
        """What every start does once settings are in force."""
        outcome = first_boot(self.places, never, no_line)
        assert isinstance(outcome, Ready)
        mind(self.places, outcome.changed, self.told, self.lines.append, lambda: "offer")
        file = self.told / CHANGED_FILE
        return msgspec.json.decode(file.read_bytes(), type=ChangedFile) if file.exists() else None

    def wish(self, offer: str = "offer") -> Path:
        wish = self.told / "wish"
        wish.write_text(offer, encoding="utf-8")
        return wish

    def take(self, offer: str = "offer") -> None:
        take(self.places, self.told, self.wish(offer), self.lines.append)

    @property
    def staff(self) -> dict[str, str]:
        return {member.number: member.passcode for member in load(self.places.in_force).staff}

    def secrets(self) -> list[str]:
        found = b"".join(path.read_bytes() for path in self.places.card.parent.rglob("*") if path.is_file())
        wanted = (CODE, PASSCODE, WIFI, OTHER_WIFI, OTHER_PASSCODE, "739164", "815926")
        return [secret for secret in wanted if secret.encode() in found]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card after its first start; hashing passcodes takes its time."""
    folder = tmp_path_factory.mktemp("first")
    Written(folder)
    return folder


@pytest.fixture
def card(tmp_path: Path, first: Path) -> Written:
    return another(first, tmp_path / "card")


def another(first: Path, folder: Path) -> Written:
    return Written(shutil.copytree(first, folder))


NAME = ('name = "架空クリニック"', 'name = "架空クリニック 本院"')
NEW_NAME = SettingChange(section="clinic", key="name", old="架空クリニック", new="架空クリニック 本院")


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


def faults(told: ChangedFile | None) -> list[str]:
    assert told is not None
    assert told.offer == ""
    assert told.changes == ()
    return [fault.en for fault in told.faults]


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


@contextmanager
def cut_at(count: int) -> Iterator[Callable[[], int]]:
    """The power fails at the `count`-th change of the file system from here; tells how many there were."""
    seen = 0
    real = {name: getattr(Path, name) for name in ("rename", "unlink")}
    open_real = Path.open

    def cutting(name: str) -> Callable[..., object]:
        def call(self: Path, *words: object, **named: object) -> object:
            nonlocal seen
            seen += 1
            if seen == count:
                raise PowerCutError
            return real[name](self, *words, **named)

        return call

    def opening(self: Path, mode: str = "r", *words: object, **named: object) -> object:
        nonlocal seen
        if "+" in mode:  # the card is overwritten where it lies
            seen += 1
            if seen == count:
                raise PowerCutError
        return open_real(self, mode, *words, **named)  # type: ignore[call-overload]  # whatever was asked

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(Path, name, cutting(name))
        patch.setattr(Path, "open", opening)
        yield lambda: seen


SECRET = ('wifi_password = ""', f'wifi_password = "{OTHER_WIFI}"')
GONE = ('\n[[staff]]\nnumber = "1003"\npasscode = ""\n', "\n")


@pytest.mark.parametrize("changes", [(NAME, GONE), (NAME, GONE, SECRET)], ids=["plain", "secret"])
def test_a_power_cut_at_any_instant_leaves_the_old_settings_or_the_new(
    tmp_path: Path, first: Path, changes: tuple[tuple[str, str], ...]
) -> None:
    outcomes: list[str] = []
    for count in range(1, 100):
        card = another(first, tmp_path / str(count))
        card.change(*changes)
        card.start()
        try:
            with cut_at(count):
                card.take()
        except PowerCutError:
            told = card.start()
            name = load(card.places.in_force).clinic.name
            outcomes.append(name)
            if told is not None:  # it had not begun: it is offered again
                assert name == "架空クリニック"
                card.take()
            assert load(card.places.in_force).clinic.name == "架空クリニック 本院"
            assert sorted(card.staff) == ["1001", "1002"]
            assert not card.places.taking.exists()
            card.lines.clear()
            assert card.secrets() == []
            assert card.start() is None
        else:
            break
    assert outcomes[0] == "架空クリニック"
    assert outcomes[-1] == "架空クリニック 本院"
    assert len(outcomes) >= 8


def test_after_a_power_cut_another_file_on_the_card_is_not_taken(tmp_path: Path, first: Path) -> None:
    for count in range(1, 9):
        card = another(first, tmp_path / str(count))
        card.change(NAME)
        card.start()
        with cut_at(count), pytest.raises(PowerCutError):
            card.take()
        old = load(card.places.in_force).clinic.name
        card.change(("架空クリニック 本院", "盗人クリニック"))
        told = card.start()
        assert told is not None
        assert told.changes[0].new == "盗人クリニック"
        assert load(card.places.in_force).clinic.name == old
        assert sorted(card.staff) == ["1001", "1002", "1003"]
