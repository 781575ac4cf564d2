"""A channel: an HTTPS server for one folder, which understands Range and can misbehave."""

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.uploader.service.tls_server import Authority, Server, response, serving


@dataclass
class ChannelServer:
    """`cut_after`: bodies longer than so many bytes break off there, once each time it is set.
    `hold`: set, bodies stop in their middle until it is cleared.
    """

    folder: Path
    ca: Path
    url: str = ""
    cut_after: int | None = None
    hold: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)  #: request lines with their Range

    @property
    def address(self) -> str:
        return f"{self.url}/kiosk/channel.json"

    def talk(self, connection: ssl.SSLSocket, request: bytes) -> None:
        head = request.decode("latin-1")
        path = head.split()[1].removeprefix("/kiosk/")
        found = re.search(r"^Range: bytes=(\d+)-\r$", head, re.MULTILINE | re.IGNORECASE)
        start = int(found[1]) if found else 0
        self.asked.append(f"{path} {start}")
        file = self.folder / path
        if not file.is_file():
            connection.sendall(response(404, b"{}"))
            return
        whole = file.read_bytes()
        kind = "application/json" if path.endswith(".json") else "application/octet-stream"
        if found:
            span = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
            answer = response(206, whole[start:], kind, Content_Range=span)
        else:
            answer = response(200, whole, kind)
        if self.cut_after is not None and len(answer) > self.cut_after:
            connection.sendall(answer[: self.cut_after])
            self.cut_after = None
            raise ConnectionResetError
        if self.hold.is_set() and len(answer) > 4096:
            connection.sendall(answer[:4096])
            self.go.wait(30)
            answer = answer[4096:]
        connection.sendall(answer)


@contextmanager
def channel_server(folder: Path, authority: Authority) -> Iterator[ChannelServer]:
    folder.mkdir(exist_ok=True)
    channel = ChannelServer(folder, authority.ca)
    server: Server
    with serving(authority.issue("channel"), channel.talk) as server:
        channel.url = server.url
        try:
            yield channel
        finally:
            channel.go.set()
