"""Wishes to the service manager, which alone may mount a stick, restart the box or read the card's settings:
files in one folder.

deploy/ has the path units that watch for them; the uploader needs no other privilege.
"""

from pathlib import Path

STICK, RESTART, SETTINGS = "stick", "restart", "settings"


class Flags:
    """The folder that systemd watches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, wanted: bool, text: str = "") -> bool:
        """Make or remove a wish; False when the folder does not take it. `text` stands in it from its first
        moment: it is watched for."""
        path = self._folder / name
        try:
            if wanted and text:
                fresh = self._folder / f".{name}.new"
                fresh.write_text(text, encoding="ascii")
                fresh.rename(path)
            elif wanted:
                path.touch(mode=0o644)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            return False
        return True
