"""Compares a typed passcode on a thread of its own: the hash is slow by design, the picture must not wait."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

ComparePasscode = Callable[[str, bytearray], bool]  #: (staff number, passcode) → right; wipes the passcode


@dataclass(frozen=True)
class ComparedPasscode:
    """What came of one comparison. `visit`: for whose visual check; None: at the hidden door."""

    visit: str | None
    staff: str
    right: bool


class PasscodeCheck:
    """At most one comparison at a time."""

    def __init__(self, compare: ComparePasscode) -> None:
        self._compare = compare
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passcode")
        self._running: tuple[str | None, str, Future[bool]] | None = None

    def begin(self, visit: str | None, staff: str, passcode: bytearray) -> None:
        """Compare this passcode."""
        self._running = visit, staff, self._worker.submit(self._compare, staff, passcode)

    def result(self) -> ComparedPasscode | None:
        """The result, once; None while there is none."""
        if self._running is None or not self._running[2].done():
            return None
        visit, staff, future = self._running
        self._running = None
        return ComparedPasscode(visit, staff, future.result())

    def close(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)
