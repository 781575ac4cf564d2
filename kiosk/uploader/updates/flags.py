"""Wishes to the service manager, which alone may mount a stick or restart the box: files in one folder.

deploy/ has the path units that watch for them; the uploader needs no other privilege.
"""

from pathlib import Path

STICK, RESTART = "stick", "restart"


class Flags:
    """The folder that systemd watches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, wanted: bool) -> bool:
        """Make or remove a wish; False when the folder does not take it."""
        path = self._folder / name
        try:
            if wanted:
                path.touch(mode=0o644)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            return False
        return True
