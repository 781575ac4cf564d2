"""The main thread's side of updates: answers the pages and the command line, and says how things stand.

The channel is asked at the start, then every six hours, and when somebody looks; a stick is let in only while
somebody looks. Whatever is installed is in force with the next start, and nothing begins during a visit.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import msgspec

from kiosk.box.clock import Moment
from kiosk.box.release import release_of
from kiosk.channel import (
    AskUpdate,
    CloseUpdate,
    FromUpdater,
    FromUploader,
    RestartKiosk,
    StartUpdate,
    StopUpdate,
    UpdateFault,
    UpdateOffer,
    UpdatePhase,
    UpdateSource,
    UpdateStatus,
)
from kiosk.config.uploader_settings import UpdateSettings
from kiosk.uploader.updates.channel_file import ChannelFile, age_fault, offer_of, offered_at_start
from kiosk.uploader.updates.flags import RESTART, STICK, Flags
from kiosk.uploader.updates.stick import OnStick, stamp
from kiosk.uploader.updates.visits import Visits
from kiosk.uploader.updates.work import Ended, Install, Looked, LookForUpdates, UpdateProgress, UpdateWork
from kiosk.visit.audit_events import AuditEvent

log = logging.getLogger(__name__)

LEASE_S = 30.0  #: so long USB storage is let in after AskUpdate
ASK_AGAIN_S = 60.0  #: a page that asks every few seconds does not trouble the channel more often
BY_ITSELF_S, AFTER_FAULT_S = 6 * 3600.0, 600.0  #: between looks of the kiosk's own
FIRST_LOOK_S = 5.0  #: after the start: the line is up by then, or it is tried again
NO_STICK = UpdateFault(source=UpdateSource.STICK, word="no_stick")
INSTALLED = "installed.json"  #: in the settings' folder: what waits for the next start


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """What was installed last, and in which boot."""

    version: str
    source: UpdateSource
    boot_id: str


@dataclass
class _State:
    """What is known now."""

    channel: ChannelFile | UpdateFault | None = None
    stick: OnStick | UpdateFault = NO_STICK
    job: Install | None = None
    looking: bool = False
    progress: UpdateProgress | None = None
    installed: str | None = None
    fault: UpdateFault | None = None
    stick_stamp: object = None
    staff: str = ""  #: who began the job


class Updates:
    """One for the process. `tell` reaches everybody connected, `note` the audit table."""

    def __init__(
        self,
        settings: UpdateSettings,
        timeout_s: float,
        tell: Callable[[FromUploader], None],
        note: Callable[[AuditEvent, str], None],
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._tell, self._note = settings, tell, note
        self._running = release_of(settings.os_release).version
        self._flags = Flags(settings.flags)
        self._work = UpdateWork(settings, self._running, timeout_s, wake)
        self.visits = Visits()
        self._state = _State()
        self.status: UpdateStatus | None = None  #: as it was told last
        self._lease_until: float | None = None
        self._due_s: float | None = None
        self._asked_s = float("-inf")
        self._restart: str | None = None

    def start(self, boot_id: str) -> None:
        """Begin the thread; know again what an earlier life of this boot has installed."""
        self._recall(boot_id)
        self._flags.put(STICK, False)
        self._work.start()

    def _recall(self, boot_id: str) -> None:
        """What was installed waits for the next start; or that start was, and the old version came back."""
        note = self._settings.folder / INSTALLED
        found = _read(note)
        if found is None:
            return
        if found.boot_id == boot_id:
            self._state.installed = found.version
            return
        note.unlink(missing_ok=True)
        if age_fault(found.version, self._running, found.source) is None:
            reason = f"{found.version} did not start well: {self._running} goes on"
            log.error("update: %s", reason)
            self._state.fault = UpdateFault(source=found.source, word="fell_back", reason=reason)

    def close(self) -> None:
        """Give up what can be given up."""
        self._flags.put(STICK, False)
        self._work.close(timeout_s=1.0)

    # ---- what is asked -----------------------------------------------------------------------------------

    def serve(self, message: FromUpdater, now: Moment) -> FromUploader | None:
        """Do it; returns what is answered to who asked."""
        seconds = now.mono_ms / 1000
        match message:
            case AskUpdate():
                self._flags.put(STICK, True)
                self._lease_until = seconds + LEASE_S
                self._look(seconds, channel=seconds - self._asked_s >= ASK_AGAIN_S)
            case CloseUpdate():
                self._lease_until = None
            case StartUpdate():
                self._begin(message, now)
            case StopUpdate():
                self._work.stop_fetching()
            case RestartKiosk(staff=staff):
                self._restart = staff
            case _:
                assert_never(message)
        self.status = self._status_at(now)
        return self.status

    def _look(self, seconds: float, *, channel: bool) -> None:
        state = self._state
        if state.looking or state.job is not None:
            return
        found = stamp(self._settings.stick)
        stick = found != state.stick_stamp or isinstance(state.stick, UpdateFault)
        if channel or stick:
            state.stick_stamp, state.looking = found, True
            self._asked_s = seconds if channel else self._asked_s
            self._work.give(LookForUpdates(channel=channel, stick=stick))

    def _begin(self, message: StartUpdate, now: Moment) -> None:
        what = self._wanted(message.source, message.version)
        if isinstance(what, UpdateFault):
            self._state.fault = what
            return
        word = self._why_not_now(what, now)
        if word is not None:
            self._state.fault = UpdateFault(source=message.source, word=word)
            return
        self._state.fault, self._state.progress = None, UpdateProgress(UpdatePhase.FETCHING, 0)
        self._state.job = Install(what)
        self._state.staff = message.staff
        self._note(AuditEvent.UPDATE_STARTED, message.staff)
        self._work.give(self._state.job)

    def _wanted(self, source: UpdateSource, version: str) -> ChannelFile | OnStick | UpdateFault:
        state = self._state
        match source:
            case UpdateSource.CHANNEL:
                if isinstance(state.channel, ChannelFile) and state.channel.version == version:
                    return state.channel
            case UpdateSource.STICK:
                if isinstance(state.stick, OnStick) and state.stick.bundle.version == version:
                    return state.stick
            case _:
                assert_never(source)
        return UpdateFault(source=source, word="gone", reason=f"{version} is not offered (any more)")

    def _why_not_now(self, what: ChannelFile | OnStick, now: Moment) -> str | None:
        if self._state.job is not None:
            return "busy"
        if self.visits.under_way(now.mono_ms / 1000):
            return "visit"
        if isinstance(what, ChannelFile) and not offer_of(what, _time(now)).by_hand:
            return "too_early" if now.trusted else "clock_unset"
        return None

    # ---- every turn --------------------------------------------------------------------------------------

    def step(self, now: Moment) -> None:
        """Take what the thread did, look again when it is time, let stick and restart go their way."""
        seconds = now.mono_ms / 1000
        for event in self._work.take():
            self._happened(event, now)
        visit = self.visits.under_way(seconds)
        self._work.let_install(free=not visit)
        self._look_by_itself(seconds)
        if self._lease_until is not None and seconds >= self._lease_until:
            self._lease_until = None
        if self._lease_until is None and not self._reads_stick:
            self._flags.put(STICK, False)
        if self._restart is not None and not visit and self._state.job is None:
            self._do_restart(self._restart)
        status = self._status_at(now)
        if status != self.status:
            self.status = status
            self._tell(status)

    @property
    def _reads_stick(self) -> bool:
        job = self._state.job
        return self._state.looking or (job is not None and job.source is UpdateSource.STICK)

    def _look_by_itself(self, seconds: float) -> None:
        if self._settings.channel is None:
            return
        if self._due_s is None:
            self._due_s = seconds + FIRST_LOOK_S
        if seconds >= self._due_s and not self._state.looking and self._state.job is None:
            self._due_s = seconds + AFTER_FAULT_S
            self._asked_s, self._state.looking = seconds, True
            self._work.give(LookForUpdates(channel=True, stick=False))

    def _happened(self, event: Looked | UpdateProgress | Ended, now: Moment) -> None:
        match event:
            case Looked(channel=channel, stick=stick):
                self._state.looking = False
                if channel is not None:
                    self._found(channel, now)
                if stick is not None:
                    self._state.stick = stick
            case UpdateProgress():
                self._state.progress = event
            case Ended(job=job, fault=fault):
                self._state.job = self._state.progress = None
                self._ended(job, fault, now)
            case _:
                assert_never(event)

    def _found(self, channel: ChannelFile | UpdateFault, now: Moment) -> None:
        if isinstance(channel, ChannelFile) or channel.word == "same":
            self._due_s = now.mono_ms / 1000 + BY_ITSELF_S
        if isinstance(channel, UpdateFault) and channel.word not in ("not_configured", "same"):
            log.warning("update: channel: %s: %s", channel.word, channel.reason)
        self._state.channel = channel

    def _ended(self, job: Install, fault: UpdateFault | None, now: Moment) -> None:
        self._state.fault = fault
        staff = self._state.staff
        if fault is None:
            log.info("update: %s is installed; it is in force with the next start", job.version)
            self._state.installed = job.version
            note = _Note(version=job.version, source=job.source, boot_id=now.boot_id)
            _remember(self._settings.folder / INSTALLED, note)
            self._note(AuditEvent.UPDATE_INSTALLED, staff)
        else:
            log.warning("update: %s was not installed: %s: %s", job.version, fault.word, fault.reason)
            self._note(AuditEvent.UPDATE_FAILED, staff)

    def _do_restart(self, staff: str) -> None:
        self._restart = None
        if self._flags.put(RESTART, True):
            self._note(AuditEvent.KIOSK_RESTARTED, staff)
        else:
            reason = f"{self._settings.flags} cannot be written: switch the kiosk off and on again"
            self._state.fault = UpdateFault(source=UpdateSource.CHANNEL, word="no_restart", reason=reason)

    # ---- how things stand --------------------------------------------------------------------------------

    def _status_at(self, now: Moment) -> UpdateStatus:
        """All of it, as a message."""
        state, when = self._state, _time(now)
        channel = state.channel
        if channel is None and self._settings.channel is None:
            channel = UpdateFault(source=UpdateSource.CHANNEL, word="not_configured")
        offers: list[UpdateOffer] = []
        absent: list[UpdateFault] = []
        for found in (channel, state.stick):
            if isinstance(found, ChannelFile):
                offers.append(offer_of(found, when))
            elif isinstance(found, OnStick):
                offers.append(found.offer)
            elif found is not None:
                absent.append(found)
        hour_has_come = isinstance(channel, ChannelFile) and offered_at_start(channel, when)
        status = UpdateStatus(
            running=self._running,
            phase=_resting_phase(state),
            offers=tuple(offers),
            offer_at_start=channel.version if isinstance(channel, ChannelFile) and hour_has_come else None,
            version=state.installed,
            fault=state.fault,
            absent=tuple(absent),
        )
        if state.job is not None and state.progress is not None:
            progress = state.progress
            return msgspec.structs.replace(
                status, phase=progress.phase, percent=progress.percent, version=state.job.version
            )
        if state.installed is not None:
            return msgspec.structs.replace(status, offer_at_start=None)
        return status


def _resting_phase(state: _State) -> UpdatePhase:
    """The phase while no update is under way."""
    if state.installed is not None:
        return UpdatePhase.INSTALLED
    return UpdatePhase.LOOKING if state.looking else UpdatePhase.IDLE


def _time(now: Moment) -> datetime | None:
    """The time, where it is to be believed."""
    return datetime.fromtimestamp(now.wall_ms / 1000, UTC) if now.trusted else None


def _remember(path: Path, note: _Note) -> None:
    """For other lives of this process; without it the page only says less."""
    try:
        path.write_bytes(msgspec.json.encode(note))
    except OSError as fault:
        log.warning("update: %s was not noted: %s", note.version, fault.strerror)


def _read(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
