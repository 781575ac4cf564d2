"""The main thread's side of updates: answers the pages and the command line, and says how things stand."""

from collections.abc import Callable
from typing import assert_never

from kiosk.channel import (
    AskUpdate,
    CloseUpdate,
    FromUpdater,
    FromUploader,
    RestartKiosk,
    StartUpdate,
    StopUpdate,
    UpdateFault,
    UpdateTold,
)
from kiosk.config import UpdateSettings
from kiosk.uploader.updates.running import running_version


class Updates:
    """One for the process; `tell` reaches everybody connected."""

    def __init__(self, settings: UpdateSettings, tell: Callable[[FromUploader], None]) -> None:
        self._settings, self._tell = settings, tell
        absent = [UpdateFault(source="stick", word="no_stick")]
        if settings.channel is None:
            absent.insert(0, UpdateFault(source="channel", word="not_configured"))
        self._told = UpdateTold(
            running=running_version(settings.os_release), phase="idle", absent=tuple(absent)
        )

    def serve(self, message: FromUpdater) -> FromUploader | None:
        """Do it; returns what is answered to who asked."""
        match message:
            case AskUpdate():
                return self._told
            case CloseUpdate() | StopUpdate() | RestartKiosk():
                return None
            case StartUpdate(source=source):
                return UpdateTold(
                    running=self._told.running, phase="idle", fault=UpdateFault(source=source, word="gone")
                )
            case _:
                assert_never(message)
