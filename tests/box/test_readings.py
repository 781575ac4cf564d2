"""What a board says through /sys and /proc, as a Raspberry Pi's folders look."""

from pathlib import Path

from kiosk.box import readings as box


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")


def test_a_board_that_says_nothing(tmp_path: Path) -> None:
    assert box.celsius(tmp_path) is None
    assert box.undervoltage(tmp_path) is None
    assert box.throttled_flags(tmp_path) is None
    assert box.card_bytes_written(tmp_path) is None


def test_the_hottest_zone_counts(tmp_path: Path) -> None:
    put(tmp_path / "class/thermal/thermal_zone0/temp", "48312\n")
    put(tmp_path / "class/thermal/thermal_zone1/temp", "81500\n")
    put(tmp_path / "class/thermal/thermal_zone2/temp", "nonsense\n")
    assert box.celsius(tmp_path) == 81.5


def test_the_firmware_s_flags(tmp_path: Path) -> None:
    flags = tmp_path / "devices/platform/soc/soc:firmware/get_throttled"
    put(flags, "50000\n")
    assert box.throttled_flags(tmp_path) == 0x50000
    assert box.undervoltage(tmp_path) is True
    put(flags, "0\n")
    assert box.undervoltage(tmp_path) is False


def test_the_mainline_kernel_s_alarm(tmp_path: Path) -> None:
    put(tmp_path / "class/hwmon/hwmon0/name", "cpu_thermal\n")
    put(tmp_path / "class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")
    assert box.undervoltage(tmp_path) is None, "another sensor's alarm"
    put(tmp_path / "class/hwmon/hwmon1/name", "rpi_volt\n")
    put(tmp_path / "class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert box.undervoltage(tmp_path) is True


def test_what_the_card_took(tmp_path: Path) -> None:
    put(
        tmp_path / "diskstats",
        "   7       0 loop0 1 0 8 0 0 0 9999 0 0 0 0\n"
        " 179       0 mmcblk0 5120 0 409600 900 2048 77 16384 400 0 1200 1300 0 0 0 0\n"
        " 179       1 mmcblk0p1 1 0 8 0 0 0 4 0 0 0 0\n",
    )
    assert box.card_bytes_written(tmp_path) == 16384 * 512
