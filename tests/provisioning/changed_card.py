"""A card whose settings are in force and were changed: to play with in tests."""

import shutil
from pathlib import Path

import msgspec

from kiosk.channel.changed_settings_messages import CHANGED_FILE, ChangedFile, SettingChange
from kiosk.config.settings import CardFile, Settings, load
from kiosk.provisioning.first_boot_steps import FirstBootPaths, Ready, first_boot
from kiosk.provisioning.take import finish_or_describe, take

FRESH = Path(__file__).resolve().parents[2] / "deploy" / "kiosk.toml.card"
CODE, PASSCODE, WIFI = "100200300400", "246813", "a password of nobody"
OTHER_WIFI, OTHER_PASSCODE = "another password of nobody", "975310"
SECOND = (
    '\n[[staff]]\nnumber = "1002"\npasscode = "739164"\n\n[[staff]]\nnumber = "1003"\npasscode = "815926"\n'
)


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
        finish_or_describe(self.places, outcome.changed, self.told, self.lines.append, lambda: "offer")
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


def faults(told: ChangedFile | None) -> list[str]:
    assert told is not None
    assert told.offer == ""
    assert told.changes == ()
    return [fault.en for fault in told.faults]


def another(first: Path, folder: Path) -> Written:
    return Written(shutil.copytree(first, folder))


NAME = ('name = "架空クリニック"', 'name = "架空クリニック 本院"')
NEW_NAME = SettingChange(section="clinic", key="name", old="架空クリニック", new="架空クリニック 本院")
SECRET = ('wifi_password = ""', f'wifi_password = "{OTHER_WIFI}"')
GONE = ('\n[[staff]]\nnumber = "1003"\npasscode = ""\n', "\n")
