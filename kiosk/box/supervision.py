"""What a process tells the service manager: ready, alive, stopping (sd_notify(3)).

The one file that imports systemd.
"""

import os
from collections.abc import Mapping

from systemd import daemon


class Supervision:
    """Speaks to the service manager if there is one; does nothing where NOTIFY_SOCKET is unset.

    Call `alive` from the loop that does the work, so that a stuck loop is noticed (WatchdogSec=).
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._wanted = "NOTIFY_SOCKET" in environ

    def ready(self, status: str = "") -> None:
        """The process can be used; `status` is shown by `systemctl status`."""
        self._notify("READY=1" + (f"\nSTATUS={status}" if status else ""))

    def alive(self) -> None:
        """The loop has come round once more."""
        self._notify("WATCHDOG=1")

    def stopping(self) -> None:
        """The process ends because it was told to."""
        self._notify("STOPPING=1")

    def _notify(self, state: str) -> None:
        if self._wanted:
            daemon.notify(state)
