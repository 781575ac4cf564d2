"""The settings' section about the NFC reader."""

from dataclasses import dataclass
from pathlib import Path

from kiosk.config.table import Table


@dataclass(frozen=True)
class ReaderSettings:
    device: str  #: "usb", "usb:VVVV:PPPP" or "virtual:PATH"
    trust: Path  #: folder of the CA certificates that the tokens' certificates must chain to
    type_b_modulation: int  #: RFConfiguration item 0C, second byte (ModGsP); docs/facts/reader.md, nfcpy #187
    computing_s: float  #: of this processor, for one contact; a token must not be able to keep us computing


def reader(table: Table, base: Path) -> ReaderSettings:
    """Read `[reader]`."""
    device = table.text(
        "device",
        '"usb", "usb:04e6:5591" or "virtual:PATH"',
        "usb",
        pattern=r"usb|usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}|virtual:[^\x00-\x1f\x7f\u2028\u2029]+",
    )
    if device.startswith("virtual:"):
        device = f"virtual:{base / device.removeprefix('virtual:')}"
    return ReaderSettings(
        device=device,
        trust=table.path("trust", base, "trust"),
        type_b_modulation=table.whole("type_b_modulation", 0, 255, 0x04),
        computing_s=table.number("computing_s", 0.5, 10, 1),
    )
