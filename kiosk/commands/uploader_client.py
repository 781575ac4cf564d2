"""The command line's end of the uploader's channel."""

import selectors
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import click

from kiosk import channel
from kiosk.channel import ChannelError, CommandDone, FromUploader, ToUploader
from kiosk.channel.seqpacket import Peer, connect
from kiosk.config.settings import load

M = TypeVar("M", bound=FromUploader)

WAIT_S = 5.0


class UploaderClient:
    """One connection; use as a context manager. Failures are click's one-line errors."""

    def __init__(self, config: Path, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._path = load(config).run / channel.UPLOADER_SOCKET
        self._peer: Peer | None = None

    def __enter__(self) -> "UploaderClient":
        self._peer = connect(self._path)
        if self._peer is None:
            raise click.ClickException(
                f"{self._path}: the uploader does not answer; start kiosk-uploader.service or run as root"
            )
        return self

    def __exit__(self, *_fault: object) -> None:
        if self._peer is not None:
            self._peer.close()

    def send(self, message: ToUploader) -> Peer:
        """Send what has no reply of its own; what is asked next is answered after it was taken in."""
        assert self._peer is not None, "used outside `with`"
        self._peer.send(channel.encode(message))
        return self._peer

    def ask(self, message: ToUploader, kind: type[M]) -> M:
        """Send and wait for the reply; a `Done` instead of it is the uploader's reason why not."""
        peer = self.send(message)
        end = time.monotonic() + self._wait_s
        with selectors.DefaultSelector() as selector:
            selector.register(peer, selectors.EVENT_READ)
            while (left := end - time.monotonic()) > 0 and peer.open:
                selector.select(left)
                while (packet := peer.receive()) is not None:
                    reply = _decoded(bytes(packet))
                    if isinstance(reply, kind):
                        return reply
                    if isinstance(reply, CommandDone):
                        raise click.ClickException(reply.reason)
        raise click.ClickException("the uploader did not answer in time; see its log")

    def follow(self, quiet_s: float | None = None) -> Iterator[FromUploader]:
        """Every message that comes, until the uploader goes or says nothing for `quiet_s`."""
        assert self._peer is not None, "used outside `with`"
        with selectors.DefaultSelector() as selector:
            selector.register(self._peer, selectors.EVENT_READ)
            while self._peer.open and selector.select(quiet_s):
                while (packet := self._peer.receive()) is not None:
                    yield _decoded(bytes(packet))


def _decoded(packet: bytes) -> FromUploader:
    try:
        message: FromUploader = channel.decode(packet, channel.UPLOADER_OUTBOX)
    except ChannelError as refused:
        raise click.ClickException(f"the uploader is of another version: {refused}") from None
    return message


def config_option(command: click.decorators.FC) -> click.decorators.FC:
    """`--config FILE`, the same for every command."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=Path("/etc/kiosk/kiosk.toml"),
        show_default=True,
        help="The settings, kiosk.toml.",
    )(command)
