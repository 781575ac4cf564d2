"""The mirror that this machine's own apt uses: asked for at every build, written nowhere.

`apt-get indextargets` (apt-get(8)) tells it in one form, whatever the form of the source lists.
"""

import subprocess
from dataclasses import dataclass

from kiosk_image.steps import BuildError

#: A mirror that has stood still for a while is better than no image; the signatures are checked all the same.
LENIENT = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
OPTIONS = (*LENIENT, "APT::Install-Recommends")


@dataclass(frozen=True)
class Mirror:
    """Where Debian's packages and its security updates come from."""

    main: str
    security: str

    def sources(self, suite: str) -> list[str]:
        """Lines of sources.list(5) for a suite, with updates and security updates."""
        parts = "main non-free-firmware"
        return [
            f"deb {self.main} {suite} {parts}",
            f"deb {self.main} {suite}-updates {parts}",
            f"deb {self.security} {suite}-security {parts}",
        ]


def mirror() -> Mirror:
    """Ask apt. Raises BuildError where it has no Debian archive."""
    command = [
        "apt-get",
        "indextargets",
        "--format",
        "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)",
        "Created-By: Packages",
    ]
    rows = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    found = {
        tuple(row.split("\t")[:2]): row.split("\t")[2].rstrip("/") for row in rows if row.count("\t") == 2
    }
    main = found.get(("Debian", "Debian"))
    if main is None:
        raise BuildError(
            "apt knows no Debian archive on this machine; run apt-get update, or build on Debian"
        )
    return Mirror(
        main, found.get(("Debian", "Debian-Security"), f"{main.removesuffix('/debian')}/debian-security")
    )
