"""A TCP connection to a name with several addresses, of which some may swallow what is sent to them.

Addresses are tried side by side, each a moment after the one before it (RFC 8305, "Happy Eyeballs"): one
after the other, a dead address (IPv6 without a way out) would cost a patient's request all its time. The one
that answered is tried first from then on.
"""

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

ATTEMPT_DELAY_S = 0.25  #: RFC 8305, 8: Connection Attempt Delay

#: family, type, protocol, canonical name, address: an entry of `socket.getaddrinfo`
Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
LookUp = Callable[..., Sequence[Found]]  #: socket.getaddrinfo


class Addresses:
    """Finds the addresses of one name, and remembers which of them answered last."""

    def __init__(self, host: str, port: int, look_up: LookUp = socket.getaddrinfo) -> None:
        self._host, self._port, self._look_up = host, port, look_up
        self._good: object = None

    def connect(self, timeout_s: float, options: Sequence[tuple[int, int, int | bytes]]) -> socket.socket:
        """Return a connected, blocking socket.

        Raises socket.gaierror where the name is not found, TimeoutError when no address has answered in
        time, and OSError with the last reason when all of them refused.
        """
        found = self._look_up(self._host, self._port, type=socket.SOCK_STREAM)
        ordered = sorted(_taking_turns(found), key=lambda each: each[4] != self._good)  # stable
        sock, self._good = _race(ordered, timeout_s, options)
        return sock


def _taking_turns(found: Sequence[Found]) -> list[Found]:
    """The families in turn, as RFC 8305, 4 orders them: a family that is dead costs one attempt at a time."""
    first = [each for each in found if each[0] == found[0][0]]
    second = [each for each in found if each[0] != found[0][0]]
    turns: list[Found] = []
    while first or second:
        turns += first[:1] + second[:1]
        first, second = first[1:], second[1:]
    return turns


def _race(
    found: list[Found], timeout_s: float, options: Sequence[tuple[int, int, int | bytes]]
) -> tuple[socket.socket, object]:
    end = time.monotonic() + timeout_s
    waiting = list(found)
    last: OSError = TimeoutError("no address answered in time")
    with _open_attempts() as (selector, attempts):
        while (waiting or attempts) and time.monotonic() < end:
            if waiting:
                each = waiting.pop(0)
                try:
                    sock = _begin(each, options)
                except OSError as fault:  # no way to this family, say
                    last = fault
                    continue
                attempts[sock] = each
                selector.register(sock, selectors.EVENT_WRITE)
            left = end - time.monotonic()
            for key, _ in selector.select(max(0.0, min(left, ATTEMPT_DELAY_S) if waiting else left)):
                assert isinstance(key.fileobj, socket.socket), "only sockets are registered"
                sock = key.fileobj
                selector.unregister(sock)
                each = attempts.pop(sock)
                refused = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if refused == 0:
                    sock.settimeout(timeout_s)
                    return sock, each[4]
                sock.close()
                last = OSError(refused, os.strerror(refused))
        if attempts:
            raise TimeoutError("no address answered in time")
    raise last


def _begin(each: Found, options: Sequence[tuple[int, int, int | bytes]]) -> socket.socket:
    """Begin to connect, without waiting."""
    family, kind, protocol, _, address = each
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.setblocking(False)
        begun = sock.connect_ex(address)
        if begun not in (0, errno.EINPROGRESS):
            raise OSError(begun, os.strerror(begun))
    except OSError:
        sock.close()
        raise
    return sock


@contextmanager
def _open_attempts() -> Iterator[tuple[selectors.BaseSelector, dict[socket.socket, Found]]]:
    """The attempts under way; those that are still there at the end are given up."""
    attempts: dict[socket.socket, Found] = {}
    with selectors.DefaultSelector() as selector:
        try:
            yield selector, attempts
        finally:
            for sock in attempts:
                sock.close()
