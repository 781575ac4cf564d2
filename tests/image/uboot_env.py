"""U-Boot's variables as its file on the FAT partition holds them, and what `boot.cmd` makes of them.

One copy, no redundancy: CRC-32 of the rest, then NAME=VALUE, each with a zero byte behind it, and one more at
the end. A file that is missing, short or damaged counts as none, and both slots are tried afresh.
"""

import zlib

from tests.image.uboot import Attempt

FILE = "uboot.env"
SIZE = 0x4000  #: deploy/appliance/etc/fw_env.config; U-Boot's CONFIG_ENV_SIZE
ATTEMPTS = 3


def variables(raw: bytes | None) -> dict[str, str] | None:
    """What U-Boot reads from its file; None when it takes its defaults."""
    if raw is None or len(raw) < SIZE:
        return None
    body = raw[4:SIZE]
    if zlib.crc32(body) != int.from_bytes(raw[:4], "little"):
        return None
    words = body.partition(b"\0\0")[0].split(b"\0")
    pairs = (word.decode("utf-8", "replace").partition("=") for word in words if word)
    return {name: value for name, _, value in pairs}


def written(found: dict[str, str]) -> bytes:
    """The file for these variables."""
    body = b"".join(f"{name}={value}".encode() + b"\0" for name, value in found.items()) + b"\0"
    body = body.ljust(SIZE - 4, b"\0")
    return zlib.crc32(body).to_bytes(4, "little") + body


def choice(found: dict[str, str] | None) -> Attempt:
    """The slot that boot.cmd starts, and the attempts that it leaves."""
    found = found or {}
    order = found.get("BOOT_ORDER") or "A B"
    left = {slot: int(found.get(f"BOOT_{slot}_LEFT") or ATTEMPTS) for slot in "AB"}
    slot = next((each for each in order.split() if left.get(each, 0) > 0), None)
    if slot is None:  # tried afresh, after a reset
        return choice({"BOOT_ORDER": order})
    left[slot] -= 1
    return Attempt(slot, left["A"], left["B"])
