"""Changed settings from root's side, as the image runs it: `kiosk first-boot`, then the same with a wish."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from kiosk.channel.changed_settings_messages import CHANGED_FILE, ChangedFile, SettingChange
from kiosk.config.passcodes import hash_passcode
from kiosk.config.settings import load
from kiosk.provisioning.wipe import without_secrets

FRESH = Path(__file__).resolve().parents[2] / "deploy" / "kiosk.toml.card"
FOLDERS = ("card", "kept", "line", "notice", "told")
NAME, OTHER = "架空クリニック", "架空クリニック 本院"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A kiosk that was enrolled: the card's file wiped, its settings in force."""
    text = FRESH.read_text(encoding="utf-8")
    for key, value in (
        ("name", NAME),
        ("institution", "1312345670"),
        ("url", "https://service.example"),
        ("staff_number", "1001"),
        ("staff_passcode", "246813"),
        ("name", "simulator"),
    ):
        text = text.replace(f'\n{key} = ""', f'\n{key} = "{value}"', 1)
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    wiped = without_secrets(text)
    for path in (tmp_path / "card" / "kiosk.toml", tmp_path / "kept" / "taken.toml"):
        path.write_text(wiped, encoding="utf-8")
    kept = without_secrets(text, lambda typed: hash_passcode(bytearray(typed.encode()), bytes(16)))
    (tmp_path / "kept" / "kiosk.toml").write_text(kept, encoding="utf-8")
    return tmp_path


def first_boot(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kiosk", "first-boot", "--lost", str(folder / "lost")]
    for name in FOLDERS:
        command += [f"--{name}", str(folder / name)]
    return subprocess.run([*command, *words], capture_output=True, text=True, check=False, timeout=120)


def rename(folder: Path, name: str) -> None:
    path = folder / "card" / "kiosk.toml"
    before = load(folder / "kept" / "kiosk.toml").clinic.name
    path.write_text(path.read_text(encoding="utf-8").replace(f'"{before}"', f'"{name}"'), encoding="utf-8")


def told(folder: Path) -> ChangedFile:
    return msgspec.json.decode((folder / "told" / CHANGED_FILE).read_bytes(), type=ChangedFile)


def name_of(folder: Path) -> str:
    return load(folder / "kept" / "kiosk.toml").clinic.name


def test_a_change_is_told_at_the_start_and_taken_by_the_wish_for_it(folder: Path) -> None:
    assert first_boot(folder).returncode == 0
    assert not (folder / "told" / CHANGED_FILE).exists()
    rename(folder, OTHER)
    assert first_boot(folder).returncode == 0, "the kiosk starts"
    assert told(folder).changes == (SettingChange(section="clinic", key="name", old=NAME, new=OTHER),)
    assert name_of(folder) == NAME
    wish = folder / "wish"
    wish.write_text(told(folder).offer, encoding="utf-8")
    done = first_boot(folder, "--wish", str(wish))
    assert (done.returncode, done.stderr) == (0, "")
    assert name_of(folder) == OTHER
    assert [member.number for member in load(folder / "kept" / "kiosk.toml").staff] == ["1001"]
    assert not wish.exists()
    assert list((folder / "told").iterdir()) == []


def test_a_wish_for_what_was_not_shown_fails_and_tells_anew(folder: Path) -> None:
    rename(folder, OTHER)
    first_boot(folder)
    offer = told(folder).offer
    rename(folder, "盗人クリニック")
    path = folder / "card" / "kiosk.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(OTHER, "盗人クリニック"), encoding="utf-8")
    wish = folder / "wish"
    wish.write_text(offer, encoding="utf-8")
    done = first_boot(folder, "--wish", str(wish))
    assert done.returncode == 1
    assert "not the one that was shown" in done.stderr
    assert name_of(folder) == NAME
    assert told(folder).offer != offer
    assert told(folder).changes[0].new == "盗人クリニック"


def test_a_folder_that_is_gone_does_not_keep_the_kiosk_from_starting(folder: Path) -> None:
    rename(folder, OTHER)
    (folder / "told").rmdir()
    assert first_boot(folder).returncode == 0
    assert name_of(folder) == NAME
