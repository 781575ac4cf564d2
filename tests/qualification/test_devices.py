"""The table of devices, and those of other rooms that hold a row for each of them."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kiosk.config.choices import LANGUAGES
from kiosk.nfc.protocol.tokens import TOKENS
from kiosk.qualification.devices import Device, DeviceKind
from kiosk.report import report_words
from kiosk.screens.kit.device_pictures import PICTURES, REMOVED
from kiosk.screens.words.catalogue import STAFF_LANGUAGES, Catalogues

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = ROOT / "kiosk/screens/words/voices/sentences.toml"

#: The fourth device's row in each table: the file, the line before it, the row.
ROWS = (
    (
        "kiosk/qualification/devices.py",
        '    ANDROID = "android", DeviceKind.PHONE, Authentication.PIN\n',
        '    WATCH = "watch", DeviceKind.PHONE, Authentication.PIN\n',
    ),
    (
        "kiosk/nfc/protocol/tokens.py",
        '    Token("JPKIAPGPSETOKEN", Device.ANDROID, Readable.AFTER_PROOF),\n',
        '    Token("JPKIAPWATCHTOKN", Device.WATCH, Readable.AFTER_PROOF),\n',
    ),
    (
        "kiosk/screens/kit/device_pictures.py",
        "PICTURES: dict[Device, DevicePicture] = {\n",
        '    Device.WATCH: DevicePicture(Mark.ANDROID, SceneKind.ANDROID, ("hold.watch.hint",)),\n',
    ),
)


def test_every_device_has_its_row_in_the_tables_of_the_other_rooms() -> None:
    devices = set(Device)
    assert {token.device for token in TOKENS} == devices
    assert len(TOKENS) == len(devices)
    assert set(PICTURES) == devices
    assert set(REMOVED) == set(DeviceKind)
    for words in report_words.LANGUAGES.values():
        assert {*words.device} == {*(device.value for device in Device), ""}


@pytest.mark.parametrize("device", Device)
def test_every_device_has_its_words(device: Device) -> None:
    words = Catalogues(LANGUAGES)
    picture, name = PICTURES[device], device.value
    keys = [f"device.{name}", f"device.name.{name}", f"hold.{name}.title", *picture.steps]
    keys += [picture.which] if picture.which is not None else []
    keys += [f"again.left_behind.{device.kind.value}", f"wrong_token.do.{device.kind.value}"]
    for language in LANGUAGES:
        assert all(words.text(language, key) for key in keys)
    for language in STAFF_LANGUAGES:
        assert words.text(language, f"reading.{name}")
        assert words.text(language, f"reading.{name}.what")
    spoken = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    assert all(f"hold_{name}" in sentences for sentences in spoken.values())


def test_staff_compare_the_person_with_the_card_alone() -> None:
    assert [device for device in Device if device.shows_its_owner] == [Device.CARD]


def test_a_fourth_device_is_one_row_in_each_table(tmp_path: Path) -> None:
    """A copy of the program gets the rows and nothing else; then a visit is played with it."""
    shutil.copytree(
        ROOT / "kiosk",
        tmp_path / "kiosk",
        copy_function=os.symlink,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for path, before, row in ROWS:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{path} has changed: mend ROWS"
        (tmp_path / path).unlink()
        (tmp_path / path).write_text(text.replace(before, before + row), encoding="utf-8")
    played = subprocess.run(
        [sys.executable, "-m", "tests.qualification.fourth_device"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PYGAME_HIDE_SUPPORT_PROMPT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    assert played.stdout.split() == ["machine", "pages", "reader", "transcript"]
