"""`firmware/check-reader` over made-up machines: each fault is named with the way to mend it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nfc.clf.device import usb_device_map

SCRIPT = Path(__file__).resolve().parents[2] / "firmware" / "check-reader"
SCL3711 = ("04e6", "5591")


class Machine:
    """A root with as much of sysfs, /proc and /dev as is asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.devices = root / "sys/bus/usb/devices"
        self.devices.mkdir(parents=True)
        (root / "proc").mkdir()
        self._count = 0

    def usb(self, place: str, usb_id: tuple[str, str], driver: str | None = None, **files: str) -> Path:
        """A device with its node, which the one who runs this may use."""
        self._count += 1
        folder = self.devices / place
        values = {"idVendor": usb_id[0], "idProduct": usb_id[1], "busnum": "1", "devnum": str(self._count)}
        for name, text in {**values, **files}.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n", encoding="utf-8")
        if driver is not None:
            module = self.root / "sys/bus/usb/drivers" / driver
            module.mkdir(parents=True, exist_ok=True)
            interface = folder / f"{place}:1.0"
            interface.mkdir()
            (interface / "driver").symlink_to(module)
        node = self.root / f"dev/bus/usb/001/{self._count:03d}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        node.chmod(0o660)
        return node

    def check(self, *options: str) -> tuple[int, dict[str, Any]]:
        done = self.run("--json", *options)
        return done.returncode, json.loads(done.stdout)

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), "--root", str(self.root), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def codes(self, *options: str) -> dict[str, bool]:
        code, report = self.check(*options)
        found = {finding["code"]: finding["wrong"] for finding in report["findings"]}
        assert code == int(any(found.values()))
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("usb_id", [key for key, driver in usb_device_map.items() if driver == "pn533"])
def test_every_reader_that_we_drive_is_known(machine: Machine, usb_id: tuple[int, int]) -> None:
    machine.usb("1-1", (f"{usb_id[0]:04x}", f"{usb_id[1]:04x}"))
    code, report = machine.check()
    assert (code, report["findings"]) == (0, [])
    assert report["readers"] == [{"id": f"{usb_id[0]:04x}:{usb_id[1]:04x}", "path": "1-1"}]


def test_a_reader_without_faults_is_told_in_one_line(machine: Machine) -> None:
    machine.usb("1-1", SCL3711)
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "SCL3711 (04e6:5591 at 1-1): nothing found that would keep it from working\n"


def test_no_reader(machine: Machine) -> None:
    machine.usb("usb1", ("1d6b", "0002"))
    assert machine.codes() == {"no_reader": True}


def test_a_machine_without_usb_is_no_accident(machine: Machine) -> None:
    machine.devices.rmdir()
    assert machine.codes() == {"no_reader": True}


@pytest.mark.parametrize(
    ("usb_id", "product", "word"),
    [
        (("072f", "2200"), "ACR122U PICC Interface", "ACR122U"),
        (("054c", "06c3"), "RC-S380/P", "RC-S380"),
        (("1a86", "7523"), "USB Serial", "CH340"),
        (("dead", "beef"), "Cheap NFC stick", "Cheap NFC stick"),
    ],
)
def test_another_reader_is_named(machine: Machine, usb_id: tuple[str, str], product: str, word: str) -> None:
    machine.usb("1-1", usb_id, product=product)
    assert machine.codes() == {"wrong_id": True, "no_reader": True}
    assert word in machine.run().stdout


def test_two_readers(machine: Machine) -> None:
    machine.usb("1-1", SCL3711)
    machine.usb("1-2", ("04cc", "2533"))
    assert machine.codes() == {"two_readers": True}


def test_the_kernels_driver_holds_it(machine: Machine) -> None:
    machine.usb("1-1", SCL3711, driver="pn533_usb")
    (machine.root / "proc/modules").write_text("pn533_usb 16384 0 - Live 0x0\npn533 45056 1 - Live 0x0\n")
    assert machine.codes() == {"kernel_driver": True}
    assert "rmmod pn533_usb" in machine.run().stdout


def test_modules_that_wait_for_a_reader_are_noted(machine: Machine) -> None:
    machine.usb("1-1", SCL3711)
    (machine.root / "proc/modules").write_text("nfc 45056 1 - Live 0x0\n")
    assert machine.codes() == {"modules_loaded": False}


def test_a_program_that_holds_it_is_named(machine: Machine) -> None:
    machine.usb("1-1", SCL3711, driver="usbfs")
    process = machine.root / "proc/77"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("nfc-list\n")
    (process / "fd/5").symlink_to("/dev/bus/usb/001/001")
    assert machine.codes() == {"in_use": False}
    assert "nfc-list (process 77)" in machine.run().stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_no_permission_for_the_user_who_needs_it(machine: Machine) -> None:
    machine.usb("1-1", SCL3711)
    assert machine.codes("--user", "nobody") == {"no_permission": True}
    assert "60-kiosk-reader.rules" in machine.run("--user", "nobody").stdout
    rules = machine.root / "etc/udev/rules.d"
    rules.mkdir(parents=True)
    (rules / "60-kiosk-reader.rules").touch()
    assert "install firmware" not in machine.run("--user", "nobody").stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a file away")
def test_the_group_of_the_udev_rule_is_enough(machine: Machine) -> None:
    nobody = subprocess.run(["id", "-g", "nobody"], capture_output=True, text=True, check=True)
    os.chown(machine.usb("1-1", SCL3711), 0, int(nobody.stdout))
    assert machine.codes("--user", "nobody") == {}


def test_a_node_that_udev_has_not_made(machine: Machine) -> None:
    machine.usb("1-1", SCL3711).unlink()
    assert machine.codes() == {"no_node": True}


def test_a_hub_without_its_own_power_is_wrong_and_one_with_it_a_note(machine: Machine) -> None:
    machine.usb("1-1", ("05e3", "0608"), bmAttributes="80")
    machine.usb("1-1.4", SCL3711, bMaxPower="200mA")
    assert machine.codes() == {"hub_power": True}
    (machine.devices / "1-1/bmAttributes").write_text("e0\n")
    assert machine.codes() == {"hub": False}


def test_the_hub_on_the_board_is_none(machine: Machine) -> None:
    machine.usb("1-1", ("0424", "2514"), bmAttributes="80")
    machine.usb("1-1.4", SCL3711, bMaxPower="200mA")
    assert machine.codes() == {}


def test_sleep_and_low_voltage(machine: Machine) -> None:
    machine.usb("1-1", SCL3711, power__control="auto")
    monitor = machine.root / "sys/class/hwmon/hwmon1"
    monitor.mkdir(parents=True)
    (monitor / "name").write_text("rpi_volt\n")
    (monitor / "in0_lcrit_alarm").write_text("1\n")
    assert machine.codes() == {"autosuspend": False, "undervoltage": True}


def test_an_unknown_user_is_wrong_usage(machine: Machine) -> None:
    done = machine.run("--user", "no-such-user")
    assert done.returncode == 2
    assert "no-such-user" in done.stderr
