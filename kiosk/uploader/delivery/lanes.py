"""Threads that do HTTP and nothing else, so that the main thread never waits for the network.

Three lanes, each with its own connection: a patient's challenge never waits behind a slow delivery, nor a
patient's record behind the backlog. Results come back to the main thread through a queue and a pipe.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from kiosk.uploader.outbox.records import Leased
from kiosk.uploader.service.wire import (
    Challenge,
    Delivered,
    Enrolled,
    RequestFault,
    ServiceKeys,
    ServiceProblem,
)


@dataclass(frozen=True)
class Deliver:
    """Send the record; or first ask whether the service already has it."""

    record: Leased
    ask_first: bool


@dataclass(frozen=True)
class GetChallenge:
    visit: str
    timeout_s: float


@dataclass(frozen=True)
class GetKeys:
    """The service's public keys; also the probe when the line is down: it carries no record."""


@dataclass(frozen=True)
class Renew:
    """A certificate for a new key, with the present one."""

    csr: str


@dataclass(frozen=True)
class TryNext:
    """The service's keys, asked for with the next certificate: the proof that it works."""


Job = Deliver | GetChallenge | GetKeys | Renew | TryNext
ServiceReply = Delivered | Challenge | ServiceKeys | Enrolled


@dataclass(frozen=True)
class JobResult:
    """What came of a job, and the lane that did it."""

    lane: "Lane"
    job: Job
    reply: ServiceReply


@dataclass(frozen=True)
class LaneCrashed:
    """A lane died of a bug; the process must not go on without it."""

    fault: BaseException


class Requests(Protocol):
    """What a lane asks of the service; `ServiceClient` has it."""

    def challenge(self, visit: str, timeout_s: float) -> Challenge | ServiceProblem | RequestFault: ...
    def deliver(self, record: str, suite: str, key_id: str, sealed: bytes) -> Delivered: ...
    def status(self, record: str) -> Delivered: ...
    def keys(self) -> ServiceKeys | ServiceProblem | RequestFault: ...
    def renew(self, csr: str) -> Enrolled | ServiceProblem | RequestFault: ...
    def keys_with_next(self) -> ServiceKeys | ServiceProblem | RequestFault: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...


class Mailbox:
    """Results on their way to the main thread; readable (`fileno`) when there are some."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._queue: queue.SimpleQueue[JobResult | LaneCrashed] = queue.SimpleQueue()

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._read

    def post(self, result: JobResult | LaneCrashed) -> None:
        """Hand a result over; from any thread."""
        self._queue.put(result)
        self.wake()

    def wake(self) -> None:
        """Let the main thread come round; from any thread or signal handler."""
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes as well
            os.write(self._write, b"!")

    def take(self) -> list[JobResult]:
        """Return what has come in; raises RuntimeError when a lane has died."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass
        results: list[JobResult] = []
        while not self._queue.empty():
            result = self._queue.get()
            if isinstance(result, LaneCrashed):
                raise RuntimeError("a lane of the uploader died") from result.fault
            results.append(result)
        return results

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Lane:
    """One thread with one service connection; jobs are done in order."""

    def __init__(self, name: str, service: Requests, post: Callable[[JobResult | LaneCrashed], None]) -> None:
        self._service, self._post = service, post
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.depth = 0  #: jobs given and not yet come back; the main thread's own count
        self._thread = threading.Thread(target=self._run, name=f"uploader-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def give(self, job: Job) -> None:
        """Queue a job; the main thread calls `came_back` for the result."""
        self.depth += 1
        self._jobs.put(job)

    def came_back(self) -> None:
        self.depth -= 1

    def withdraw(self) -> list[Job]:
        """Take back the jobs that have not begun."""
        jobs: list[Job] = []
        with contextlib.suppress(queue.Empty):
            while (job := self._jobs.get_nowait()) is not None:
                jobs.append(job)
        self.depth -= len(jobs)
        return jobs

    def stop(self, timeout_s: float) -> None:
        """End the request under way and the thread."""
        self.withdraw()
        self._jobs.put(None)
        self._service.abort()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                self._post(JobResult(self, job, self._do(job)))
        except BaseException as fault:
            self._post(LaneCrashed(fault))
            raise
        finally:
            self._service.close()

    def _do(self, job: Job) -> ServiceReply:
        match job:
            case Deliver(record=record, ask_first=True):
                return self._service.status(record.id)
            case Deliver(record=record):
                return self._service.deliver(record.id, record.suite, record.key_id, record.sealed)
            case GetChallenge(visit=visit, timeout_s=timeout_s):
                return self._service.challenge(visit, timeout_s)
            case GetKeys():
                return self._service.keys()
            case Renew(csr=csr):
                return self._service.renew(csr)
            case TryNext():
                return self._service.keys_with_next()
            case _:
                assert_never(job)


@dataclass(frozen=True)
class Lanes:
    """Where requests go: `ask` for challenges and keys, `fresh` for who waits, `backlog` for the rest."""

    ask: Lane
    fresh: Lane
    backlog: Lane

    def all(self) -> tuple[Lane, Lane, Lane]:
        return (self.ask, self.fresh, self.backlog)

    def for_patient(self) -> Lane:
        """The patient's own lane, unless it is stuck in a slow delivery and the other is not."""
        busy = self.fresh.depth > 0 and self.backlog.depth == 0
        return self.backlog if busy else self.fresh
