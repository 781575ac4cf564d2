"""The configured channel: its file, and the bundle beside it, over HTTPS with the channel's own CA."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.channel import UpdateFault, UpdateSource
from kiosk.uploader.service.http_client import Client
from kiosk.uploader.service.tls import server_only_context
from kiosk.uploader.service.wire import FaultKind, RequestFault, ServiceProblem
from kiosk.uploader.updates import channel_file
from kiosk.uploader.updates.channel_file import ChannelFile

SPARE_BYTES = 16 * 1024 * 1024  #: that the outbox on the same partition must keep
_WORDS = {
    FaultKind.NO_CREDENTIALS: ("untrusted", "the channel's CA certificate cannot be read: see [update] ca"),
    FaultKind.UNTRUSTED: ("untrusted", "the channel's certificate is not from its CA: call support"),
    FaultKind.CLOCK: ("clock", "the channel's certificate is out of its dates: check this kiosk's clock"),
    FaultKind.CONTENT: ("nonsense", "the channel answers with something else than a channel file"),
    FaultKind.TOO_LARGE: ("nonsense", "the channel's file is too large"),
    FaultKind.TLS: ("untrusted", "no secure connection (TLS 1.3) with the channel"),
}


class Stopped(Exception):  # noqa: N818  # a wish, not an error
    """Staff have given up."""


@dataclass(frozen=True)
class FetchPace:
    """How a transfer tells how far it is, and asks whether to go on."""

    progress: Callable[[int], None]  #: percent
    stopped: Callable[[], bool]

    def check(self) -> None:
        """Raises Stopped."""
        if self.stopped():
            raise Stopped


class Channel:
    """One server. Used by one thread; `cut` may come from another."""

    def __init__(self, address: str, ca: Path, timeout_s: float) -> None:
        split = urlsplit(address)
        self._base, self._path = f"https://{split.netloc}", split.path
        self._ca = ca
        self._client = Client(self._base, timeout_s)

    def cut(self) -> None:
        """End the transfer under way."""
        self._client.cut()

    def close(self) -> None:
        """End all connections."""
        self._client.close()

    def look(self) -> ChannelFile | UpdateFault:
        """What is published now."""
        if (fault := self._open()) is not None:
            return _said(fault)
        found = self._client.ask("GET", self._path, lambda body, _: channel_file.read(body))
        if isinstance(found, ServiceProblem | RequestFault):
            return _said(found)
        return _fault("nonsense", "what lies there is no channel file") if found is None else found

    def fetch(self, wanted: ChannelFile, folder: Path, pace: FetchPace) -> Path | UpdateFault:
        """Bring the bundle into `folder`, going on where an earlier try ended. Raises Stopped."""
        part = folder / f"{wanted.sha256[:16]}.part"
        clear(folder, keep=part)
        have = min(part.stat().st_size if part.exists() else 0, wanted.size)
        if (full := room_fault(folder, wanted.size - have)) is not None:
            return full
        if have < wanted.size:
            fault = self._open() or self._bring(wanted, part, have, pace)
            if fault is not None:
                return _said(fault)
        if _sha256(part, pace) != wanted.sha256:
            part.unlink()
            return _fault("changed", "what came is not what the channel file describes; try again")
        return part

    def _open(self) -> RequestFault | None:
        context = server_only_context(self._ca)
        if isinstance(context, RequestFault):
            return context
        self._client.open(context)
        return None

    def _bring(
        self, wanted: ChannelFile, part: Path, have: int, pace: FetchPace
    ) -> ServiceProblem | RequestFault | None:
        path = f"{self._path.rpartition('/')[0]}/{wanted.bundle}"
        with part.open("ab") as file:

            def take(piece: bytes) -> None:
                pace.check()
                file.write(piece[: wanted.size - file.tell()])
                pace.progress(100 * file.tell() // wanted.size)

            return self._client.fetch(path, have, take)


def clear(folder: Path, keep: Path | None = None) -> None:
    """Remove what earlier attempts left; raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.glob("*.part"):
        if old != keep:
            old.unlink()


def room_fault(folder: Path, wanted: int) -> UpdateFault | None:
    """Why so many bytes do not fit; None when they do."""
    free = shutil.disk_usage(folder).free
    if free >= wanted + SPARE_BYTES:
        return None
    need = (wanted + SPARE_BYTES) / 1e6
    return _fault("no_room", f"{need:.0f} MB are needed on the data partition, {free / 1e6:.0f} MB are free")


def _sha256(path: Path, pace: FetchPace) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            pace.check()
            digest.update(piece)
    return digest.hexdigest()


def _fault(word: str, reason: str) -> UpdateFault:
    return UpdateFault(source=UpdateSource.CHANNEL, word=word, reason=reason)


def _said(reply: ServiceProblem | RequestFault) -> UpdateFault:
    if isinstance(reply, ServiceProblem):
        word = "not_found" if reply.status == 404 else "unreachable"
        return _fault(word, f"the channel's server answers {reply.status}")
    word, reason = _WORDS.get(reply.kind, ("unreachable", "the channel cannot be reached: check the line"))
    return _fault(word, reason)
