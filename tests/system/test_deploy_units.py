"""The systemd units: what they start, what they may touch, how exposed they are."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.cli import COMMANDS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROCESSES = ("reader", "screen", "uploader")
DEBIAN_GROUPS = {"video", "render", "input", "audio"}

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def unit(process: str) -> Path:
    return DEPLOY / f"kiosk-{process}.service"


def settings_of(path: Path) -> dict[str, list[str]]:
    """Every key of a unit with all its values; a key may stand more than once."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def sysusers() -> list[list[str]]:
    lines = (DEPLOY / "sysusers.d" / "kiosk.conf").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@needs_analyze
@pytest.mark.parametrize("process", PROCESSES)
def test_a_unit_is_hardened_to_one_and_a_half_points_at_most(process: str) -> None:
    done = analyze("security", "--offline=true", "--threshold=15", "--no-pager", str(unit(process)))
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@needs_analyze
def test_the_metrics_unit_is_hardened_as_well() -> None:
    path = str(DEPLOY / "fleet" / "kiosk-metrics.service")
    done = analyze("security", "--offline=true", "--threshold=15", "--no-pager", path)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@needs_analyze
def test_the_threshold_can_fail(tmp_path: Path) -> None:
    soft = tmp_path / "soft.service"
    soft.write_text("[Service]\nExecStart=/bin/true\nUser=nobody\n", encoding="utf-8")
    assert analyze("security", "--offline=true", "--threshold=15", "--no-pager", str(soft)).returncode != 0


@needs_analyze
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    for process in PROCESSES:
        text = unit(process).read_text(encoding="utf-8").replace("/opt/kiosk/bin/kiosk", "/bin/true")
        (tmp_path / unit(process).name).write_text(text, encoding="utf-8")
    done = analyze("verify", "--man=no", *map(str, sorted(tmp_path.iterdir())))
    ours = [line for line in done.stderr.splitlines() if "kiosk-" in line]
    assert (done.returncode, ours) == (0, [])


@needs_analyze
def test_a_line_that_systemd_does_not_understand_is_told(tmp_path: Path) -> None:
    odd = tmp_path / "kiosk-odd.service"
    odd.write_text("[Service]\nExecStart=/bin/true\nWatchDogSeconds=5\n", encoding="utf-8")
    assert "kiosk-odd" in analyze("verify", "--man=no", str(odd)).stderr


@pytest.mark.parametrize("process", PROCESSES)
def test_a_unit_starts_its_command_under_watch_and_as_its_own_user(process: str) -> None:
    unit_says = settings_of(unit(process))
    [command] = unit_says["ExecStart"]
    assert command == f"/opt/kiosk/bin/kiosk {process} --config /etc/kiosk/kiosk.toml"
    assert process in COMMANDS
    assert unit_says["Type"] == ["notify"]
    assert unit_says["Restart"] == ["always"]
    assert 15 <= int(unit_says["WatchdogSec"][0]) <= 30
    assert unit_says["User"] == [f"kiosk-{process}"]
    assert ["u", f"kiosk-{process}"] in [line[:2] for line in sysusers()]


@pytest.mark.parametrize("process", PROCESSES)
def test_every_group_of_a_unit_will_exist(process: str) -> None:
    groups = set(settings_of(unit(process))["SupplementaryGroups"][0].split())
    made = {line[1] for line in sysusers() if line[0] == "g"}
    assert "kiosk" in groups
    assert groups <= made | DEBIAN_GROUPS


def test_only_the_uploader_has_a_network() -> None:
    for process in ("reader", "screen"):
        unit_says = settings_of(unit(process))
        assert unit_says["PrivateNetwork"] == ["yes"]
        assert unit_says["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"]
    uploader = settings_of(unit("uploader"))
    assert "PrivateNetwork" not in uploader
    assert uploader["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]


def test_each_process_has_its_own_devices() -> None:
    assert settings_of(unit("reader"))["DeviceAllow"] == ["char-usb_device rw"]
    assert {line.split()[0] for line in settings_of(unit("screen"))["DeviceAllow"]} == {
        "char-drm",
        "char-input",
        "char-gpiochip",
        "char-alsa",
    }
    assert "DeviceAllow" not in settings_of(unit("uploader"))
    for process in PROCESSES:
        assert settings_of(unit(process))["DevicePolicy"] == ["closed"]


#: What must be loaded before systemd reads the names of /proc/devices; the others are in every kernel.
MODULES = {"char-usb_device": "usbcore", "char-drm": "drm", "char-alsa": "snd"}


@pytest.mark.parametrize("process", ["reader", "screen"])
def test_the_drivers_of_a_units_devices_are_loaded_before_it(process: str) -> None:
    unit_says = settings_of(unit(process))
    devices = [line.split()[0] for line in unit_says["DeviceAllow"]]
    wanted = {f"modprobe@{MODULES[device]}.service" for device in devices if device in MODULES}
    assert wanted
    for key in ("Wants", "After"):
        assert wanted <= set(" ".join(unit_says[key]).split())


def test_the_screen_draws_with_opengl_es_on_the_bare_display() -> None:
    environment = " ".join(settings_of(unit("screen"))["Environment"]).split()
    assert "SDL_VIDEODRIVER=kmsdrm" in environment
    assert "SDL_RENDER_DRIVER=opengles2" in environment
    assert settings_of(unit("screen"))["Conflicts"] == ["getty@tty1.service"]


def test_those_who_listen_may_write_where_the_sockets_are() -> None:
    for process in ("reader", "uploader"):
        assert settings_of(unit(process))["ReadWritePaths"] == ["/run/kiosk"]
        # peer credentials would read as "nobody" there
        assert "PrivateUsers" not in settings_of(unit(process))
    assert "ReadWritePaths" not in settings_of(unit("screen"))


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers here")
def test_users_and_meeting_place_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    config = DEPLOY / "sysusers.d" / "kiosk.conf"
    command = ["systemd-sysusers", f"--root={tmp_path}", "-"]
    subprocess.run(command, input=config.read_text(), text=True, check=True, capture_output=True, timeout=60)
    groups = (tmp_path / "etc" / "group").read_text(encoding="utf-8").splitlines()
    [meeting] = [line for line in groups if line.startswith("kiosk:")]
    assert set(meeting.split(":")[3].split(",")) == {
        f"kiosk-{process}" for process in (*PROCESSES, "metrics")
    }


def test_sockets_will_belong_to_the_common_group() -> None:
    text = (DEPLOY / "tmpfiles.d" / "kiosk.conf").read_text(encoding="utf-8")
    [line] = [line.split() for line in text.splitlines() if not line.startswith("#")]
    assert line[:5] == ["d", "/run/kiosk", "3770", "root", "kiosk"]
