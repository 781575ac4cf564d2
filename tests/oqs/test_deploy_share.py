"""The mount of the clinic's share: understood by systemd, soft, private, and without a password in it."""

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "oqs"


def value(unit: str, key: str) -> str:
    lines = (DEPLOY / unit).read_text(encoding="utf-8").splitlines()
    [found] = [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("unit", ["mnt-oqs.mount", "mnt-oqs.automount"])
def test_systemd_understands_every_line(unit: str) -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(DEPLOY / unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if "mnt-oqs" in line] == []


def test_the_mount_cannot_hang_the_uploader_nor_give_its_files_away() -> None:
    options = value("mnt-oqs.mount", "Options").split(",")
    assert {"soft", "seal", "nosuid", "nodev", "noexec", "cache=none", "nobrl"} <= set(options)
    assert {"file_mode=0640", "dir_mode=0750", "uid=kiosk-uploader"} <= set(options)
    assert not [option for option in options if option.startswith(("password", "user"))]
    assert value("mnt-oqs.mount", "Where") == value("mnt-oqs.automount", "Where") == "/mnt/oqs"


def test_no_password_is_shipped() -> None:
    lines = (DEPLOY / "oqs-share.credentials.example").read_text(encoding="utf-8").splitlines()
    assert "password=" in lines


def test_the_uploader_may_write_there_and_starts_without_the_share() -> None:
    drop_in = "kiosk-uploader.service.d/oqs.conf"
    assert value(drop_in, "ReadWritePaths") == "/mnt"
    assert value(drop_in, "Wants") == "mnt-oqs.automount"
    assert "Requires" not in (DEPLOY / drop_in).read_text(encoding="utf-8")
