"""What the image adds to the three services: units, rules, recipes; checked without building anything."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from kiosk.cli import COMMANDS
from kiosk.commands.first_boot import RELOAD
from kiosk.config.first_boot_settings import Network
from kiosk.provisioning.network_files import WIFI, line_files
from kiosk_image import assemble, base, steps, wheels

ROOT = Path(__file__).resolve().parents[2]
APPLIANCE = ROOT / "deploy" / "appliance"
UNITS = APPLIANCE / "usr/lib/systemd/system"
SCRIPTS = APPLIANCE / "usr/lib/kiosk"
BUILD = ROOT / "image-build"
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60
    )


@needs_analyze
def test_the_notice_is_as_hardened_as_the_services() -> None:
    unit = str(UNITS / "kiosk-notice.service")
    done = analyze("security", "--offline=true", "--threshold=15", "--no-pager", unit)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@needs_analyze
def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    for unit in (*UNITS.iterdir(), *(ROOT / "deploy").glob("kiosk-*.service")):
        begins = r"(?m)^ExecStart=(?:.*\\\n)*.*"  # and goes on in the next line after a backslash
        text = re.sub(begins, "ExecStart=/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    for added in APPLIANCE.glob("etc/systemd/system/kiosk-*.d"):
        shutil.copytree(added, tmp_path / added.name)
    done = analyze(
        "verify", "--man=no", *map(str, sorted(path for path in tmp_path.iterdir() if path.is_file()))
    )
    assert [line for line in done.stderr.splitlines() if "kiosk" in line] == []


def test_what_tells_of_a_bad_card_asks_for_nothing_on_it() -> None:
    """By default a unit asks for sysinit.target, that for /var, and its failure is what is told."""
    for name in ("kiosk-tell@.service", "kiosk-notice.service"):
        lines = (UNITS / name).read_text(encoding="utf-8").splitlines()
        assert "DefaultDependencies=no" in lines
        asks = {"Requires", "Requisite", "BindsTo", "RequiresMountsFor", "StateDirectory", "PrivateTmp"}
        assert [line for line in lines if line.partition("=")[0] in asks] == []


@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()), ids=lambda path: path.name)
def test_scripts_are_programs_that_parse(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def test_what_units_and_scripts_start_exists() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*UNITS.iterdir(), *SCRIPTS.iterdir())]
    started = {word for text in texts for word in re.findall(r"/opt/kiosk/bin/kiosk ([a-z-]+)", text)}
    assert {"first-boot", "notice"} <= started <= set(COMMANDS)
    scripts = {word for text in texts for word in re.findall(r"=/usr/lib/kiosk/([a-z-]+)", text)}
    assert scripts == {path.name for path in SCRIPTS.iterdir()}


def test_the_preset_enables_nothing_that_is_masked_or_missing() -> None:
    preset = (APPLIANCE / "etc/systemd/system-preset/00-kiosk.preset").read_text(encoding="utf-8")
    enabled = set(re.findall(r"(?m)^enable (\S+)", preset))
    assert re.findall(r"(?m)^disable (\S+)", preset) == ["*"]
    assert not enabled & set(assemble.MASKED)
    ours = {name for name in enabled if name.startswith("kiosk")}
    assert ours <= {path.name for path in UNITS.iterdir()}


def test_slots_and_attempts_mean_the_same_to_boot_loader_and_updater() -> None:
    script = (BUILD / "boot.cmd").read_text(encoding="utf-8")
    rauc = (APPLIANCE / "etc/rauc/system.conf").read_text(encoding="utf-8")
    signature = re.search(r"disk-signature = 0x([0-9a-f]+)", (BUILD / "genimage.cfg").read_text())
    assert signature is not None
    for name, number in (("A", "2"), ("B", "3")):
        assert f"by-partuuid/{signature[1]}-0{number}" in rauc
        assert re.search(rf"setenv slot {name}; setenv part {number}", script)
        assert f"bootname={name}" in rauc
        assert f'test -n "${{BOOT_{name}_LEFT}}" || setenv BOOT_{name}_LEFT 3' in script
    assert "boot-attempts=3" in rauc
    fstab = (APPLIANCE / "etc/fstab").read_text(encoding="utf-8")
    assert f"PARTUUID={signature[1]}-04  /var" in fstab


def test_kernel_and_ram_disk_have_room_in_memory() -> None:
    """booti moves a kernel that does not lie on 2 MiB; Debian's takes 38 MiB from there, growing."""
    text = (BUILD / "boot.cmd").read_text(encoding="utf-8")
    kernel, ram_disk = (
        int(re.findall(rf"(?m)^setenv {name} (0x[0-9a-f]+)$", text)[0], 16)
        for name in ("kernel_addr_r", "ramdisk_addr_r")
    )
    assert kernel % (2 << 20) == 0
    assert ram_disk - kernel >= 64 << 20
    assert ram_disk < 128 << 20  # below where the Pi's firmware and QEMU put the device tree


def test_a_kernel_that_reaches_into_the_ram_disk_stops_the_build(tmp_path: Path) -> None:
    script = (BUILD / "boot.cmd").read_text(encoding="utf-8")
    kernel = tmp_path / "vmlinuz-9.9"
    room = 0x5000000 - 0x200000
    kernel.write_bytes(bytes(16) + room.to_bytes(8, "little") + bytes(8))
    assemble.must_fit(script, kernel)
    kernel.write_bytes(bytes(16) + (room + 1).to_bytes(8, "little") + bytes(8))
    with pytest.raises(steps.BuildError, match=r"vmlinuz-9\.9 takes 81,788,929 bytes"):
        assemble.must_fit(script, kernel)


def test_the_image_refuses_bundles_that_are_older_than_itself() -> None:
    rauc = (APPLIANCE / "etc/rauc/system.conf").read_text(encoding="utf-8")
    assert "[system]\nmin-bundle-version=1.2.3\n" in assemble.no_older(rauc, "1.2.3")
    with pytest.raises(steps.BuildError, match=r"1\.2\.3rc1"):
        assemble.no_older(rauc, "1.2.3rc1")


def test_wifi_starts_as_soon_as_the_first_boot_has_written_its_file() -> None:
    """Before that it has not started, so that nothing which only restarts it could help."""
    unit = (APPLIANCE / "etc/systemd/system/wpa_supplicant@.service.d/kiosk.conf").read_text(encoding="utf-8")
    assert f"ConditionPathExists=/etc/wpa_supplicant/{WIFI.replace('wlan0', '%I')}" in unit
    assert "After=var.mount" in unit
    assert RELOAD[WIFI][-2:] == ("restart", "wpa_supplicant@wlan0.service")


def test_the_wifi_file_asks_for_no_socket_without_a_name() -> None:
    """wpa_supplicant takes an empty ctrl_interface for a folder that it must make, and ends."""
    text = line_files(Network("clinic", "long enough", "JP", "", "", (), ()))[WIFI]
    assert "ctrl_interface" not in text


def test_storage_is_refused_unless_the_update_page_is_open() -> None:
    rules = (APPLIANCE / "etc/udev/rules.d/50-kiosk-usb.rules").read_text(encoding="utf-8").splitlines()
    [storage] = [line for line in rules if 'bInterfaceClass}=="08"' in line]
    assert 'TEST=="/run/kiosk-update/storage"' in storage
    refusing = next(n for n, line in enumerate(rules) if line.startswith('ATTR{authorized}="0"'))
    assert rules.index(storage) < refusing
    readers = (ROOT / "firmware/60-kiosk-reader.rules").read_text(encoding="utf-8")
    for vendor, product in re.findall(r'idVendor}=="(\w+)", ATTR{idProduct}=="(\w+)"', readers):
        assert any(f'idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}"' in line for line in rules)


def test_what_a_stick_shows_is_seen_by_the_uploader() -> None:
    """PrivateNetwork= implies PrivateMounts= unless that is refused, systemd.exec(5)."""
    lines = (UNITS / "kiosk-update-stick.service").read_text(encoding="utf-8").splitlines()
    assert "PrivateMounts=no" in lines
    own = ("ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadWritePaths", "ProtectProc")
    assert [line for line in lines if line.partition("=")[0] in own] == []


def test_what_is_let_in_gets_a_driver() -> None:
    rules = (APPLIANCE / "etc/udev/rules.d/50-kiosk-usb.rules").read_text(encoding="utf-8")
    let_in = rules.partition('LABEL="kiosk_usb_yes"\n')[2]
    assert "$kernel >/sys/bus/usb/drivers_probe" in let_in
    assert "drivers/scsi" not in base.MODULES_NOT_NEEDED  # a stick is a SCSI disk
    assert {"scsi_mod.ko.xz", "sd_mod.ko.xz"} <= base.SCSI_KEPT


@pytest.mark.skipif(shutil.which("dtc") is None, reason="no device tree compiler here")
def test_overlays_compile(tmp_path: Path) -> None:
    for source in sorted((ROOT / "firmware/overlays").glob("*.dts")):
        goal = tmp_path / f"{source.stem}.dtbo"
        command = ["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", str(goal), str(source)]
        assert subprocess.run(command, check=False).returncode == 0, source.name
        assert struct.unpack(">I", goal.read_bytes()[:4]) == (0xD00DFEED,)


def test_every_locked_package_has_its_way_into_the_image() -> None:
    pinned = wheels.pins(ROOT / "requirements/run.txt")
    assert {wheels.FROM_DEBIAN, wheels.ACROSS, *wheels.PURE_SOURCES} <= set(pinned)
    assert all("--hash=sha256:" in lines and " ; " not in lines for lines in pinned.values())
