"""The screen process's ends of the channel: two connections that come back by themselves."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from kiosk.channel import ChannelError, Message, decode, encode
from kiosk.channel.seqpacket import Peer, connect

log = logging.getLogger(__name__)

M = TypeVar("M")

RECONNECT_S = 0.2  #: how often an absent process is looked for


class ProcessLink(Generic[M]):
    """A connection to one process. `poll` says what came in and whether the other end is there."""

    def __init__(
        self,
        name: str,
        path: Path,
        inbox: "msgspec.json.Decoder[M]",
        connector: Callable[[Path], Peer | None] = connect,
    ) -> None:
        self._name, self._path, self._inbox, self._connector = name, path, inbox, connector
        self._peer: Peer | None = None
        self._next_try = 0.0

    @property
    def connected(self) -> bool:
        """Whether the other process is there."""
        return self._peer is not None and self._peer.open

    @property
    def peer(self) -> Peer | None:
        """The open connection, for select."""
        return self._peer if self.connected else None

    def reconnect(self, now: float) -> bool:
        """Try again when it is time; True when a connection was just made. `now` is monotonic seconds."""
        if self.connected or now < self._next_try:
            return False
        self._next_try = now + RECONNECT_S
        self._peer = self._connector(self._path)
        if self._peer is None:
            return False
        log.info("channel: connected to the %s process", self._name)
        return True

    def receive(self) -> list[M]:
        """All messages that have arrived; what is not one of ours is logged and dropped."""
        messages: list[M] = []
        while self._peer is not None and (packet := self._peer.receive()) is not None:
            try:
                messages.append(decode(bytes(packet), self._inbox))
            except ChannelError as fault:
                log.warning("channel: from the %s process: %s", self._name, fault)
        if self._peer is not None and not self._peer.open:
            log.warning("channel: the %s process went away", self._name)
            self._peer = None
            return [*messages]
        return messages

    def send(self, message: Message) -> bool:
        """Send one message; False when the other end is not there."""
        return self._peer is not None and self._peer.send(encode(message))

    def send_frame(self, frame: bytearray) -> bool:
        """Send a binary frame (the PIN); the caller wipes it."""
        return self._peer is not None and self._peer.send(frame)

    def close(self) -> None:
        """Let go of the other end."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None
