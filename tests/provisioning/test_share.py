"""The clinic's shared folder: what the box is told of it, and what staff may write."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.commands.first_boot import command as first_boot
from kiosk.config.first_boot_settings import SHARE, SHARE_USER, Share
from kiosk.provisioning.share import CREDENTIALS, WHERE, share_files, with_kept_secret
from tests.provisioning.changed_card import OTHER_WIFI, Written, faults

SECRET = 'himitsu, "7" = $kotoba'
ADDRESS = ('\naddress = ""', '\naddress = "//192.0.2.10/OQS"')
USER, PASSWORD = ('\nuser = ""', '\nuser = "kiosk"'), ('\npassword = ""', f'\npassword = "{OTHER_WIFI}"')
OURS = Share("//192.0.2.10/OQS", "kiosk", SECRET, "")


def test_the_files_of_a_share() -> None:
    assert share_files(OURS) == {
        WHERE: 'KIOSK_SHARE="//192.0.2.10/OQS"\n',
        CREDENTIALS: f"username=kiosk\npassword={SECRET}\n",
    }
    assert share_files(replace(OURS, domain="CLINIC"))[CREDENTIALS].endswith("\ndomain=CLINIC\n")
    assert SECRET not in repr(OURS)


def test_without_a_share_there_are_no_files() -> None:
    assert set(share_files(Share("", "", "", "")).values()) == {""}


def test_its_password_is_kept_while_address_and_user_stay() -> None:
    files, wiped = share_files(OURS), replace(OURS, password="")
    assert with_kept_secret(wiped, files[WHERE], files[CREDENTIALS]) == OURS
    in_domain = replace(wiped, domain="CLINIC")
    assert with_kept_secret(in_domain, files[WHERE], files[CREDENTIALS]).password == SECRET
    for other in (replace(wiped, address="//192.0.2.11/OQS"), replace(wiped, user="kios")):
        assert with_kept_secret(other, files[WHERE], files[CREDENTIALS]) == other
    assert with_kept_secret(wiped, "", "") == wiped
    written = replace(OURS, password="another one")
    assert with_kept_secret(written, files[WHERE], files[CREDENTIALS]) == written


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("//192.0.2.10/OQS", True),
        ("//reception-pc/OQS/face", True),
        ("//192.0.2.10/オンライン 資格$", True),
        ("192.0.2.10/OQS", False),
        ("//192.0.2.10", False),
        ("//192.0.2.10/OQS/", False),
        ("\\\\192.0.2.10\\OQS", False),
        ('//192.0.2.10/a"\nB="c', False),
        ("//192.0.2.10/a,uid=0", False),
        ("// /OQS", False),
    ],
)
def test_an_address_is_one_word_of_a_mount(address: str, taken: bool) -> None:
    assert (re.fullmatch(SHARE, address) is not None) is taken


@pytest.mark.parametrize(
    ("user", "taken"),
    [("kiosk", True), ("受付 係", True), ("CLINIC\\kiosk", False), ("a%b", False), ("a\nb", False)],
)
def test_a_user_is_one_line_and_no_domain(user: str, taken: bool) -> None:
    assert (re.fullmatch(SHARE_USER, user) is not None) is taken


def test_its_password_is_told_as_changed_and_wiped_when_taken(tmp_path: Path) -> None:
    card = Written(tmp_path)
    card.change(ADDRESS, USER, PASSWORD)
    told = card.start()
    assert told is not None
    assert [(each.key, each.new, each.secret) for each in told.changes] == [
        ("address", "//192.0.2.10/OQS", False),
        ("user", "kiosk", False),
        ("password", None, True),
    ]
    card.take()
    assert card.lines[-1].share.password == OTHER_WIFI
    card.lines.clear()
    assert card.secrets() == []
    card.change(('\nuser = "kiosk"', '\nuser = "another"'))
    assert any("share.password: must be" in fault for fault in faults(card.start()))


def test_the_service_is_told_once_and_the_password_is_root_s_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, line = tmp_path / "told", tmp_path / "line"
    manager = tmp_path / "bin" / "systemctl"
    manager.parent.mkdir()
    manager.write_text(f'#!/bin/sh\necho "$@" >> "{told}"\n', encoding="utf-8")
    manager.chmod(0o755)
    monkeypatch.setenv("PATH", f"{manager.parent}:{os.environ['PATH']}")
    (tmp_path / "box").mkdir()
    card = Written(tmp_path / "box")

    def taken(*changes: tuple[str, str]) -> int:
        """Take the changes with the box's own command; how often the share was taken anew so far."""
        card.change(*changes)
        assert card.start() is not None
        places = {"card": card.places.card, "kept": card.places.kept, "told": card.told, "line": line}
        words = [word for name, place in places.items() for word in (f"--{name}", str(place))]
        done = CliRunner().invoke(first_boot, [*words, "--wish", str(card.wish())])
        assert done.exit_code == 0, done.output
        return told.read_text(encoding="utf-8").splitlines().count("--no-block restart kiosk-share.service")

    assert taken(ADDRESS, USER, PASSWORD) == 1
    modes = {name: (line / name).stat().st_mode & 0o777 for name in (WHERE, CREDENTIALS)}
    assert modes == {WHERE: 0o644, CREDENTIALS: 0o600}
    assert taken(('mode = "home_consent"', 'mode = "qualification_only"')) == 1
    assert f"password={OTHER_WIFI}\n" in (line / CREDENTIALS).read_text(encoding="utf-8"), "kept"
    assert taken(ADDRESS[::-1], USER[::-1]) == 2
    assert not (line / WHERE).exists()
    assert not (line / CREDENTIALS).exists()
