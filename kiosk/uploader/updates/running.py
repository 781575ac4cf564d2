"""Which version of the image runs."""

from importlib import metadata
from pathlib import Path


def running_version(os_release: Path) -> str:
    """IMAGE_VERSION of os-release(5); outside an image the package's own version."""
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip() == "IMAGE_VERSION" and value.strip().strip("\"'"):
            return value.strip().strip("\"'")
    return metadata.version("maina-kiosk")
