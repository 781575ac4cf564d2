"""The hand at the virtual field, for the demo, the tests and `kiosk simulate tap`."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any


class FieldRefusedError(RuntimeError):
    """The field would not do it; the text is why."""


class FieldAbsentError(ConnectionError):
    """Nothing answers at this path."""


class FieldClient:
    """One control connection, opened at once. Raises `FieldAbsentError` if no field listens there,
    `FieldRefusedError` later.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError as fault:
            self._socket.close()
            raise FieldAbsentError(
                f"no virtual field at {path}; start one with: kiosk simulate field --socket {path}"
            ) from fault
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> FieldClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """One operation of `field_control` and its answer."""
        try:
            self._socket.sendall(json.dumps({"op": op, **values}).encode() + b"\n")
            line = self._lines.readline()
        except OSError as fault:
            raise FieldAbsentError("the virtual field has gone") from fault
        if not line:
            raise FieldAbsentError("the virtual field has gone")
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise FieldRefusedError(answer["error"])
        return answer

    def tap(self, token: str, **order: Any) -> float:
        """Lay a token down (settings: `tokens.TokenOrder`); when, in seconds of CLOCK_MONOTONIC."""
        return float(self.ask("tap", token=token, **order)["presented_at"])

    def remove(self) -> float:
        """Take everything away; when, in seconds of CLOCK_MONOTONIC."""
        return float(self.ask("remove")["removed_at"])

    def presented_at(self) -> float | None:
        """When a token was last laid down, in seconds of CLOCK_MONOTONIC."""
        at = self.ask("status")["presented_at"]
        return None if at is None else float(at)

    def status(self) -> dict[str, Any]:
        return self.ask("status")

    def counters(self, *, clear: bool = False) -> dict[str, float]:
        """`meter.RadioMeter`, and start anew if `clear`."""
        counters: dict[str, float] = self.ask("counters", clear=clear)["counters"]
        return counters

    def apdus(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """The last exchanges: INS, lengths and status words."""
        apdus: list[dict[str, Any]] = self.ask("apdus", clear=clear)["apdus"]
        return apdus

    def verifies(self, token: str) -> int:
        """How many VERIFY with data this token has got since the field began or was reset."""
        return int(self.ask("tokens")["verifies"].get(token, 0))

    def tries_left(self, token: str) -> int | None:
        left = self.ask("tokens")["tries_left"].get(token)
        return None if left is None else int(left)

    def lose(self, **rule: Any) -> None:
        """`every=n`, `frames=[…]` or `probability=p, seed=s`; `garbled=True`; nothing: stop losing."""
        self.ask("lose", **rule)

    def model(self, **times: float) -> None:
        """`rate`, `usb_ms`, `poll_ms`, `wake_ms`, `sign_ms`, `verify_ms`."""
        self.ask("model", **times)

    def unplug(self) -> None:
        self.ask("unplug")

    def plug(self) -> None:
        self.ask("plug")

    def fault(self, **faults: Any) -> None:
        """`deaf=True`, `hung=n`, `stale=n`; nothing: sound again."""
        self.ask("fault", **faults)

    def reset(self) -> None:
        """As new: nothing lies there, all tries back, counters zero, no losses, plugged in."""
        self.ask("reset")

    def wait(self, what: str, n: int = 1, seconds: float = 5.0) -> None:
        """Until `connected`, `empty`, or at least `n` `apdus`, `polls` or `activations`; else
        `FieldRefusedError`.
        """
        self.ask("wait", **{"for": what}, n=n, seconds=seconds)
