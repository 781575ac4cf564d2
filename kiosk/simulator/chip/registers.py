"""Registers and EEPROM of the virtual PN533: storage with reset values, nothing computes behind it."""

from __future__ import annotations

CIU_TX_MODE = 0x6302
CIU_RX_MODE = 0x6303
CIU_TX_CONTROL = 0x6304
CIU_TX_AUTO = 0x6305
CIU_FIFO_DATA = 0x6339
CIU_FIFO_LEVEL = 0x633A
CIU_BIT_FRAMING = 0x633D

EEPROM_START = 0xA000
EEPROM_SIZE = 256

OK = 0x00
INVALID_PARAMETER = 0x10

RESET_VALUES = {CIU_TX_MODE: 0x80, CIU_RX_MODE: 0x80, CIU_TX_CONTROL: 0x80, CIU_TX_AUTO: 0x40}


def device_name_eeprom(vendor: str, product: str) -> bytes:
    """An EEPROM with USB string descriptors under the tags where nfcpy looks: 4 vendor, 3 product."""
    records = b""
    for tag, text in ((0x03, product), (0x04, vendor)):
        value = text.encode("utf-16-le")
        records += bytes([tag, len(value) + 2, len(value) + 2, 0x03]) + value
    return records.ljust(EEPROM_SIZE, b"\xff")


class Registers:
    """The chip's address space as ReadRegister and WriteRegister see it. An empty `eeprom` means none is
    fitted.
    """

    def __init__(self, eeprom: bytes) -> None:
        self._values = dict(RESET_VALUES)
        for offset, value in enumerate(eeprom):
            self._values[EEPROM_START + offset] = value
        self._eeprom = bool(eeprom)

    def get(self, address: int) -> int:
        return self._values.get(address, 0)

    def set(self, address: int, value: int) -> None:
        self._values[address] = value

    def read(self, data: bytes) -> bytes:
        """ReadRegister: status, then one value per two-byte address."""
        addresses = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2)]
        if not addresses or not all(self._exists(address) for address in addresses):
            return bytes([INVALID_PARAMETER])
        return bytes([OK]) + bytes(self.get(address) for address in addresses)

    def write(self, data: bytes) -> bytes:
        """WriteRegister: triples of address and value; answers a status."""
        if not data or len(data) % 3:
            return bytes([INVALID_PARAMETER])
        for at in range(0, len(data), 3):
            self.set(int.from_bytes(data[at : at + 2], "big"), data[at + 2])
        return bytes([OK])

    def _exists(self, address: int) -> bool:
        return self._eeprom or not EEPROM_START <= address < EEPROM_START + EEPROM_SIZE
