"""The other end of `ServiceControl`: reads commands from the control socket and carries them out."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from kiosk.qualification.codes import ProcessingResultStatus, QualificationValidity, SegmentOfResult
from kiosk.simulator.service.enrolments import CODE_FORM, INSTITUTION_FORM, EnrolmentOperations
from kiosk.simulator.service.injected_faults import (
    AnswerAs,
    AnswerNonsense,
    Armed,
    Delay,
    DelayAnswer,
    Fault,
    FaultPlan,
    LoseAnswer,
    LoseRequest,
    NonsenseKind,
    Operation,
    Refuse,
)
from kiosk.simulator.service.invented_answers import AnswerPlan
from kiosk.simulator.service.operations import Operations
from kiosk.simulator.service.problems import code_of
from kiosk.simulator.service.store import Store
from kiosk.simulator.service.web import RequestMeter

Fields = dict[str, Any]


class Ports(Protocol):
    """The listening ports."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...


class CommandError(ValueError):
    """A command that is unknown or lacks what it needs."""


class ControlServer:
    """Carries out the commands. `clock` gives seconds since 1970."""

    def __init__(
        self,
        store: Store,
        operations: Operations,
        enrolment: EnrolmentOperations,
        plan: FaultPlan,
        meter: RequestMeter,
        ports: Ports,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._operations = operations
        self._enrolment = enrolment
        self._plan = plan
        self._meter = meter
        self._ports = ports
        self._clock = clock

    async def listen(self, path: Path) -> asyncio.Server:
        """Listen on the socket, for its owner only."""
        server = await asyncio.start_unix_server(self._on_connection, path)
        path.chmod(0o600)
        return server

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line beyond the limit
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Fields:
        try:
            fields = json.loads(line)
            return {"ok": True, "value": await self._carry_out(str(fields.pop("do")), fields)}
        except KeyError as missing:
            return {"ok": False, "error": f"the command lacks {missing}"}
        except (ValueError, TypeError, AttributeError, OSError) as fault:
            return {"ok": False, "error": str(fault)}

    async def _carry_out(self, command: str, given: Fields) -> Any:
        match command:
            case "open":
                return await self._ports.open()
            case "close":
                return await self._ports.close()
            case "clear":
                return self._plan.clear()
            case "armed":
                return [str(each) for each in self._plan.armed()]
            case "answer" | "delay" | "refuse" | "lose_request" | "lose_answer" | "nonsense":
                return self._plan.arm(_armed(_fault(command, given), given))
            case _:
                return self._manage(command, given)

    def _manage(self, command: str, given: Fields) -> Any:
        match command:
            case "rotate_key":
                return self._operations.rotate_key()
            case "drop_key":
                if not self._store.drop_key(given["key_id"]):
                    raise CommandError("no key of this id")
                return None
            case "expire_challenges":
                return self._store.expire_challenges(self._clock())
            case "revoke":
                return self._store.revoke(given["institution"], given["terminal"], self._clock())
            case "restore":
                return self._store.restore(given["institution"], given["terminal"])
            case "revoke_token":
                return self._store.revoke_token(given["serial"])
            case "restore_token":
                return self._store.restore_token(given["serial"])
            case "allow_visual":
                return self._store.allow_visual(given["terminal"], allowed=bool(given["allowed"]))
            case "issue_code":
                institution, code = given["institution"], given["code"]
                if not INSTITUTION_FORM.fullmatch(institution) or not CODE_FORM.fullmatch(code):
                    raise CommandError("institution is 10 digits, code 12")
                return self._enrolment.issue_code(institution, code, float(given["life_s"]))
            case _:
                return self._tell(command, given)

    def _tell(self, question: str, given: Fields) -> Any:
        match question:
            case "effects":
                return self._store.effects(given["record"])
            case "effect_totals":
                effects, records = self._store.effect_totals()
                return {"effects": effects, "records": records}
            case "records":
                return self._store.effect_records()
            case "requests":
                record = given.get("record")
                return self._meter.by_operation.total() if record is None else self._meter.by_record[record]
            case "requests_by_operation":
                return dict(self._meter.by_operation)
            case "answered_at":
                return self._meter.answered_at.get(given["record"])
            case "transcript":
                found = self._store.record(given["record"])
                return None if found is None else found.told
            case _:
                raise CommandError(f"no command {question!r}")


def _fault(kind: str, given: Fields) -> Fault:
    match kind:
        case "answer":
            return AnswerAs(_answer_plan(given))
        case "delay":
            seconds = float(given["seconds"])
            return DelayAnswer(seconds) if given.get("after_commit") else Delay(seconds)
        case "refuse":
            code = given.get("code")
            if code is not None and code_of(code) is None:
                raise CommandError(f"no problem code {code!r}")
            return Refuse(int(given["status"]), code, given.get("retry_after"))
        case "lose_request":
            return LoseRequest()
        case "lose_answer":
            return LoseAnswer(given.get("after_bytes"))
        case _:
            return AnswerNonsense(NonsenseKind(given["kind"]))


def _answer_plan(given: Fields) -> AnswerPlan:
    return AnswerPlan(
        segment=SegmentOfResult(given.get("segment", "1")),
        status=ProcessingResultStatus(given.get("status", "1")),
        validity=QualificationValidity(given.get("validity", "1")),
        code=given.get("code"),
        message=given.get("message"),
        settle_after=int(given.get("settle_after", 1)),
    )


def _armed(fault: Fault, given: Fields) -> Armed:
    times = given.get("times", 1)
    operation = given.get("operation", Operation.QUALIFICATION.value)
    return Armed(
        fault=fault,
        times=None if times is None else int(times),
        operation=None if operation == "any" else Operation(operation),
        chance=float(given.get("chance", 1.0)),
    )
