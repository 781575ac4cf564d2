"""CRC_A and CRC_B of ISO/IEC 14443-3 (annex B): reflected CCITT polynomial, first byte sent is the low
one.
"""

from __future__ import annotations

from kiosk.simulator.radio.airtime import Technology


def crc(technology: Technology, data: bytes) -> bytes:
    """The two CRC bytes in the order in which they are sent."""
    register = 0x6363 if technology == "A" else 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    if technology == "B":
        register ^= 0xFFFF
    return register.to_bytes(2, "little")
