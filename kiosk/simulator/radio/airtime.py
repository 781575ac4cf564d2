"""How long frames take in the air and how long a token thinks: the arithmetic of the radio model.

Sources: ISO/IEC 14443-3 framing (Type A: 8 data bits + parity per byte, start
and end of frame; Type B: 10 bit characters, SOF and EOF); 1 etu = 128/fc at 106 kbit/s, fc = 13.56 MHz.
Everything here is pure; sleeping is done by `field_server`, summing up by `meter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Technology = Literal["A", "B"]

CARRIER_HZ = 13.56e6
ETU_S = 128 / CARRIER_HZ

FDT_A_S = 1172 / CARRIER_HZ
"""Least frame delay time of a Type A token (ISO/IEC 14443-3 6.2.1.1, last bit 0)."""

FDT_B_S = 113e-6
"""Least TR0 + TR1 of a Type B token (ISO/IEC 14443-3 7.1.6)."""

CRC_BYTES = 2

SHORT_FRAME_ETU = 9
"""REQA and WUPA: start of frame, 7 bits, end of frame (ISO/IEC 14443-3 6.2.3.1)."""


def frame_s(technology: Technology, size: int) -> float:
    """Seconds that a standard frame of `size` bytes takes at 106 kbit/s; `size` counts PCB, CID and both
    CRC bytes.
    """
    etu = 9 * size + 2 if technology == "A" else 10 * size + 23
    return etu * ETU_S


def answer_delay_s(technology: Technology) -> float:
    """Seconds between the end of the reader's frame and the start of the token's, at the least."""
    return FDT_A_S if technology == "A" else FDT_B_S


def fwt_s(fwi: int) -> float:
    """Frame waiting time in seconds (ISO/IEC 14443-4 7.2)."""
    return 4096 / CARRIER_HZ * (1 << fwi)


@dataclass(frozen=True)
class RadioModel:
    """What of the physical world costs time. Every part may be zero; `INSTANT` has them all zero.

    `empty_poll_s` is the cost of ONE InListPassiveTarget that finds nothing, whatever technology it asks
    for: an A + B cycle costs it twice. (The chip's real figure is not published; this is the stricter
    reading of "10 ms per empty poll".) It includes the 5 ms that a token may take to wake in a fresh field.
    """

    rate_kbit: Literal[0, 106] = 106
    empty_poll_s: float = 0.010
    wake_s: float = 0.005
    """A token answers nothing before this long in the field (ISO/IEC 14443-3 5.2: 5 ms)."""
    usb_s: float = 0.0
    """Per USB bulk transfer; one command of nfcpy is three of them: write, ACK read, response read."""

    def exchange_s(self, technology: Technology, sent: int, answered: int, speed: int = 0) -> float:
        """Air time of a frame of `sent` bytes and its answer of `answered` bytes, both without CRC, in
        seconds.

        `speed` is the bit rate as exponent: 0 is 106 kbit/s, 1 is 212, 2 is 424, 3 is 848.
        """
        if self.rate_kbit == 0:
            return 0.0
        frames = frame_s(technology, sent + CRC_BYTES) + frame_s(technology, answered + CRC_BYTES)
        return frames / (1 << speed) + answer_delay_s(technology)

    def lone_frame_s(self, technology: Technology, sent: int, speed: int = 0) -> float:
        """Air time of a frame that nobody answers, in seconds."""
        return 0.0 if self.rate_kbit == 0 else frame_s(technology, sent + CRC_BYTES) / (1 << speed)

    def anticollision_a_s(self, uid_size: int) -> float:
        """REQA/ATQA and, per cascade level, ANTICOLLISION/UID part and SELECT/SAK, in seconds."""
        if self.rate_kbit == 0:
            return 0.0
        request = SHORT_FRAME_ETU * ETU_S + FDT_A_S + frame_s("A", 2)
        search = frame_s("A", 2) + FDT_A_S + frame_s("A", 5)  # 93 20 -> 4 bytes + BCC, both without CRC
        select = frame_s("A", 7 + CRC_BYTES) + FDT_A_S + frame_s("A", 1 + CRC_BYTES)
        return request + {4: 1, 7: 2, 10: 3}[uid_size] * (search + select)


INSTANT = RadioModel(rate_kbit=0, empty_poll_s=0.0, wake_s=0.0, usb_s=0.0)
