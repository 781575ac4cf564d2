"""The sockets beneath a client of the service: a deadline, or another thread, can cut a request under way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ServiceSockets:
    """The sockets of one `ServiceClient`, so that a deadline or another thread can cut them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._cut = False
        self._request = 0

    def watch(self, sock: socket.socket) -> None:
        """Keep a second descriptor: the connection's own one changes hands when TLS begins."""
        with self._lock:
            self._sockets.append(sock.dup())
            if self._cut:  # while the name was looked up, say
                with _ignoring_closed():
                    sock.shutdown(socket.SHUT_RDWR)

    def begin(self) -> int:
        """A new request: an earlier cut is over. Returns its number."""
        with self._lock:
            self._cut = False
            self._request += 1
            return self._request

    def end(self) -> bool:
        """The request is over and its number no longer good; tell whether it was cut."""
        with self._lock:
            self._request += 1
            return self._cut

    def cut(self, request: int | None = None) -> None:
        """End every connection, and those that this request still makes; who waits gets an end of file.

        With a request's number, only as long as it goes on: a deadline that runs out just as its request
        ends must not cut the next.
        """
        with self._lock:
            if request not in (None, self._request):
                return
            self._cut = True
            for sock in self._sockets:
                with _ignoring_closed():
                    sock.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """Let go of all descriptors."""
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()


@contextmanager
def _ignoring_closed() -> Iterator[None]:
    try:
        yield
    except OSError:
        return
