"""RAUC, the program that verifies and installs: its command line, rauc(1). It runs outside this process, and
what writes the slots is its own service, reached by D-Bus.
"""

import configparser
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.channel import UpdateFault, UpdateSource

PROGRAM = "rauc"
INFO_S = 300.0  #: a bundle of the plain format is read whole for its signature, from a slow stick
_SQUASHFS, _USED_AT = b"hsqs", 40  #: superblock: magic, and where the length of the file system stands
_PADDED = 4096  #: mksquashfs(1) fills the file up to the next so many bytes; the signature follows
_PROGRESS = re.compile(r"\s*(\d{1,3})% (.*)")
_LAST_ERROR = re.compile(r"LastError: (.*)")


@dataclass(frozen=True)
class Bundle:
    """What a bundle says of itself under a signature that our keyring accepts."""

    path: Path
    product: str
    version: str
    description: str


@dataclass(frozen=True)
class Judged:
    """A refusal and its reason."""

    word: str
    reason: str

    def of(self, source: UpdateSource) -> UpdateFault:
        """The same for the channel."""
        return UpdateFault(source=source, word=self.word, reason=self.reason)


def product_of(conf: Path) -> str | None:
    """What RAUC's system.conf calls this product; None when it cannot be read."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(conf.read_text(encoding="utf-8"))
        return parser.get("system", "compatible")
    except (OSError, configparser.Error, UnicodeDecodeError):
        return None


def inspect(conf: Path, path: Path) -> Bundle | Judged:
    """Have the signature verified and read what is under it."""
    if (cut := _incomplete(path)) is not None:
        return cut
    try:
        done = subprocess.run(
            [PROGRAM, f"--conf={conf}", "info", "--output-format=json", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INFO_S,
            check=False,
        )
    except OSError:
        return Judged("no_installer", "rauc is not installed")
    except subprocess.TimeoutExpired:
        return Judged("damaged", "the bundle cannot be read")
    if done.returncode != 0:
        return _why(done.stderr)
    try:
        told = json.loads(done.stdout)
        return Bundle(path, told["compatible"], told["version"], told["description"] or "")
    except (ValueError, KeyError, TypeError):
        return Judged("damaged", "the bundle names no product or version")


def _incomplete(path: Path) -> Judged | None:
    """A bundle is a squashfs with its signature behind it (RAUC, "Bundle formats"): can both be?"""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_USED_AT + 8)
    except OSError as fault:
        return Judged("damaged", f"the bundle cannot be read: {fault.strerror}")
    if head[:4] != _SQUASHFS[: len(head)]:
        return Judged("damaged", "the file is not a bundle")
    used = int.from_bytes(head[_USED_AT:], "little")
    if len(head) < _USED_AT + 8 or size < -(-used // _PADDED) * _PADDED:
        return Judged("truncated", f"the bundle was cut off after {size} bytes: copy or download it again")
    return None


def _why(text: str) -> Judged:
    """What `rauc info` says on stderr, as a word; rauc has no exit codes for it (1.8 to 1.13)."""
    lines = [line for line in text.splitlines() if "rauc-Message" not in line and line.strip()]
    said = lines[0][:160] if lines else "rauc gave no reason"
    if "certificate is not yet valid" in text or "certificate has expired" in text:
        return Judged("clock", f"the signature's dates do not fit: {said}")
    if "Signature size is 0" in text:
        return Judged("other_key", "the bundle is not signed, or was cut off behind its content")
    if "Verify error" in text or "signer certificate" in text:
        return Judged("other_key", f"the bundle is signed by somebody else: {said}")
    if "Signature size" in text:
        return Judged("truncated", "the bundle's signature is cut off: copy or download it again")
    if "keyring" in text.lower() or "Failed to load system config" in text:
        return Judged("no_installer", said)
    return Judged("damaged", said)


class Installation:
    """One `rauc install` under way. `progress` gets the percentage and RAUC's own words."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "install", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def wait(self, progress: Callable[[int, str], None]) -> Judged | None:
        """Follow it to its end; None when the other slot holds the new version."""
        last, said = "", ""
        assert self._process.stdout is not None, "asked for above"
        with self._process.stdout as told:
            for line in told:
                if (found := _PROGRESS.match(line)) is not None:
                    progress(min(100, int(found[1])), found[2].strip())
                elif (error := _LAST_ERROR.search(line)) is not None:
                    last = error[1]
                elif line.strip():
                    said = line.strip()
        if self._process.wait() == 0:
            return None
        if not last and ("ServiceUnknown" in said or "D-Bus" in said):
            return Judged("no_installer", "RAUC's service does not answer; see its log")
        if "Version mismatch" in last:  # min-bundle-version in the image's system.conf
            return Judged("older", last[:160])
        return Judged("failed", (last or said or "rauc gave no reason")[:160])
