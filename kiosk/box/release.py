"""Which image runs, as os-release(5) says."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Release:
    """`version` can be compared; `image` names the very build, "" where nobody said."""

    version: str
    image: str


def release_of(os_release: Path) -> Release:
    """IMAGE_VERSION and BUILD_ID; outside an image the package's own version."""
    told = {}
    try:
        for line in os_release.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            told[name.strip()] = value.strip().strip("\"'")
    except OSError:
        pass
    return Release(told.get("IMAGE_VERSION") or metadata.version("maina-kiosk"), told.get("BUILD_ID", ""))
