"""The PIN while it is held: a buffer of its own, given out once, wiped after."""

from collections.abc import Iterator
from contextlib import contextmanager


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer in place."""
    buffer[:] = bytes(len(buffer))


class Pin:
    """Holds at most one PIN. It is never printed, and once it has been given out it is gone."""

    def __init__(self) -> None:
        self._digits: bytearray | None = None

    @property
    def held(self) -> bool:
        return self._digits is not None

    def take(self, digits: bytearray) -> None:
        """Hold this PIN instead of the one before; the buffer is ours from now on."""
        self.forget()
        self._digits = digits

    def forget(self) -> None:
        """Wipe what is held."""
        if self._digits is not None:
            wipe(self._digits)
            self._digits = None

    @contextmanager
    def spent_once(self) -> Iterator[bytearray | None]:
        """Give the PIN out for one VERIFY; whatever happens inside, it is wiped and no longer held after."""
        digits, self._digits = self._digits, None
        try:
            yield digits
        finally:
            if digits is not None:
                wipe(digits)

    def __repr__(self) -> str:
        return f"<Pin {'held' if self.held else 'none'}>"
