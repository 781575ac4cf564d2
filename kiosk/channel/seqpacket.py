"""UNIX SEQPACKET sockets for the channel: one packet is one message, and the kernel says who sent it."""

import errno
import logging
import os
import pwd
import selectors
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from kiosk.channel import MAX_MESSAGE

log = logging.getLogger(__name__)

_UCRED = struct.Struct("3i")  #: pid, uid, gid: struct ucred, unix(7) SO_PEERCRED
_SEND_BUFFER = 4 * MAX_MESSAGE


class Peer:
    """One connected end. Sending never blocks: a peer that does not read is let go.

    One that has left is not, before all that it said has been received.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._sock = sock
        self.open = True

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._sock.fileno()

    def send(self, packet: bytes | bytearray) -> bool:
        """Send one packet; False when the peer is gone or has stopped reading."""
        if not self.open:
            return False
        try:
            self._sock.send(packet)
        except (BrokenPipeError, ConnectionResetError):
            return False  # `receive` comes to the end of what it said, and closes
        except OSError as fault:
            log.warning("channel: peer let go: %s", os.strerror(fault.errno or 0))
            self.close()
            return False
        return True

    def receive(self) -> bytearray | None:
        """Return the next packet, None when there is none; a closed peer shows in `open`.

        The packet stands in a buffer of its own so that a PIN can be wiped. One longer than `MAX_MESSAGE`
        comes back one byte too long, for `decode` to refuse.
        """
        if not self.open:
            return None
        buffer = bytearray(MAX_MESSAGE + 1)
        try:
            size = self._received(buffer)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            size = 0
        if size == 0:
            self.close()
            return None
        packet = buffer[:size]
        buffer[:size] = bytes(size)
        return packet

    def _received(self, buffer: bytearray) -> int:
        """The size of the next packet, 0 at the end of them."""
        try:
            return self._sock.recv_into(buffer)
        except ConnectionResetError:
            # Told once, before the packets that wait: the peer left without reading all that we said.
            return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Close; may be called twice."""
        self.open = False
        self._sock.close()


def allowed_uids(users: tuple[str, ...]) -> frozenset[int]:
    """Who may talk to our sockets: this process's own user and the named ones (settings, `[run] users`).

    A name that this machine does not know is logged and lets nobody in.
    """
    allowed = {os.getuid()}
    for user in users:
        try:
            allowed.add(pwd.getpwnam(user).pw_uid)
        except KeyError:
            log.warning("channel: there is no user %s on this machine; see [run] users in the settings", user)
    return frozenset(allowed)


def connect(path: Path) -> Peer | None:
    """Return a connection to the process listening at `path`, None when nobody is there."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        return None
    return Peer(sock)


class Listener:
    """Accepts peers of the allowed users at a path in the run folder.

    Raises OSError (EADDRINUSE) where another process listens: a second one must not take its place unseen.
    """

    def __init__(self, path: Path, allowed_uids: frozenset[int]) -> None:
        self._path = path
        self._allowed = allowed_uids
        path.parent.mkdir(parents=True, exist_ok=True)
        if (living := connect(path)) is not None:
            living.close()
            raise OSError(errno.EADDRINUSE, "another process listens there; stop it first", str(path))
        path.unlink(missing_ok=True)  # left by a process that was killed
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.setblocking(False)
        self._sock.bind(str(path))
        path.chmod(0o660)
        self._sock.listen(8)

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._sock.fileno()

    def accept(self) -> Peer | None:
        """Return a new peer, None when there is none or its user may not talk to us."""
        try:
            sock, _ = self._sock.accept()
        except OSError:
            return None
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _, uid, _ = _UCRED.unpack(raw)
        if uid not in self._allowed:
            log.warning("channel: user %d is not allowed here and was refused", uid)
            sock.close()
            return None
        return Peer(sock)

    def close(self) -> None:
        """Stop listening and remove the path."""
        self._sock.close()
        self._path.unlink(missing_ok=True)


class Hub:
    """A listener with its peers: the server side of one process."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._peers: dict[Peer, int] = {}  # with the descriptor, which a closed socket no longer tells

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Those who are connected now."""
        return tuple(peer for peer in self._peers if peer.open)

    def register(self, readable: object, wake: Callable[[], None]) -> None:
        """Watch another descriptor in the same wait; `wake` is called when it is readable."""
        self._selector.register(readable, selectors.EVENT_READ, wake)  # type: ignore[arg-type]  # has fileno()

    def poll(self, timeout: float) -> tuple[list[Peer], list[tuple[Peer, bytearray]], list[Peer]]:
        """Wait up to `timeout` seconds; return who came, the packets in order, and who left."""
        came: list[Peer] = []
        packets: list[tuple[Peer, bytearray]] = []
        left = self._let_go()
        knock = False
        for key, _ in self._selector.select(0 if left else timeout):
            if key.fileobj is self._listener:
                knock = True
            elif isinstance(key.fileobj, Peer):
                while (packet := key.fileobj.receive()) is not None:
                    packets.append((key.fileobj, packet))
            elif key.data is not None:
                key.data()
        left += self._let_go()
        # Last: a newcomer may get the descriptor of one who left, which must be unregistered by then.
        if knock and (peer := self._listener.accept()):
            self._peers[peer] = peer.fileno()
            self._selector.register(peer, selectors.EVENT_READ)
            came.append(peer)
        return came, packets, left

    def _let_go(self) -> list[Peer]:
        left = [peer for peer in self._peers if not peer.open]
        for peer in left:
            self._selector.unregister(self._peers.pop(peer))
        return left

    def broadcast(self, packet: bytes) -> None:
        """Send one packet to everyone connected."""
        for peer in self.peers:
            peer.send(packet)

    def close(self) -> None:
        """Close everyone and the listener."""
        self._selector.close()
        for peer in self._peers:
            peer.close()
        self._listener.close()
