"""A thread that runs errands to folders that may be slow, so that the main thread never waits for a share."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Errands:
    """Errands are run one after the other; what came of each is told in the main thread, by `collect`."""

    def __init__(self, name: str, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._jobs: queue.SimpleQueue[Callable[[], Callable[[], None]] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Callable[[], None] | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"uploader-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def give(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `work` in the thread, then `then` with what it returned in the main thread."""

        def job() -> Callable[[], None]:
            came = work()
            return lambda: then(came)

        self._jobs.put(job)

    def collect(self) -> None:
        """Tell what has come back; raises RuntimeError when an errand died of a bug."""
        while not self._done.empty():
            done = self._done.get()
            if isinstance(done, BaseException):
                raise RuntimeError("an errand of the uploader died") from done
            done()

    def stop(self, timeout_s: float) -> None:
        """End the thread after the errand under way; one that hangs in a share is left behind."""
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                self._done.put(job())
                self._wake()
        except BaseException as fault:
            self._done.put(fault)
            self._wake()
            raise
