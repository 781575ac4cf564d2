"""What the kernel is told of the reader: the udev rules and the modules that must keep off."""

import re
from pathlib import Path

from nfc.clf.device import usb_device_map

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def test_the_rules_name_every_stick_that_nfcpy_drives_as_a_pn533() -> None:
    rules = (FIRMWARE / "60-kiosk-reader.rules").read_text(encoding="utf-8")
    named = re.findall(r'ATTR\{idVendor\}=="(\w{4})", ATTR\{idProduct\}=="(\w{4})"', rules)
    ours = {(int(vendor, 16), int(product, 16)) for vendor, product in named}
    assert ours == {usb_id for usb_id, driver in usb_device_map.items() if driver == "pn533"}


def test_each_stick_goes_to_the_reader_process_alone() -> None:
    rules = (FIRMWARE / "60-kiosk-reader.rules").read_text(encoding="utf-8").splitlines()
    sticks = [line for line in rules if "idProduct" in line]
    assert len(sticks) == 3
    assert all(line.endswith('GROUP="kiosk-reader", MODE="0660"') for line in sticks)


def test_the_kernels_own_drivers_keep_off_the_reader() -> None:
    text = (FIRMWARE / "kiosk-blacklist.conf").read_text(encoding="utf-8")
    modules = {"pn533_usb", "pn533", "port100", "nfc"}
    assert set(re.findall(r"^blacklist (\S+)$", text, re.MULTILINE)) == modules
    assert set(re.findall(r"^install (\S+) /bin/false$", text, re.MULTILINE)) == modules
