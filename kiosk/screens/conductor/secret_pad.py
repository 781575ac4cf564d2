"""The digits typed on a secret pad: in one buffer, wiped, never shown, never in a message of text."""


class SecretPad:
    """At most `capacity` ASCII digits in a buffer that is overwritten when they are no longer needed."""

    def __init__(self, capacity: int = 12) -> None:
        self._digits = bytearray(capacity)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return "<SecretPad>"

    def type(self, digit: str) -> bool:
        """Add a digit; False when the pad is full."""
        if self._length == len(self._digits):
            return False
        self._digits[self._length] = ord(digit)
        self._length += 1
        return True

    def erase(self) -> None:
        """Drop the last digit."""
        if self._length:
            self._length -= 1
            self._digits[self._length] = 0

    def copy(self) -> bytearray:
        """The digits in a buffer of the caller's, who wipes it."""
        return self._digits[: self._length]

    def wipe(self) -> None:
        """Overwrite everything."""
        wipe(self._digits)
        self._length = 0


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer in place, keeping its length so that no copy is made."""
    buffer[:] = bytes(len(buffer))
