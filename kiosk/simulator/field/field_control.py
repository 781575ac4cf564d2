"""The control side of the virtual field: JSON lines, one answer line for each.

`{"op": "tap", "token": "card", "state": "one-left"}` → `{"ok": true, …}` or `{"ok": false, "error": "…"}`.
No answer ever carries APDU data: the PIN passes here.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from kiosk.simulator.field.pocket import BadOrderError, TokenOrder
from kiosk.simulator.radio.radio import Arrival, FrameLoss
from kiosk.simulator.tokens.jpki_token import ComputingTime

if TYPE_CHECKING:
    from kiosk.simulator.field.field import VirtualField

MOST_LINE_BYTES = 65536
MOST_WAIT_S = 60.0

Values = Mapping[str, Any]
Operation = Callable[[Values], dict[str, object]]


class Control:
    """One control connection."""

    def __init__(self, field: VirtualField) -> None:
        self._field = field
        self._operations: dict[str, Operation] = {
            "tap": self._tap,
            "remove": self._remove,
            "lose": self._lose,
            "model": self._model,
            "counters": self._counters,
            "status": self._status,
            "apdus": self._apdus,
            "tokens": self._tokens,
            "unplug": self._unplug,
            "unplug_after": self._unplug_after,
            "plug": self._plug,
            "fault": self._fault,
            "reset": self._reset,
            "wait": self._wait,
        }

    def serve(self, connection: socket.socket, first: bytes) -> None:
        """Answer lines until the connection ends."""
        waiting = bytearray(first)
        try:
            while len(waiting) <= MOST_LINE_BYTES:
                while (end := waiting.find(b"\n")) >= 0:
                    line = bytes(waiting[:end])
                    del waiting[: end + 1]
                    connection.sendall(json.dumps(self.answer(line)).encode() + b"\n")
                data = connection.recv(4096)
                if not data:
                    return
                waiting += data
        except OSError:
            return

    def answer(self, line: bytes) -> dict[str, object]:
        """Carry out one line."""
        try:
            values = json.loads(line)
        except ValueError:
            return {"ok": False, "error": "not JSON"}
        if not isinstance(values, dict) or not isinstance(values.get("op"), str):
            return {"ok": False, "error": "an object with op is needed"}
        operation = self._operations.get(values.pop("op"))
        if operation is None:
            return {"ok": False, "error": f"op is one of {', '.join(self._operations)}"}
        try:
            return {"ok": True, **operation(values)}
        except (BadOrderError, KeyError, TypeError, ValueError) as fault:
            return {"ok": False, "error": str(fault)}

    # -- tokens ------------------------------------------------------------------------------------

    def _tap(self, values: Values) -> dict[str, object]:
        order = TokenOrder.from_json(values)
        with self._field.radio.lock:
            placement = self._field.pocket.placement(order)
            self._field.radio.place(placement, beside=order.beside)
        return {"presented_at": placement.since}

    def _remove(self, _values: Values) -> dict[str, object]:
        self._field.radio.clear()
        return {"removed_at": self._field.radio.clock()}

    def _tokens(self, _values: Values) -> dict[str, object]:
        pocket = self._field.pocket
        return {"verifies": pocket.presented(), "tries_left": pocket.tries_left()}

    def _apdus(self, values: Values) -> dict[str, object]:
        log = self._field.pocket.log
        with self._field.radio.lock:
            entries = [entry.values() for entry in log.entries]
            count = log.count
            if values.get("clear"):
                log.clear()
        return {"count": count, "apdus": entries}

    # -- the world ---------------------------------------------------------------------------------

    def _lose(self, values: Values) -> dict[str, object]:
        """`{"every": n}`, `{"frames": [n, …]}`, `{"probability": p, "seed": s}`, with `"garbled": true`;
        none: stop.
        """
        loss = FrameLoss(
            every=int(values.get("every", 0)),
            numbers=frozenset(int(number) for number in values.get("frames", ())),
            probability=float(values.get("probability", 0.0)),
            damage=Arrival.GARBLED if values.get("garbled") else Arrival.LOST,
            random=Random(int(values.get("seed", 0))),  # noqa: S311 (a seeded fault, not a secret)
        )
        with self._field.radio.lock:
            self._field.radio.loss = loss
        return {}

    def _model(self, values: Values) -> dict[str, object]:
        """Change the model's times: `rate` 0 or 106, `usb_ms`, `poll_ms`, `wake_ms`, `sign_ms`,
        `verify_ms`.
        """
        radio, pocket = self._field.radio, self._field.pocket
        model, time = radio.model, pocket.time
        if unknown := set(values) - {"rate", "usb_ms", "poll_ms", "wake_ms", "sign_ms", "verify_ms"}:
            raise BadOrderError(f"unknown setting {', '.join(sorted(unknown))}")
        rate = values.get("rate", model.rate_kbit)
        if rate not in (0, 106):
            raise BadOrderError("rate is 0 or 106")
        seconds = {name: float(value) / 1000 for name, value in values.items() if name != "rate"}
        with radio.lock:
            radio.model = replace(
                model,
                rate_kbit=rate,
                usb_s=seconds.get("usb_ms", model.usb_s),
                empty_poll_s=seconds.get("poll_ms", model.empty_poll_s),
                wake_s=seconds.get("wake_ms", model.wake_s),
            )
            pocket.time = ComputingTime(
                seconds.get("sign_ms", time.sign_s), seconds.get("verify_ms", time.verify_s), time.other_s
            )
        return {}

    def _counters(self, values: Values) -> dict[str, object]:
        with self._field.radio.lock:
            counters = self._field.radio.meter.values()
            if values.get("clear"):
                self._field.radio.meter.clear()
        return {"counters": counters}

    def _status(self, _values: Values) -> dict[str, object]:
        radio = self._field.radio
        with radio.lock:
            return {
                "tokens": [placement.name for placement in radio.placements],
                "presented_at": radio.presented_at,
                "departed_at": radio.departed_at,
                "field_on": radio.on_since is not None,
                "plugged": self._field.plugged,
                "connected": self._field.connected,
            }

    def _reset(self, _values: Values) -> dict[str, object]:
        """Nothing lies there, nothing is remembered, nothing is lost or counted."""
        with self._field.radio.lock:
            self._field.radio.clear()
            self._field.radio.loss = FrameLoss()
            self._field.radio.meter.clear()
            self._field.pocket.reset()
            self._field.faults.stale_responses = 0
        self._field.plug()
        return {}

    # -- the stick ---------------------------------------------------------------------------------

    def _unplug(self, _values: Values) -> dict[str, object]:
        self._field.unplug()
        return {}

    def _unplug_after(self, values: Values) -> dict[str, object]:
        """Pull the stick in `seconds` from now."""
        threading.Timer(min(float(values["seconds"]), MOST_WAIT_S), self._field.unplug).start()
        return {}

    def _plug(self, _values: Values) -> dict[str, object]:
        self._field.plug()
        return {}

    def _fault(self, values: Values) -> dict[str, object]:
        """`{"deaf": true}`: the stick answers nothing; `{"hung": n}`: the same for n connections; `{"stale":
        n}`: n aborted commands answer late all the same.
        """
        self._field.faults.hung = int(values.get("hung", 0))
        self._field.faults.deaf = bool(values.get("deaf", False))
        self._field.faults.stale_responses = int(values.get("stale", 0))
        return {}

    def _wait(self, values: Values) -> dict[str, object]:
        """Answer when something has come about: `connected`, `empty` (nothing lies there), `apdus` or
        `polls` ≥ `n`.
        """
        radio, wanted, least = self._field.radio, values.get("for"), int(values.get("n", 1))
        reached: dict[object, Callable[[], bool]] = {
            "connected": lambda: self._field.connected,
            "empty": lambda: not radio.placements,
            "token": lambda: len(radio.placements) >= least,
            "apdus": lambda: self._field.pocket.log.count >= least,
            "polls": lambda: radio.meter.empty_polls >= least,
            "activations": lambda: radio.meter.activations >= least,
        }
        if wanted not in reached:
            raise BadOrderError(f"wait for one of {', '.join(map(str, reached))}")
        limit = min(float(values.get("seconds", 5.0)), MOST_WAIT_S)
        end = radio.clock() + limit
        with radio.lock:
            while not reached[wanted]():
                if radio.clock() >= end:
                    raise BadOrderError(f"waited {limit:g} s in vain for {wanted}")
                radio.changed.wait(0.002)
        return {}
