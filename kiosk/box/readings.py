"""What the board can be asked through /sys and /proc: heat, supply voltage, what was written to the card.

Every reading is None where the board does not have it; a PC has none of them.
"""

from pathlib import Path

SYS, PROC = Path("/sys"), Path("/proc")
HOT_C = 80.0  #: from here on the firmware slows the processor down (Raspberry Pi documentation, config.txt)
_SECTOR = 512  #: bytes; Documentation/admin-guide/iostats.rst, whatever the disk's own sectors are
_UNDERVOLTAGE_NOW, _UNDERVOLTAGE_SINCE_START = 1 << 0, 1 << 16  #: vcgencmd get_throttled


def celsius(sys: Path = SYS) -> float | None:
    """The hottest of the processor's thermal zones, °C."""
    read = [_number(path) for path in sorted(sys.glob("class/thermal/thermal_zone*/temp"))]
    found = [value / 1000 for value in read if value is not None]
    return max(found, default=None)


def throttled_flags(sys: Path = SYS) -> int | None:
    """The flags of `vcgencmd get_throttled`; only Raspberry Pi's own kernel has them."""
    for path in sorted(sys.glob("devices/platform/soc/*firmware/get_throttled")):
        try:
            return int(path.read_text(encoding="ascii").strip(), 16)
        except (OSError, ValueError):
            continue
    return None


def undervoltage(sys: Path = SYS) -> bool | None:
    """Whether the supply is, or since the start was, too weak: the firmware's flags, else the kernel's alarm
    (raspberrypi-hwmon, which Debian's kernel has: "rpi_volt").
    """
    if (flags := throttled_flags(sys)) is not None:
        return bool(flags & (_UNDERVOLTAGE_NOW | _UNDERVOLTAGE_SINCE_START))
    for alarm in sorted(sys.glob("class/hwmon/hwmon*/in0_lcrit_alarm")):
        name = alarm.with_name("name")
        if name.exists() and name.read_text(encoding="ascii").strip() == "rpi_volt":
            value = _number(alarm)
            return None if value is None else value != 0
    return None


def card_bytes_written(proc: Path = PROC) -> int | None:
    """What was written to the SD card (or the first disk of a PC) since the start."""
    try:
        lines = (proc / "diskstats").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    written = {words[2]: int(words[9]) * _SECTOR for line in lines if len(words := line.split()) > 9}
    for disk in ("mmcblk0", "mmcblk1", "nvme0n1", "sda", "vda"):
        if disk in written:
            return written[disk]
    return None


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
