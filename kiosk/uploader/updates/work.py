"""The updates' own thread: what takes long (network, stick, RAUC) is done here, one thing at a time.

What happened comes back through `take`, in the main thread.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from kiosk.box import rauc
from kiosk.channel import UpdateFault, UpdatePhase, UpdateSource
from kiosk.config.uploader_settings import UpdateSettings
from kiosk.uploader.updates import stick
from kiosk.uploader.updates.channel import Channel, FetchPace, Stopped
from kiosk.uploader.updates.channel_file import ChannelFile, judge
from kiosk.uploader.updates.stick import OnStick, bundle_fault


@dataclass(frozen=True)
class LookForUpdates:
    """Ask the channel, the stick, or both."""

    channel: bool
    stick: bool


@dataclass(frozen=True)
class Install:
    """Fetch, check, install."""

    what: ChannelFile | OnStick

    @property
    def source(self) -> UpdateSource:
        return UpdateSource.STICK if isinstance(self.what, OnStick) else UpdateSource.CHANNEL

    @property
    def version(self) -> str:
        return self.what.bundle.version if isinstance(self.what, OnStick) else self.what.version


UpdateJob = LookForUpdates | Install


@dataclass(frozen=True)
class Looked:
    """None: was not looked at."""

    channel: ChannelFile | UpdateFault | None = None
    stick: OnStick | UpdateFault | None = None


@dataclass(frozen=True)
class UpdateProgress:
    phase: UpdatePhase
    percent: int


@dataclass(frozen=True)
class Ended:
    """An installation is over; `fault` None: the other slot holds the version."""

    job: Install
    fault: UpdateFault | None


@dataclass(frozen=True)
class WorkCrashed:
    """The thread died of a bug; the process must not go on without it."""

    fault: BaseException


WorkEvent = Looked | UpdateProgress | Ended


class UpdateWork:
    """The thread. `wake` lets the main thread come round; it may be called from any thread."""

    def __init__(
        self, settings: UpdateSettings, running: str, timeout_s: float, wake: Callable[[], None]
    ) -> None:
        self._settings, self._running, self._wake = settings, running, wake
        self._channel: Channel | None = None
        if settings.channel is not None:
            self._channel = Channel(settings.channel, settings.ca, timeout_s)
        self._jobs: queue.SimpleQueue[UpdateJob | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[WorkEvent | WorkCrashed] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._free = threading.Event()  # no visit goes on
        self._thread = threading.Thread(target=self._run, name="uploader-update", daemon=True)

    def start(self) -> None:
        """Begin; ends with the process or `close`."""
        self._thread.start()

    def give(self, job: UpdateJob) -> None:
        """Queue a job."""
        self._stop.clear()
        self._jobs.put(job)

    def let_install(self, free: bool) -> None:
        """Whether an installation may begin to write now: not while a visit goes on."""
        if free:
            self._free.set()
        else:
            self._free.clear()

    def stop_fetching(self) -> None:
        """Give up what is being fetched. An installation that has begun goes on to its end."""
        self._stop.set()
        self._free.set()
        if self._channel is not None:
            self._channel.cut()

    def close(self, timeout_s: float) -> None:
        """End the thread; RAUC's service goes on with what it has begun."""
        self.stop_fetching()
        self._jobs.put(None)
        self._thread.join(timeout_s)

    def take(self) -> list[WorkEvent]:
        """What has come about; raises RuntimeError when the thread has died."""
        events: list[WorkEvent] = []
        while not self._events.empty():
            event = self._events.get()
            if isinstance(event, WorkCrashed):
                raise RuntimeError("the updates' thread died") from event.fault
            events.append(event)
        return events

    # ---- in the thread -----------------------------------------------------------------------------------

    def _tell(self, event: WorkEvent | WorkCrashed) -> None:
        self._events.put(event)
        self._wake()

    def _run(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                match job:
                    case LookForUpdates():
                        self._tell(self._look(job))
                    case Install():
                        self._tell(Ended(job, self._install(job)))
                    case _:
                        assert_never(job)
        except BaseException as fault:
            self._tell(WorkCrashed(fault))
            raise
        finally:
            if self._channel is not None:
                self._channel.close()

    def _look(self, job: LookForUpdates) -> Looked:
        return Looked(
            channel=self._published() if job.channel else None,
            stick=self._on_stick() if job.stick else None,
        )

    def _on_stick(self) -> OnStick | UpdateFault:
        try:
            return stick.look(self._settings.stick, self._settings.rauc, self._running)
        except OSError as fault:  # pulled while it was read
            return UpdateFault(source=UpdateSource.STICK, word="no_stick", reason=fault.strerror or "")

    def _published(self) -> ChannelFile | UpdateFault:
        if self._channel is None:
            return UpdateFault(
                source=UpdateSource.CHANNEL, word="not_configured", reason="[update] channel is not set"
            )
        found = self._channel.look()
        if isinstance(found, UpdateFault):
            return found
        product = rauc.product_of(self._settings.rauc)
        if product is None:
            reason = f"{self._settings.rauc} cannot be read"
            return UpdateFault(source=UpdateSource.CHANNEL, word="no_installer", reason=reason)
        return judge(found, self._running, product) or found

    def _install(self, job: Install) -> UpdateFault | None:
        try:
            path = self._fetched(job)
            return path if isinstance(path, UpdateFault) else self._checked(job, path)
        except Stopped:
            return UpdateFault(source=job.source, word="stopped")
        except OSError as fault:  # a stick that was pulled, a disk that is full or worn
            word = "gone" if job.source is UpdateSource.STICK else "no_room"
            return UpdateFault(source=job.source, word=word, reason=fault.strerror or str(fault))

    def _fetched(self, job: Install) -> Path | UpdateFault:
        pace = FetchPace(self._pacing(UpdatePhase.FETCHING), self._stop.is_set)
        if isinstance(job.what, OnStick):
            return stick.copy(job.what.bundle, self._settings.folder, pace)
        assert self._channel is not None, "only the channel names a ChannelFile"
        path = self._channel.fetch(job.what, self._settings.folder, pace)
        if isinstance(path, UpdateFault) and self._stop.is_set():
            raise Stopped
        return path

    def _checked(self, job: Install, path: Path) -> UpdateFault | None:
        """RAUC verifies the signature here, and once more when it installs."""
        self._tell(UpdateProgress(UpdatePhase.CHECKING, 0))
        bundle = rauc.inspect(self._settings.rauc, path)
        wrong = bundle if isinstance(bundle, rauc.Judged) else None
        if isinstance(bundle, rauc.Bundle):
            wrong = bundle_fault(bundle, self._settings.rauc, self._running)
            if wrong is None and bundle.version != job.version:
                wrong = rauc.Judged("changed", f"{bundle.version} came instead of {job.version}")
        if wrong is not None:
            path.unlink(missing_ok=True)
            return wrong.of(job.source)
        self._free.wait()
        if self._stop.is_set():
            raise Stopped
        pacing = self._pacing(UpdatePhase.INSTALLING)
        try:
            failed = rauc.Installation(path).wait(lambda percent, _words: pacing(percent))
        except FileNotFoundError:
            failed = rauc.Judged("no_installer", "rauc is not installed")
        if failed is None or failed.word == "failed":
            path.unlink(missing_ok=True)
        return None if failed is None else failed.of(job.source)

    def _pacing(self, phase: UpdatePhase) -> Callable[[int], None]:
        """Tell of every new percent, and not oftener."""
        last = -1

        def progress(percent: int) -> None:
            nonlocal last
            if percent != last:
                last = percent
                self._tell(UpdateProgress(phase, percent))

        return progress
