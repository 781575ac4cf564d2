"""What the appliance does for updates outside our processes: stick, restart, and who may speak to RAUC."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config.settings import load
from kiosk.uploader.updates.flags import RESTART, SETTINGS, STICK
from tests.uploader.updates.bundles import Box, Signer
from tests.uploader.updates.rauc_service import rauc_service

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
APPLIANCE = DEPLOY / "appliance"
UNITS = APPLIANCE / "usr/lib/systemd/system"
SCRIPT = APPLIANCE / "usr/lib/kiosk/update-stick"
POLICY = APPLIANCE / "etc/dbus-1/system.d/kiosk-rauc.conf"
PATIENCE_S = 60.0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts, and becomes another user: needs root")


def test_the_units_watch_what_the_uploader_wishes() -> None:
    update = load(DEPLOY / "kiosk.toml.example").update
    for name, flag in (("stick", STICK), ("restart", RESTART)):
        path = (UNITS / f"kiosk-update-{name}.path").read_text(encoding="utf-8")
        assert f"PathExists={update.flags / flag}\n" in path
    settings = (UNITS / "kiosk-settings.path").read_text(encoding="utf-8")
    assert f"PathExists={update.flags / SETTINGS}\n" in settings
    take = (UNITS / "kiosk-settings.service").read_text(encoding="utf-8")
    assert f"kiosk first-boot --wish {update.flags / SETTINGS}\n" in take
    service = (UNITS / "kiosk-update-stick.service").read_text(encoding="utf-8")
    assert f"{update.flags / STICK} {update.stick} " in service
    made = (APPLIANCE / "usr/lib/tmpfiles.d/kiosk-update.conf").read_text(encoding="utf-8")
    assert re.search(rf"^d {update.flags} +0755 kiosk-uploader", made, re.MULTILINE)
    assert re.search(rf"^d {update.stick} ", made, re.MULTILINE)
    drop_in = APPLIANCE / "etc/systemd/system/kiosk-uploader.service.d/update.conf"
    assert f"ReadWritePaths={update.flags}\n" in drop_in.read_text(encoding="utf-8")


def test_udev_lets_storage_in_by_the_file_that_the_script_makes() -> None:
    rules = (APPLIANCE / "etc/udev/rules.d/50-kiosk-usb.rules").read_text(encoding="utf-8")
    [let_in] = re.findall(r'bInterfaceClass\}=="08", TEST=="([^"]+)"', rules)
    assert f" {let_in}\n" in (UNITS / "kiosk-update-stick.service").read_text(encoding="utf-8")


def test_the_units_are_enabled_before_all_others_are_disabled() -> None:
    presets = sorted((APPLIANCE / "etc/systemd/system-preset").iterdir())
    lines = [line for path in presets for line in path.read_text(encoding="utf-8").splitlines()]
    for unit in (
        "kiosk-update-stick.path",
        "kiosk-update-restart.path",
        "kiosk-settings.path",
        "kiosk-report.timer",
    ):
        assert lines.index(f"enable {unit}") < lines.index("disable *")
        assert (UNITS / unit).exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (*UNITS.glob("kiosk-update-*"), *UNITS.glob("kiosk-report.*")):
        text = unit.read_text(encoding="utf-8").replace("/usr/lib/kiosk/update-stick", "/bin/true")
        text = text.replace("/opt/kiosk/bin/kiosk", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert [line for line in done.stderr.splitlines() if "kiosk-" in line] == []


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[str]:
    """A block device with a file system that holds a bundle and a program."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "new.raucb").write_text("a bundle", encoding="utf-8")
    image = tmp_path / "stick.img"
    image.write_bytes(bytes(4 << 20))
    made = ["mkfs.ext4", "-q", "-d", str(tmp_path / "tree"), str(image)]
    if shutil.which("mkfs.ext4") is None or subprocess.run(made, check=False).returncode:
        pytest.skip("no mkfs.ext4 here")
    found = subprocess.run(
        ["losetup", "--find", "--show", str(image)], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("no loop devices here")
    yield found.stdout.strip()
    subprocess.run(["losetup", "--detach", found.stdout.strip()], check=False)


@needs_root
def test_a_stick_is_seen_read_only_until_the_wish_is_withdrawn(stick: str, tmp_path: Path) -> None:
    wish, media, storage = tmp_path / "wish", tmp_path / "media", tmp_path / "storage"
    wish.touch()
    media.mkdir()
    # In a mount namespace of its own: nothing of it can be left behind.
    inside = (
        f'"{SCRIPT}" "{wish}" "{media}" "{storage}" {stick} & script=$!\n'
        f'until [ -e "{media}/new.raucb" ]; do sleep 0.1; done\n'
        f'grep " {media} " /proc/self/mounts; [ -e "{storage}" ] && echo let-in\n'
        f'rm "{wish}"; wait $script; echo ended $?\n'
        f'grep -c " {media} " /proc/self/mounts; [ -e "{storage}" ] || echo shut-out\n'
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside], capture_output=True, text=True, timeout=180, check=False
    )
    if "unshare failed" in done.stderr:
        pytest.skip("no mount namespaces here")
    mount, let_in, ended, mounts, shut_out = done.stdout.splitlines()
    assert set(mount.split()[3].split(",")) >= {"ro", "nosuid", "nodev", "noexec"}
    assert (let_in, ended, mounts, shut_out) == ("let-in", "ended 0", "0", "shut-out")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach; the folders above pytest's own are for one user."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bus-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def system_bus(open_folder: Path, tmp_path: Path) -> Iterator[str]:
    """A bus with the usual openness of RAUC's own policy, and ours behind it."""
    config = open_folder / "bus.conf"
    policy = POLICY.read_text(encoding="utf-8").replace('user="kiosk-uploader"', 'user="daemon"')
    (open_folder / "ours.conf").write_text(policy, encoding="utf-8")
    config.write_text(
        "<busconfig><type>system</type><auth>EXTERNAL</auth>"
        f"<listen>unix:path={open_folder}/bus</listen>"
        '<policy context="default"><allow user="*"/><allow own="*"/>'
        '<allow send_requested_reply="true" send_type="method_return"/>'
        '<allow send_requested_reply="true" send_type="error"/>'
        '<allow receive_type="method_call"/>'
        '<allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>'
        '<allow send_destination="org.freedesktop.DBus"/><allow send_destination="de.pengutronix.rauc"/>'
        f"</policy><include>{open_folder}/ours.conf</include></busconfig>",
        encoding="utf-8",
    )
    command = ["dbus-daemon", f"--config-file={config}", "--nofork"]
    bus = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while not (open_folder / "bus").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        box = Box.make(tmp_path / "box", Signer.make(tmp_path, "signer"))
        with rauc_service(box, {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={open_folder}/bus"}):
            yield f"unix:path={open_folder}/bus"
    finally:
        bus.terminate()
        bus.wait(10)


@needs_root
@pytest.mark.parametrize(("user", "may"), [("root", True), ("daemon", True), ("nobody", False)])
def test_only_the_uploader_and_root_may_ask_rauc(user: str, may: bool, system_bus: str) -> None:
    command = ["setpriv", f"--reuid={user}", "--clear-groups", "dbus-send", f"--bus={system_bus}"]
    call = ["--print-reply", "--dest=de.pengutronix.rauc", "/", "org.freedesktop.DBus.Properties.Get"]
    what = ["string:de.pengutronix.rauc.Installer", "string:Operation"]
    done = subprocess.run([*command, *call, *what], capture_output=True, text=True, check=False, timeout=180)
    assert ("AccessDenied" in done.stderr) is not may, done.stderr
    assert ('"idle"' in done.stdout) is may, done.stderr
