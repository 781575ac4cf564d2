"""Steering the simulated service from outside: `ServiceControl` speaks JSON lines on its control socket.

A line asks, a line answers: `{"do": NAME, …}` → `{"ok": true, "value": …}` or `{"ok": false, "error": …}`.
"""

import json
import socket
from pathlib import Path
from typing import Any

Fields = str | int | float | bool | None


class ControlError(Exception):
    """The service refused the command; the text says why."""


class ServiceControl:
    """Faults, answers and questions. Synchronous; each call is a connection of its own.

    Everywhere: `times=None` arms a fault for good, until `clear()`. `operation` is "challenge",
    "qualification", "status", "keys", "enrolment", "renewal" or "any". `chance` (0 … 1) lets a fault spare
    requests.
    """

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    # ---- answers

    def next_validity(self, validity: str, times: int = 1) -> None:
        """Answer the next new record with this QualificationValidity, "1" … "6"."""
        self.answer(validity=validity, times=times)

    def always_validity(self, validity: str) -> None:
        """Answer every new record so; `next_validity` still goes first."""
        self.answer(validity=validity, times=None)

    def next_segment(self, segment: str, *, settle_after: int = 1) -> None:
        """Answer with SegmentOfResult "2" (in progress; the answer follows after so many askings, -1: never)
        or "9" (failed)."""
        self.answer(segment=segment, settle_after=settle_after)

    def answer(
        self,
        *,
        segment: str = "1",
        status: str = "1",
        validity: str = "1",
        code: str | None = None,
        message: str | None = None,
        settle_after: int = 1,
        times: int | None = 1,
    ) -> None:
        """Any result: SegmentOfResult, ProcessingResultStatus, QualificationValidity, code and message."""
        self._do(
            "answer",
            segment=segment,
            status=status,
            validity=validity,
            code=code,
            message=message,
            settle_after=settle_after,
            times=times,
        )

    # ---- faults

    def delay(
        self,
        seconds: float,
        *,
        times: int | None = 1,
        operation: str = "qualification",
        after_commit: bool = False,
    ) -> None:
        """Begin the work late, or (`after_commit`) answer late."""
        self._do("delay", seconds=seconds, times=times, operation=operation, after_commit=after_commit)

    def refuse(
        self,
        status: int,
        *,
        code: str | None = None,
        retry_after: int | None = None,
        times: int | None = 1,
        operation: str = "qualification",
        chance: float = 1.0,
    ) -> None:
        """Answer this HTTP status and do nothing."""
        self._do(
            "refuse",
            status=status,
            code=code,
            retry_after=retry_after,
            times=times,
            operation=operation,
            chance=chance,
        )

    def lose_request(
        self, *, times: int | None = 1, operation: str = "qualification", chance: float = 1.0
    ) -> None:
        """Break the connection before the request is read."""
        self._do("lose_request", times=times, operation=operation, chance=chance)

    def lose_answer(
        self,
        *,
        after_bytes: int | None = None,
        times: int | None = 1,
        operation: str = "qualification",
        chance: float = 1.0,
    ) -> None:
        """Commit, then break the connection: before the response, or after so many bytes of its body."""
        self._do("lose_answer", after_bytes=after_bytes, times=times, operation=operation, chance=chance)

    def nonsense(
        self, kind: str, *, times: int | None = 1, operation: str = "qualification", chance: float = 1.0
    ) -> None:
        """Commit, then answer 200 with "html", "truncated", "schema", "oversized" or "empty"."""
        self._do("nonsense", kind=kind, times=times, operation=operation, chance=chance)

    def clear(self) -> None:
        """Disarm every answer and fault."""
        self._do("clear")

    def armed(self) -> list[str]:
        """What is armed, in words."""
        return [str(each) for each in self._do("armed")]

    # ---- the service itself

    def close(self) -> None:
        """Stop listening on both ports and break every connection: the service is down."""
        self._do("close")

    def open(self) -> None:
        """Listen again on the same ports: the service is back."""
        self._do("open")

    def rotate_key(self) -> str:
        """Publish a new key to seal to; returns its id. The old one stays accepted."""
        return str(self._do("rotate_key"))

    def drop_key(self, key_id: str) -> None:
        """Accept this key no longer."""
        self._do("drop_key", key_id=key_id)

    def expire_challenges(self) -> int:
        """End every open challenge now; returns how many there were."""
        return int(self._do("expire_challenges"))

    def revoke(self, institution: str, terminal: str) -> None:
        """Refuse the terminal's present certificates; one enrolled later works."""
        self._do("revoke", institution=institution, terminal=terminal)

    def restore(self, institution: str, terminal: str) -> None:
        """Take a revocation back."""
        self._do("restore", institution=institution, terminal=terminal)

    def revoke_token(self, serial: int) -> None:
        """Refuse requests with this token's certificate from now on."""
        self._do("revoke_token", serial=f"{serial:x}")

    def restore_token(self, serial: int) -> None:
        """Take a token's revocation back."""
        self._do("restore_token", serial=f"{serial:x}")

    def allow_visual(self, terminal: str, *, allowed: bool = True) -> None:
        """Let a terminal send visual checks, or no longer."""
        self._do("allow_visual", terminal=terminal, allowed=allowed)

    def issue_code(self, institution: str, code: str, *, life_s: float = 24 * 3600.0) -> None:
        """Issue a 12-digit activation code, as the clinic's portal would."""
        self._do("issue_code", institution=institution, code=code, life_s=life_s)

    # ---- questions

    def effects(self, record: str) -> int:
        """How many times this record took effect: 1 when all is well."""
        return int(self._do("effects", record=record))

    def effect_totals(self) -> tuple[int, int]:
        """All effects, and the records that had one: equal when nothing was doubled."""
        totals = self._do("effect_totals")
        return int(totals["effects"]), int(totals["records"])

    def records(self) -> list[str]:
        """Ids of the records that took effect, oldest first."""
        return [str(each) for each in self._do("records")]

    def requests(self, record: str | None = None) -> int:
        """How many requests came in since the start, lost ones included; with `record`, about it."""
        return int(self._do("requests", record=record))

    def answered_at(self, record: str) -> float | None:
        """When the last answer about this record was handed to its connection: CLOCK_MONOTONIC, seconds."""
        answered = self._do("answered_at", record=record)
        return None if answered is None else float(answered)

    def requests_by_operation(self) -> dict[str, int]:
        """The same, per operation."""
        return {str(name): int(count) for name, count in self._do("requests_by_operation").items()}

    def transcript(self, record: str) -> dict[str, Any] | None:
        """What the record's transcript said: mode, device, authentication, consent {form, agreed}, taken_at,
        clock_trusted, challenge (present or not), late (it came after the challenge's life, and when it was
        signed is not proven), staff, possession, algorithm. None: no such record."""
        told = self._do("transcript", record=record)
        return None if told is None else dict(told)

    def _do(self, command: str, **fields: Fields) -> Any:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(self._timeout_s)
            link.connect(str(self._path))
            with link.makefile("rwb") as lines:
                lines.write(json.dumps({"do": command, **fields}).encode() + b"\n")
                lines.flush()
                answer = json.loads(lines.readline() or b'{"ok": false, "error": "the service hung up"}')
        if not answer["ok"]:
            raise ControlError(answer["error"])
        return answer["value"]
