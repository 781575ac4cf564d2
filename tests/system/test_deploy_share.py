"""The mount of the clinic's share: understood by systemd, soft, private, and without a password in it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.commands.first_boot import LINE, RELOAD
from kiosk.config.first_boot_settings import Share
from kiosk.provisioning.share import CREDENTIALS, WHERE, share_files

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "oqs"
APPLIANCE = DEPLOY.parent / "appliance"
SERVICE = APPLIANCE / "usr/lib/systemd/system/kiosk-share.service"


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


# ---- on the SD image ---------------------------------------------------------------------------------------


def test_the_image_mounts_it_with_the_same_options() -> None:
    text = SERVICE.read_text(encoding="utf-8")
    [options] = re.findall(r"--options=(\S+)", text)
    ours = re.sub(r"credentials=[^,]+", "credentials=", value("mnt-oqs.mount", "Options"))
    assert re.sub(r"credentials=[^,]+", "credentials=", options) == ours
    assert f"--timeout-idle-sec={value('mnt-oqs.automount', 'TimeoutIdleSec')}" in text
    assert f"--property=TimeoutSec={value('mnt-oqs.mount', 'TimeoutSec')} " in text


def test_the_service_reads_what_the_first_boot_writes() -> None:
    text = SERVICE.read_text(encoding="utf-8")
    assert f"EnvironmentFile={LINE / WHERE}\n" in text
    assert f"ConditionPathExists={LINE / WHERE}\n" in text
    assert f"credentials={LINE / CREDENTIALS}," in text
    assert "${KIOSK_SHARE} /mnt/oqs\n" in text
    assert share_files(Share("//a/b", "c", "d", ""))[WHERE].startswith("KIOSK_SHARE=")
    assert RELOAD[WHERE] == RELOAD[CREDENTIALS]
    assert RELOAD[WHERE][-2:] == ("restart", SERVICE.name)


def test_the_images_uploader_may_write_there() -> None:
    drop_in = APPLIANCE / "etc/systemd/system/kiosk-uploader.service.d/share.conf"
    assert "[Service]\nReadWritePaths=/mnt\n" in drop_in.read_text(encoding="utf-8")
    preset = (APPLIANCE / "etc/systemd/system-preset/00-kiosk.preset").read_text(encoding="utf-8")
    assert f"enable {SERVICE.name}\n" in preset.partition("disable *")[0]
